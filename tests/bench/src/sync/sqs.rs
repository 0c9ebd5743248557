//! SQS for processes in real time: calls are metered, and receivers wait.

use std::collections::BTreeSet;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use domain::polling::PollResult;
use doubles::failure::Failure;
use doubles::names::queue_of;
use doubles::sqs::{Chances, QueueSettings, Received};
use serde_json::Value;

use crate::http::Response;
use crate::sync::usage::{Meter, lock};

pub(crate) const SHARDS: &str = "shards";
pub(crate) const BATCHES: &str = "batches";
/// Poll results; counted, but not stored.
pub(crate) const EVENTS: &str = "events";
/// A waiting receiver checks at this interval whether the queues are closed.
const WAIT_INTERVAL: Duration = Duration::from_secs(1);
/// As in template.yaml.
const VISIBILITY_MS: u64 = 360_000;
const RETENTION_MS: u64 = 1_209_600_000;

pub(crate) struct Sqs {
    state: Mutex<State>,
    arrived: Condvar,
    begin: Instant,
    meter: Arc<Meter>,
}

struct State {
    queues: doubles::sqs::Sqs,
    /// Receipts of messages whose receiver has set a visibility timeout.
    postponed: BTreeSet<String>,
    closed: bool,
}

/// A message whose retention is zero is gone at the next call.
fn queue(name: &str, retention: u64) -> QueueSettings {
    let name = name.to_owned();
    QueueSettings { name, visibility: VISIBILITY_MS, retention, delay: 0, redrive: None }
}

impl Sqs {
    pub(crate) fn new(meter: Arc<Meter>) -> Self {
        let queues = doubles::sqs::Sqs::new(vec![
            queue(SHARDS, RETENTION_MS),
            queue(BATCHES, RETENTION_MS),
            queue(EVENTS, 0),
        ]);
        let state = State { queues, postponed: BTreeSet::new(), closed: false };
        Self { state: Mutex::new(state), arrived: Condvar::new(), begin: Instant::now(), meter }
    }

    pub(crate) fn answer(&self, operation: &str, body: &[u8]) -> Response {
        let request: Value = serde_json::from_slice(body).unwrap_or_default();
        match self.call(operation, &request) {
            Ok(answer) => Response::new(200, answer.to_string()),
            Err(failure) => {
                let queue = queue_of(request["QueueUrl"].as_str().unwrap_or_default());
                self.meter.fault(format!("{operation} on {queue}: {}", failure.message));
                let mut response = Response::new(Failure::STATUS, failure.body().to_string());
                let code = failure.query_error.unwrap_or_default();
                response.headers.push(("x-amzn-query-error", code));
                response
            }
        }
    }

    fn call(&self, operation: &str, request: &Value) -> Result<Value, Failure> {
        let mut state = lock(&self.state);
        let answer = state.queues.call(
            operation,
            request,
            self.now(),
            &Chances::default(),
            &mut fastrand::Rng::with_seed(0),
        )?;
        let receipt = request["ReceiptHandle"].as_str();
        state.postponed.extend(receipt.map(str::to_owned));
        drop(state);
        self.arrived.notify_all();
        self.meter_call(operation, request);
        Ok(answer)
    }

