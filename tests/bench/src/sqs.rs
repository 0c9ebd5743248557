//! SQS, and what of it Lambda sees: messages wait until they are due, and are kept until they are worked on.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use domain::polling::PollResult;
use serde_json::{Value, json};

use crate::http::Response;
use crate::usage::{Meter, lock};

/// The shards to plan.
pub(crate) const SHARDS: &str = "shards";
/// The batches to ask.
pub(crate) const BATCHES: &str = "batches";
/// What was found. Counted and forgotten.
pub(crate) const EVENTS: &str = "events";
/// How long nobody waits without looking whether the run is over.
const GLANCE: Duration = Duration::from_secs(1);

/// The queues.
pub(crate) struct Sqs {
    state: Mutex<State>,
    arrived: Condvar,
    meter: Arc<Meter>,
}

#[derive(Default)]
struct State {
    queues: BTreeMap<String, Queue>,
    last: u64,
    closed: bool,
}

#[derive(Default)]
struct Queue {
    /// By when they are due, and in the order in which they came.
    waiting: BTreeMap<(Instant, u64), Message>,
    /// By their numbers, with the wait that whoever has one asked for.
    received: BTreeMap<u64, (Message, Option<Duration>)>,
}

struct Message {
    body: String,
    receives: u32,
}

/// A message as somebody received it.
pub(crate) struct Received {
    /// Its id and its receipt.
    pub(crate) number: u64,
    /// What it says.
    pub(crate) body: String,
    /// How often it was received, this time included.
    pub(crate) receives: u32,
}

impl Sqs {
    /// Without messages.
    pub(crate) fn new(meter: Arc<Meter>) -> Self {
        Self { state: Mutex::default(), arrived: Condvar::new(), meter }
    }

    /// Answers a call.
    pub(crate) fn answer(&self, operation: &str, body: &[u8]) -> Response {
        let request: Value = serde_json::from_slice(body).unwrap_or_default();
        let queue =
            request["QueueUrl"].as_str().and_then(|url| url.rsplit('/').next()).unwrap_or_default();
        let entries = request["Entries"].as_array().map(Vec::as_slice).unwrap_or_default();
        let answer = match operation {
            "SendMessage" => self.send(operation, queue, &[&request]),
            "SendMessageBatch" => self.send(operation, queue, &entries.iter().collect::<Vec<_>>()),
            "ChangeMessageVisibility" => self.postpone(queue, &request),
            _ => None,
        };
        answer.map(|answer| Response::new(200, answer.to_string())).unwrap_or_else(|| {
            self.meter.fault(format!("SQS does not know {operation} on {queue}"));
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
                    bodies.iter().map(|body| news(body)).sum::<Option<u64>>()?
            }
            SHARDS | BATCHES => self.put(queue, entries),
            other => self.meter.fault(format!("a message was sent to {other}")),
        }
        let sent = |entry: &&Value| json!({ "Id": entry["Id"], "MessageId": "1", "MD5OfMessageBody": "0" });
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
        usage.sqs(bytes);
    }

    fn put(&self, queue: &str, entries: &[&Value]) {
        let mut state = lock(&self.state);
        for entry in entries {
            let due = Instant::now()
                + Duration::from_secs(entry["DelaySeconds"].as_u64().unwrap_or_default());
            let message = Message {
                body: entry["MessageBody"].as_str().unwrap_or_default().to_owned(),
                receives: 0,
            };
            state.last += 1;
            let place = (due, state.last);
            state.queues.entry(queue.to_owned()).or_default().waiting.insert(place, message);
        }
        self.arrived.notify_all();
    }

    fn postpone(&self, queue: &str, request: &Value) -> Option<Value> {
        let number: u64 = request["ReceiptHandle"].as_str()?.parse().ok()?;
        let wait = Duration::from_secs(request["VisibilityTimeout"].as_u64()?);
        self.count("ChangeMessageVisibility", 0);
        lock(&self.state).queues.get_mut(queue)?.received.get_mut(&number)?.1 = Some(wait);
        Some(json!({}))
    }

