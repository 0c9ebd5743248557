//! Runs a queue worker: handles each record of a batch on its own, with retry, backoff and a
//! dead-letter queue.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use futures::FutureExt;
use futures::future::join_all;
use serde::Deserialize;
use strum::IntoStaticStr;

use crate::clock::now;
use crate::error::IoError;
use crate::sqs::Queue;
use crate::telemetry::Metrics;

/// A message that fails because of a bug goes to the dead-letter queue at this receive.
const BUG_RECEIVES: u32 = 5;

/// Bounds how long a message waits after an outage has ended.
const MAX_BACKOFF: Duration = Duration::from_secs(90);

/// The longest wait of a message for a release that reads it. Even the queue with the lowest
/// `maxReceiveCount` keeps it for three days like that.
const MAX_WAIT_FOR_RELEASE: Duration = Duration::from_secs(15 * 60);

/// The pauses between the tries to set the retry time of a record.
const POSTPONE_PAUSES: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(2)];

/// A queue and its dead-letter queue.
#[derive(Debug, Clone)]
pub struct Worker {
    pub queue: Queue,
    pub dead_letters: Queue,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordOutcome {
    /// Handled.
    Ack,
    /// The record becomes visible again after this time.
    RetryAfter(Duration),
    /// A newer release wrote the record: it waits until this function reads it.
    NewerVersion,
    /// Copied to the dead-letter queue, then acknowledged.
    DeadLetter(DeadLetterReason),
}

impl RecordOutcome {
    /// Of a message that is unreadable for a reader of `version`: retried if it has a newer one, as
    /// during a deploy or after a rollback, and dead-lettered otherwise.
    pub fn unreadable(message: &str, version: u8) -> Self {
        #[derive(Deserialize)]
        struct Versioned {
            v: u64,
        }
        match serde_json::from_str(message) {
            Ok(Versioned { v }) if v > u64::from(version) => Self::NewerVersion,
            _ => Self::DeadLetter(DeadLetterReason::UnreadableMessage),
        }
    }
}

/// Why retrying a record is pointless.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum DeadLetterReason {
    UnreadableMessage,
    /// The inbound log no longer has the event.
    EventGone,
    /// Every poll of the batch failed.
    Carrier,
    /// Failed or panicked five times.
    Bug,
}

impl DeadLetterReason {
    /// The message attribute `reason`.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

impl Worker {
    /// Handles all records concurrently. A record that fails or panics is retried alone.
    pub async fn run<F: AsyncFn(&str) -> Result<RecordOutcome, IoError>>(
        &self,
        batch: SqsEvent,
        handle: F,
    ) -> SqsBatchResponse {
        self.run_with(batch, handle, async |_, _| Ok(())).await
    }

    /// As [`Worker::run`]. `set_aside` records that a message was dead-lettered, after its copy is
    /// in the dead-letter queue and before it is acknowledged. It may be called again.
    pub async fn run_with<F, S>(&self, batch: SqsEvent, handle: F, set_aside: S) -> SqsBatchResponse
    where
        F: AsyncFn(&str) -> Result<RecordOutcome, IoError>,
        S: AsyncFn(&str, DeadLetterReason) -> Result<(), IoError>,
    {
        let records = batch.records.iter();
        let acknowledged =
            join_all(records.map(|record| self.run_one(record, &handle, &set_aside))).await;
        let mut response = SqsBatchResponse::default();
        for (record, acknowledged) in batch.records.iter().zip(acknowledged) {
            if !acknowledged {
                response.add_failure(record.message_id.clone().unwrap_or_default());
            }
        }
        response
    }

