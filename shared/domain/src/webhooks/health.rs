//! The health of an endpoint: a circuit breaker pauses one that fails, and a probe finds out when it
//! answers again.
//!
//! The deliveries of a paused endpoint are parked: no request is sent, no message waits, and the
//! time does not count against their schedules.

use std::time::Duration;

use strum::{EnumString, IntoStaticStr};

use crate::core::timestamp::Timestamp;
use crate::webhooks::retry::AttemptOutcome;

/// Failures in a row that pause an endpoint.
const MAX_FAILURES: u32 = 10;
/// Timeouts in a row that pause an endpoint: each costs a worker the whole timeout.
const MAX_TIMEOUTS: u32 = 5;
/// A delivery that was parked for longer is dead.
pub const PARKED_LIMIT: Duration = Duration::from_secs(72 * 60 * 60);
/// After a recovery, parked deliveries are looked for during this time: a worker may still park one
/// because it has not read of the recovery.
pub const RECOVERY: Duration = Duration::from_secs(60 * 60);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, IntoStaticStr, EnumString)]
#[strum(serialize_all = "snake_case")]
pub enum EndpointState {
    #[default]
    Active,
    /// It failed, or an admin paused it: deliveries are parked.
    Paused,
    /// It is sent deliveries again, and those that were parked.
    Recovering,
    /// It wants no deliveries until an admin enables it: they become dead letters.
    Disabled,
}

impl EndpointState {
    /// The name in rows and answers.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

/// What the row of an endpoint says. Without a row, an endpoint is active.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Health {
    pub state: EndpointState,
    /// Failures in a row, timeouts among them.
    pub failures: u32,
    /// Timeouts in a row.
    pub timeouts: u32,
    /// Since when the state has been in force.
    pub since: Option<Timestamp>,
    /// When the next probe is due; `None` if an admin paused the endpoint.
    pub probe_at: Option<Timestamp>,
    /// The number of probes since the pause.
    pub probes: u32,
    /// It answers slowly: its deliveries take the slow lane.
    pub is_slow: bool,
}

impl Health {
    pub fn has_to_pause(&self) -> bool {
        self.failures >= MAX_FAILURES || self.timeouts >= MAX_TIMEOUTS
    }

    /// True once a recovery has ended.
    pub fn has_recovered(&self, now: Timestamp) -> bool {
        self.state == EndpointState::Recovering
            && self.since.is_none_or(|since| now.since(since) > RECOVERY)
    }
}

/// The average time that an endpoint takes to answer, of a worker's recent attempts.
#[derive(Debug, Clone, Copy, Default)]
pub struct Latency {
    average_ms: u64,
    attempts: u32,
}

/// An endpoint is slow above the first average, and no longer below the second.
const SLOW_MS: u64 = 3000;
const NO_LONGER_SLOW_MS: u64 = 2000;
/// Fewer attempts say little: the first one also connects.
const MIN_ATTEMPTS: u32 = 5;
/// The weight of the newest attempt is one in this many.
const WEIGHT: u64 = 5;

impl Latency {
    #[must_use]
    pub fn with(self, attempt: Duration) -> Self {
        let ms = u64::try_from(attempt.as_millis()).unwrap_or(u64::MAX);
        let before = if self.attempts == 0 { ms } else { self.average_ms };
        Self {
            average_ms: before.saturating_mul(WEIGHT - 1).saturating_add(ms) / WEIGHT,
            attempts: self.attempts.saturating_add(1),
        }
    }

    /// Whether the endpoint becomes slow, or is no longer. `None` if it stays as it was.
    pub fn changes(self, is_slow: bool) -> Option<bool> {
        let becomes =
            if is_slow { self.average_ms >= NO_LONGER_SLOW_MS } else { self.average_ms > SLOW_MS };
        (self.attempts >= MIN_ATTEMPTS && becomes != is_slow).then_some(becomes)
    }
}

