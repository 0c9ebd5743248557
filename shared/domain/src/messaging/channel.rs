//! What a messaging provider reports: how messages fare, and what shoppers write.

use serde::{Deserialize, Serialize};

use crate::core::raw_json::RawJson;
use crate::core::timestamp::Timestamp;

/// The longest id of a message, in bytes. WhatsApp's are 60 to 100.
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

    /// The id's text.
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

/// One piece of news about one of our numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChannelUpdate {
    /// The provider's id of the number, which says whose account it is.
    pub number: Option<String>,
    /// What is new.
    pub event: ChannelEvent,
}

/// What is new.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ChannelEvent {
    /// How a message of ours fares.
    Status(StatusUpdate),
    /// A shopper wrote.
    InboundMessage(Box<InboundMessage>),
    /// Something is wrong with the number itself.
    NumberError(ChannelError),
}

/// How a message of ours fares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusUpdate {
    /// The message.
    pub message: ProviderMessageId,
    /// The provider's word, e.g. `delivered`; at most 64 characters.
    pub status: String,
    /// When it came to be so; `None` counts as when it was received.
    pub at: Option<Timestamp>,
    /// Why it failed.
    pub error: Option<ChannelError>,
}

/// An error as the provider names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ChannelError {
    /// The provider's code, by its digits.
    pub code: Option<String>,
    /// What it means, in the provider's words.
    pub title: Option<String>,
    /// More of it, in the provider's words.
    pub details: Option<String>,
}

/// Something a shopper wrote. Never logged.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct InboundMessage {
    /// The provider's id of it.
    pub message: ProviderMessageId,
    /// Who wrote: a phone number by its digits, or the provider's id of a user who shows none.
    pub from: String,
    /// What the writer is called.
    pub name: Option<String>,
    /// When; `None` counts as when it was received.
    pub at: Option<Timestamp>,
    /// The message it answers, if it answers one.
    pub in_reply_to: Option<ProviderMessageId>,
    /// What it says.
    pub content: Content,
}

impl std::fmt::Debug for InboundMessage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InboundMessage").field("message", &self.message).finish_non_exhaustive()
    }
}

/// What a shopper's message says. Only ever written: what is tagged by a field is read from values parsed already, which
/// a place's digits would not survive.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Content {
    /// Words.
    Text {
        /// The words.
        text: String,
    },
    /// A template's quick-reply button was pressed.
    Button {
        /// What the button says.
        text: Option<String>,
        /// What its maker had it carry.
        payload: Option<String>,
    },
    /// A choice of an interactive message: a button, a list's row or a form.
    Choice {
        /// `button_reply`, `list_reply` or `nfm_reply`.
        kind: String,
        /// The choice's id.
        id: Option<String>,
        /// What it says.
        title: Option<String>,
        /// More of it; of a form its answers, as JSON text.
        description: Option<String>,
    },
    /// An emoji on a message.
    Reaction {
        /// The message.
        to: Option<ProviderMessageId>,
        /// The emoji; `None` takes it back.
        emoji: Option<String>,
    },
    /// A place.
    Location {
        /// Degrees, by the digits that came.
        latitude: Option<RawJson>,
        /// Degrees, by the digits that came.
        longitude: Option<RawJson>,
        /// What the place is called.
        name: Option<String>,
        /// Its address.
        address: Option<String>,
    },
    /// A picture, sound, film or document, which stays with the provider.
    Media {
        /// `image`, `audio`, `video`, `document` or `sticker`.
        kind: String,
        /// The provider's id, to fetch it by.
        id: Option<String>,
        /// What it is, e.g. `image/jpeg`.
        mime_type: Option<String>,
        /// Its SHA-256 in base64.
        sha256: Option<String>,
        /// What a document is called.
        filename: Option<String>,
        /// The words below it.
        caption: Option<String>,
    },
    /// Anything else: contacts, orders, what the provider cannot show.
    Other {
        /// The provider's word for it.
        kind: String,
    },
}

#[cfg(test)]
mod tests;
