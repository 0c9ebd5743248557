//! Records of messages to shoppers about their orders.

use serde::{Deserialize, Serialize};

use crate::core::hash::Fingerprint;
use crate::core::id::{AccountCode, OrderId, OrderKey};
use crate::core::request_body::{InvalidBody, read_object};
use crate::core::timestamp::Timestamp;
use crate::messaging::channel::{ChannelError, ProviderMessageId};
use crate::messaging::cloud_api::{LanguageCode, Template};
use crate::messaging::conversation::Contact;
use crate::messaging::message_details::{ChannelName, TemplateName, error};
use crate::messaging::message_status::{ProviderMessageKey, ProviderStatus};
use crate::messaging::send::SendId;
use crate::orders::order::Order;
use crate::tracking::state::State;
use crate::tracking::status::Status;
use crate::tracking::timeline::plausible_time;

/// Of the messages that Waypost sends.
const CHANNEL: &str = "whatsapp";

/// A status by the sender, e.g. `sent` or `pending`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MessageStatus(String);

impl MessageStatus {
    /// 1 to 64 letters, digits, `_`, `.` or `-`.
    pub fn parse(text: &str) -> Option<Self> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
        ((1..=64).contains(&text.len()) && text.bytes().all(plain)).then(|| Self(text.to_owned()))
    }

    pub fn of(status: ProviderStatus) -> Self {
        Self(status.as_str().to_owned())
    }

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
#[serde(deny_unknown_fields)]
pub struct NewMessage {
    #[serde(alias = "orderId")]
    pub order_id: OrderId,
    #[serde(alias = "accountCode")]
    pub account_code: AccountCode,
    #[serde(alias = "messageStatus")]
    pub message_status: MessageStatus,
    /// The provider's id, which its status reports refer to.
    #[serde(alias = "messageId")]
    pub message_id: Option<ProviderMessageId>,
    pub channel: Option<ChannelName>,
    pub template: Option<TemplateName>,
    /// When the message was sent or got this status.
    #[serde(alias = "sentAt")]
    pub sent_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "error")]
    pub error: Option<ChannelError>,
}

impl NewMessage {
    pub fn read(body: &[u8]) -> Result<Self, InvalidBody> {
        read_object(body)
    }
}

/// A stored message record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// That of a message of ours is a [`SendId`].
    pub id: String,
    /// `None` for a message of ours about no order.
    pub order_id: Option<OrderId>,
    pub account_code: AccountCode,
    pub message_status: MessageStatus,
    /// As the sender tells, else the time of the request.
    pub sent_at: Timestamp,
    /// As the sender told. Missing in rows of older releases.
    #[serde(default)]
    pub message_id: Option<ProviderMessageId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<ChannelName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<TemplateName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ChannelError>,
    /// `sent_at` of the request, by which its repeat is recognised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_sent_at: Option<Timestamp>,
    /// Only of a message of ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub send: Option<Send>,
}

/// What Waypost sends. Personal data: never logged.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Send {
    /// The provider's id of the phone number that sends it.
    pub phone_number_id: String,
    /// The digits of a phone number, or the provider's id of a user.
    pub to: Contact,
    /// Of the template.
    pub language: LanguageCode,
    /// The hash of its parameters, by which the repeat of a request is recognised.
    pub parameters: String,
    /// The status for which a rule sent it; `None` for a request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<Status>,
}

impl Send {
    pub fn new(
        phone_number_id: String,
        to: Contact,
        template: &Template,
        rule: Option<Status>,
    ) -> Self {
        let language = template.language().clone();
        Self { phone_number_id, to, language, parameters: template.hash_of_parameters(), rule }
    }
}

impl std::fmt::Debug for Send {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Send").field("rule", &self.rule).finish_non_exhaustive()
    }
}

impl Message {
    /// The id is a hash of account, order and `key`: the same key is the same message
    /// (idempotency).
    pub fn new(new: NewMessage, key: &MessageKey<'_>, now: Timestamp) -> Self {
        let (kind, text) = match key {
            MessageKey::Idempotency(text) => ("key", text),
            MessageKey::Provider(text) => ("provider", text),
            MessageKey::Request(text) => ("request", text),
        };
        let id = Fingerprint::of("message")
            .with(&new.account_code)
            .with(&new.order_id)
            .with(kind)
            .with(text);
        Self {
            id: id.finish(),
            order_id: Some(new.order_id),
            account_code: new.account_code,
            message_status: new.message_status,
            sent_at: plausible_time(new.sent_at, now),
            message_id: new.message_id,
            channel: new.channel,
            template: new.template,
            error: new.error,
            given_sent_at: new.sent_at,
            send: None,
        }
    }

    pub fn order(&self) -> Option<OrderKey> {
        let order = self.order_id.clone()?;
        Some(OrderKey { account: self.account_code.clone(), order })
    }

    /// Where the provider's statuses are kept. `None` if the provider's id is not known.
    pub fn tracking_key(&self) -> Option<ProviderMessageKey> {
        match &self.send {
            Some(_) => SendId::parse(&self.id).map(|id| id.tracking_key(&self.account_code)),
            None => {
                let (account, message) = (self.account_code.clone(), self.message_id.clone()?);
                Some(ProviderMessageKey { account, message })
            }
        }
    }

    /// A message of ours. `send` is `None` for one that was skipped for want of a recipient.
    pub fn of_send(
        id: &SendId,
        account: AccountCode,
        order_id: Option<OrderId>,
        template: TemplateName,
        send: Option<Send>,
        now: Timestamp,
    ) -> Self {
        Self {
            id: id.as_str().to_owned(),
            order_id,
            account_code: account,
            message_status: MessageStatus::of(ProviderStatus::Sending),
            sent_at: now,
            message_id: None,
            channel: ChannelName::try_from(CHANNEL.to_owned()).ok(),
            template: Some(template),
            error: None,
            given_sent_at: None,
            send,
        }
    }

    /// True if the other record was made by the same values: an identical repeat.
    pub fn repeats(&self, other: &Self) -> bool {
        *self == Self { sent_at: self.sent_at, ..other.clone() }
    }

    /// True if the order has no newer message.
    pub fn is_newest(&self, state: &State) -> bool {
        let latest = state.latest_message_at.map(|at| (at, state.latest_message_id.as_ref()));
        latest.is_none_or(|latest| latest <= (self.sent_at, Some(&self.id)))
    }

    /// The order with the message's status, if it is the newest message. The version stays, because
    /// the order's status has not changed.
    pub fn latest_on(&self, order: &Order, display_status: String, now: Timestamp) -> Order {
        let mut state = order.state.clone();
        state.rev += 1;
        if self.is_newest(&state) {
            state.latest_message_at = Some(self.sent_at);
            state.latest_message_id = Some(self.id.clone());
            state.latest_message_status = Some(display_status);
            state.updated_at = state.updated_at.max(now);
        }
        Order { state, ..order.clone() }
    }
}

/// The idempotency key of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageKey<'a> {
    /// The header `Idempotency-Key`.
    Idempotency(&'a str),
    /// The provider's message id.
    Provider(&'a str),
    /// The id of the request: never a duplicate.
    Request(&'a str),
}

#[cfg(test)]
mod tests;
