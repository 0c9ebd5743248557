//! A message record together with the statuses that its provider reported.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::core::id::{AccountCode, EventId, OrderId};
use crate::core::timestamp::Timestamp;
use crate::messaging::channel::{ChannelError, ProviderMessageId, StatusUpdate};
use crate::messaging::cloud_api::LanguageCode;
use crate::messaging::conversation::Contact;
use crate::messaging::message::Message;
use crate::messaging::message_details::{ChannelName, TemplateName};
use crate::messaging::message_status::{MessageTracking, ProviderStatus};
use crate::tracking::status::Status;

/// A message is known within seconds of its sending.
const MAX_EARLY_ANSWERS: usize = 10;

/// The row of a provider's message. Statuses may arrive before or after the record.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrackedMessage {
    /// `track` in stored rows.
    #[serde(rename = "track")]
    pub tracking: MessageTracking,
    /// Links the message to its order.
    pub record: Option<Message>,
    /// As a later request told, for a record without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<ChannelName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<TemplateName>,
    /// The provider's id of a message of ours, once it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_id: Option<ProviderMessageId>,
    /// When the shopper answered it first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replied_at: Option<Timestamp>,
    /// Events with answers that came before the message was known: they are processed again.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub early_answers: BTreeSet<EventId>,
}

/// Returns true if the value was absent.
fn fill<T: Clone>(value: &mut Option<T>, told: Option<&T>) -> bool {
    let fills = value.is_none() && told.is_some();
    if fills {
        *value = told.cloned();
    }
    fills
}

impl TrackedMessage {
    /// Links the message to the record's order. The record's status counts like one of the
    /// provider.
    pub fn link(&mut self, record: &Message) {
        if let Some(status) = ProviderStatus::parse(record.message_status.as_str()) {
            self.tracking.observe(status, record.sent_at);
        }
        self.record = Some(record.clone());
    }

    /// Moves the message's status. Returns true if anything changed.
    pub fn move_to(&mut self, message: &Message, received_at: Timestamp) -> bool {
        let filled = fill(&mut self.channel, message.channel.as_ref())
            | fill(&mut self.template, message.template.as_ref());
        let Some(id) = message.message_id.clone() else { return filled };
        let update = StatusUpdate {
            message: id,
            status: message.message_status.as_str().to_owned(),
            at: Some(message.sent_at),
            error: message.error.clone(),
            callback_data: None,
            pricing: None,
            recipient: None,
        };
        self.tracking.merge(&update, received_at) || filled
    }

    /// Returns true if no earlier answer is known.
    pub fn answer(&mut self, at: Timestamp) -> bool {
        let is_first = self.replied_at.is_none_or(|known| at < known);
        if is_first {
            self.replied_at = Some(at);
        }
        is_first
    }

    /// Keeps an event with an answer until the message is known. Returns true if it was not kept.
    pub fn keep_early_answer(&mut self, event: &EventId) -> bool {
        let is_early = self.record.is_none() && self.early_answers.len() < MAX_EARLY_ANSWERS;
        is_early && self.early_answers.insert(event.clone())
    }

    /// True for a message of ours that was `unknown` once, and that the provider has.
    pub fn is_settled(&self) -> bool {
        let was_unknown = self.tracking.has(ProviderStatus::Unknown);
        was_unknown && self.tracking.status() > Some(ProviderStatus::Unknown)
    }

    /// When a request for it ended as `unknown` or `accepted`, if that is its status.
    fn posted_at(&self) -> Option<Timestamp> {
        let status = self.tracking.status()?;
        let was_posted = matches!(status, ProviderStatus::Unknown | ProviderStatus::Accepted);
        let mut statuses = self.tracking.statuses();
        statuses.find(|(it, _)| was_posted && *it == status).map(|(_, at)| at)
    }

    /// The message status that the API shows.
    pub fn display_status(&self, record: &Message) -> String {
        let status = self.tracking.status().map(ProviderStatus::shown);
        status.unwrap_or(record.message_status.as_str()).to_owned()
    }
}

/// A message in answers of the API.
#[derive(Debug, Serialize)]
pub struct MessageView<'a> {
    id: &'a str,
    order_id: Option<&'a OrderId>,
    account_code: &'a AccountCode,
    message_status: String,
    sent_at: Timestamp,
    message_id: Option<&'a ProviderMessageId>,
    channel: Option<&'a ChannelName>,
    template: Option<&'a TemplateName>,
    error: Option<&'a ChannelError>,
    statuses: Vec<StatusView>,
    /// Who sends it, if Waypost does.
    phone_number_id: Option<&'a str>,
    to: Option<&'a Contact>,
    language: Option<&'a LanguageCode>,
    /// The status of the order for which a rule sent it.
    rule: Option<Status>,
    /// No status for hours: it may not have been sent.
    doubtful: bool,
}

/// A message of ours without a status of the provider for this long is doubtful.
const DOUBTFUL_AFTER: Duration = Duration::from_secs(6 * 60 * 60);

#[derive(Debug, Serialize)]
struct StatusView {
    status: &'static str,
    at: Timestamp,
}

impl<'a> MessageView<'a> {
    pub fn new(message: &'a Message, tracked: &'a TrackedMessage, now: Timestamp) -> Self {
        let statuses = tracked.tracking.statuses();
        let statuses = statuses.map(|(status, at)| StatusView { status: status.shown(), at });
        let send = message.send.as_ref();
        let is_doubtful = tracked.posted_at().is_some_and(|at| now.since(at) >= DOUBTFUL_AFTER);
        Self {
            id: &message.id,
            order_id: message.order_id.as_ref(),
            account_code: &message.account_code,
            message_status: tracked.display_status(message),
            sent_at: message.sent_at,
            message_id: message.message_id.as_ref().or(tracked.provider_id.as_ref()),
            channel: message.channel.as_ref().or(tracked.channel.as_ref()),
            template: message.template.as_ref().or(tracked.template.as_ref()),
            error: tracked.tracking.error().or(message.error.as_ref()),
            statuses: statuses.collect(),
            phone_number_id: send.map(|send| send.phone_number_id.as_str()),
            to: send.map(|send| &send.to),
            language: send.map(|send| &send.language),
            rule: send.and_then(|send| send.rule),
            doubtful: send.is_some() && is_doubtful,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_settles_an_unknown_message_in_any_order() {
        use ProviderStatus::{Accepted, Delivered, Failed, NotSent, Sending, Sent, Unknown};
        for (told, expected) in [
            (&[Sending, Unknown][..], false),
            (&[Sending, Accepted, Sent], false),
            (&[Sending, NotSent], false),
            (&[Unknown, Accepted], true),
            (&[Sent, Unknown], true),
            (&[Delivered, Unknown], true),
            // Refused, replayed, and then unknown.
            (&[NotSent, Unknown], false),
            // The provider took it, and could not deliver it.
            (&[Unknown, Failed], true),
        ] {
            let mut message = TrackedMessage::default();
            for status in told {
                message.tracking.observe(*status, Timestamp::EPOCH);
            }
            assert_eq!(message.is_settled(), expected, "{told:?}");
        }
    }
}
