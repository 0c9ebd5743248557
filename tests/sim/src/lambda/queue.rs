//! The pollers of the queues: they invoke functions with batches, and delete what was handled.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use doubles::names::queue_arn;
use doubles::sqs::{Chances, Received};
use doubles::template::{Function as Spec, QueueSource};
use serde_json::{Value, json};
use tokio::sync::{Notify, Semaphore};
use tokio::task::spawn_local;
use tokio::time::{sleep, sleep_until};

use super::Lambda;
use crate::bugs::Bug;
use crate::call::Service;
use crate::clock;

/// Of an account.
const CONCURRENCY: usize = 1000;
/// Of a poller that found messages due but received none.
const POLL_AGAIN: Duration = Duration::from_millis(200);

impl Lambda {
    /// Polls the queue of a function until the run ends.
    pub(crate) async fn poll_queue(self: Rc<Self>, spec: Arc<Spec>) {
        let Some(source) = spec.queues.first() else { return };
        let slots = Arc::new(Semaphore::new(source.max_concurrency.unwrap_or(CONCURRENCY)));
        let arrival = Arc::new(Notify::new());
        self.world.lock().arrivals.insert(source.queue.clone(), Arc::clone(&arrival));
        loop {
            let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { return };
            let batch = self.receive(source, &arrival).await;
            let (lambda, spec) = (Rc::clone(&self), Arc::clone(&spec));
            spawn_local(async move {
                if let Some(source) = spec.queues.first() {
                    lambda.run_batch(&spec, source, batch).await;
                    lambda.world.lock().announce(&source.queue);
                }
                drop(slot);
            });
        }
    }

    async fn receive(&self, source: &QueueSource, arrival: &Notify) -> Vec<Received> {
        loop {
            let wait = {
                let mut state = self.world.lock();
                let state = &mut *state;
                let (now, faults) = (clock::now_ms(), state.faults);
                let chances = Chances {
                    duplicate: faults.duplicate,
                    reorder: faults.reorder,
                    short_batch: faults.short_batch,
                    old_receipt: 0.5,
                };
                let size = if state.away == Some(Service::Sqs) { 0 } else { source.batch_size };
                let batch =
                    state.sqs.receive(&source.queue, size, now, &chances, &mut state.random);
                if !batch.is_empty() {
                    return batch;
                }
                state.sqs.next_visible_at(&source.queue)
            };
            let due = wait.map(|at| clock::at(at).max(tokio::time::Instant::now() + POLL_AGAIN));
            let due = async {
                match due {
                    Some(due) => sleep_until(due).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = arrival.notified() => {}
                () = due => {}
            }
        }
    }

    async fn run_batch(&self, spec: &Spec, source: &QueueSource, batch: Vec<Received>) {
        let received = clock::now_ms();
        self.world.pause(20).await;
        let records: Vec<Value> = batch.iter().map(|it| record(&source.queue, it)).collect();
        let counts: Vec<u32> = batch.iter().map(|it| it.receive_count).collect();
        self.world
            .tell("lambda", || format!("{} <- {} receives {counts:?}", spec.name, source.queue));
        if self.world.lock().bug == Some(Bug::DeletedOnReceive) {
            self.delete(source, &batch, &[]);
        }
        let result = self.invoke(spec, json!({ "Records": records })).await;
        self.check_visibility(spec, source, clock::now_ms() - received);
        let Some(Ok(response)) = result else { return };
        sleep(Duration::from_millis(1)).await;
        let failed = if source.reports_item_failures { failures(&response) } else { Vec::new() };
        let is_known = failed.iter().all(|id| batch.iter().any(|it| it.message_id == *id));
        if !is_known {
            // Lambda then takes the whole batch for failed.
            let text = format!("{} names unknown messages", spec.name);
            return self.world.lock().ledger.violation(text);
        }
        self.delete(source, &batch, &failed);
    }

    /// Messages that become visible during an invocation are handled twice at a time.
    fn check_visibility(&self, spec: &Spec, source: &QueueSource, took: u64) {
        let mut state = self.world.lock();
        if state.topology.visibility(&source.queue).is_some_and(|visibility| took > visibility) {
            let text = format!("{} takes longer than its messages are invisible", spec.name);
            state.ledger.violation(text);
        }
    }

    /// Deletes what has not failed.
    fn delete(&self, source: &QueueSource, batch: &[Received], failed: &[&str]) {
        let mut state = self.world.lock();
        let now = clock::now_ms();
        for message in batch.iter().filter(|it| !failed.contains(&it.message_id.as_str())) {
            state.sqs.delete(&source.queue, &message.receipt, now);
        }
    }
}

fn failures(response: &Value) -> Vec<&str> {
    let failures = response["batchItemFailures"].as_array().into_iter().flatten();
    failures.filter_map(|failure| failure["itemIdentifier"].as_str()).collect()
}

fn record(queue: &str, received: &Received) -> Value {
    let mut attributes = json!({
        "ApproximateReceiveCount": received.receive_count.to_string(),
        "SentTimestamp": received.sent_at.to_string(),
    });
    if let Some(group) = &received.group {
        attributes["MessageGroupId"] = group.as_str().into();
    }
    json!({
        "messageId": received.message_id,
        "receiptHandle": received.receipt,
        "body": received.body,
        "attributes": attributes,
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn(queue),
        "awsRegion": doubles::names::REGION,
    })
}
