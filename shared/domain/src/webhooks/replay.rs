//! Replays: an operator has a delivery sent again.

use std::time::Duration;

use crate::core::timestamp::Timestamp;
use crate::webhooks::kind::Kind;
use crate::webhooks::lease::DeliveryState;

/// A replay that is asked for this soon after another is the same one: a double click, or a request
/// that was repeated because its answer was lost.
pub const DOUBLE_CLICK: Duration = Duration::from_secs(60);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplayDecision {
    /// Begin another run.
    Begin,
    /// The run that was asked for has begun.
    Begun,
    /// The run that was asked for has begun, and has ended as dead by now.
    DeadAgain,
    /// The delivery has not ended: it is going to be sent anyway.
    Unfinished,
    /// A message that the provider has, or may have: the shopper would get it twice.
    Sent,
}

impl ReplayDecision {
    /// `kind` is `None` for a delivery that was erased before its first attempt; `replayed_at` is the
    /// time of the last replay.
    pub fn new(
        kind: Option<Kind>,
        state: DeliveryState,
        replayed_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Self {
        let is_repeat = |at| now.since(at) < DOUBLE_CLICK;
        let is_message = kind == Some(Kind::WhatsApp);
        match state {
            DeliveryState::Unknown => Self::Sent,
            DeliveryState::Delivered if is_message => Self::Sent,
            DeliveryState::Dead if replayed_at.is_some_and(is_repeat) => Self::DeadAgain,
            _ if replayed_at.is_some_and(is_repeat) => Self::Begun,
            state if state.has_ended() => Self::Begin,
            _ => Self::Unfinished,
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::webhooks::endpoint::{EventType, Format};

    #[test]
    fn a_replay_begins_once() {
        let at = |millis| Timestamp::from_millis(millis).unwrap();
        let (dead, open) = (DeliveryState::Dead, DeliveryState::Retrying);
        for (state, replayed_at, expected) in [
            (dead, None, ReplayDecision::Begin),
            (DeliveryState::Delivered, None, ReplayDecision::Begin),
            (DeliveryState::Superseded, None, ReplayDecision::Begin),
            (open, None, ReplayDecision::Unfinished),
            (DeliveryState::Pending, Some(40_001), ReplayDecision::Begun),
            (DeliveryState::Delivered, Some(40_001), ReplayDecision::Begun),
            (dead, Some(40_001), ReplayDecision::DeadAgain),
            (dead, Some(40_000), ReplayDecision::Begin),
            (open, Some(40_000), ReplayDecision::Unfinished),
        ] {
            let webhook =
                Kind::Webhook { format: Format::Standard, event: EventType::StatusChanged };
            let decision =
                ReplayDecision::new(Some(webhook), state, replayed_at.map(at), at(100_000));
            assert_eq!(decision, expected, "{state:?} {replayed_at:?}");
        }
    }

    #[test]
    fn a_message_is_not_sent_twice() {
        for (state, expected) in [
            (DeliveryState::Delivered, ReplayDecision::Sent),
            (DeliveryState::Unknown, ReplayDecision::Sent),
            (DeliveryState::Failed, ReplayDecision::Begin),
            (DeliveryState::Dead, ReplayDecision::Begin),
            (DeliveryState::Parked, ReplayDecision::Unfinished),
        ] {
            let decision = ReplayDecision::new(Some(Kind::WhatsApp), state, None, Timestamp::EPOCH);
            assert_eq!(decision, expected, "{state:?}");
        }
    }
}
