//! SQS with delays and visibility timeouts, and Lambda's receives and deletes.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use domain::polling::PollResult;
use serde_json::{Value, json};

use crate::http::Response;
use crate::usage::{Meter, lock};

pub(crate) const SHARDS: &str = "shards";
pub(crate) const BATCHES: &str = "batches";
/// Poll results; counted, but not stored.
pub(crate) const EVENTS: &str = "events";
/// A waiting receiver checks at this interval whether the queues are closed.
const WAIT_INTERVAL: Duration = Duration::from_secs(1);

pub(crate) struct Sqs {
    state: Mutex<State>,
    arrived: Condvar,
    meter: Arc<Meter>,
}

#[derive(Default)]
struct State {
    queues: BTreeMap<String, Queue>,
    last_number: u64,
    closed: bool,
}

#[derive(Default)]
struct Queue {
    /// By due time and number.
    waiting: BTreeMap<(Instant, u64), Message>,
    /// By number, with the visibility timeout that the receiver set.
    in_flight: BTreeMap<u64, (Message, Option<Duration>)>,
}

struct Message {
    body: String,
    receives: u32,
}

pub(crate) struct Received {
    /// Both message id and receipt handle.
    pub(crate) number: u64,
    pub(crate) body: String,
    /// `ApproximateReceiveCount`.
    pub(crate) receives: u32,
}

impl Sqs {
    pub(crate) fn new(meter: Arc<Meter>) -> Self {
        Self { state: Mutex::default(), arrived: Condvar::new(), meter }
    }

    pub(crate) fn answer(&self, operation: &str, body: &[u8]) -> Response {
        let request: Value = serde_json::from_slice(body).unwrap_or_default();
        let queue =
            request["QueueUrl"].as_str().and_then(|url| url.rsplit('/').next()).unwrap_or_default();
        let entries = request["Entries"].as_array().map(Vec::as_slice).unwrap_or_default();
        let answer = match operation {
            "SendMessage" => self.send(operation, queue, &[&request]),
            "SendMessageBatch" => self.send(operation, queue, &entries.iter().collect::<Vec<_>>()),
            "ChangeMessageVisibility" => self.change_visibility(queue, &request),
            _ => None,
        };
        answer.map(|answer| Response::new(200, answer.to_string())).unwrap_or_else(|| {
            self.meter.fault(format!("the SQS double does not support {operation} on {queue}"));
            Response::new(400, r#"{"__type":"com.amazonaws.sqs#InvalidAction"}"#)
        })
    }

    fn send(&self, operation: &str, queue: &str, entries: &[&Value]) -> Option<Value> {
        let bodies: Vec<&str> =
            entries.iter().map(|entry| entry["MessageBody"].as_str()).collect::<Option<_>>()?;
        self.count(operation, bodies.iter().map(|body| body.len()).sum());
        match queue {
            EVENTS => {
                self.meter.count().reports +=
                    bodies.iter().map(|body| report_count(body)).sum::<Option<u64>>()?
            }
            SHARDS | BATCHES => self.enqueue(queue, entries),
            other => self.meter.fault(format!("unexpected message to queue {other}")),
        }
        let sent = |entry: &&Value| {
            let id = &entry["Id"];
            json!({ "Id": id, "MessageId": "1", "MD5OfMessageBody": "0" })
        };
        Some(match operation {
            "SendMessage" => sent(entries.first()?),
            _ => {
                json!({ "Successful": entries.iter().map(sent).collect::<Vec<_>>(), "Failed": [] })
            }
        })
    }

    fn count(&self, operation: &str, bytes: usize) {
        let mut usage = self.meter.count();
        usage.call("SQS", operation);
        usage.sqs_request(bytes);
    }

    fn enqueue(&self, queue: &str, entries: &[&Value]) {
        let mut state = lock(&self.state);
        for entry in entries {
            let due = Instant::now()
                + Duration::from_secs(entry["DelaySeconds"].as_u64().unwrap_or_default());
            let message = Message {
                body: entry["MessageBody"].as_str().unwrap_or_default().to_owned(),
                receives: 0,
            };
            state.last_number += 1;
            let key = (due, state.last_number);
            state.queues.entry(queue.to_owned()).or_default().waiting.insert(key, message);
        }
        self.arrived.notify_all();
    }

    fn change_visibility(&self, queue: &str, request: &Value) -> Option<Value> {
        let number: u64 = request["ReceiptHandle"].as_str()?.parse().ok()?;
        let wait = Duration::from_secs(request["VisibilityTimeout"].as_u64()?);
        self.count("ChangeMessageVisibility", 0);
        lock(&self.state).queues.get_mut(queue)?.in_flight.get_mut(&number)?.1 = Some(wait);
        Some(json!({}))
    }

    /// Waits for the next message that is due. Returns none once the queues are closed.
    pub(crate) fn receive(&self, queue: &str) -> Option<Received> {
        let mut state = lock(&self.state);
        while !state.closed {
            let wait =
                match state.queues.entry(queue.to_owned()).or_default().receive(Instant::now()) {
                    Ok(received) => {
                        self.count("ReceiveMessage", received.body.len());
                        return Some(received);
                    }
                    Err(wait) => wait.min(WAIT_INTERVAL),
                };
            state =
                self.arrived.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner).0;
        }
        None
    }

