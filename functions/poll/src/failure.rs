//! A call that brought nothing: why, and what follows.

use std::time::Duration;

use domain::core::timestamp::Timestamp;
use domain::webhooks::retry::parse_retry_after;
use egress::GetError;

/// So often a batch is asked in vain before it is given up: the next run asks about its orders anyway.
const ATTEMPTS: u32 = 5;
/// The first wait; each further one is twice as long,
const FIRST_WAIT: Duration = Duration::from_secs(5);
/// up to this.
const LONGEST_WAIT: Duration = Duration::from_secs(5 * 60);
/// The carrier may ask for at most this wait.
const LONGEST_ASKED: Duration = Duration::from_secs(15 * 60);

/// Why a call brought nothing. Says nothing about the request or the answer's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Failure {
    /// The answer's status code.
    pub(crate) status: Option<u16>,
    /// What was wrong, in one word.
    pub(crate) error: &'static str,
    /// For how long the carrier asked not to be asked.
    pub(crate) retry_after: Option<Duration>,
}

impl Failure {
    /// Without an answer that could be used.
    pub(crate) fn of(error: &'static str) -> Self {
        Self { status: None, error, retry_after: None }
    }

    /// With an answer that refuses.
    pub(crate) fn refusal(status: u16, retry_after: Option<&str>, now: Timestamp) -> Self {
        let retry_after = retry_after.and_then(|value| parse_retry_after(value, now));
        Self { status: Some(status), error: "refused", retry_after }
    }

    /// Whether the carrier does not take our credentials.
    pub(crate) fn is_about_credentials(&self) -> bool {
        matches!(self.status, Some(401 | 403))
    }

    /// How long to wait after the call failed so often, or `None` to give up.
    pub(crate) fn wait_after(&self, attempts: u32) -> Option<Duration> {
        if attempts >= ATTEMPTS {
            return None;
        }
        let planned = FIRST_WAIT.saturating_mul(1 << attempts.saturating_sub(1)).min(LONGEST_WAIT);
        Some(self.retry_after.map_or(planned, |asked| asked.clamp(planned, LONGEST_ASKED)))
    }
}

impl From<GetError> for Failure {
    fn from(error: GetError) -> Self {
        Self::of(error.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(failure: Failure) -> Vec<Option<u64>> {
        (1..7).map(|attempts| failure.wait_after(attempts).map(|wait| wait.as_secs())).collect()
    }

    #[test]
    fn a_batch_is_asked_five_times() {
        let expected = [Some(5), Some(10), Some(20), Some(40), None, None];
        assert_eq!(waits(Failure::of("timeout")), expected);
        assert_eq!(waits(Failure::refusal(500, None, Timestamp::EPOCH)), expected);
    }

    #[test]
    fn the_carrier_may_ask_for_a_longer_wait_within_bounds() {
        let first = |value| waits(Failure::refusal(429, Some(value), Timestamp::EPOCH))[0];
        assert_eq!(
            ["0", "7", "900", "901", "99999999999999999999", "junk", "-1"].map(first),
            [Some(5), Some(7), Some(900), Some(900), Some(900), Some(5), Some(5)]
        );
    }

    #[test]
    fn two_statuses_are_about_credentials() {
        let about =
            |status| Failure::refusal(status, None, Timestamp::EPOCH).is_about_credentials();
        assert_eq!(
            [401, 403, 400, 404, 429, 500].map(about),
            [true, true, false, false, false, false]
        );
    }
}
