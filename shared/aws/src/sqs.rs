//! SQS: sending messages, singly and in batches, and setting the retry time of received ones.

use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{
    BatchResultErrorEntry, DeleteMessageBatchRequestEntry, MessageAttributeValue,
    QueueAttributeName, SendMessageBatchRequestEntry,
};
use domain::core::id::EventId;
use domain::webhooks::delivery::Delivery;

use crate::error::IoError;

/// Longest retry wait that one call sets, unless the queue has long waits. Longer waits take
/// several receives.
pub const MAX_RETRY_WAIT: Duration = Duration::from_secs(900);
/// SQS allows twelve hours from the receive.
pub const MAX_LONG_RETRY_WAIT: Duration = Duration::from_secs(11 * 60 * 60);
/// Limit of SQS for the delay before the first receive.
pub const MAX_DELAY: Duration = Duration::from_secs(900);
/// Limit of SQS for the messages of a batch.
pub const MAX_BATCH: usize = 10;
/// SQS allows 1 MiB a batch, attributes included.
const MAX_BATCH_BYTES: usize = 1_000_000;

const SEND_BATCH: &str = "sqs:SendMessageBatch";
const DELETE_BATCH: &str = "sqs:DeleteMessageBatch";

#[derive(Debug, Clone)]
pub struct Queue {
    client: Client,
    url: String,
    max_retry_wait: Duration,
}

/// How many messages a queue has, approximately.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueCounts {
    /// To be received.
    pub waiting: u64,
    /// Received, and not deleted yet.
    pub in_flight: u64,
    /// To be received later, for the first time.
    pub delayed: u64,
}

#[derive(Debug)]
pub struct Outgoing {
    pub body: String,
    /// Message group of an SQS fair queue: a busy group does not hold up the others. Up to 128
    /// graphic ASCII characters.
    pub group: String,
}

#[derive(Debug)]
pub struct Delayed {
    pub body: String,
    pub group: Option<String>,
    /// Cut to [`MAX_DELAY`]. The receiver handles the rest.
    pub delay: Duration,
}

/// SQS accepts the characters of XML 1.0 only. Messages are JSON; the two characters that JSON
/// allows beyond them can occur only within strings, where an escape means the same.
fn sendable(body: String) -> String {
    if body.contains(['\u{fffe}', '\u{ffff}']) {
        body.replace('\u{fffe}', "\\ufffe").replace('\u{ffff}', "\\uffff")
    } else {
        body
    }
}

struct Entry {
    body: String,
    group: Option<String>,
    delay: Option<Duration>,
}

impl From<Outgoing> for Entry {
    fn from(message: Outgoing) -> Self {
        Self { body: sendable(message.body), group: Some(message.group), delay: None }
    }
}

impl From<Delayed> for Entry {
    fn from(message: Delayed) -> Self {
        Self {
            body: sendable(message.body),
            group: message.group,
            delay: Some(message.delay.min(MAX_DELAY)),
        }
    }
}

impl Queue {
    pub fn new(client: Client, url: String) -> Self {
        Self { client, url, max_retry_wait: MAX_RETRY_WAIT }
    }

    /// Raises the limit of one retry wait to [`MAX_LONG_RETRY_WAIT`], for messages that know when
    /// they are due.
    #[must_use]
    pub fn with_long_retry_waits(self) -> Self {
        Self { max_retry_wait: MAX_LONG_RETRY_WAIT, ..self }
    }

    pub async fn send(&self, message: Outgoing) -> Result<(), IoError> {
        let request = self.client.send_message().queue_url(&self.url);
        let request = request.message_group_id(message.group).message_body(sendable(message.body));
        request.send().await.map(drop).map_err(|error| IoError::of("sqs:SendMessage", &error))
    }

    /// Sends a copy to a dead-letter queue. `reason` becomes the message attribute `reason`; a
    /// redrive sends the message again in the same `group`.
    pub async fn send_dead_letter(
        &self,
        group: Option<&str>,
        body: String,
        reason: &str,
    ) -> Result<(), IoError> {
        let reason =
            MessageAttributeValue::builder().data_type("String").string_value(reason).build();
        let reason = reason.map_err(|_| IoError::unreadable("sqs:SendMessage", "reason"))?;
        let message = self.client.send_message().queue_url(&self.url).message_body(sendable(body));
        let message = message.set_message_group_id(group.map(str::to_owned));
        let sent = message.message_attributes("reason", reason).send().await;
        sent.map(drop).map_err(|error| IoError::of("sqs:SendMessage", &error))
    }

    /// Sends all messages in as few batches as possible. After an error, some may have been sent.
    pub async fn send_all(&self, messages: Vec<Outgoing>) -> Result<(), IoError> {
        self.send_batches(messages.into_iter().map(Entry::from).collect()).await
    }

