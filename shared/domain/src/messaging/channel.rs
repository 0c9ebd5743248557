//! Events of a messaging channel (WhatsApp): message statuses, inbound messages, echoes of the
//! business's own messages, calls, shoppers' preferences, and what the provider says about accounts,
//! numbers and templates.

use serde::{Deserialize, Serialize};

use crate::core::hash::Fingerprint;
use crate::core::raw_json::RawJson;
use crate::core::timestamp::Timestamp;
use crate::messaging::conversation::Contact;
use crate::messaging::pricing::Pricing;
use crate::messaging::provider_state::Statement;

/// WhatsApp's ids have 60 to 100 bytes.
const MAX_ID_BYTES: usize = 256;

/// A provider's id of a message, e.g. a `wamid`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ProviderMessageId(String);

impl ProviderMessageId {
    /// 1 to 256 visible ASCII characters.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = (1..=MAX_ID_BYTES).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_graphic());
        fits.then(|| Self(text.to_owned()))
    }

    /// An id of ours. The prefix is short visible ASCII.
    pub(super) fn of_hash(prefix: &'static str, hash: Fingerprint) -> Self {
        Self(format!("{prefix}{}", hash.finish()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ProviderMessageId {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("must be 1 to 256 visible ASCII characters")
    }
}

impl From<ProviderMessageId> for String {
    fn from(id: ProviderMessageId) -> Self {
        id.0
    }
}

/// An event of one of the business's phone numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChannelUpdate {
    /// The provider's id of the number. Decides the account (tenant) if the event has none.
    pub number: Option<String>,
    /// The provider's id of the business account, for an update that names no number. Decides the
    /// account in its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub business_account: Option<String>,
    pub event: ChannelEvent,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ChannelEvent {
    /// Of an outbound message.
    Status(StatusUpdate),
    /// From a shopper.
    InboundMessage(Box<InboundMessage>),
    /// From the business to a shopper, written on its phone.
    Echo(Box<Echo>),
    /// About the number itself.
    NumberError(ChannelError),
    /// About an account, a number or a template.
    Statement(Box<Statement>),
    /// Of a shopper, about marketing messages.
    Preference(Preference),
    Call(Box<Call>),
    /// About something else than a message, although it comes in the list of statuses. Has no
    /// effect.
    Other(OtherUpdate),
    /// A change that is not read, by the provider's name of its field. Has no effect.
    OtherField(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OtherUpdate {
    /// The status of a payment: `failed` is no failure of the message that asked for it.
    Payment,
    /// A group message failed for one of the participants.
    GroupParticipant,
    /// A type of status that is not documented.
    Status,
}

/// The status of an outbound message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusUpdate {
    pub message: ProviderMessageId,
    /// The provider's text, e.g. `delivered`; at most 64 characters.
    pub status: String,
    /// `None` counts as the time of receipt.
    pub at: Option<Timestamp>,
    pub error: Option<ChannelError>,
    /// What the sender of the message gave it: our id, if Waypost sent it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub callback_data: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pricing: Option<Pricing>,
    /// Phone number and user id of the recipient, if the provider names both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient: Option<(Contact, Contact)>,
}

/// An error in the provider's words.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ChannelError {
    /// Digits.
    pub code: Option<String>,
    pub title: Option<String>,
    pub details: Option<String>,
}

/// A shopper's message. Personal data: never logged.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct InboundMessage {
    pub message: ProviderMessageId,
    /// The digits of a phone number, or the provider's id of a user without one.
    pub from: String,
    /// Another id of the sender, who has both a phone number and a user id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other_id: Option<String>,
    /// The sender's profile name.
    pub name: Option<String>,
    /// The provider's id of the group that the message was written in.
    pub group: Option<String>,
    /// `None` counts as the time of receipt.
    pub at: Option<Timestamp>,
    pub in_reply_to: Option<ProviderMessageId>,
    pub content: Content,
}

/// A message that the business wrote outside of the API. Personal data: never logged.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Echo {
    pub message: ProviderMessageId,
    /// The digits of the business's number.
    pub from: Option<String>,
    /// The shopper, like [`InboundMessage::from`].
    pub to: String,
    /// Another id of the shopper, like [`InboundMessage::other_id`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other_id: Option<String>,
    /// The shopper's profile name.
    pub name: Option<String>,
    pub at: Option<Timestamp>,
    pub in_reply_to: Option<ProviderMessageId>,
    pub content: Content,
}

/// A shopper stopped or resumed marketing messages in the settings of the chat. Personal data: never
/// logged.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Preference {
    /// Like [`InboundMessage::from`].
    pub user: String,
    /// Like [`InboundMessage::other_id`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other_id: Option<String>,
    pub stopped: bool,
    /// `None` counts as the time of receipt.
    pub at: Option<Timestamp>,
}

