//! Concurrent writes with a limit.

use futures::stream::{self, StreamExt};

const CONCURRENT_WRITES: usize = 16;

/// Runs every task even if some fail. Returns all results, in order of completion, or an error.
pub async fn run_all<T, E>(
    tasks: impl Iterator<Item: Future<Output = Result<T, E>>>,
) -> Result<Vec<T>, E> {
    let results: Vec<Result<T, E>> =
        stream::iter(tasks).buffer_unordered(CONCURRENT_WRITES).collect().await;
    results.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn runs_every_task_after_a_failure() {
        let count = AtomicUsize::new(0);
        let tasks = (0..40).map(async |number| {
            count.fetch_add(1, Ordering::Relaxed);
            if number == 0 { Err("down") } else { Ok(number) }
        });
        assert_eq!(run_all(tasks).await, Err("down"));
        assert_eq!(count.load(Ordering::Relaxed), 40);
    }
}
