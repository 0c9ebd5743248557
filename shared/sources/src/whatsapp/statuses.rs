//! How a message of ours fares.

use domain::core::timestamp::Timestamp;
use domain::messaging::channel::{ChannelEvent, ProviderMessageId, StatusUpdate};

use super::{error, word};
use crate::text::Fields;

/// One of `statuses`; nothing if it does not say of which message, or how it fares. Whom the message went to is not
/// kept.
pub(super) fn read(fields: &Fields) -> Option<ChannelEvent> {
    Some(ChannelEvent::Status(StatusUpdate {
        message: message_id(fields, "id")?,
        status: word(fields, "status")?,
        at: time(fields),
        error: fields.list("errors").first().and_then(error),
    }))
}

/// WhatsApp's id of a message.
pub(super) fn message_id(fields: &Fields, name: &str) -> Option<ProviderMessageId> {
    ProviderMessageId::parse(&fields.digits(name)?)
}

/// When it was: seconds since 1970, as a string or a number. Milliseconds would lie beyond the year 9999, which is no
/// time.
pub(super) fn time(fields: &Fields) -> Option<Timestamp> {
    let seconds =
        fields.digits("timestamp").filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?;
    let seconds: i64 = seconds.parse().ok().filter(|seconds| *seconds > 0)?;
    Timestamp::from_millis(seconds.checked_mul(1000)?).ok()
}