/// An event of a voice call. A call has several. Personal data: never logged.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Call {
    /// The provider's id of the call.
    pub call: ProviderMessageId,
    /// The shopper, like [`InboundMessage::from`].
    pub with: String,
    /// Like [`InboundMessage::other_id`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other_id: Option<String>,
    /// The shopper's profile name.
    pub name: Option<String>,
    /// The shopper called the business.
    pub is_inbound: bool,
    pub at: Option<Timestamp>,
    /// [`Content::Call`].
    pub content: Content,
}

impl std::fmt::Debug for Preference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Preference").field("stopped", &self.stopped).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Call").field("call", &self.call).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Echo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Echo").field("message", &self.message).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for InboundMessage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InboundMessage").field("message", &self.message).finish_non_exhaustive()
    }
}

/// The content of an inbound message. No `Deserialize`: serde buffers internally tagged enums,
/// which would change the digits of a location.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Content {
    Text {
        text: String,
    },
    /// A quick-reply button of a template.
    Button {
        text: Option<String>,
        /// Set by the sender of the template.
        payload: Option<String>,
    },
    /// The answer to an interactive message: a button, a list row or a form.
    Choice {
        /// `button_reply`, `list_reply` or `nfm_reply`.
        kind: String,
        id: Option<String>,
        title: Option<String>,
        /// The answers of a form, as JSON text.
        description: Option<String>,
    },
    Reaction {
        to: Option<ProviderMessageId>,
        /// `None` removes the reaction.
        emoji: Option<String>,
    },
    Location {
        /// Degrees, digit by digit.
        latitude: Option<RawJson>,
        longitude: Option<RawJson>,
        name: Option<String>,
        address: Option<String>,
    },
    /// The file itself stays with the provider.
    Media {
        /// `image`, `audio`, `video`, `document` or `sticker`.
        kind: String,
        /// To download it from the provider.
        id: Option<String>,
        mime_type: Option<String>,
        /// Base64.
        sha256: Option<String>,
        filename: Option<String>,
        caption: Option<String>,
    },
    /// A cart.
    Order {
        catalog_id: Option<String>,
        text: Option<String>,
        items: Vec<CartItem>,
    },
    Contacts {
        contacts: Vec<SharedContact>,
    },
    /// Replaces an earlier message.
    Edit {
        original_message_id: Option<ProviderMessageId>,
        /// The message as it is now.
        content: Box<Content>,
    },
    /// Takes an earlier message back.
    Revoke {
        original_message_id: Option<ProviderMessageId>,
    },
    /// A note of the provider, usually that the shopper's number or user id changed.
    System {
        /// E.g. `user_changed_number` or `user_changed_user_id`.
        kind: String,
        text: Option<String>,
        previous_id: Option<String>,
        new_id: Option<String>,
    },
    /// A template that Waypost sent.
    Template {
        name: String,
        language: String,
        /// The values of its parameters.
        #[serde(skip_serializing_if = "Option::is_none")]
        components: Option<RawJson>,
    },
    /// An event of a voice call.
    Call {
        /// In the provider's words: `connect`, `terminate`, or `status` for a change of its status.
        event: String,
        /// In the provider's words, e.g. `COMPLETED`, `FAILED`, `RINGING`, `ACCEPTED`, `REJECTED`.
        status: Option<String>,
        /// In seconds, of a call that was answered and has ended.
        duration: Option<u64>,
    },
    /// Unsupported types.
    Other {
        /// The provider's name of the type.
        kind: String,
    },
}

impl Content {
    /// The words of a text, or of the button or list row that was chosen.
    pub fn words(&self) -> Option<&str> {
        match self {
            Self::Text { text } => Some(text),
            Self::Button { text, .. } => text.as_deref(),
            Self::Choice { kind, title, .. }
                if matches!(kind.as_str(), "button_reply" | "list_reply") =>
            {
                title.as_deref()
            }
            _ => None,
        }
    }

    /// What tells apart the events of one call: a status, or another event.
    pub(super) fn part_of_call(&self) -> Option<&str> {
        match self {
            Self::Call { event, status, .. } if event == CALL_STATUS => {
                Some(status.as_deref().unwrap_or(event))
            }
            Self::Call { event, .. } => Some(event),
            _ => None,
        }
    }
}

/// The event of a call that only tells its status.
pub const CALL_STATUS: &str = "status";

#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct CartItem {
    /// The shop's id of the product.
    pub product_retailer_id: Option<String>,
    pub quantity: Option<RawJson>,
    /// Of one piece, digit by digit.
    pub item_price: Option<RawJson>,
    pub currency: Option<String>,
}

#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct SharedContact {
    pub name: Option<String>,
    /// Whose contact it is in the provider's words, e.g. `other`.
    pub origin: Option<String>,
    pub phones: Vec<SharedPhone>,
}

#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct SharedPhone {
    /// As the shopper's phone book has it.
    pub phone: Option<String>,
    /// The number at the provider, in digits, or the provider's id of a user.
    pub contact: Option<String>,
}

#[cfg(test)]
mod tests;
