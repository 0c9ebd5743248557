//! A message linked with the statuses its provider reported, as stored and as shown.

use serde::{Deserialize, Serialize};

use crate::core::id::{AccountCode, OrderId};
use crate::core::timestamp::Timestamp;
use crate::messaging::channel::{ChannelError, ProviderMessageId};
use crate::messaging::message::Message;
use crate::messaging::message_status::{MessageTracking, ProviderStatus};

/// A provider's message, as stored: what was reported of it before or after somebody said which order it is about.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrackedMessage {
    /// How it fares.
    #[serde(rename = "track")]
    pub tracking: MessageTracking,
    /// The record that links it to an order, once there is one.
    pub record: Option<Message>,
}

impl TrackedMessage {
    /// Links it to the order that a record is about. What that says of it counts like a report of the provider's.
    pub fn link(&mut self, record: &Message) {
        if let Some(word) = ProviderStatus::parse(record.message_status.as_str()) {
            self.tracking.observe(word, record.sent_at);
        }
        self.record = Some(record.clone());
    }

    /// The status to show of it, of a message that this record links.
    pub fn shown(&self, record: &Message) -> String {
        let status = self.tracking.status().map(ProviderStatus::as_str);
        status.unwrap_or(record.message_status.as_str()).to_owned()
    }
}

/// One message, as shown with its order.
#[derive(Debug, Serialize)]
pub struct MessageView<'a> {
    id: &'a str,
    order_id: &'a OrderId,
    account_code: &'a AccountCode,
    message_status: String,
    sent_at: Timestamp,
    message_id: Option<&'a ProviderMessageId>,
    error: Option<&'a ChannelError>,
    statuses: Vec<StatusView>,
}

#[derive(Debug, Serialize)]
struct StatusView {
    status: ProviderStatus,
    at: Timestamp,
}

impl<'a> MessageView<'a> {
    /// A message, and what its provider reported of it.
    pub fn new(message: &'a Message, tracked: &'a TrackedMessage) -> Self {
        let statuses = tracked.tracking.statuses().map(|(status, at)| StatusView { status, at });
        Self {
            id: &message.id,
            order_id: &message.order_id,
            account_code: &message.account_code,
            message_status: tracked.shown(message),
            sent_at: message.sent_at,
            message_id: message.message_id.as_ref(),
            error: tracked.tracking.error(),
            statuses: statuses.collect(),
        }
    }
}