    /// Queues the deliveries of one event, grouped by endpoint. After an error, some may have been
    /// sent.
    pub async fn send_deliveries(
        &self,
        event: &EventId,
        deliveries: &[Delivery],
    ) -> Result<(), IoError> {
        let messages = deliveries.iter().map(|delivery| {
            tracing::debug!(
                event_id = %event,
                delivery_id = delivery.id,
                endpoint = %delivery.endpoint,
                "delivery.queued"
            );
            Outgoing { body: delivery.to_message(), group: delivery.endpoint.as_str().to_owned() }
        });
        self.send_all(messages.collect()).await
    }

    /// As [`Queue::send_all`], each message with its delay.
    pub async fn send_delayed(&self, messages: Vec<Delayed>) -> Result<(), IoError> {
        self.send_batches(messages.into_iter().map(Entry::from).collect()).await
    }

    async fn send_batches(&self, entries: Vec<Entry>) -> Result<(), IoError> {
        for batch in batches(entries) {
            if let Some(refused) = self.send_entries(batch.into_iter()).await?.first() {
                return Err(refusal(refused));
            }
        }
        Ok(())
    }

    /// Sends one batch of at most [`MAX_BATCH`] small messages. Returns the result of each message,
    /// in order; an error when SQS refused the whole batch.
    pub async fn send_batch(
        &self,
        messages: Vec<Outgoing>,
    ) -> Result<Vec<Result<(), IoError>>, IoError> {
        self.send_each(messages.into_iter().map(Entry::from).collect()).await
    }

    /// As [`Queue::send_batch`], each message with its delay.
    pub async fn send_delayed_batch(
        &self,
        messages: Vec<Delayed>,
    ) -> Result<Vec<Result<(), IoError>>, IoError> {
        self.send_each(messages.into_iter().map(Entry::from).collect()).await
    }

    async fn send_each(&self, entries: Vec<Entry>) -> Result<Vec<Result<(), IoError>>, IoError> {
        let mut results = vec![Ok(()); entries.len()];
        for refused in self.send_entries(entries.into_iter()).await? {
            let index = refused.id().parse::<usize>().ok();
            let result = index.and_then(|index| results.get_mut(index));
            *result.ok_or_else(|| IoError::unreadable(SEND_BATCH, "entry"))? =
                Err(refusal(&refused));
        }
        Ok(results)
    }

    /// Returns the refused entries. The id of an entry is its index.
    async fn send_entries(
        &self,
        entries: impl Iterator<Item = Entry>,
    ) -> Result<Vec<BatchResultErrorEntry>, IoError> {
        let mut request = self.client.send_message_batch().queue_url(&self.url);
        for (index, entry) in entries.enumerate() {
            let entry = SendMessageBatchRequestEntry::builder()
                .id(index.to_string())
                .message_body(entry.body)
                .set_message_group_id(entry.group)
                .set_delay_seconds(entry.delay.map(whole_seconds))
                .build()
                .map_err(|_| IoError::unreadable(SEND_BATCH, "entry"))?;
            request = request.entries(entry);
        }
        let output = request.send().await.map_err(|error| IoError::of(SEND_BATCH, &error))?;
        Ok(output.failed)
    }

    /// The approximate number of messages that wait to be received.
    pub async fn depth(&self) -> Result<u64, IoError> {
        self.counts().await.map(|counts| counts.waiting)
    }

    /// The approximate numbers of messages.
    pub async fn counts(&self) -> Result<QueueCounts, IoError> {
        const CALL: &str = "sqs:GetQueueAttributes";
        use QueueAttributeName::{
            ApproximateNumberOfMessages as Waiting, ApproximateNumberOfMessagesDelayed as Delayed,
            ApproximateNumberOfMessagesNotVisible as InFlight,
        };
        let request = self.client.get_queue_attributes().queue_url(&self.url);
        let request = request.set_attribute_names(Some(vec![Waiting, InFlight, Delayed]));
        let answer = request.send().await.map_err(|error| IoError::of(CALL, &error))?;
        let attributes = answer.attributes.unwrap_or_default();
        let read = |name| {
            let count = attributes.get(&name).and_then(|count| count.parse().ok());
            count.ok_or_else(|| IoError::unreadable(CALL, "a number of messages"))
        };
        let (waiting, in_flight) = (read(Waiting)?, read(InFlight)?);
        Ok(QueueCounts { waiting, in_flight, delayed: read(Delayed)? })
    }