    /// Returns true when the record can be acknowledged.
    pub(super) async fn run_one<F, S>(&self, record: &SqsMessage, handle: &F, set_aside: &S) -> bool
    where
        F: AsyncFn(&str) -> Result<RecordOutcome, IoError>,
        S: AsyncFn(&str, DeadLetterReason) -> Result<(), IoError>,
    {
        let body = record.body.as_deref().unwrap_or_default();
        let outcome = match AssertUnwindSafe(handle(body)).catch_unwind().await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(error @ (IoError::Transient { .. } | IoError::UnusableSetting { .. }))) => {
                tracing::warn!(message_id = record.message_id, %error, "record.failed");
                count_failure(false);
                RecordOutcome::RetryAfter(backoff(receive_count(record)))
            }
            Ok(Err(error @ IoError::Bug { .. })) => {
                tracing::error!(message_id = record.message_id, %error, "record.failed");
                count_failure(true);
                after_bug(receive_count(record))
            }
            Err(_panic) => {
                tracing::error!(message_id = record.message_id, "record.panicked");
                count_failure(true);
                after_bug(receive_count(record))
            }
        };
        let acknowledged = match outcome {
            RecordOutcome::Ack => return true,
            RecordOutcome::DeadLetter(reason) => {
                match self.dead_letter(record, body, reason).await {
                    Ok(()) => set_aside(body, reason).await.map(|()| true),
                    Err(error) => Err(error),
                }
            }
            RecordOutcome::RetryAfter(wait) => self.postpone(record, wait).await,
            RecordOutcome::NewerVersion => {
                tracing::warn!(message_id = record.message_id, "record.newer_version");
                self.postpone(record, wait_for_release(receive_count(record))).await
            }
        };
        acknowledged.unwrap_or_else(|error| {
            tracing::warn!(message_id = record.message_id, %error, "record.end_failed");
            false
        })
    }
}

impl Worker {
    /// Tries for longer than the SDK does: otherwise the record comes back only after the queue's
    /// visibility timeout, minutes later. Returns that the record is not acknowledged.
    async fn postpone(&self, record: &SqsMessage, wait: Duration) -> Result<bool, IoError> {
        let receipt = record.receipt_handle.as_deref().unwrap_or_default();
        for pause in POSTPONE_PAUSES {
            if self.queue.retry_after(receipt, wait).await.is_ok() {
                return Ok(false);
            }
            tokio::time::sleep(pause).await;
        }
        self.queue.retry_after(receipt, wait).await.map(|()| false)
    }

    async fn dead_letter(
        &self,
        record: &SqsMessage,
        body: &str,
        reason: DeadLetterReason,
    ) -> Result<(), IoError> {
        let reason = reason.as_str();
        tracing::error!(message_id = record.message_id, reason, "record.set_aside");
        let group = record.attributes.get("MessageGroupId").map(String::as_str);
        self.dead_letters.send_dead_letter(group, body.to_owned(), reason).await
    }
}

/// Counts this receive too.
pub(super) fn receive_count(record: &SqsMessage) -> u32 {
    let count =
        record.attributes.get("ApproximateReceiveCount").and_then(|count| count.parse().ok());
    count.unwrap_or(1)
}

/// Lambda sees no error: the function reports the record as failed.
fn count_failure(is_bug: bool) {
    Metrics::new().count("RecordsFailed", 1).count("Bugs", is_bug.into()).emit(now());
}

/// Waiting does not fix a bug: after a few retries the record must not hold up others.
fn after_bug(receive_count: u32) -> RecordOutcome {
    if receive_count < BUG_RECEIVES {
        RecordOutcome::RetryAfter(backoff(receive_count))
    } else {
        RecordOutcome::DeadLetter(DeadLetterReason::Bug)
    }
}

/// Exponential backoff: one second, doubling with every receive, at most 90 seconds.
pub(super) fn backoff(receive_count: u32) -> Duration {
    doubling(receive_count).min(MAX_BACKOFF)
}

/// As [`backoff`], up to 15 minutes.
fn wait_for_release(receive_count: u32) -> Duration {
    doubling(receive_count).min(MAX_WAIT_FOR_RELEASE)
}

