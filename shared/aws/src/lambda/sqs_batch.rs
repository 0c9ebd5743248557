//! The shell around a function that is fed by a queue: each record on its own, and each ends one of four ways.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use futures::FutureExt;
use futures::future::join_all;

use crate::error::IoError;
use crate::sqs::Queue;

/// A message that fails because of a bug is set aside when it was received so often.
const BUG_RECEIVES: u32 = 5;

/// A queue as its worker sees it.
#[derive(Debug, Clone)]
pub struct Worker {
    /// Where its messages come from.
    pub queue: Queue,
    /// Where those go that can never be handled.
    pub dead_letters: Queue,
}

/// How a record ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordOutcome {
    /// Handled: acknowledged.
    Ack,
    /// It comes back after this long.
    RetryAfter(Duration),
    /// Nobody can handle it: copied to the dead letters with this reason, then acknowledged.
    DeadLetter(&'static str),
}

impl Worker {
    /// Handles all records of a batch side by side. A record that fails, or panics, comes back alone.
    pub async fn run<F: AsyncFn(&str) -> Result<RecordOutcome, IoError>>(
        &self,
        batch: SqsEvent,
        handle: F,
    ) -> SqsBatchResponse {
        let outcomes =
            join_all(batch.records.iter().map(|record| self.run_one(record, &handle))).await;
        let mut response = SqsBatchResponse::default();
        for (record, done) in batch.records.iter().zip(outcomes) {
            if !done {
                response.add_failure(record.message_id.clone().unwrap_or_default());
            }
        }
        response
    }

    /// Whether the record can be acknowledged.
    async fn run_one<F: AsyncFn(&str) -> Result<RecordOutcome, IoError>>(
        &self,
        record: &SqsMessage,
        handle: &F,
    ) -> bool {
        let body = record.body.as_deref().unwrap_or_default();
        let outcome = match AssertUnwindSafe(handle(body)).catch_unwind().await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(error @ (IoError::Transient { .. } | IoError::InvalidSetting { .. }))) => {
                tracing::warn!(message_id = record.message_id, %error, "record.failed");
                RecordOutcome::RetryAfter(backoff(received(record)))
            }
            Ok(Err(error @ IoError::Bug { .. })) => {
                tracing::error!(message_id = record.message_id, %error, "record.failed");
                after_bug(received(record))
            }
            Err(_panic) => {
                tracing::error!(message_id = record.message_id, "record.panicked");
                after_bug(received(record))
            }
        };
        self.end(record, body, outcome).await
    }

    async fn end(&self, record: &SqsMessage, body: &str, outcome: RecordOutcome) -> bool {
        let ended = match outcome {
            RecordOutcome::Ack => return true,
            RecordOutcome::DeadLetter(reason) => {
                tracing::error!(message_id = record.message_id, reason, "record.set_aside");
                let group = record.attributes.get("MessageGroupId").map(String::as_str);
                self.dead_letters
                    .send_dead_letter(group, body.to_owned(), reason)
                    .await
                    .map(|()| true)
            }
            RecordOutcome::RetryAfter(wait) => {
                let receipt = record.receipt_handle.as_deref().unwrap_or_default();
                self.queue.postpone(receipt, wait).await.map(|()| false)
            }
        };
        ended.unwrap_or_else(|error| {
            tracing::warn!(message_id = record.message_id, %error, "record.end_failed");
            false
        })
    }
}

/// How often a message was received, this time included.
fn received(record: &SqsMessage) -> u32 {
    let count =
        record.attributes.get("ApproximateReceiveCount").and_then(|count| count.parse().ok());
    count.unwrap_or(1)
}

/// Waiting does not help against a bug: what still fails after a few times makes no others wait behind it.
fn after_bug(received: u32) -> RecordOutcome {
    if received < BUG_RECEIVES {
        RecordOutcome::RetryAfter(backoff(received))
    } else {
        RecordOutcome::DeadLetter("bug")
    }
}

/// Doubles from one second to five minutes with every time the message was received.
fn backoff(received: u32) -> Duration {
    let doublings = received.clamp(1, 10) - 1;
    Duration::from_secs((1_u64 << doublings).min(300))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_record_comes_back_ever_later() {
        let wait = |count: &str| {
            let mut record = SqsMessage::default();
            record.attributes.insert("ApproximateReceiveCount".to_owned(), count.to_owned());
            backoff(received(&record)).as_secs()
        };
        assert_eq!(["1", "2", "5", "10", "999", "junk"].map(wait), [1, 2, 16, 300, 300, 1]);
    }

    #[test]
    fn a_bug_is_set_aside_at_its_fifth_time() {
        let later = |seconds| RecordOutcome::RetryAfter(Duration::from_secs(seconds));
        let aside = RecordOutcome::DeadLetter("bug");
        assert_eq!(
            [1, 2, 4, 5, 6, 99].map(after_bug),
            [later(1), later(2), later(8), aside, aside, aside]
        );
    }
}
