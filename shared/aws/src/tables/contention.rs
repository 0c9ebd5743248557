//! Retries of work that met another writer of the same row.

use std::time::Duration;

use crate::entropy::jitter;

/// How one try ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Try<T> {
    Done(T),
    /// Another writer was faster: read again and try again.
    Contended,
}

/// Tries until an attempt is done, with a pause before each further one. `None` if all are
/// contended.
pub async fn retry<T, E, F>(tries: u32, mut attempt: impl FnMut() -> F) -> Result<Option<T>, E>
where
    F: Future<Output = Result<Try<T>, E>>,
{
    for number in 0..tries {
        if number > 0 {
            pause(number - 1).await;
        }
        if let Try::Done(value) = attempt().await? {
            return Ok(Some(value));
        }
    }
    Ok(None)
}

/// 5 ms, doubling to 160 ms, plus up to 6 ms of jitter so that two writers that met do not meet
/// again.
async fn pause(retry: u32) {
    let backoff = Duration::from_millis(5 << retry.min(5));
    tokio::time::sleep(backoff + jitter(Duration::from_millis(6))).await;
}

#[cfg(test)]
mod tests {
    use std::future::ready;

    use super::*;

    async fn tries(done_at: u32) -> (Result<Option<u32>, ()>, u32) {
        let mut count = 0;
        let result = retry(3, || {
            count += 1;
            ready(Ok(if count == done_at { Try::Done(count) } else { Try::Contended }))
        });
        (result.await, count)
    }

    #[tokio::test]
    async fn stops_at_the_first_attempt_that_is_done() {
        assert_eq!(tries(1).await, (Ok(Some(1)), 1));
        assert_eq!(tries(3).await, (Ok(Some(3)), 3));
    }

    #[tokio::test]
    async fn gives_up_after_all_tries() {
        assert_eq!(tries(4).await, (Ok(None), 3));
    }

    #[tokio::test]
    async fn passes_on_an_error_at_once() {
        let mut count = 0;
        let result: Result<Option<()>, &str> = retry(3, || {
            count += 1;
            ready(Err("down"))
        })
        .await;
        assert_eq!((result, count), (Err("down"), 1));
    }
}
