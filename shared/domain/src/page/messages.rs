//! The messages about an order, as its page shows them: subject and delivery status.

use super::progress::Headline;
use crate::core::timestamp::Timestamp;
use crate::messaging::linked::TrackedMessage;
use crate::messaging::message::Message;
use crate::messaging::message_status::ProviderStatus;

/// Neither was sent to anybody.
const NOT_SENT: [&str; 2] = ["skipped", "dry_run"];

/// How far a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tick {
    Sending,
    Sent,
    Delivered,
    Read,
    Failed,
}

impl Tick {
    pub const ALL: [Self; 5] =
        [Self::Sending, Self::Sent, Self::Delivered, Self::Read, Self::Failed];

    fn of(status: ProviderStatus) -> Self {
        match status {
            ProviderStatus::Sending | ProviderStatus::Unknown => Self::Sending,
            ProviderStatus::Accepted | ProviderStatus::Sent => Self::Sent,
            ProviderStatus::Delivered => Self::Delivered,
            ProviderStatus::Read | ProviderStatus::Played => Self::Read,
            ProviderStatus::NotSent | ProviderStatus::Failed => Self::Failed,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessageLine {
    pub at: Timestamp,
    /// `None` for a message that no rule has sent.
    pub about: Option<Headline>,
    pub tick: Tick,
}

impl MessageLine {
    /// `None` for a message that was not sent.
    pub fn of(message: &Message, tracked: &TrackedMessage) -> Option<Self> {
        let own = message.message_status.as_str();
        let status = tracked.tracking.status().or_else(|| ProviderStatus::parse(own));
        let rule = message.send.as_ref().and_then(|send| send.rule);
        (!NOT_SENT.contains(&own)).then(|| Self {
            at: message.sent_at,
            about: rule.and_then(Headline::of),
            tick: status.map_or(Tick::Sending, Tick::of),
        })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::messaging::message::{MessageKey, NewMessage};
    use crate::testing::minute;

    fn message(status: &str) -> Message {
        let body = format!(r#"{{"order_id":"1","account_code":"A","message_status":"{status}"}}"#);
        let new = NewMessage::read(body.as_bytes()).unwrap();
        Message::new(new, &MessageKey::Request("r"), minute(0))
    }

    #[test]
    fn every_status_has_a_tick() {
        for (status, tick) in [
            ("sending", Tick::Sending),
            ("unknown", Tick::Sending),
            ("pending", Tick::Sending),
            ("accepted", Tick::Sent),
            ("sent", Tick::Sent),
            ("delivered", Tick::Delivered),
            ("read", Tick::Read),
            ("played", Tick::Read),
            ("failed", Tick::Failed),
        ] {
            let line = MessageLine::of(&message(status), &TrackedMessage::default());
            assert_eq!(line.map(|line| line.tick), Some(tick), "{status}");
        }
    }

    #[test]
    fn the_providers_status_counts() {
        let mut tracked = TrackedMessage::default();
        tracked.tracking.observe(ProviderStatus::Read, minute(1));
        let line = MessageLine::of(&message("sent"), &tracked);
        assert_eq!(line, Some(MessageLine { at: minute(0), about: None, tick: Tick::Read }));
    }

    #[test]
    fn hides_messages_that_were_not_sent() {
        for status in NOT_SENT {
            assert_eq!(MessageLine::of(&message(status), &TrackedMessage::default()), None);
        }
    }
}
