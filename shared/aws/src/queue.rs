//! SQS: sending, singly and in batches, and putting a message off.

use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{BatchResultErrorEntry, MessageAttributeValue, SendMessageBatchRequestEntry};

use crate::error::IoError;

/// The longest that a message is put off at once; longer waits are several of these.
pub const MAX_POSTPONEMENT: Duration = Duration::from_secs(900);
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
}

/// A message to send.
#[derive(Debug)]
pub struct Outgoing {
    /// Its body.
    pub body: String,
    /// Neighbours of one group share the queue fairly with those of others.
    pub group: String,
}

impl Queue {
    /// The queue with this URL.
    pub fn new(client: Client, url: String) -> Self {
        Self { client, url }
    }

    /// Sends one message.
    ///
    /// # Errors
    /// The queue cannot be reached or refuses.
    pub async fn send(&self, body: String) -> Result<(), IoError> {
        let sent = self.client.send_message().queue_url(&self.url).message_body(body).send().await;
        sent.map(drop).map_err(|error| IoError::of("sqs:SendMessage", &error))
    }

    /// Sends a message that cannot go on, with the reason as the message attribute `reason`, in the group that it
    /// has to have when it is sent again.
    ///
    /// # Errors
    /// The queue cannot be reached or refuses.
    pub async fn set_aside(&self, group: Option<&str>, body: String, reason: &str) -> Result<(), IoError> {
        let reason = MessageAttributeValue::builder().data_type("String").string_value(reason).build();
        let reason = reason.map_err(|_| IoError::unreadable("sqs:SendMessage", "reason"))?;
        let message = self.client.send_message().queue_url(&self.url).message_body(body);
        let message = message.set_message_group_id(group.map(str::to_owned));
        let sent = message.message_attributes("reason", reason).send().await;
        sent.map(drop).map_err(|error| IoError::of("sqs:SendMessage", &error))
    }

    /// Sends all messages, in as few batches as may be.
    ///
    /// # Errors
    /// Any entry of any batch was not taken. Those that were are sent all the same.
    pub async fn send_all(&self, messages: Vec<Outgoing>) -> Result<(), IoError> {
        for batch in batches(messages) {
            let entries = batch.into_iter().map(|message| (message.body, Some(message.group)));
            if let Some(refused) = self.send_entries(entries).await?.first() {
                return Err(refusal(refused));
            }
        }
        Ok(())
    }

    /// Sends at most [`MAX_BATCH`] small messages at once, without a group; what became of each, in their order.
    ///
    /// # Errors
    /// The queue cannot be reached or refuses them all.
    pub async fn send_batch(&self, bodies: Vec<String>) -> Result<Vec<Result<(), IoError>>, IoError> {
        let mut sent = vec![Ok(()); bodies.len()];
        for refused in self.send_entries(bodies.into_iter().map(|body| (body, None))).await? {
            let entry = refused.id().parse::<usize>().ok().and_then(|index| sent.get_mut(index));
            *entry.ok_or_else(|| IoError::unreadable(SEND_BATCH, "entry"))? = Err(refusal(&refused));
        }
        Ok(sent)
    }

    /// Sends bodies with their groups as one batch. Returns what was not taken; an entry's id is its place.
    async fn send_entries(
        &self,
        entries: impl Iterator<Item = (String, Option<String>)>,
    ) -> Result<Vec<BatchResultErrorEntry>, IoError> {
        let mut request = self.client.send_message_batch().queue_url(&self.url);
        for (index, (body, group)) in entries.enumerate() {
            let entry = SendMessageBatchRequestEntry::builder()
                .id(index.to_string())
                .message_body(body)
                .set_message_group_id(group)
                .build()
                .map_err(|_| IoError::unreadable(SEND_BATCH, "entry"))?;
            request = request.entries(entry);
        }
        let answer = request.send().await.map_err(|error| IoError::of(SEND_BATCH, &error))?;
        Ok(answer.failed)
    }

    /// Makes a received message come back after `wait`, at most [`MAX_POSTPONEMENT`].
    ///
    /// # Errors
    /// The queue cannot be reached or refuses; the message then comes back after the queue's own time.
    pub async fn postpone(&self, receipt: &str, wait: Duration) -> Result<(), IoError> {
        // Rounded up: a message must not be back before it is due.
        let seconds = wait.min(MAX_POSTPONEMENT).as_millis().div_ceil(1000);
        let request = self.client.change_message_visibility().queue_url(&self.url).receipt_handle(receipt);
        let changed = request.visibility_timeout(i32::try_from(seconds).unwrap_or(i32::MAX)).send().await;
        changed.map(drop).map_err(|error| IoError::of("sqs:ChangeMessageVisibility", &error))
    }
}

fn refusal(refused: &BatchResultErrorEntry) -> IoError {
    IoError::Transient { call: SEND_BATCH, code: refused.code().to_owned() }
}

fn batches(messages: Vec<Outgoing>) -> Vec<Vec<Outgoing>> {
    let mut batches: Vec<Vec<Outgoing>> = Vec::new();
    let mut size = 0;
    for message in messages {
        let bytes = message.body.len() + message.group.len();
        match batches.last_mut() {
            Some(batch) if batch.len() < MAX_BATCH && size + bytes <= MAX_BATCH_BYTES => {
                size += bytes;
                batch.push(message);
            }
            _ => {
                size = bytes;
                batches.push(vec![message]);
            }
        }
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(bodies: &[usize]) -> Vec<usize> {
        let messages = bodies.iter().map(|len| Outgoing { body: "x".repeat(*len), group: "g".to_owned() });
        batches(messages.collect()).iter().map(Vec::len).collect()
    }

    #[test]
    fn ten_messages_or_a_megabyte() {
        assert_eq!(sizes(&[1; 21]), [10, 10, 1]);
        assert_eq!(sizes(&[600_000, 600_000, 300_000]), [1, 2]);
        assert_eq!(sizes(&[]), [0; 0]);
    }
}
