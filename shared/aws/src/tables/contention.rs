//! Several workers write the same order.

use std::time::Duration;

use crate::clock::now;

/// Waits before a write is tried again: 5 ms, doubling to 160 ms, and a little different between workers that met.
pub async fn pause(attempt: u32) {
    let drawn = u64::try_from(now().millis() % 7).unwrap_or(0);
    tokio::time::sleep(Duration::from_millis((5 << attempt.min(5)) + drawn)).await;
}