    /// Deletes a handled message, or makes a failed one visible again.
    pub(crate) fn finish(&self, queue: &str, number: u64, done: bool) {
        let mut state = lock(&self.state);
        let queue = state.queues.entry(queue.to_owned()).or_default();
        let Some((message, wait)) = queue.in_flight.remove(&number) else { return };
        if done {
            self.count("DeleteMessage", 0);
            return;
        }
        if wait.is_none() {
            self.meter.fault("a failed message has no visibility timeout of its own");
        }
        queue.waiting.insert((Instant::now() + wait.unwrap_or_default(), number), message);
        self.arrived.notify_all();
    }

    /// True if no message is waiting or in flight.
    pub(crate) fn is_empty(&self) -> bool {
        lock(&self.state)
            .queues
            .values()
            .all(|queue| queue.waiting.is_empty() && queue.in_flight.is_empty())
    }

    /// Ends all receives.
    pub(crate) fn close(&self) {
        lock(&self.state).closed = true;
        self.arrived.notify_all();
    }
}

impl Queue {
    /// Takes the first message, or returns the time until one is due.
    fn receive(&mut self, now: Instant) -> Result<Received, Duration> {
        let Some(first) = self.waiting.first_entry() else { return Err(WAIT_INTERVAL) };
        let (due, number) = *first.key();
        if due > now {
            return Err(due - now);
        }
        let mut message = first.remove();
        message.receives += 1;
        let received = Received { number, body: message.body.clone(), receives: message.receives };
        self.in_flight.insert(number, (message, None));
        Ok(received)
    }
}

fn report_count(body: &str) -> Option<u64> {
    PollResult::read(body).map(|result| result.reports.len() as u64)
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn sqs() -> Sqs {
        Sqs::new(Arc::default())
    }

    fn send(sqs: &Sqs, body: &str, delay: u64) {
        let entry = json!({"Id": "0", "MessageBody": body, "DelaySeconds": delay});
        let request = json!({"QueueUrl": "http://here/0/batches", "Entries": [entry]});
        assert_eq!(sqs.answer("SendMessageBatch", request.to_string().as_bytes()).status, 200);
    }

    fn change_visibility(sqs: &Sqs, number: u64, seconds: u64) {
        let receipt = number.to_string();
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
        sqs.finish(BATCHES, first.number, true);
        let second = sqs.receive(BATCHES).unwrap();
        change_visibility(&sqs, second.number, 0);
        sqs.finish(BATCHES, second.number, false);
        let again = sqs.receive(BATCHES).unwrap();
        assert_eq!((again.body.as_str(), again.receives), ("late", 2));
        assert!(!sqs.is_empty());
        sqs.finish(BATCHES, again.number, true);
        assert!(sqs.is_empty());
        let usage = sqs.meter.count();
        assert_eq!((usage.sqs_requests, usage.faults.len()), (2 + 1 + 3 + 2, 0));
    }

    #[test]
    fn records_a_fault_for_unexpected_calls() {
        let sqs = sqs();
        send(&sqs, "x", 0);
        let received = sqs.receive(BATCHES).unwrap();
        sqs.finish(BATCHES, received.number, false);
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
