//! Messages that shoppers get about their orders, and what became of them.

use serde::{Deserialize, Serialize};

use crate::hash::Fingerprint;
use crate::id::{AccountCode, OrderId, OrderKey};
use crate::json::{InvalidBody, read_object};
use crate::timestamp::Timestamp;

/// What a sender says of a message, e.g. `sent` or `pending`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MessageStatus(String);

impl MessageStatus {
    /// 1 to 64 letters, digits, `_`, `.` or `-`.
    pub fn parse(text: &str) -> Option<Self> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
        ((1..=64).contains(&text.len()) && text.bytes().all(plain)).then(|| Self(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for MessageStatus {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("must be 1 to 64 letters, digits, `_`, `.` or `-`")
    }
}

impl From<MessageStatus> for String {
    fn from(status: MessageStatus) -> Self {
        status.0
    }
}

/// The body of `POST /api/orders/message-tracking`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct NewMessage {
    /// The order it was about.
    #[serde(alias = "orderId")]
    pub order_id: OrderId,
    /// The order's account.
    #[serde(alias = "accountCode")]
    pub account_code: AccountCode,
    /// What became of it.
    #[serde(alias = "messageStatus")]
    pub message_status: MessageStatus,
}

impl NewMessage {
    /// Reads a body.
    ///
    /// # Errors
    /// What is wrong, naming the field.
    pub fn read(body: &[u8]) -> Result<Self, InvalidBody> {
        read_object(body)
    }
}

/// One message, as stored and shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Its id.
    pub id: String,
    /// The order it was about.
    pub order_id: OrderId,
    /// The order's account.
    pub account_code: AccountCode,
    /// What became of it.
    pub message_status: MessageStatus,
    /// When it was reported.
    pub sent_at: Timestamp,
}

impl Message {
    /// A record of its own. `key` makes its id: the same key for the same order is the same message.
    pub fn new(order: &OrderKey, status: MessageStatus, key: &MessageKey<'_>, now: Timestamp) -> Self {
        let (kind, text) = match key {
            MessageKey::Idempotency(text) => ("key", text),
            MessageKey::Request(text) => ("request", text),
        };
        let id = Fingerprint::of("message").with(&order.account).with(&order.order).with(kind).with(text).finish();
        Self {
            id,
            order_id: order.order.clone(),
            account_code: order.account.clone(),
            message_status: status,
            sent_at: now,
        }
    }
}

/// What makes a message's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageKey<'a> {
    /// The caller's `Idempotency-Key`.
    Idempotency(&'a str),
    /// The request's own id: no two are the same.
    Request(&'a str),
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_statuses_there_can_be() {
        for good in ["sent", "pending", "a", "A_b.c-9", &"x".repeat(64)] {
            assert_eq!(MessageStatus::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", " ", "a b", "ä", "a/b", "<script>", &"x".repeat(65)] {
            assert_eq!(MessageStatus::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (body, field) in [
            (r#"{"account_code":"S","message_status":"sent"}"#, "order_id"),
            (r#"{"order_id":"O","message_status":"sent"}"#, "account_code"),
            (r#"{"order_id":"O","account_code":"S"}"#, "message_status"),
            (r#"{"order_id":"O","account_code":"S","message_status":""}"#, "message_status"),
            (r#"{"order_id":"","account_code":"S","message_status":"sent"}"#, "order_id"),
            (r#"{"order_id":1,"account_code":"S","message_status":"sent"}"#, "order_id"),
        ] {
            let error = NewMessage::read(body.as_bytes()).unwrap_err();
            assert!(matches!(&error, InvalidBody::Invalid { field: at, .. } if at == field), "{body}: {error}");
        }
    }
}