    /// The next message of a queue, as soon as one is due. Nothing once the queues are closed.
    pub(crate) fn receive(&self, queue: &str) -> Option<Received> {
        let mut state = lock(&self.state);
        while !state.closed {
            let wait =
                match state.queues.entry(queue.to_owned()).or_default().receive(Instant::now()) {
                    Ok(received) => {
                        self.count("ReceiveMessage", received.body.len());
                        return Some(received);
                    }
                    Err(wait) => wait.min(GLANCE),
                };
            state =
                self.arrived.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner).0;
        }
        None
    }

    /// Whoever received a message has ended with it: it goes, or comes back.
    pub(crate) fn end(&self, queue: &str, number: u64, done: bool) {
        let mut state = lock(&self.state);
        let queue = state.queues.entry(queue.to_owned()).or_default();
        let Some((message, wait)) = queue.received.remove(&number) else { return };
        if done {
            self.count("DeleteMessage", 0);
            return;
        }
        if wait.is_none() {
            self.meter.fault("a message would have come back after the queue's own time");
        }
        queue.waiting.insert((Instant::now() + wait.unwrap_or_default(), number), message);
        self.arrived.notify_all();
    }

    /// Whether nothing is left to do.
    pub(crate) fn is_empty(&self) -> bool {
        lock(&self.state)
            .queues
            .values()
            .all(|queue| queue.waiting.is_empty() && queue.received.is_empty())
    }

    /// Nobody receives anything any more.
    pub(crate) fn close(&self) {
        lock(&self.state).closed = true;
        self.arrived.notify_all();
    }
}

impl Queue {
    /// The first message that is due, or how long that takes.
    fn receive(&mut self, now: Instant) -> Result<Received, Duration> {
        let Some(first) = self.waiting.first_entry() else { return Err(GLANCE) };
        let (due, number) = *first.key();
        if due > now {
            return Err(due - now);
        }
        let mut message = first.remove();
        message.receives += 1;
        let received = Received { number, body: message.body.clone(), receives: message.receives };
        self.received.insert(number, (message, None));
        Ok(received)
    }
}

/// How many claims a message of the events queue brings.
fn news(body: &str) -> Option<u64> {
    PollResult::read(body).map(|found| found.reports.len() as u64)
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

    fn postpone(sqs: &Sqs, number: u64, seconds: u64) {
        let receipt = number.to_string();
        let request =
            json!({"QueueUrl": "/batches", "ReceiptHandle": receipt, "VisibilityTimeout": seconds});
        assert_eq!(
            sqs.answer("ChangeMessageVisibility", request.to_string().as_bytes()).status,
            200
        );
    }

    #[test]
    fn a_message_is_kept_until_it_is_worked_on() {
        let sqs = sqs();
        send(&sqs, "late", 1);
        send(&sqs, "now", 0);
        let first = sqs.receive(BATCHES).unwrap();
        assert_eq!(first.body, "now");
        sqs.end(BATCHES, first.number, true);
        let second = sqs.receive(BATCHES).unwrap();
        postpone(&sqs, second.number, 0);
        sqs.end(BATCHES, second.number, false);
        let again = sqs.receive(BATCHES).unwrap();
        assert_eq!((again.body.as_str(), again.receives), ("late", 2));
        assert!(!sqs.is_empty());
        sqs.end(BATCHES, again.number, true);
        assert!(sqs.is_empty());
        let usage = sqs.meter.count();
        assert_eq!((usage.sqs_requests, usage.faults.len()), (2 + 1 + 3 + 2, 0));
    }

    #[test]
    fn what_nobody_expects_is_a_fault() {
        let sqs = sqs();
        send(&sqs, "x", 0);
        let received = sqs.receive(BATCHES).unwrap();
        sqs.end(BATCHES, received.number, false);
        let to = |queue: &str| json!({"QueueUrl": queue, "MessageBody": "{}"}).to_string();
        sqs.answer("SendMessage", to("/batches-dlq").as_bytes());
        sqs.answer("SendMessage", to("/events").as_bytes());
        sqs.answer("PurgeQueue", b"{}");
        assert_eq!(sqs.meter.count().faults.len(), 4);
    }

    #[test]
    fn nobody_waits_for_queues_that_are_closed() {
        let sqs = sqs();
        send(&sqs, "x", 60);
        sqs.close();
        assert!(sqs.receive(BATCHES).is_none());
    }
}
