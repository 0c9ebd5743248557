//! The reasons stored with an event that failed or was not applied in full. They quote no content.

use std::fmt;

use aws::lambda::sqs_batch::DeadLetterReason;
use aws::tables::inbound::{EventState, Progress};
use sources::Unreadable;

use crate::fan_out::Undeliverable;

/// Why an event fails. A failed event can be retried once its cause is corrected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FailReason {
    UnknownSource,
    NoAccount,
    NoSuchOrder,
    UnreadableApiEvent,
    UnreadableWebhook(Unreadable),
    Undeliverable(Undeliverable),
    DeadLettered(DeadLetterReason),
}

impl fmt::Display for FailReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownSource => f.write_str("unknown source"),
            Self::NoAccount => f.write_str("no account"),
            Self::NoSuchOrder => f.write_str("no such order"),
            Self::UnreadableApiEvent => f.write_str("not one of our events"),
            Self::UnreadableWebhook(error) => error.fmt(f),
            Self::Undeliverable(Undeliverable { parameter }) => {
                write!(f, "setting {parameter} is wrong")
            }
            Self::DeadLettered(reason) => write!(f, "dead letter: {}", reason.as_str()),
        }
    }
}

impl From<FailReason> for Progress {
    fn from(reason: FailReason) -> Self {
        Self::because(EventState::Failed, reason.to_string())
    }
}

/// Why some or all content of a readable event was not applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum OmissionReason {
    NoUpdates,
    NumberError,
    /// Every update is for a phone number or business account without an account.
    OnlyForeignNumbers,
    ForeignNumbers(usize),
    /// Statuses of payments, not of messages.
    Payments(usize),
    /// A status in words that no release knows yet: a retry reads them again.
    UnknownStatus,
    /// The report was taken back.
    Withdrawn,
    /// The order holds no more parcels, or the parcel no more reports.
    TimelineFull,
    /// Statuses of a participant of a group, or of an unknown type.
    OtherStatuses(usize),
    /// Changes that are not read, by the provider's name of their field.
    OtherField(String, usize),
    NotUnderstood {
        skipped: usize,
        total: usize,
    },
}

impl fmt::Display for OmissionReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoUpdates => f.write_str("no_updates"),
            Self::NumberError => f.write_str("number_error"),
            Self::UnknownStatus => f.write_str("unknown_status"),
            Self::Withdrawn => f.write_str("withdrawn"),
            Self::TimelineFull => f.write_str("timeline_full"),
            Self::OnlyForeignNumbers => f.write_str("foreign_number"),
            Self::ForeignNumbers(count) => write!(f, "{count} for numbers of nobody"),
            Self::Payments(count) => write!(f, "{count} about payments"),
            Self::OtherStatuses(count) => write!(f, "{count} not about a whole message"),
            Self::OtherField(name, count) => write!(f, "{count} of field {name}"),
            Self::NotUnderstood { skipped, total } => {
                write!(f, "{skipped} of {total} not understood")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fail_reasons_keep_their_stored_texts() {
        let parameter = "endpoints/a/settings".to_owned();
        for (reason, text) in [
            (FailReason::UnknownSource, "unknown source"),
            (FailReason::NoAccount, "no account"),
            (FailReason::NoSuchOrder, "no such order"),
            (FailReason::UnreadableApiEvent, "not one of our events"),
            (FailReason::UnreadableWebhook(Unreadable::Missing("awb")), "missing awb"),
            (
                FailReason::Undeliverable(Undeliverable { parameter }),
                "setting endpoints/a/settings is wrong",
            ),
            (FailReason::DeadLettered(DeadLetterReason::Bug), "dead letter: bug"),
        ] {
            let expected = Progress::because(EventState::Failed, text);
            assert_eq!(Progress::from(reason), expected);
        }
    }
}
