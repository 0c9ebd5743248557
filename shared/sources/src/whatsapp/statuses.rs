//! Statuses of our messages.

use domain::core::timestamp::Timestamp;
use domain::messaging::channel::{ChannelEvent, ProviderMessageId, StatusUpdate};

use super::{error, identifier};
use crate::text::Fields;

/// Reads one of `statuses`. `None` without a message id or a status. The recipient is not kept.
pub(super) fn read(fields: &Fields) -> Option<ChannelEvent> {
    Some(ChannelEvent::Status(StatusUpdate {
        message: message_id(fields, "id")?,
        status: identifier(fields, "status")?,
        at: time(fields),
        error: fields.list("errors").first().and_then(error),
    }))
}

pub(super) fn message_id(fields: &Fields, name: &str) -> Option<ProviderMessageId> {
    ProviderMessageId::parse(&fields.digits(name)?)
}

/// Seconds since 1970, as a string or a number. Milliseconds would lie beyond the year 9999 and are
/// rejected.
pub(super) fn time(fields: &Fields) -> Option<Timestamp> {
    let seconds =
        fields.digits("timestamp").filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?;
    let seconds: i64 = seconds.parse().ok().filter(|seconds| *seconds > 0)?;
    Timestamp::from_millis(seconds.checked_mul(1000)?).ok()
}
