//! Requests of message tracking by their id, so that a repeat has no effect and the same answer.

use aws_sdk_dynamodb::types::KeysAndAttributes;
use domain::core::timestamp::Timestamp;
use domain::messaging::message::Message;

use super::{Messages, record_pk, row};
use crate::error::IoError;
use crate::tables::attr::{Item, json, read_json, ttl};
use crate::tables::batch_get::batch_get;
use crate::tables::keys::key;
use crate::tables::write::Write;

/// How long a repeated request is detected.
const DEDUP_DAYS: u64 = 30;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenRequest {
    pub message: Message,
    /// What it was answered.
    pub answer: Message,
}

impl Messages {
    /// The request with this message's id, if there was one in the last 30 days.
    pub async fn request(&self, message: &Message) -> Result<Option<SeenRequest>, IoError> {
        let key = key(record_pk(message), sort_key(message));
        let keys = KeysAndAttributes::builder().keys(key).consistent_read(true);
        let rows = batch_get(&self.client, &self.table, keys).await?;
        rows.first().map(read).transpose()
    }

    /// Notes a request. `answer` is absent if the request made the message.
    pub(super) fn request_write(
        &self,
        message: &Message,
        answer: Option<&Message>,
        now: Timestamp,
    ) -> Result<Write, IoError> {
        let mut row = row(&record_pk(message), sort_key(message), message)?;
        if let Some(answer) = answer {
            row.insert("answer".to_owned(), json(answer)?);
        }
        row.insert("ttl".to_owned(), ttl(now, DEDUP_DAYS));
        Ok(Write::insert(&self.table, row))
    }
}

fn sort_key(message: &Message) -> String {
    format!("id:{}", message.id)
}

fn read(row: &Item) -> Result<SeenRequest, IoError> {
    let message: Message = read_json(row, "json")?;
    let answer =
        if row.contains_key("answer") { read_json(row, "answer")? } else { message.clone() };
    Ok(SeenRequest { message, answer })
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use domain::messaging::message::{MessageKey, MessageStatus, NewMessage};

    use super::*;

    #[test]
    fn a_request_has_its_own_answer_or_is_it() {
        let body = br#"{"order_id":"O","account_code":"A","message_status":"sent"}"#;
        let new = NewMessage::read(body).unwrap();
        let message = Message::new(new, &MessageKey::Idempotency("k"), Timestamp::EPOCH);
        let mut stored = row("order:1:A:O", sort_key(&message), &message).unwrap();
        let made = SeenRequest { message: message.clone(), answer: message.clone() };
        assert_eq!(read(&stored).unwrap(), made);
        let read_status = MessageStatus::parse("read").unwrap();
        let answer = Message { message_status: read_status, ..message.clone() };
        stored.insert("answer".to_owned(), json(&answer).unwrap());
        assert_eq!(read(&stored).unwrap(), SeenRequest { message, answer });
    }
}
