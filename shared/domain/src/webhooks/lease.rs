//! The lease on a delivery: one worker at a time makes an attempt, and none after the end.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};

use crate::core::timestamp::Timestamp;

/// A lease lasts for the endpoint's timeout and this margin: the claim's answer may be late, and
/// the attempt has to be recorded.
pub const LEASE_MARGIN: Duration = Duration::from_secs(15);
/// The part of the margin that recording an attempt may take.
const RECORDING: Duration = Duration::from_secs(5);

/// True if an attempt that begins now can be recorded before the lease ends. Otherwise the answer
/// to the claim was late, and another worker could post the delivery at the same time.
pub fn lasts_for_attempt(lease_until: Timestamp, timeout: Duration, now: Timestamp) -> bool {
    now.after(timeout).after(RECORDING) <= lease_until
}

/// The longest wait of a message in flight. A queue has at most 120,000 messages in flight, and
/// delivers nothing beyond that.
pub const MAX_IN_FLIGHT_WAIT: Duration = Duration::from_secs(60);

/// The next attempt of a delivery. Until then its message waits in flight, or, if the wait is
/// longer than [`MAX_IN_FLIGHT_WAIT`], its row waits in the due index and has no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NextAttempt {
    pub at: Timestamp,
    pub wait: Duration,
}

impl NextAttempt {
    pub fn after(wait: Duration, now: Timestamp) -> Self {
        Self { at: now.after(wait), wait }
    }

    pub fn waits_in_flight(self) -> bool {
        self.wait <= MAX_IN_FLIGHT_WAIT
    }
}

#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    IntoStaticStr,
    EnumString,
    VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum DeliveryState {
    /// Before the result of the first attempt.
    Pending,
    /// An attempt failed; another one follows.
    Retrying,
    /// Its endpoint is paused.
    Parked,
    Delivered,
    /// A newer delivery about the same order or parcel makes it unnecessary.
    Superseded,
    /// Given up; its message is in the dead-letter queue.
    Dead,
    /// The message was not sent: the provider refused it, or it was too old or unwanted by then.
    Failed,
    /// A message of which no attempt may follow, though the last one has no result: the provider may
    /// have it.
    Unknown,
}

impl DeliveryState {
    /// The name in rows and answers.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// True if no attempt follows, except after a redrive.
    pub fn has_ended(self) -> bool {
        !matches!(self, Self::Pending | Self::Retrying | Self::Parked)
    }

    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

/// The attributes of a delivery's row that decide about the lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaseRow {
    pub state: DeliveryState,
    pub run: u32,
    pub lease_until: Option<Timestamp>,
    pub next_attempt_at: Option<Timestamp>,
    /// True if the row is in the due index.
    pub is_in_index: bool,
    /// True for a message with an attempt that was claimed and has no result: it may have been sent.
    pub is_doubtful: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeaseDecision {
    /// Attempt the delivery now.
    Take,
    /// The lease of a message ran out without a result: end it, it may have been sent.
    EndAsUnknown,
    /// A dead delivery was redriven: attempt it like a new one.
    Restart,
    /// Another worker has the lease, or the attempt is not due yet.
    Wait(Duration),
    /// The message is not needed: the delivery has ended, the message belongs to an older run, or
    /// the row waits in the due index.
    Drop,
}

impl LeaseRow {
    /// `run` is that of the message.
    pub fn claim(&self, run: u32, now: Timestamp) -> LeaseDecision {
        match self.state {
            DeliveryState::Dead if Some(run) == self.run.checked_add(1) => LeaseDecision::Restart,
            state if state.has_ended() => LeaseDecision::Drop,
            _ if run < self.run => LeaseDecision::Drop,
            // Dead-lettered by a worker that was killed before it recorded so. The row lives on.
            _ if run > self.run && self.is_in_index => LeaseDecision::Drop,
            _ => self.wait(now),
        }
    }