fn doubling(receive_count: u32) -> Duration {
    Duration::from_secs(1 << (receive_count.clamp(1, 11) - 1))
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::client::fake::{FakeAws, clients};

    /// Runs a record that fails because of a bug. Returns the reasons that were recorded, the
    /// number of failures in the response, and the number of AWS calls.
    async fn run_failing(
        receives: &str,
        response: (u16, &'static str),
    ) -> (Vec<String>, usize, usize) {
        let fake = FakeAws::new(move |_| (response.0, response.1.to_owned()));
        let queue = Queue::new(clients(fake.edge()).sqs(), "http://queue.invalid".to_owned());
        let worker = Worker { queue: queue.clone(), dead_letters: queue };
        let mut record = SqsMessage::default();
        record.body = Some("m".to_owned());
        let count = ("ApproximateReceiveCount".to_owned(), receives.to_owned());
        record.attributes.extend([count]);
        let mut batch = SqsEvent::default();
        batch.records.push(record);
        let recorded = Mutex::new(Vec::new());
        let handle = async |_: &str| Err(IoError::unreadable("dynamodb:GetItem", "row"));
        let set_aside = async |body: &str, reason: DeadLetterReason| {
            recorded.lock().unwrap().push(format!("{body} {}", reason.as_str()));
            Ok(())
        };
        let failures = worker.run_with(batch, handle, set_aside).await.batch_item_failures.len();
        let calls = fake.requests().len();
        (recorded.into_inner().unwrap(), failures, calls)
    }

    #[tokio::test]
    async fn records_a_dead_letter_once_its_copy_is_sent() {
        let sent = (200, r#"{"MessageId":"1"}"#);
        assert_eq!(run_failing("5", sent).await, (vec!["m bug".to_owned()], 0, 1));
        assert_eq!(run_failing("4", (200, "{}")).await, (Vec::new(), 1, 1));
        let rejected = (400, r#"{"__type":"com.amazonaws.sqs#QueueDoesNotExist"}"#);
        let (recorded, failures, _) = run_failing("5", rejected).await;
        assert_eq!((recorded, failures), (Vec::new(), 1));
    }

    #[test]
    fn backoff_doubles_up_to_ninety_seconds() {
        let wait = |count: &str| {
            let mut record = SqsMessage::default();
            record.attributes.insert("ApproximateReceiveCount".to_owned(), count.to_owned());
            backoff(receive_count(&record)).as_secs()
        };
        assert_eq!(["1", "2", "7", "8", "999", "junk"].map(wait), [1, 2, 64, 90, 90, 1]);
    }

    #[test]
    fn a_message_of_a_newer_release_waits_for_up_to_a_quarter_of_an_hour() {
        let dead = RecordOutcome::DeadLetter(DeadLetterReason::UnreadableMessage);
        for (message, expected) in [
            (r#"{"v":2,"id":7}"#, RecordOutcome::NewerVersion),
            (r#"{"v":999}"#, RecordOutcome::NewerVersion),
            (r#"{"v":1}"#, dead),
            (r#"{"v":0}"#, dead),
            (r#"{"v":"2"}"#, dead),
            ("{}", dead),
            ("2", dead),
            ("", dead),
        ] {
            assert_eq!(RecordOutcome::unreadable(message, 1), expected, "{message}");
        }
        let waits = [1, 2, 10, 11, 330].map(|count| wait_for_release(count).as_secs());
        assert_eq!(waits, [1, 2, 512, 900, 900]);
    }

    #[test]
    fn dead_letters_a_bug_at_the_fifth_receive() {
        let retry = |seconds| RecordOutcome::RetryAfter(Duration::from_secs(seconds));
        let dead = RecordOutcome::DeadLetter(DeadLetterReason::Bug);
        assert_eq!(
            [1, 2, 4, 5, 6, 99].map(after_bug),
            [retry(1), retry(2), retry(8), dead, dead, dead]
        );
    }
}
