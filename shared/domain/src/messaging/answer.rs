//! Answers: what a shopper wrote, chose or tapped in reply to a message about an order.

use serde::{Deserialize, Serialize};

use crate::core::hash::Fingerprint;
use crate::core::id::{AccountCode, ReportId};
use crate::messaging::channel::{Content, InboundMessage, ProviderMessageId};
use crate::messaging::linked::TrackedMessage;
use crate::messaging::message::Message;
use crate::messaging::message_details::TemplateName;
use crate::tracking::report::SourceName;

/// Answers kept of one order: every fact of an order is read with each report about it. Further
/// ones are in the conversation only.
pub const MAX_ANSWERS: usize = 50;

/// Longer texts are cut off, in characters; WhatsApp's own limit.
const TEXT_CHARS: usize = 4096;
/// A form's answers are JSON: longer ones are left out.
const PAYLOAD_CHARS: usize = 8192;

/// An answer as a fact of its order. Personal data, ids included: a `wamid` contains the phone
/// number. Never logged.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    pub source: SourceName,
    pub kind: AnswerKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<ProviderMessageId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_reply_to: Option<ProviderMessageId>,
    /// The sender in the provider's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The answer in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The answer for programs, as the sender of the message set it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<String>,
    /// Of a choice: what the shopper saw.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    pub answered: Answered,
}

/// The message that was answered, as it was when its answer came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    pub id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<TemplateName>,
    pub message_status: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnswerKind {
    Text,
    /// Of a template, or of an interactive message.
    Button,
    /// A row of a list.
    List,
    Form,
    Reaction,
    Image,
    Audio,
    Video,
    Document,
    Sticker,
    Location,
    Contacts,
    /// A cart.
    Order,
    /// A type that Waypost does not know.
    Other,
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answer").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// The words of a content.
struct Words<'a> {
    kind: AnswerKind,
    text: Option<&'a String>,
    payload: Option<&'a String>,
    title: Option<&'a String>,
}

impl Answer {
    /// `record` links the message that was answered to its order.
    pub fn new(message: &InboundMessage, record: &Message, tracked: &TrackedMessage) -> Self {
        let words = words(&message.content);
        let payload = words.payload.filter(|text| text.chars().count() <= PAYLOAD_CHARS);
        let template = record.template.as_ref().or(tracked.template.as_ref());
        Self {
            source: SourceName::new("whatsapp"),
            kind: words.kind,
            message: Some(message.message.clone()),
            in_reply_to: message.answers().cloned(),
            from: Some(message.from.clone()),
            text: words.text.map(|text| clip(text)),
            payload: payload.cloned(),
            title: words.title.map(|title| clip(title)),
            answered: Answered {
                id: record.id.clone(),
                template: template.cloned(),
                message_status: tracked.display_status(record),
            },
        }
    }

    /// The id of its fact. `number` is the provider's id of the phone number that it was sent to.
    pub fn id(
        account: &AccountCode,
        number: Option<&str>,
        message: &ProviderMessageId,
    ) -> ReportId {
        let id = Fingerprint::of("answer").with(account).with("whatsapp");
        id.with_option(number).with(message.as_str()).into()
    }

    /// What is left tells neither who answered nor what. Returns true if there was more.
    pub fn forget_words(&mut self) -> bool {
        let Self { message, in_reply_to, from, text, payload, title, .. } = self;
        let ids = [message.take(), in_reply_to.take()].iter().any(Option::is_some);
        let words = [from.take(), text.take(), payload.take(), title.take()];
        ids || words.iter().any(Option::is_some)
    }
}

impl InboundMessage {
    /// The message that it answers. An edit, a withdrawal or a note of the provider is no answer.
    pub fn answers(&self) -> Option<&ProviderMessageId> {
        match &self.content {
            Content::Reaction { to, .. } => to.as_ref().or(self.in_reply_to.as_ref()),
            Content::Edit { .. } | Content::Revoke { .. } | Content::System { .. } => None,
            _ => self.in_reply_to.as_ref(),
        }
    }
}

fn words(content: &Content) -> Words<'_> {
    let only = |kind, text| Words { kind, text, payload: None, title: None };
    match content {
        Content::Text { text } => only(AnswerKind::Text, Some(text)),
        Content::Button { text, payload } => {
            Words { payload: payload.as_ref(), ..only(AnswerKind::Button, text.as_ref()) }
        }
        Content::Choice { kind, id, title, description } => {
            let title = title.as_ref();
            match kind.as_str() {
                // The words of a form are the provider's, e.g. "Sent".
                "nfm_reply" => {
                    Words { payload: description.as_ref(), ..only(AnswerKind::Form, title) }
                }
                "list_reply" => {
                    Words { payload: id.as_ref(), title, ..only(AnswerKind::List, title) }
                }
                _ => Words { payload: id.as_ref(), title, ..only(AnswerKind::Button, title) },
            }
        }
        Content::Reaction { emoji, .. } => only(AnswerKind::Reaction, emoji.as_ref()),
        Content::Media { kind, caption, .. } => only(media(kind), caption.as_ref()),
        Content::Location { name, address, .. } => {
            only(AnswerKind::Location, name.as_ref().or(address.as_ref()))
        }
        Content::Contacts { .. } => only(AnswerKind::Contacts, None),
        Content::Order { text, .. } => only(AnswerKind::Order, text.as_ref()),
        _ => only(AnswerKind::Other, None),
    }
}

fn media(kind: &str) -> AnswerKind {
    match kind {
        "image" => AnswerKind::Image,
        "audio" => AnswerKind::Audio,
        "video" => AnswerKind::Video,
        "document" => AnswerKind::Document,
        "sticker" => AnswerKind::Sticker,
        _ => AnswerKind::Other,
    }
}

fn clip(text: &str) -> String {
    text.chars().take(TEXT_CHARS).collect()
}

#[cfg(test)]
mod tests;
