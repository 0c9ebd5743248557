//! Tries a call of AWS for longer than the SDK does. What happens to a message between its claim and
//! the record of its attempt must be written: a lease that runs out counts as a message that may have
//! been sent, which is never sent again.

use std::time::Duration;

use aws::clock::now;
use aws::error::IoError;
use domain::core::timestamp::Timestamp;
use tokio::time::sleep;

/// Between two tries, which are three each of the SDK.
const PAUSE: Duration = Duration::from_millis(500);

/// Tries again until `until`. The call must be one that can be repeated.
pub(crate) async fn insist<T>(
    until: Timestamp,
    call: impl AsyncFn() -> Result<T, IoError>,
) -> Result<T, IoError> {
    loop {
        match call().await {
            Err(error @ IoError::Transient { .. }) if now().after(PAUSE) < until => {
                tracing::warn!(%error, "message.call_failed");
                sleep(PAUSE).await;
            }
            result => return result,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    async fn tries(until: Timestamp, error: Option<IoError>, failures: u32) -> (bool, u32) {
        let tries = Cell::new(0);
        let result = insist(until, async || {
            tries.set(tries.get() + 1);
            match &error {
                Some(error) if tries.get() <= failures => Err(error.clone()),
                _ => Ok(()),
            }
        });
        (result.await.is_ok(), tries.get())
    }

    #[tokio::test]
    async fn tries_again_until_the_time_is_over() {
        let transient = || Some(IoError::contention("dynamodb:UpdateItem"));
        let later = now().after(Duration::from_secs(60));
        assert_eq!(tries(later, transient(), 1).await, (true, 2));
        assert_eq!(tries(now(), transient(), 1).await, (false, 1));
        let bug = IoError::unreadable("dynamodb:UpdateItem", "body");
        assert_eq!(tries(later, Some(bug), 1).await, (false, 1));
        let soon = now().after(PAUSE * 2);
        let (succeeds, count) = tries(soon, transient(), u32::MAX).await;
        assert!(!succeeds && (2..=3).contains(&count), "{count}");
    }
}
