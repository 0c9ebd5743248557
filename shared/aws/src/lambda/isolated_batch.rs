//! Runs a batch whose records may take their worker down, by the memory or the time they need.

use std::time::Duration;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use domain::core::timestamp::Timestamp;
use futures::future::join_all;

use super::sqs_batch::{DeadLetterReason, RecordOutcome, Worker, backoff, receive_count};
use crate::clock::now;
use crate::error::IoError;

impl Worker {
    /// As [`Worker::run_with`], but a record that was received before runs alone: it may have killed
    /// its worker then. It starts when all others have ended, and those that are acknowledged are
    /// deleted from the queue, so that they do not come again with it. What has not ended at
    /// `deadline` is stopped and comes again.
    pub async fn run_isolated<F, S>(
        &self,
        batch: SqsEvent,
        deadline: Timestamp,
        handle: F,
        set_aside: S,
    ) -> SqsBatchResponse
    where
        F: AsyncFn(&str) -> Result<RecordOutcome, IoError>,
        S: AsyncFn(&str, DeadLetterReason) -> Result<(), IoError>,
    {
        let (again, new): (Vec<&SqsMessage>, Vec<&SqsMessage>) =
            batch.records.iter().partition(|record| receive_count(record) > 1);
        let run = |record| self.run_until(deadline, record, &handle, &set_aside);
        let ended = join_all(new.iter().map(|record| run(record))).await;
        let mut response = SqsBatchResponse::default();
        let mut finished = Vec::new();
        let mut conclude = |record: &SqsMessage, acknowledged: bool, finished: &mut Vec<String>| {
            if acknowledged {
                finished.extend(record.receipt_handle.clone());
            } else {
                response.add_failure(record.message_id.clone().unwrap_or_default());
            }
        };
        for (record, acknowledged) in new.into_iter().zip(ended) {
            conclude(record, acknowledged, &mut finished);
        }
        for record in again {
            self.delete(std::mem::take(&mut finished)).await;
            conclude(record, run(record).await, &mut finished);
        }
        response
    }

    /// Returns true when the record can be acknowledged.
    async fn run_until<F, S>(
        &self,
        deadline: Timestamp,
        record: &SqsMessage,
        handle: &F,
        set_aside: &S,
    ) -> bool
    where
        F: AsyncFn(&str) -> Result<RecordOutcome, IoError>,
        S: AsyncFn(&str, DeadLetterReason) -> Result<(), IoError>,
    {
        let time = deadline.since(now());
        if time > Duration::ZERO {
            let run = Box::pin(self.run_one(record, handle, set_aside));
            if let Ok(acknowledged) = tokio::time::timeout(time, run).await {
                return acknowledged;
            }
            tracing::error!(message_id = record.message_id, "record.out_of_time");
        }
        let receipt = record.receipt_handle.as_deref().unwrap_or_default();
        let returned = self.queue.retry_after(receipt, backoff(receive_count(record))).await;
        if let Err(error) = returned {
            tracing::warn!(message_id = record.message_id, %error, "record.end_failed");
        }
        false
    }