    /// Deletes received messages, at most [`MAX_BATCH`]. Some may stay.
    pub async fn delete(&self, receipts: Vec<String>) -> Result<(), IoError> {
        if receipts.is_empty() {
            return Ok(());
        }
        let entry = |(index, receipt): (usize, String)| {
            let entry = DeleteMessageBatchRequestEntry::builder().id(index.to_string());
            entry.receipt_handle(receipt).build()
        };
        let entries = receipts.into_iter().enumerate().map(entry).collect::<Result<_, _>>();
        let entries = entries.map_err(|_| IoError::unreadable(DELETE_BATCH, "entry"))?;
        let request = self.client.delete_message_batch().queue_url(&self.url);
        let deleted = request.set_entries(Some(entries)).send().await;
        deleted.map(drop).map_err(|error| IoError::of(DELETE_BATCH, &error))
    }

    /// Makes a received message visible again after `wait`, cut to the limit of this queue.
    pub async fn retry_after(&self, receipt: &str, wait: Duration) -> Result<(), IoError> {
        let request =
            self.client.change_message_visibility().queue_url(&self.url).receipt_handle(receipt);
        let changed =
            request.visibility_timeout(whole_seconds(wait.min(self.max_retry_wait))).send().await;
        changed.map(drop).map_err(|error| IoError::of("sqs:ChangeMessageVisibility", &error))
    }
}

fn refusal(refused: &BatchResultErrorEntry) -> IoError {
    IoError::Transient { call: SEND_BATCH, code: refused.code().to_owned() }
}

/// Rounds up: a message must not be received before it is due.
fn whole_seconds(wait: Duration) -> i32 {
    i32::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(i32::MAX)
}

fn batches(entries: Vec<Entry>) -> Vec<Vec<Entry>> {
    let mut batches: Vec<Vec<Entry>> = Vec::new();
    let mut size = 0;
    for entry in entries {
        let bytes = entry.body.len() + entry.group.as_ref().map_or(0, String::len);
        match batches.last_mut() {
            Some(batch) if batch.len() < MAX_BATCH && size + bytes <= MAX_BATCH_BYTES => {
                size += bytes;
                batch.push(entry);
            }
            _ => {
                size = bytes;
                batches.push(vec![entry]);
            }
        }
    }
    batches
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::client::fake::{FakeAws, clients};

    fn sizes(bodies: &[usize]) -> Vec<usize> {
        let message = |len: &usize| Outgoing { body: "x".repeat(*len), group: "g".to_owned() };
        batches(bodies.iter().map(|len| message(len).into()).collect())
            .iter()
            .map(Vec::len)
            .collect()
    }

    #[test]
    fn a_batch_has_ten_messages_or_a_megabyte() {
        assert_eq!(sizes(&[1; 21]), [10, 10, 1]);
        assert_eq!(sizes(&[600_000, 600_000, 300_000]), [1, 2]);
        assert_eq!(sizes(&[]), [0; 0]);
    }

    #[test]
    fn escapes_characters_that_sqs_rejects() {
        let body = "{\"id\":\"a\u{ffff}b\u{fffe}\"}".to_owned();
        let sent = sendable(body.clone());
        assert!(!sent.contains(['\u{fffe}', '\u{ffff}']));
        let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
        assert_eq!(read(&sent), read(&body));
        assert!(read(&sent).is_some());
        let delayed =
            Entry::from(Delayed { body: body.clone(), group: None, delay: Duration::ZERO });
        let grouped = Entry::from(Outgoing { body, group: "g".to_owned() });
        assert_eq!([delayed.body, grouped.body], [sent.clone(), sent]);
    }

    #[tokio::test]
    async fn every_message_names_its_group() {
        let fake = FakeAws::new(|_| (200, "{}".to_owned()));
        let queue = Queue::new(clients(fake.edge()).sqs(), "https://sqs.invalid/q".to_owned());
        let message = |group: &str| Outgoing { body: "{}".to_owned(), group: group.to_owned() };
        queue.send(message("a")).await.unwrap();
        let sent = queue.send_batch(vec![message("b"), message("c")]).await.unwrap();
        assert_eq!(sent.len(), 2);
        let requests = fake.requests();
        let body = |index: usize| -> serde_json::Value {
            serde_json::from_slice(requests[index].body().bytes().unwrap()).unwrap()
        };
        assert_eq!(body(0)["MessageGroupId"], "a");
        assert_eq!(body(1)["Entries"][0]["MessageGroupId"], "b");
        assert_eq!(body(1)["Entries"][1]["MessageGroupId"], "c");
    }

    #[test]
    fn rounds_delays_up_to_seconds_and_caps_them() {
        let delay = |millis| {
            let entry = Entry::from(Delayed {
                body: String::new(),
                group: None,
                delay: Duration::from_millis(millis),
            });
            entry.delay.map(whole_seconds)
        };
        assert_eq!(
            [0, 1, 1000, 899_001, 4_000_000].map(delay),
            [Some(0), Some(1), Some(1), Some(900), Some(900)]
        );
    }
}
