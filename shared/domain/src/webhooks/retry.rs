//! Retries: the reaction to an attempt, the backoff schedule, `Retry-After`.

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};

use crate::core::hash::Fingerprint;
use crate::core::timestamp::Timestamp;

/// The cap on `Retry-After`.
pub const MAX_RETRY_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// A delivery is given up once its endpoint's settings have been invalid for this long: as long as
/// the longest default schedule. The schedule of the settings themselves may be unreadable.
pub const UNUSABLE_LIMIT: Duration = Duration::from_secs(48 * 60 * 60);

/// How long a delivery waits while its endpoint's settings cannot be used: as long as it has waited
/// already, from five seconds to a quarter of an hour. `None` once it is to be given up.
pub fn wait_for_settings(waited: Duration) -> Option<Duration> {
    let wait = waited.clamp(Duration::from_secs(5), Duration::from_secs(15 * 60));
    (waited < UNUSABLE_LIMIT).then_some(wait)
}

/// The retry schedule of an endpoint. The defaults per format are in `endpoint/format.rs`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// The number of attempts after the first.
    pub retries: u32,
    /// The waits before them; the last one repeats.
    pub backoff: Vec<Duration>,
    /// Adds up to 20 % to each wait, so that deliveries that failed together are not retried
    /// together.
    pub jitter: bool,
}

impl Schedule {
    /// The wait after this many attempts; `None` after the last one. `retry_after` can lengthen it,
    /// always with jitter: a receiver asks all its senders for the same time. The jitter is a hash
    /// of delivery id and attempt, so the same attempt always has the same wait.
    pub fn wait_after(
        &self,
        attempts: u32,
        delivery_id: &str,
        retry_after: Option<Duration>,
    ) -> Option<Duration> {
        if attempts == 0 || attempts > self.retries {
            return None;
        }
        let last = self.backoff.len().checked_sub(1)?;
        let planned = *self.backoff.get(last.min(attempts as usize - 1))?;
        let limit = MAX_RETRY_AFTER.max(planned);
        let wait = retry_after.map_or(planned, |asked| asked.clamp(planned, limit));
        let is_spread = self.jitter || wait > planned;
        Some(if is_spread { with_jitter(wait, delivery_id, attempts) } else { wait })
    }

    /// The sum of all waits, without jitter.
    pub fn total(&self) -> Duration {
        let last = self.backoff.len().saturating_sub(1);
        let waits =
            (0..self.retries as usize).filter_map(|retry| self.backoff.get(retry.min(last)));
        waits.fold(Duration::ZERO, |sum, wait| sum.saturating_add(*wait))
    }
}

fn with_jitter(wait: Duration, delivery_id: &str, attempt: u32) -> Duration {
    let hash = Fingerprint::of("jitter").with(delivery_id).with(attempt.to_be_bytes());
    let thousandths = u32::try_from(hash.number() % 201).unwrap_or_default();
    wait + wait * thousandths / 1000
}

/// `Retry-After` (RFC 9110, 10.2.3): whole seconds or an HTTP date. Other values are ignored.
pub fn parse_retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(value.parse().map_or(MAX_RETRY_AFTER, Duration::from_secs));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    let since_1970 = date.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    let millis = i64::try_from(since_1970.as_millis()).ok()?;
    Some(Timestamp::from_millis(millis).ok()?.since(now))
}

/// What the response header `webhook-delivery` asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString)]
#[strum(serialize_all = "kebab-case", ascii_case_insensitive)]
pub enum DeliveryDirective {
    /// This delivery must not be attempted again.
    AbortMessage,
    /// The endpoint must not be sent anything until an admin enables it.
    Disable,
}

impl DeliveryDirective {
    /// Other values are ignored.
    pub fn parse(value: &str) -> Option<Self> {
        value.trim().parse().ok()
    }
}

/// The result of an attempt, as far as the reaction depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttemptOutcome {
    Answered {
        /// The status code.
        status: u16,
        directive: Option<DeliveryDirective>,
    },
    /// A transient failure: network, DNS, TLS.
    NoAnswer,
    TimedOut,
    /// Not sent: the address policy refuses the URL (SSRF).
    Refused,
}

/// Why a delivery is dead: one text for its row, the logs and the dead letter's attribute.
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
pub enum DeadReason {
    /// The schedule has no attempt left.
    Exhausted,
    /// An answer that a retry would not change.
    Rejected,
    /// 410 Gone, which disables the endpoint too.
    Gone,
    /// 3xx: redirects are never followed (SSRF).
    Redirect,
    /// The response header `webhook-delivery: abort-message`.
    Aborted,
    /// The address policy refuses the URL (SSRF).
    UrlRefused,
    EndpointRemoved,
    EndpointDisabled,
    /// The endpoint's settings or secret stayed invalid for [`UNUSABLE_LIMIT`].
    UnusableSettings,
    /// The endpoint was paused for longer than [`PARKED_LIMIT`](super::health::PARKED_LIMIT).
    ParkedTooLong,
    /// The order that it was about, or its shopper, was erased.
    Erased,
}

impl DeadReason {
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// The reaction to an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextStep {
    Done,
    /// Try again if the schedule has attempts left.
    Retry,
    GiveUp(DeadReason),
}

impl AttemptOutcome {
    /// 2xx is success. Transient failures are retried: no answer, 408, 425, 429 and 5xx. Everything
    /// else is final, but with `retry_4xx` only 410 is: Standard Webhooks repeats every failure.
    pub fn next_step(self, retry_4xx: bool) -> NextStep {
        let (status, directive) = match self {
            Self::Answered { status, directive } => (status, directive),
            Self::NoAnswer | Self::TimedOut => return NextStep::Retry,
            Self::Refused => return NextStep::GiveUp(DeadReason::UrlRefused),
        };
        match (status, directive) {
            (200..=299, _) => NextStep::Done,
            (410, _) => NextStep::GiveUp(DeadReason::Gone),
            (_, Some(DeliveryDirective::AbortMessage)) => NextStep::GiveUp(DeadReason::Aborted),
            (_, Some(DeliveryDirective::Disable)) => NextStep::GiveUp(DeadReason::EndpointDisabled),
            (408 | 425 | 429 | 500.., None) => NextStep::Retry,
            (300..=499, None) if retry_4xx => NextStep::Retry,
            (300..=399, None) => NextStep::GiveUp(DeadReason::Redirect),
            (_, None) => NextStep::GiveUp(DeadReason::Rejected),
        }
    }

    /// True if the receiver wants no deliveries at all.
    pub fn disables_endpoint(self) -> bool {
        matches!(
            self,
            Self::Answered { status: 410, .. }
                | Self::Answered { directive: Some(DeliveryDirective::Disable), .. }
        )
    }
}

#[cfg(test)]
mod tests;