    fn wait(&self, now: Timestamp) -> LeaseDecision {
        let Some(until) = self.lease_until.max(self.next_attempt_at).filter(|it| *it > now) else {
            let is_doubtful = self.is_doubtful;
            return if is_doubtful { LeaseDecision::EndAsUnknown } else { LeaseDecision::Take };
        };
        let wait = until.since(now);
        if self.is_in_index && wait > MAX_IN_FLIGHT_WAIT {
            return LeaseDecision::Drop;
        }
        LeaseDecision::Wait(wait)
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
            is_in_index: false,
            is_doubtful: false,
        }
    }

    #[test]
    fn one_worker_at_a_time_has_the_lease() {
        let wait = |millis| LeaseDecision::Wait(Duration::from_millis(millis));
        for (row, run, expected) in [
            (row(DeliveryState::Pending, Some(1500), None), 2, wait(500)),
            (row(DeliveryState::Pending, Some(1000), None), 2, LeaseDecision::Take),
            (row(DeliveryState::Retrying, None, Some(1700)), 2, wait(700)),
            (row(DeliveryState::Retrying, Some(1900), Some(1700)), 2, wait(900)),
            (row(DeliveryState::Retrying, None, Some(1000)), 2, LeaseDecision::Take),
            (row(DeliveryState::Retrying, None, None), 1, LeaseDecision::Drop),
            (row(DeliveryState::Parked, None, None), 2, LeaseDecision::Take),
            (row(DeliveryState::Delivered, None, None), 2, LeaseDecision::Drop),
            (row(DeliveryState::Delivered, None, None), 3, LeaseDecision::Drop),
            (row(DeliveryState::Superseded, None, None), 2, LeaseDecision::Drop),
            (row(DeliveryState::Superseded, None, None), 3, LeaseDecision::Drop),
            (row(DeliveryState::Dead, None, None), 2, LeaseDecision::Drop),
            (row(DeliveryState::Dead, None, None), 3, LeaseDecision::Restart),
            (row(DeliveryState::Dead, None, None), 4, LeaseDecision::Drop),
        ] {
            assert_eq!(row.claim(run, at(1000)), expected, "{row:?} run {run}");
        }
    }

    #[test]
    fn a_message_whose_attempt_has_no_result_is_not_sent_again() {
        let claimed = |millis| {
            LeaseRow { is_doubtful: true, ..row(DeliveryState::Pending, Some(millis), None) }
                .claim(2, at(1000))
        };
        assert_eq!(claimed(1500), LeaseDecision::Wait(Duration::from_millis(500)));
        assert_eq!(claimed(1000), LeaseDecision::EndAsUnknown);
    }

    #[test]
    fn no_attempt_begins_late_in_the_lease() {
        let lasts = |now| lasts_for_attempt(at(30_000), Duration::from_secs(15), at(now));
        assert!(lasts(10_000));
        assert!(!lasts(10_001));
    }

    /// A message that comes too early is not kept in flight. One of a row that no index has, as
    /// older releases wrote, is the only one that the delivery has.
    #[test]
    fn a_message_of_a_waiting_row_is_dropped() {
        let waiting = |millis, is_in_index| {
            LeaseRow { is_in_index, ..row(DeliveryState::Retrying, None, Some(millis)) }
                .claim(2, at(1000))
        };
        let wait = |millis| LeaseDecision::Wait(Duration::from_millis(millis));
        assert_eq!(waiting(61_000, true), wait(60_000));
        assert_eq!(waiting(61_001, true), LeaseDecision::Drop);
        assert_eq!(waiting(61_001, false), wait(60_001));
        let parked = LeaseRow { is_in_index: true, ..row(DeliveryState::Parked, None, None) };
        assert_eq!(parked.claim(3, at(1000)), LeaseDecision::Drop);
        assert_eq!(parked.claim(2, at(1000)), LeaseDecision::Take);
    }

    #[test]
    fn a_wait_of_a_minute_is_in_flight() {
        let next = |millis| NextAttempt::after(Duration::from_millis(millis), at(1000));
        assert_eq!(next(60_000).at, at(61_000));
        assert!(next(60_000).waits_in_flight());
        assert!(!next(60_001).waits_in_flight());
    }
}