    /// Milliseconds since the begin.
    fn now(&self) -> u64 {
        u64::try_from(self.begin.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn meter_call(&self, operation: &str, request: &Value) {
        let entries = request["Entries"].as_array().map(Vec::as_slice).unwrap_or_default();
        let messages = entries.iter().chain([request]);
        let bodies: Vec<&str> =
            messages.filter_map(|message| message["MessageBody"].as_str()).collect();
        self.count(operation, bodies.iter().map(|body| body.len()).sum());
        if queue_of(request["QueueUrl"].as_str().unwrap_or_default()) == EVENTS {
            match bodies.iter().map(|body| report_count(body)).sum::<Option<u64>>() {
                Some(reports) => self.meter.count().reports += reports,
                None => self.meter.fault("an event is no poll result"),
            }
        }
    }

    fn count(&self, operation: &str, bytes: usize) {
        let mut usage = self.meter.count();
        usage.call("SQS", operation);
        usage.sqs_request(bytes);
    }

    /// Waits for the next message that is due. Returns none once the queues are closed.
    pub(crate) fn receive(&self, queue: &str) -> Option<Received> {
        let mut state = lock(&self.state);
        while !state.closed {
            let now = self.now();
            let mut rng = fastrand::Rng::with_seed(0);
            let received = state.queues.receive(queue, 1, now, &Chances::default(), &mut rng);
            if let Some(received) = received.into_iter().next() {
                self.count("ReceiveMessage", received.body.len());
                return Some(received);
            }
            let due = state.queues.next_visible_at(queue).unwrap_or(u64::MAX);
            let wait = Duration::from_millis(due.saturating_sub(now)).min(WAIT_INTERVAL);
            state =
                self.arrived.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner).0;
        }
        None
    }

    /// Deletes a handled message. A failed one becomes visible again when its receiver wanted.
    pub(crate) fn finish(&self, queue: &str, receipt: &str, done: bool) {
        let mut state = lock(&self.state);
        let postponed = state.postponed.remove(receipt);
        if done {
            state.queues.delete(queue, receipt, self.now());
            self.count("DeleteMessage", 0);
        } else if !postponed {
            self.meter.fault("a failed message has no visibility timeout of its own");
        }
    }

    /// True if no message is waiting or in flight.
    pub(crate) fn is_empty(&self) -> bool {
        let state = lock(&self.state);
        [SHARDS, BATCHES].iter().all(|queue| state.queues.next_visible_at(queue).is_none())
    }

    /// Ends all receives.
    pub(crate) fn close(&self) {
        lock(&self.state).closed = true;
        self.arrived.notify_all();
    }
}

fn report_count(body: &str) -> Option<u64> {
    PollResult::read(body).map(|result| result.reports.len() as u64)
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    fn sqs() -> Sqs {
        Sqs::new(Arc::default())
    }

    fn send(sqs: &Sqs, body: &str, delay: u64) {
        let entry = json!({"Id": "0", "MessageBody": body, "DelaySeconds": delay});
        let request = json!({"QueueUrl": "http://here/0/batches", "Entries": [entry]});
        assert_eq!(sqs.answer("SendMessageBatch", request.to_string().as_bytes()).status, 200);
    }

    fn change_visibility(sqs: &Sqs, receipt: &str, seconds: u64) {
        let request =
            json!({"QueueUrl": "/batches", "ReceiptHandle": receipt, "VisibilityTimeout": seconds});
        assert_eq!(
            sqs.answer("ChangeMessageVisibility", request.to_string().as_bytes()).status,
            200
        );
    }

    #[test]
    fn redelivers_a_message_until_it_is_handled() {
        let sqs = sqs();
        send(&sqs, "late", 1);
        send(&sqs, "now", 0);
        let first = sqs.receive(BATCHES).unwrap();
        assert_eq!(first.body, "now");
        sqs.finish(BATCHES, &first.receipt, true);
        let second = sqs.receive(BATCHES).unwrap();
        change_visibility(&sqs, &second.receipt, 0);
        sqs.finish(BATCHES, &second.receipt, false);
        let again = sqs.receive(BATCHES).unwrap();
        assert_eq!((again.body.as_str(), again.receive_count), ("late", 2));
        assert!(!sqs.is_empty());
        sqs.finish(BATCHES, &again.receipt, true);
        assert!(sqs.is_empty());
        let usage = sqs.meter.count();
        assert_eq!((usage.sqs_requests, usage.faults.len()), (2 + 1 + 3 + 2, 0));
    }

    #[test]
    fn records_a_fault_for_unexpected_calls() {
        let sqs = sqs();
        send(&sqs, "x", 0);
        let received = sqs.receive(BATCHES).unwrap();
        sqs.finish(BATCHES, &received.receipt, false);
        let to = |queue: &str| json!({"QueueUrl": queue, "MessageBody": "{}"}).to_string();
        sqs.answer("SendMessage", to("/batches-dlq").as_bytes());
        sqs.answer("SendMessage", to("/events").as_bytes());
        sqs.answer("PurgeQueue", b"{}");
        assert_eq!(sqs.meter.count().faults.len(), 4);
    }

    #[test]
    fn ends_receives_after_closing() {
        let sqs = sqs();
        send(&sqs, "x", 60);
        sqs.close();
        assert!(sqs.receive(BATCHES).is_none());
    }
}
