//! What a delivery is.

use serde::{Deserialize, Serialize};

use crate::webhooks::endpoint::{EventType, Format};

/// The name of [`Kind::WhatsApp`] in place of a format.
const WHATSAPP: &str = "whatsapp";

/// By this, `deliver` knows how to send a body and what the answer means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Names", into = "Names")]
pub enum Kind {
    /// A signed webhook for an endpoint.
    Webhook { format: Format, event: EventType },
    /// A message for a shopper, sent by the WhatsApp Cloud API. It is never sent twice: an attempt
    /// without an answer ends it.
    WhatsApp,
}

/// As messages and rows have it.
#[derive(Serialize, Deserialize)]
struct Names {
    format: String,
    /// Missing in messages of older releases, which had only `order.status_changed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    event: Option<EventType>,
}

impl Kind {
    /// From the names in a row. `None` if they are of a newer release.
    pub fn parse(format: &str, event: Option<EventType>) -> Option<Self> {
        match event {
            None => (format == WHATSAPP).then_some(Self::WhatsApp),
            Some(event) => Some(Self::Webhook { format: Format::parse(format)?, event }),
        }
    }

    /// The version of its queue messages. A release that does not know the kind leaves them in the
    /// queue.
    pub fn version(self) -> u8 {
        match self {
            Self::Webhook { .. } => 1,
            Self::WhatsApp => 2,
        }
    }

    /// The name of the format in rows and answers.
    pub fn format(self) -> &'static str {
        match self {
            Self::Webhook { format, .. } => format.as_str(),
            Self::WhatsApp => WHATSAPP,
        }
    }

    /// `None` for a message.
    pub fn webhook(self) -> Option<(Format, EventType)> {
        match self {
            Self::Webhook { format, event } => Some((format, event)),
            Self::WhatsApp => None,
        }
    }

    /// `None` for a message.
    pub fn event(self) -> Option<EventType> {
        self.webhook().map(|(_, event)| event)
    }
}

impl From<Kind> for Names {
    fn from(kind: Kind) -> Self {
        Self { format: kind.format().to_owned(), event: kind.event() }
    }
}

impl TryFrom<Names> for Kind {
    type Error = &'static str;

    fn try_from(Names { format, event }: Names) -> Result<Self, Self::Error> {
        let event = event.or((format != WHATSAPP).then(EventType::default));
        Self::parse(&format, event).ok_or("unknown format")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Kind> {
        serde_json::from_str(text).ok()
    }

    #[test]
    fn a_webhook_has_an_event_and_a_message_has_none() {
        let webhook = |event| Some(Kind::Webhook { format: Format::Standard, event });
        for (text, expected) in [
            (r#"{"format":"standard","event":"order.stalled"}"#, webhook(EventType::Stalled)),
            (r#"{"format":"standard"}"#, webhook(EventType::StatusChanged)),
            (r#"{"format":"whatsapp"}"#, Some(Kind::WhatsApp)),
            (r#"{"format":"whatsapp","event":"order.stalled"}"#, None),
            (r#"{"format":"fax"}"#, None),
            (r#"{"event":"order.stalled"}"#, None),
        ] {
            assert_eq!(read(text), expected, "{text}");
            if let Some(kind) = expected {
                let written = serde_json::to_string(&kind).unwrap_or_default();
                assert_eq!(read(&written), Some(kind), "{written}");
                assert_eq!(Kind::parse(kind.format(), kind.event()), Some(kind));
            }
        }
    }
}
