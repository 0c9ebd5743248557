//! Messages that shoppers get about their orders, and what became of them.

use serde::{Deserialize, Serialize};

use crate::core::hash::Fingerprint;
use crate::core::id::{AccountCode, OrderId, OrderKey};
use crate::core::request_body::{InvalidBody, read_object};
use crate::core::timestamp::Timestamp;
use crate::messaging::channel::ProviderMessageId;
use crate::orders::order::Order;
use crate::tracking::timeline::State;

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
    /// The provider's id of it, by which the provider reports on it.
    #[serde(alias = "messageId")]
    pub message_id: Option<ProviderMessageId>,
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

/// One message, as stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Its id.
    pub id: String,
    /// The order it was about.
    pub order_id: OrderId,
    /// The order's account.
    pub account_code: AccountCode,
    /// What was said to have become of it.
    pub message_status: MessageStatus,
    /// When it was reported.
    pub sent_at: Timestamp,
    /// The provider's id of it, if whoever reported it named one.
    #[serde(default)]
    pub message_id: Option<ProviderMessageId>,
}

impl Message {
    /// A record of its own. `key` makes its id: the same key for the same order is the same message.
    pub fn new(asked: NewMessage, key: &MessageKey<'_>, now: Timestamp) -> Self {
        let (kind, text) = match key {
            MessageKey::Idempotency(text) => ("key", text),
            MessageKey::Provider(text) => ("provider", text),
            MessageKey::Request(text) => ("request", text),
        };
        let id = Fingerprint::of("message")
            .with(&asked.account_code)
            .with(&asked.order_id)
            .with(kind)
            .with(text);
        Self {
            id: id.finish(),
            order_id: asked.order_id,
            account_code: asked.account_code,
            message_status: asked.message_status,
            sent_at: now,
            message_id: asked.message_id,
        }
    }

    /// The order it is about.
    pub fn order(&self) -> OrderKey {
        OrderKey { account: self.account_code.clone(), order: self.order_id.clone() }
    }

    /// Whether a request asked for the same as the one that made this record.
    pub fn repeats(&self, other: &Self) -> bool {
        (&self.id, &self.message_status, &self.message_id)
            == (&other.id, &other.message_status, &other.message_id)
    }

    /// Whether its order has no newer one.
    pub fn is_newest(&self, state: &State) -> bool {
        let latest = state.latest_message_at.map(|at| (at, state.latest_message_id.as_ref()));
        latest.is_none_or(|latest| latest <= (self.sent_at, Some(&self.id)))
    }

    /// The order with the message's status, if that is its newest message. The version stays: nothing about the parcel
    /// has changed.
    pub fn noted_on(&self, before: &Order, shown: String, now: Timestamp) -> Order {
        let mut state = before.state.clone();
        state.rev += 1;
        if self.is_newest(&state) {
            state.latest_message_at = Some(self.sent_at);
            state.latest_message_id = Some(self.id.clone());
            state.latest_message_status = Some(shown);
            state.updated_at = state.updated_at.max(now);
        }
        Order { state, ..before.clone() }
    }
}

/// What makes a message's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageKey<'a> {
    /// The caller's `Idempotency-Key`.
    Idempotency(&'a str),
    /// The provider's id of the message: it is recorded once.
    Provider(&'a str),
    /// The request's own id: no two are the same.
    Request(&'a str),
}

#[cfg(test)]
mod tests;
