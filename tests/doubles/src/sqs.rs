//! Standard queues of SQS: delays, visibility timeouts, receive counts, dead-letter queues,
//! retention, and delivery at least once.

mod attributes;
mod errors;
mod message;
mod queue;
mod received;
mod requests;
mod send;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::{Value, json};

pub use self::message::Message;
pub use self::received::Received;

use self::attributes::attributes;
use self::errors::{missing, plain_error, service_error, unknown_queue};
use self::message::{Counter, parse_receipt};
use self::queue::{Queue, Receive};
use self::requests::{change_visibility, delete, read_max_messages, read_seconds, send};
use self::send::{answer_entries, read_entries};
use crate::failure::Failure;

/// SQS allows twelve hours from the receive.
const MAX_VISIBILITY: u64 = 12 * 60 * 60 * 1000;
/// Entries of a batch, and messages of a receive.
const MAX_BATCH: usize = 10;
/// About as many messages of a standard queue can be in flight.
const MAX_IN_FLIGHT: usize = 120_000;

/// Times are in milliseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueSettings {
    pub name: String,
    pub visibility: u64,
    pub retention: u64,
    pub delay: u64,
    pub redrive: Option<Redrive>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redrive {
    /// Name of the dead-letter queue.
    pub dead_letters: String,
    pub max_receives: u32,
}

/// What may go wrong at a receive, each from 0 (never) to 1 (always).
#[derive(Debug, Clone, Default)]
pub struct Chances {
    /// A received message is delivered once more: at once, or later and even after its deletion.
    pub duplicate: f64,
    /// Any message that is due is received instead of the first.
    pub reorder: f64,
    /// The receive returns fewer messages than it could, or none.
    pub short_batch: f64,
    /// The receipt of the receive before still works.
    pub old_receipt: f64,
}

#[derive(Debug)]
pub struct Sqs {
    queues: BTreeMap<String, Queue>,
    counter: Counter,
    max_in_flight: usize,
}

fn chance(rng: &mut fastrand::Rng, chance: f64) -> bool {
    chance > 0.0 && rng.f64() < chance
}

impl Sqs {
    pub fn new(queues: Vec<QueueSettings>) -> Self {
        let queues = queues.into_iter().map(|queue| (queue.name.clone(), Queue::new(queue)));
        Self { queues: queues.collect(), counter: Counter::default(), max_in_flight: MAX_IN_FLIGHT }
    }

    /// Lowers the limit of messages in flight, for tests.
    #[must_use]
    pub fn with_max_in_flight(self, max_in_flight: usize) -> Self {
        Self { max_in_flight, ..self }
    }

    /// Answers a request of the JSON protocol. `chances` are those of a `ReceiveMessage`.
    pub fn call(
        &mut self,
        operation: &str,
        request: &Value,
        now: u64,
        chances: &Chances,
        rng: &mut fastrand::Rng,
    ) -> Result<Value, Failure> {
        let name = request["QueueUrl"].as_str().ok_or_else(|| missing("QueueUrl"))?;
        let name = name.rsplit('/').next().unwrap_or_default();
        let queue = self.queues.get_mut(name).ok_or_else(unknown_queue)?;
        queue.expire(now);
        match operation {
            "SendMessage" => send(queue, request, &mut self.counter, now),
            "SendMessageBatch" => {
                let entries = read_entries(request)?;
                let each = |entry: &Value| send(queue, entry, &mut self.counter, now);
                Ok(answer_entries(entries, each))
            }
            "ChangeMessageVisibility" => change_visibility(queue, request, now),
            "DeleteMessage" => delete(queue, request),
            "DeleteMessageBatch" => {
                Ok(answer_entries(read_entries(request)?, |entry| delete(queue, entry)))
            }
            "GetQueueAttributes" => attributes(queue, request, now),
            "ReceiveMessage" => self.receive_message(name, request, now, chances, rng),
            other => {
                let message = format!("The model does not support {other}.");
                Err(service_error("UnsupportedOperation", message))
            }
        }
    }

