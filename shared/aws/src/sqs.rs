//! SQS: sending, singly and in batches, and putting a message off.

use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{
    BatchResultErrorEntry, MessageAttributeValue, SendMessageBatchRequestEntry,
};

use crate::error::IoError;

/// The longest that a message is put off at once, unless its queue says more; longer waits are several of these.
pub const MAX_POSTPONEMENT: Duration = Duration::from_secs(900);
/// SQS allows twelve hours from when a message was received.
pub const LONGEST_POSTPONEMENT: Duration = Duration::from_secs(11 * 60 * 60);
/// The longest that a message waits before it is received at all.
pub const MAX_DELAY: Duration = Duration::from_secs(900);
/// SQS takes ten messages a batch,
pub const MAX_BATCH: usize = 10;
/// and 1 MiB a batch, attributes included.
const MAX_BATCH_BYTES: usize = 1_000_000;

const SEND_BATCH: &str = "sqs:SendMessageBatch";

/// One queue.
#[derive(Debug, Clone)]
pub struct Queue {
    client: Client,
    url: String,
    postponement: Duration,
}

/// A message to send.
#[derive(Debug)]
pub struct Outgoing {
    /// Its body.
    pub body: String,
    /// Neighbours of one group share the queue fairly with those of others.
    pub group: String,
}

/// A message to send that nobody has to see before its time.
#[derive(Debug)]
pub struct Delayed {
    /// Its body.
    pub body: String,
    /// How long it waits; what is over [`MAX_DELAY`] is up to whoever receives it.
    pub delay: Duration,
}

/// SQS takes the characters of XML 1.0 only. Our messages are JSON, where the two that JSON has beyond them can stand
/// nowhere but in strings.
fn sendable(body: String) -> String {
    if body.contains(['\u{fffe}', '\u{ffff}']) {
        body.replace('\u{fffe}', "\\ufffe").replace('\u{ffff}', "\\uffff")
    } else {
        body
    }
}

/// An entry of a batch.
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
            group: None,
            delay: Some(message.delay.min(MAX_DELAY)),
        }
    }
}

impl Queue {
    /// The queue with this URL.
    pub fn new(client: Client, url: String) -> Self {
        Self { client, url, postponement: MAX_POSTPONEMENT }
    }

    /// The same queue, whose messages are put off for up to [`LONGEST_POSTPONEMENT`] at once: for those that cannot be
    /// worked on earlier, whatever happens.
    #[must_use]
    pub fn with_long_postponements(self) -> Self {
        Self { postponement: LONGEST_POSTPONEMENT, ..self }
    }

    /// Sends one message.
    ///
    /// # Errors
    /// The queue cannot be reached or refuses.
    pub async fn send(&self, body: String) -> Result<(), IoError> {
        let sent = self
            .client
            .send_message()
            .queue_url(&self.url)
            .message_body(sendable(body))
            .send()
            .await;
        sent.map(drop).map_err(|error| IoError::of("sqs:SendMessage", &error))
    }

    /// Sends a message that cannot go on, with the reason as the message attribute `reason`, in the group that it
    /// has to have when it is sent again.
    ///
    /// # Errors
    /// The queue cannot be reached or refuses.
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

    /// Sends all messages, in as few batches as may be.
    ///
    /// # Errors
    /// Any entry of any batch was not taken. Those that were are sent all the same.
    pub async fn send_all(&self, messages: Vec<Outgoing>) -> Result<(), IoError> {
        self.send_batches(messages.into_iter().map(Entry::from).collect()).await
    }

    /// Sends all messages, each with its delay, in as few batches as may be.
    ///
    /// # Errors
    /// Any entry of any batch was not taken. Those that were are sent all the same.
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

    /// Sends at most [`MAX_BATCH`] small messages at once, without a group; what became of each, in their order.
    ///
    /// # Errors
    /// The queue cannot be reached or refuses them all.
    pub async fn send_batch(
        &self,
        bodies: Vec<String>,
    ) -> Result<Vec<Result<(), IoError>>, IoError> {
        let mut sent = vec![Ok(()); bodies.len()];
        let entries =
            bodies.into_iter().map(|body| Entry { body: sendable(body), group: None, delay: None });
        for refused in self.send_entries(entries).await? {
            let entry = refused.id().parse::<usize>().ok().and_then(|index| sent.get_mut(index));
            *entry.ok_or_else(|| IoError::unreadable(SEND_BATCH, "entry"))? =
                Err(refusal(&refused));
        }
        Ok(sent)
    }

    /// Sends one batch. Returns what was not taken; an entry's id is its place.
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
        let answer = request.send().await.map_err(|error| IoError::of(SEND_BATCH, &error))?;
        Ok(answer.failed)
    }

    /// Makes a received message come back after `wait`, at most [`MAX_POSTPONEMENT`], or what the queue says instead.
    ///
    /// # Errors
    /// The queue cannot be reached or refuses; the message then comes back after the queue's own time.
    pub async fn postpone(&self, receipt: &str, wait: Duration) -> Result<(), IoError> {
        let request =
            self.client.change_message_visibility().queue_url(&self.url).receipt_handle(receipt);
        let changed =
            request.visibility_timeout(whole_seconds(wait.min(self.postponement))).send().await;
        changed.map(drop).map_err(|error| IoError::of("sqs:ChangeMessageVisibility", &error))
    }
}

fn refusal(refused: &BatchResultErrorEntry) -> IoError {
    IoError::Transient { call: SEND_BATCH, code: refused.code().to_owned() }
}

/// Rounded up: a message must not be there before it is due.
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
mod tests {
    use super::*;

    fn sizes(bodies: &[usize]) -> Vec<usize> {
        let message = |len: &usize| Outgoing { body: "x".repeat(*len), group: "g".to_owned() };
        batches(bodies.iter().map(|len| message(len).into()).collect())
            .iter()
            .map(Vec::len)
            .collect()
    }

    #[test]
    fn ten_messages_or_a_megabyte() {
        assert_eq!(sizes(&[1; 21]), [10, 10, 1]);
        assert_eq!(sizes(&[600_000, 600_000, 300_000]), [1, 2]);
        assert_eq!(sizes(&[]), [0; 0]);
    }

    #[test]
    fn no_text_is_too_odd_for_the_queue() {
        let body = "{\"id\":\"a\u{ffff}b\u{fffe}\"}".to_owned();
        let sent = sendable(body.clone());
        assert!(!sent.contains(['\u{fffe}', '\u{ffff}']));
        let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
        assert_eq!(read(&sent), read(&body));
        assert!(read(&sent).is_some());
        let delayed = Entry::from(Delayed { body: body.clone(), delay: Duration::ZERO });
        let grouped = Entry::from(Outgoing { body, group: "g".to_owned() });
        assert_eq!([delayed.body, grouped.body], [sent.clone(), sent]);
    }

    #[test]
    fn no_message_is_there_before_its_time_and_none_waits_longer_than_it_may() {
        let delay = |millis| {
            let entry =
                Entry::from(Delayed { body: String::new(), delay: Duration::from_millis(millis) });
            entry.delay.map(whole_seconds)
        };
        assert_eq!(
            [0, 1, 1000, 899_001, 4_000_000].map(delay),
            [Some(0), Some(1), Some(1), Some(900), Some(900)]
        );
    }
}
