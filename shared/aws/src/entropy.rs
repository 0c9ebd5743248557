//! The only source of randomness: ids of workers, jitter, and secrets.
//!
//! All but secrets are drawn from fastrand's generator of the thread, as the AWS SDK does for its own
//! backoff. `fastrand::seed` makes a single-threaded run repeatable. Ids of rows, messages and
//! deliveries are hashes of content.

use std::time::Duration;

use crate::error::IoError;

/// A random duration from zero to `max`, both included.
pub fn jitter(max: Duration) -> Duration {
    let max = u64::try_from(max.as_nanos()).unwrap_or(u64::MAX);
    Duration::from_nanos(fastrand::u64(0..=max))
}

/// An id that no other sandbox has, as the owner of leases: log stream and random number.
pub fn worker_id() -> String {
    let log_stream = std::env::var("AWS_LAMBDA_LOG_STREAM_NAME").unwrap_or_default();
    format!("{log_stream}/{}", fastrand::u64(..))
}

/// Bytes that nobody can guess, from the operating system.
#[cfg(not(feature = "simulation"))]
pub fn secret<const N: usize>() -> Result<[u8; N], IoError> {
    let mut bytes = [0; N];
    let unavailable = |_| IoError::Transient { call: "getrandom", code: "unavailable".to_owned() };
    getrandom::fill(&mut bytes).map(|()| bytes).map_err(unavailable)
}

/// A repeatable run needs no secrets.
#[cfg(feature = "simulation")]
pub fn secret<const N: usize>() -> Result<[u8; N], IoError> {
    let mut bytes = [0; N];
    fastrand::fill(&mut bytes);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_stays_within_its_maximum() {
        assert_eq!(jitter(Duration::ZERO), Duration::ZERO);
        for max in [1, 7, 1000].map(Duration::from_millis) {
            assert!((0..1000).all(|_| jitter(max) <= max));
        }
        assert!(jitter(Duration::MAX) <= Duration::from_nanos(u64::MAX));
    }

    #[test]
    fn jitter_differs_from_call_to_call() {
        let max = Duration::from_secs(3600);
        assert!((0..10).any(|_| jitter(max) != jitter(max)));
    }

    #[test]
    fn secrets_differ() {
        assert_ne!(secret::<20>(), secret::<20>());
    }

    #[test]
    fn worker_ids_differ_within_a_process() {
        assert_ne!(worker_id(), worker_id());
    }

    #[test]
    fn a_seed_makes_draws_repeatable() {
        let draws = || {
            fastrand::seed(7);
            (jitter(Duration::from_secs(1)), worker_id())
        };
        assert_eq!(draws(), draws());
    }
}