/// The wait before the next probe, after this many.
pub fn probe_wait(probes: u32) -> Duration {
    let minutes = match probes {
        0 => 1,
        1 => 2,
        2 => 5,
        _ => 15,
    };
    Duration::from_secs(minutes * 60)
}

/// What an attempt tells about its endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// It answered, if only to refuse this delivery.
    Alive,
    Failure,
    Timeout,
}

impl Sign {
    /// `None` if nothing was sent.
    pub fn of(outcome: AttemptOutcome) -> Option<Self> {
        match outcome {
            AttemptOutcome::Answered { status: 408 | 429 | 500.., .. }
            | AttemptOutcome::NoAnswer => Some(Self::Failure),
            AttemptOutcome::Answered { .. } => Some(Self::Alive),
            AttemptOutcome::TimedOut => Some(Self::Timeout),
            AttemptOutcome::Refused => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_failures_or_five_timeouts_pause_an_endpoint() {
        let has_to_pause =
            |failures, timeouts| Health { failures, timeouts, ..Health::default() }.has_to_pause();
        for (failures, timeouts, expected) in
            [(0, 0, false), (9, 4, false), (10, 0, true), (5, 5, true), (30, 30, true)]
        {
            assert_eq!(has_to_pause(failures, timeouts), expected, "{failures} {timeouts}");
        }
    }

    #[test]
    fn an_average_over_three_seconds_is_slow_until_it_is_below_two() {
        let after = |seconds: &[u64]| {
            let attempts = seconds.iter().map(|it| Duration::from_secs(*it));
            attempts.fold(Latency::default(), Latency::with)
        };
        for (seconds, is_slow, expected) in [
            (&[4, 4, 4, 4][..], false, None),
            (&[4, 4, 4, 4, 4], false, Some(true)),
            (&[3, 3, 3, 3, 3], false, None),
            (&[0, 0, 0, 0, 0, 15], false, None),
            (&[0, 0, 0, 0, 15, 15], false, Some(true)),
            (&[4, 4, 4, 4, 4], true, None),
            (&[2, 2, 2, 2, 2], true, None),
            (&[1, 1, 1, 1, 1], true, Some(false)),
            (&[1, 1, 1, 1], true, None),
        ] {
            assert_eq!(after(seconds).changes(is_slow), expected, "{seconds:?} {is_slow}");
        }
    }

    #[test]
    fn refusals_are_signs_of_life() {
        for status in 100..=999 {
            let sign = Sign::of(AttemptOutcome::Answered { status, directive: None });
            let fails = matches!(status, 408 | 429 | 500..);
            assert_eq!(sign, Some(if fails { Sign::Failure } else { Sign::Alive }), "{status}");
        }
        assert_eq!(Sign::of(AttemptOutcome::NoAnswer), Some(Sign::Failure));
        assert_eq!(Sign::of(AttemptOutcome::TimedOut), Some(Sign::Timeout));
        assert_eq!(Sign::of(AttemptOutcome::Refused), None);
    }

    #[test]
    fn probes_after_one_two_five_and_then_every_fifteen_minutes() {
        let waits: Vec<u64> = (0..5).map(|probes| probe_wait(probes).as_secs() / 60).collect();
        assert_eq!(waits, [1, 2, 5, 15, 15]);
    }

    #[test]
    fn a_recovery_ends_after_an_hour() {
        let at = |millis| Timestamp::from_millis(millis).ok();
        let hour = 60 * 60 * 1000;
        let health = |state| Health { state, since: at(0), ..Health::default() };
        for (state, now, expected) in [
            (EndpointState::Recovering, hour, false),
            (EndpointState::Recovering, hour + 1, true),
            (EndpointState::Paused, 5 * hour, false),
            (EndpointState::Active, 5 * hour, false),
        ] {
            assert_eq!(at(now).map(|now| health(state).has_recovered(now)), Some(expected));
        }
    }
}
