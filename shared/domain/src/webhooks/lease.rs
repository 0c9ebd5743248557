//! Who may make the next attempt of a delivery: exactly one worker at a time, and nobody once it has ended.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr};

use crate::core::timestamp::Timestamp;

/// Beyond an endpoint's timeout a worker gets this long to write down what came of its attempt.
pub const LEASE_MARGIN: Duration = Duration::from_secs(15);

/// How a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr, EnumString)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum DeliveryState {
    /// Its first attempt is being made.
    Pending,
    /// An attempt failed, another follows.
    Retrying,
    /// The endpoint took it.
    Delivered,
    /// Given up; its message is with the dead letters.
    Dead,
}

impl DeliveryState {
    /// As it stands in rows and answers.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Whether no attempt follows, unless somebody sends it again.
    pub fn has_ended(self) -> bool {
        matches!(self, Self::Delivered | Self::Dead)
    }

    /// From a row.
    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

/// What a delivery's row says about claiming it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaseRow {
    /// How it stands.
    pub state: DeliveryState,
    /// Which time it is sent for.
    pub run: u32,
    /// Until when a worker has it.
    pub lease_until: Option<Timestamp>,
    /// When its next attempt is due.
    pub next_attempt_at: Option<Timestamp>,
}

/// What a worker does with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeaseDecision {
    /// Attempt it now.
    Take,
    /// It died before and somebody sent it again: attempt it as if it were new.
    Restart,
    /// Another worker has it, or it is not due: look again after this long.
    Wait(Duration),
    /// It has ended, or this message is of an older run: drop the message.
    Drop,
}

impl LeaseRow {
    /// What a message of this run may do now.
    pub fn claim(&self, run: u32, now: Timestamp) -> LeaseDecision {
        match self.state {
            DeliveryState::Dead if Some(run) == self.run.checked_add(1) => LeaseDecision::Restart,
            DeliveryState::Dead | DeliveryState::Delivered => LeaseDecision::Drop,
            _ if run < self.run => LeaseDecision::Drop,
            DeliveryState::Pending | DeliveryState::Retrying => {
                match self.lease_until.max(self.next_attempt_at).filter(|until| *until > now) {
                    Some(until) => LeaseDecision::Wait(until.since(now)),
                    None => LeaseDecision::Take,
                }
            }
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis).unwrap()
    }

    fn row(
        state: DeliveryState,
        lease_until: Option<i64>,
        next_attempt_at: Option<i64>,
    ) -> LeaseRow {
        LeaseRow {
            state,
            run: 2,
            lease_until: lease_until.map(at),
            next_attempt_at: next_attempt_at.map(at),
        }
    }

    #[test]
    fn one_worker_at_a_time() {
        let wait = |millis| LeaseDecision::Wait(Duration::from_millis(millis));
        for (row, run, expected) in [
            (row(DeliveryState::Pending, Some(1500), None), 2, wait(500)),
            (row(DeliveryState::Pending, Some(1000), None), 2, LeaseDecision::Take),
            (row(DeliveryState::Retrying, None, Some(1700)), 2, wait(700)),
            (row(DeliveryState::Retrying, Some(1900), Some(1700)), 2, wait(900)),
            (row(DeliveryState::Retrying, None, Some(1000)), 2, LeaseDecision::Take),
            (row(DeliveryState::Retrying, None, None), 1, LeaseDecision::Drop),
            (row(DeliveryState::Delivered, None, None), 2, LeaseDecision::Drop),
            (row(DeliveryState::Delivered, None, None), 3, LeaseDecision::Drop),
            (row(DeliveryState::Dead, None, None), 2, LeaseDecision::Drop),
            (row(DeliveryState::Dead, None, None), 3, LeaseDecision::Restart),
            (row(DeliveryState::Dead, None, None), 4, LeaseDecision::Drop),
        ] {
            assert_eq!(row.claim(run, at(1000)), expected, "{row:?} run {run}");
        }
    }
}
