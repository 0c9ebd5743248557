//! Rate limit of one worker, so that overdue batches do not reach the carrier in a burst. The
//! batches of a run are spread over time by `Run::not_before`.

use std::time::Duration;

use crate::core::timestamp::Timestamp;

/// The maximum concurrency of the batches queue.
const WORKERS: f64 = 2.0;

#[derive(Debug, Clone, Copy, Default)]
pub struct RateLimiter {
    last: Option<Timestamp>,
}

impl RateLimiter {
    /// The time until this worker may make its next call.
    pub fn wait(&self, now: Timestamp, calls_per_second: f64) -> Duration {
        let gap = Duration::try_from_secs_f64(WORKERS / calls_per_second).unwrap_or(Duration::MAX);
        self.last.map_or(Duration::ZERO, |last| gap.saturating_sub(now.since(last)))
    }

    /// Records a call.
    pub fn begin(&mut self, now: Timestamp) {
        self.last = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::second;

    fn millis_to_wait(after: i64, rate: f64) -> u128 {
        let mut limiter = RateLimiter::default();
        limiter.begin(second(0));
        limiter.wait(second(after), rate).as_millis()
    }

    #[test]
    fn two_workers_share_the_rate_limit() {
        assert_eq!(RateLimiter::default().wait(second(0), 5.0), Duration::ZERO);
        assert_eq!(millis_to_wait(0, 5.0), 400);
        assert_eq!(millis_to_wait(1, 5.0), 0);
        assert_eq!(millis_to_wait(1, 0.5), 3000);
        // A clock that was set back does not lengthen the wait.
        assert_eq!(millis_to_wait(-3600, 5.0), 400);
        assert!(millis_to_wait(0, 1e-300) > 1_000_000_000);
    }
}