    /// Deletes messages that Lambda would delete after the invocation. A message that stays is
    /// deleted then.
    async fn delete(&self, receipts: Vec<String>) {
        if let Err(error) = self.queue.delete(receipts).await {
            tracing::warn!(%error, "record.end_failed");
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::panic)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures::future::{Either, pending, select};
    use tokio::sync::Notify;

    use super::*;
    use crate::client::fake::{FakeAws, clients};
    use crate::sqs::Queue;

    async fn worker(fake: &FakeAws) -> Worker {
        let queue = Queue::new(clients(fake.edge()).sqs(), "http://queue.invalid".to_owned());
        Worker { queue: queue.clone(), dead_letters: queue }
    }

    /// Records by name, each with the number of its receives.
    fn batch(records: &[(&str, u32)]) -> SqsEvent {
        let mut batch = SqsEvent::default();
        for (name, receives) in records {
            let mut record = SqsMessage::default();
            record.message_id = Some((*name).to_owned());
            record.body = Some((*name).to_owned());
            record.receipt_handle = Some(format!("receipt-{name}"));
            let count = ("ApproximateReceiveCount".to_owned(), receives.to_string());
            record.attributes.extend([count]);
            batch.records.push(record);
        }
        batch
    }

    fn failures(response: &SqsBatchResponse) -> Vec<&str> {
        response
            .batch_item_failures
            .iter()
            .map(|failure| failure.item_identifier.as_str())
            .collect()
    }

    /// The receipts in the requests to SQS, in order.
    fn receipts(fake: &FakeAws) -> Vec<String> {
        let requests = fake.requests();
        let bodies = requests.iter().map(|request| request.body().bytes().unwrap().to_vec());
        let names = |body: Vec<u8>| {
            let text = String::from_utf8(body).unwrap();
            let parts = text.split("receipt-").skip(1);
            parts.map(|part| part[..1].to_owned()).collect::<String>()
        };
        bodies.map(names).collect()
    }

    const NOTHING: fn() -> FakeAws = || FakeAws::new(|_| (200, "{}".to_owned()));

    #[tokio::test]
    async fn a_record_that_panics_or_exceeds_the_deadline_hurts_no_neighbour() {
        let fake = NOTHING();
        let handle = async |body: &str| match body {
            "p" => panic!("a bug"),
            "h" => pending().await,
            _ => Ok(RecordOutcome::Ack),
        };
        let deadline = now().after(Duration::from_secs(2));
        let records = batch(&[("a", 1), ("p", 1), ("h", 1), ("b", 1)]);
        let worker = worker(&fake).await;
        let run = worker.run_isolated(records, deadline, handle, async |_, _| Ok(()));
        assert_eq!(failures(&run.await), ["p", "h"]);
        assert_eq!(receipts(&fake), ["p", "h"], "both are to come again");
    }

    #[tokio::test]
    async fn a_record_is_not_started_after_the_deadline() {
        let fake = NOTHING();
        let handle = async |body: &str| panic!("{body} is started");
        let records = batch(&[("a", 1), ("b", 2)]);
        let worker = worker(&fake).await;
        let run = worker.run_isolated(records, now(), handle, async |_, _| Ok(()));
        assert_eq!(failures(&run.await), ["a", "b"]);
    }

    #[tokio::test]
    async fn a_record_received_before_runs_alone() {
        let fake = NOTHING();
        let (running, order) = (AtomicUsize::new(0), Mutex::new(String::new()));
        let handle = async |body: &str| {
            let others = running.fetch_add(1, Ordering::Relaxed);
            order.lock().unwrap().push_str(body);
            tokio::task::yield_now().await;
            running.fetch_sub(1, Ordering::Relaxed);
            let is_alone = others == 0 && running.load(Ordering::Relaxed) == 0;
            assert!(is_alone || matches!(body, "a" | "b" | "c"), "{body} is not alone");
            Ok(RecordOutcome::Ack)
        };
        let deadline = now().after(Duration::from_secs(60));
        let records = batch(&[("x", 2), ("a", 1), ("b", 1), ("y", 9), ("c", 1)]);
        let worker = worker(&fake).await;
        let run = worker.run_isolated(records, deadline, handle, async |_, _| Ok(()));
        assert_eq!(failures(&run.await), [""; 0]);
        assert_eq!(order.into_inner().unwrap(), "abcxy");
        assert_eq!(receipts(&fake), ["abc", "x"], "Lambda itself deletes the last one");
    }

    /// Dropping the run stands for the end of its process.
    #[tokio::test]
    async fn a_record_that_kills_its_worker_again_takes_no_finished_neighbour_with_it() {
        let (fake, started) = (NOTHING(), Notify::new());
        let handle = async |body: &str| {
            if body == "k" {
                started.notify_one();
                return pending().await;
            }
            Ok(RecordOutcome::Ack)
        };
        let deadline = now().after(Duration::from_secs(60));
        let worker = worker(&fake).await;
        let records = batch(&[("k", 2), ("a", 1), ("b", 1)]);
        let run = worker.run_isolated(records, deadline, handle, async |_, _| Ok(()));
        let killed = select(Box::pin(run), Box::pin(started.notified())).await;
        assert!(matches!(killed, Either::Right(_)));
        drop(killed);
        assert_eq!(receipts(&fake), ["ab"]);
    }
}
