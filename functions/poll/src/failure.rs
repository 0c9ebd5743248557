//! A failed call to the carrier, and its retry backoff.

use std::time::Duration;

use domain::core::timestamp::Timestamp;
use domain::polling::{Cause, Refusal};
use domain::webhooks::retry::parse_retry_after;
use egress::GetError;

/// Doubles with every attempt, up to `LONGEST_WAIT`.
const FIRST_WAIT: Duration = Duration::from_secs(5);
const LONGEST_WAIT: Duration = Duration::from_secs(5 * 60);
/// The upper bound for the carrier's Retry-After.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(15 * 60);

pub(crate) const UNREADABLE: &str = "unreadable_answer";
/// As `egress` names it.
const TIMEOUT: &str = "timeout";
/// Answers with status 200.
const UNUSABLE_ANSWERS: [&str; 3] = [UNREADABLE, "body_too_long", "body_incomplete"];

/// Never quotes the request or the response body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) status: Option<u16>,
    pub(crate) error: &'static str,
    pub(crate) retry_after: Option<Duration>,
}

impl Failure {
    pub(crate) fn of(error: &'static str) -> Self {
        Self { status: None, error, retry_after: None }
    }

    pub(crate) fn refusal(status: u16, retry_after: Option<&str>, now: Timestamp) -> Self {
        let retry_after = retry_after.and_then(|value| parse_retry_after(value, now));
        Self { status: Some(status), error: "refused", retry_after }
    }

    /// The status code, or else the error's name.
    pub(crate) fn reason(&self) -> String {
        self.status.map_or_else(|| self.error.to_owned(), |status| status.to_string())
    }

    /// `Some` if the failure is about the credential, not about the batch.
    pub(crate) fn about_credential(&self) -> Option<Refusal> {
        match self.status? {
            401 | 403 => Some(Refusal::Credentials),
            429 => Some(Refusal::RateLimit),
            _ => None,
        }
    }

    /// True if one order of the batch may be the cause: the carrier answers, but not as it should,
    /// or works on the answer for too long.
    pub(crate) fn may_be_about_an_order(&self) -> bool {
        self.status.is_some() || self.error == TIMEOUT || UNUSABLE_ANSWERS.contains(&self.error)
    }

    /// True if the carrier blames the request.
    pub(crate) fn is_about_the_request(&self) -> bool {
        match self.status {
            Some(status) => (400..500).contains(&status),
            None => UNUSABLE_ANSWERS.contains(&self.error),
        }
    }

    pub(crate) fn cause(&self) -> Cause {
        if self.is_about_the_request() { Cause::Request } else { Cause::Unclear }
    }

    /// The backoff after this many failed calls, or `None` to give up.
    pub(crate) fn wait_after(&self, attempts: u32, max_attempts: u32) -> Option<Duration> {
        if attempts >= max_attempts {
            return None;
        }
        let planned = FIRST_WAIT.saturating_mul(1 << attempts.saturating_sub(1)).min(LONGEST_WAIT);
        Some(self.retry_after.map_or(planned, |wait| wait.clamp(planned, MAX_RETRY_AFTER)))
    }
}

impl From<GetError> for Failure {
    fn from(error: GetError) -> Self {
        Self::of(error.code())
    }
}

#[cfg(test)]
mod tests {
    use egress::SendError;

    use super::*;

    fn waits(failure: Failure) -> Vec<Option<u64>> {
        (1..7).map(|attempts| failure.wait_after(attempts, 5).map(|wait| wait.as_secs())).collect()
    }

    #[test]
    fn gives_up_after_the_last_attempt() {
        let expected = [Some(5), Some(10), Some(20), Some(40), None, None];
        assert_eq!(waits(Failure::of("timeout")), expected);
        assert_eq!(waits(Failure::refusal(500, None, Timestamp::EPOCH)), expected);
    }

    #[test]
    fn clamps_retry_after_to_the_bounds() {
        let first = |value| waits(Failure::refusal(503, Some(value), Timestamp::EPOCH))[0];
        assert_eq!(
            ["0", "7", "900", "901", "99999999999999999999", "junk", "-1"].map(first),
            [Some(5), Some(7), Some(900), Some(900), Some(900), Some(5), Some(5)]
        );
    }

    #[test]
    fn an_answer_with_an_error_may_be_about_one_order() {
        let of_status = |status| Failure::refusal(status, None, Timestamp::EPOCH);
        let failures = [of_status(400), of_status(500), of_status(302), Failure::of(UNREADABLE)];
        assert!(failures.iter().all(Failure::may_be_about_an_order));
        let requests = failures.map(|failure| failure.is_about_the_request());
        assert_eq!(requests, [true, false, false, true]);
        let too_long = Failure::from(GetError::TooLong);
        assert!(too_long.may_be_about_an_order() && too_long.is_about_the_request());
        let timeout = Failure::from(GetError::from(SendError::Timeout));
        assert!(timeout.may_be_about_an_order() && !timeout.is_about_the_request());
        for error in ["connect", "settings_wrong"] {
            let failure = Failure::of(error);
            assert!(!failure.may_be_about_an_order() && !failure.is_about_the_request());
        }
    }

    #[test]
    fn some_refusals_are_about_the_credential() {
        let about = |status| Failure::refusal(status, None, Timestamp::EPOCH).about_credential();
        assert_eq!([401, 403].map(about), [Some(Refusal::Credentials); 2]);
        assert_eq!(about(429), Some(Refusal::RateLimit));
        assert_eq!([400, 404, 500, 503].map(about), [None; 4]);
        assert_eq!(Failure::of("timeout").about_credential(), None);
    }
}
