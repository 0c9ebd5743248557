//! Statuses of our messages.

use domain::core::timestamp::Timestamp;
use domain::messaging::channel::{ChannelEvent, OtherUpdate, StatusUpdate};
use domain::messaging::conversation::Contact;
use domain::messaging::pricing::{Pricing, PricingCategory, PricingType};

use super::ids::message_id;
use super::{error, identifier};
use crate::text::Fields;

/// Longest `biz_opaque_callback_data`, in bytes.
const CALLBACK: usize = 512;

/// Reads one of `statuses`. `None` without a message id or a status.
pub(super) fn read(fields: &Fields) -> Option<ChannelEvent> {
    let (message, status) = (message_id(fields, "id")?, identifier(fields, "status")?);
    if let Some(other) = other_update(fields, &status) {
        return Some(ChannelEvent::Other(other));
    }
    Some(ChannelEvent::Status(StatusUpdate {
        message,
        status,
        at: time(fields),
        error: fields.list("errors").first().and_then(error),
        callback_data: fields.text("biz_opaque_callback_data").filter(|it| it.len() <= CALLBACK),
        pricing: pricing(&fields.object("pricing")),
        recipient: recipient(fields),
    }))
}

/// A recipient with a username may have no phone number here, a group has no shopper.
fn recipient(fields: &Fields) -> Option<(Contact, Contact)> {
    if fields.text("recipient_type").as_deref() == Some("group") {
        return None;
    }
    let contact = |name| fields.text(name).as_deref().and_then(Contact::parse);
    Some((contact("recipient_id")?, contact("recipient_user_id")?))
}

/// It comes with `sent` and with one of `delivered` and `read`.
fn pricing(fields: &Fields) -> Option<Pricing> {
    Some(Pricing {
        category: PricingCategory::parse(&fields.text("category")?),
        kind: PricingType::parse(fields.text("type").as_deref()),
        billable: fields.has("billable").then(|| fields.flag("billable")),
    })
}

/// Some only if the status is not one of the message as a whole.
fn other_update(fields: &Fields, status: &str) -> Option<OtherUpdate> {
    match fields.text("type").as_deref() {
        Some("payment") => return Some(OtherUpdate::Payment),
        None if fields.has("payment") => return Some(OtherUpdate::Payment),
        None | Some("message") => {}
        Some(_) => return Some(OtherUpdate::Status),
    }
    // A group's message has one status for each participant, and the highest one counts.
    let of_participant = fields.text("recipient_type").as_deref() == Some("group")
        && fields.has("recipient_participant_id");
    (of_participant && status == "failed").then_some(OtherUpdate::GroupParticipant)
}

/// The field `timestamp`.
pub(super) fn time(fields: &Fields) -> Option<Timestamp> {
    seconds(&fields.digits("timestamp")?)
}

/// Seconds since 1970, in digits. Milliseconds would lie beyond the year 9999 and are rejected.
pub(super) fn seconds(text: &str) -> Option<Timestamp> {
    let digits = Some(text).filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?;
    let seconds: i64 = digits.parse().ok().filter(|seconds| *seconds > 0)?;
    Timestamp::from_millis(seconds.checked_mul(1000)?).ok()
}