    /// Receives as Lambda does: up to `max` messages, for the visibility timeout of the queue.
    pub fn receive(
        &mut self,
        queue: &str,
        max: usize,
        now: u64,
        chances: &Chances,
        rng: &mut fastrand::Rng,
    ) -> Vec<Received> {
        let Some(settings) = self.queues.get(queue).map(|queue| &queue.settings) else {
            return Vec::new();
        };
        let receive = Receive { max, visibility: settings.visibility, now, chances };
        self.take(queue, &receive, rng)
    }

    fn receive_message(
        &mut self,
        name: &str,
        request: &Value,
        now: u64,
        chances: &Chances,
        rng: &mut fastrand::Rng,
    ) -> Result<Value, Failure> {
        let queue = self.queues.get(name).ok_or_else(unknown_queue)?;
        let max = read_max_messages(request)?;
        let visibility = read_seconds(request, "VisibilityTimeout")?;
        let visibility = visibility.unwrap_or(queue.settings.visibility);
        // A long poll over the limit returns nothing instead.
        if queue.has_in_flight(self.max_in_flight, now)
            && request["WaitTimeSeconds"].as_u64().unwrap_or_default() == 0
        {
            return Err(plain_error("OverLimit", "Too many messages in flight."));
        }
        let received = self.take(name, &Receive { max, visibility, now, chances }, rng);
        let messages: Vec<Value> =
            received.iter().map(|received| received.to_message(request)).collect();
        Ok(if messages.is_empty() { json!({}) } else { json!({ "Messages": messages }) })
    }

    /// Receives messages, and moves those that were received too often.
    fn take(
        &mut self,
        name: &str,
        receive: &Receive<'_>,
        rng: &mut fastrand::Rng,
    ) -> Vec<Received> {
        let max_in_flight = self.max_in_flight;
        let redrive = self.redrive(name);
        let Some(queue) = self.queues.get_mut(name) else { return Vec::new() };
        queue.expire(receive.now);
        if queue.has_in_flight(max_in_flight, receive.now) {
            return Vec::new();
        }
        let max_receives = redrive.as_ref().map(|redrive| redrive.max_receives);
        let taken = queue.receive(receive, max_receives, &mut self.counter, rng);
        if let Some(target) = redrive.and_then(|to| self.queues.get_mut(&to.dead_letters)) {
            for (number, message) in taken.dead {
                target.insert(number, message.moved(name, receive.now));
            }
        }
        taken.received
    }

    /// The redrive policy of a queue, if its dead-letter queue exists.
    fn redrive(&self, queue: &str) -> Option<Redrive> {
        let redrive = self.queues.get(queue)?.settings.redrive.clone()?;
        self.queues.contains_key(&redrive.dead_letters).then_some(redrive)
    }

    /// Deletes as Lambda does: whatever the receipt, without an error.
    pub fn delete(&mut self, queue: &str, receipt: &str, now: u64) {
        let receipt = parse_receipt(receipt);
        if let (Some(queue), Some((number, receipt))) = (self.queues.get_mut(queue), receipt) {
            queue.expire(now);
            queue.delete(number, receipt);
        }
    }

    /// The earliest time at which a receive could return a message. None if the queue is empty.
    pub fn next_visible_at(&self, queue: &str) -> Option<u64> {
        self.queues.get(queue)?.next_due()
    }

    /// All messages, visible or not, in the order of their first send.
    pub fn messages(&self, queue: &str) -> impl Iterator<Item = &Message> {
        self.queues.get(queue).into_iter().flat_map(Queue::messages)
    }

    pub fn in_flight(&self, queue: &str, now: u64) -> usize {
        self.queues.get(queue).map_or(0, |queue| queue.in_flight(now))
    }

    pub fn queues(&self) -> impl Iterator<Item = &QueueSettings> {
        self.queues.values().map(|queue| &queue.settings)
    }
}
