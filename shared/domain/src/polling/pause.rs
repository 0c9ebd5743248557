//! A credential that the carrier refuses or throttles is paused: no batch of the run uses it for a
//! while. Batches of other credentials go on.

use std::time::Duration;

use strum::{EnumString, IntoStaticStr};

use super::run::HOUR;
use crate::core::timestamp::Timestamp;

/// Doubles with every refusal in a row, up to `LONGEST_WAIT`.
const FIRST_WAIT: Duration = Duration::from_secs(5);
const LONGEST_WAIT: Duration = Duration::from_secs(5 * 60);
/// The upper bound for the carrier's Retry-After.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(15 * 60);
/// A run gives up a credential that was refused this often in a row.
const MAX_REFUSALS: u32 = 5;
/// A run gives up a credential that was throttled for this long. The next run polls its orders.
const MAX_THROTTLED: Duration = HOUR;

/// Why the carrier did not answer a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Refusal {
    /// 401 or 403: the credentials are wrong.
    Credentials,
    /// 429: too many calls.
    RateLimit,
}

/// The refusals of a credential without an answer in between.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pause {
    /// The last refusal.
    pub refusal: Refusal,
    /// The number of refusals of this kind in a row.
    pub refusals: u32,
    /// The first refusal, of either kind: if they alternate, the hour of throttling ends them.
    pub since: Timestamp,
    /// No call before this time.
    pub until: Timestamp,
    /// The run makes no further call with the credential.
    pub given_up: bool,
}

impl Pause {
    /// The pause after a refusal. `before` is the one that the refused call had waited for.
    pub fn after(
        before: Option<&Self>,
        refusal: Refusal,
        retry_after: Option<Duration>,
        now: Timestamp,
    ) -> Self {
        let since = before.map_or(now, |before| before.since);
        let same = before.filter(|before| before.refusal == refusal);
        let refusals = same.map_or(0, |before| before.refusals).saturating_add(1);
        let given_up = match refusal {
            Refusal::Credentials => refusals >= MAX_REFUSALS,
            Refusal::RateLimit => now.since(since) >= MAX_THROTTLED,
        };
        Self { refusal, refusals, since, until: now.after(wait(refusals, retry_after)), given_up }
    }

    /// The time until the credential may be used.
    pub fn wait(&self, now: Timestamp) -> Duration {
        self.until.since(now)
    }
}

fn wait(refusals: u32, retry_after: Option<Duration>) -> Duration {
    let doublings = refusals.saturating_sub(1).min(16);
    let planned = FIRST_WAIT.saturating_mul(1 << doublings).min(LONGEST_WAIT);
    retry_after.map_or(planned, |wait| wait.clamp(planned, MAX_RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::minute;

    /// The waits in seconds of refusals in a row, each at the end of the pause before, until the
    /// credential is given up.
    fn waits(refusal: Refusal, retry_after: Option<u64>) -> Vec<u64> {
        let retry_after = retry_after.map(Duration::from_secs);
        let (mut now, mut before, mut waits) = (minute(0), None, Vec::new());
        loop {
            let pause = Pause::after(before.as_ref(), refusal, retry_after, now);
            assert_eq!(pause.since, minute(0));
            if pause.given_up {
                return waits;
            }
            waits.push(pause.wait(now).as_secs());
            now = pause.until;
            before = Some(pause);
        }
    }

    #[test]
    fn gives_up_refused_credentials_after_five_calls() {
        assert_eq!(waits(Refusal::Credentials, None), [5, 10, 20, 40]);
        assert_eq!(waits(Refusal::Credentials, Some(30)), [30, 30, 30, 40]);
    }

    #[test]
    fn gives_up_a_throttled_credential_after_an_hour() {
        let waits = waits(Refusal::RateLimit, None);
        assert_eq!(waits[..8], [5, 10, 20, 40, 80, 160, 300, 300]);
        assert!((3600..3900).contains(&waits.iter().sum::<u64>()), "{waits:?}");
        assert_eq!(super::tests::waits(Refusal::RateLimit, Some(900)), [900; 4]);
    }

    /// Pauses after these refusals, each at the end of the pause before.
    fn pauses(refusals: &[Refusal]) -> Vec<Pause> {
        let mut pauses: Vec<Pause> = Vec::new();
        for refusal in refusals {
            let now = pauses.last().map_or(minute(0), |before| before.until);
            pauses.push(Pause::after(pauses.last(), *refusal, None, now));
        }
        pauses
    }

    #[test]
    fn counts_refusals_of_each_kind_anew() {
        use Refusal::{Credentials, RateLimit};
        let mixed = pauses(&[RateLimit, RateLimit, RateLimit, RateLimit, Credentials, RateLimit]);
        let refusals = mixed.iter().map(|pause| pause.refusals).collect::<Vec<_>>();
        assert_eq!(refusals, [1, 2, 3, 4, 1, 1]);
        assert!(mixed.iter().all(|pause| !pause.given_up));
        let refused = pauses(&[&[RateLimit][..], &[Credentials; 5]].concat());
        assert_eq!(refused.iter().position(|pause| pause.given_up), Some(5));
        // 5 seconds each.
        let endless = pauses(&[RateLimit, Credentials].repeat(400));
        assert_eq!(endless.iter().position(|pause| pause.given_up), Some(720));
    }

    #[test]
    fn clamps_retry_after_to_the_bounds() {
        let first = |seconds| waits(Refusal::RateLimit, Some(seconds))[0];
        assert_eq!([0, 7, 900, 901, u64::MAX].map(first), [5, 7, 900, 900, 900]);
    }

    #[test]
    fn a_pause_that_is_over_has_no_wait() {
        let pause = Pause::after(None, Refusal::RateLimit, None, minute(0));
        assert_eq!(pause.wait(minute(0)), FIRST_WAIT);
        assert_eq!(pause.wait(minute(1)), Duration::ZERO);
        let endless = Pause { refusals: u32::MAX, ..pause };
        let next = Pause::after(Some(&endless), Refusal::RateLimit, None, minute(0));
        assert_eq!(next.wait(minute(0)), LONGEST_WAIT);
    }
}
