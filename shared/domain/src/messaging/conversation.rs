//! What shoppers write to us, kept by who wrote.

use serde::Serialize;

use crate::core::timestamp::Timestamp;
use crate::messaging::channel::{Content, InboundMessage, ProviderMessageId};
use crate::tracking::timeline::plausible_time;

/// The longest name of a contact, in bytes. Phone numbers have at most 15 digits (ITU-T E.164), WhatsApp's ids of users
/// some 30 characters.
const MAX_CONTACT_BYTES: usize = 128;
/// How many digits a phone number may have, with its country's code.
const PHONE_DIGITS: std::ops::RangeInclusive<usize> = 5..=20;

/// Whom a conversation is with: a phone number by its digits, or the provider's id of a user who shows none.
/// Never logged.
#[derive(Clone, PartialEq, Eq)]
pub struct Contact(String);

impl std::fmt::Debug for Contact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Contact([REDACTED])")
    }
}

impl Contact {
    /// As the provider names it: 1 to 128 visible ASCII characters.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = (1..=MAX_CONTACT_BYTES).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_graphic());
        fits.then(|| Self(text.to_owned()))
    }

    /// As people write a phone number: 5 to 20 digits, a `+` before them or not, spaces and dashes among them or not.
    pub fn of_phone(text: &str) -> Option<Self> {
        // Where a query is not escaped, its `+` arrives as a space.
        let text = text.trim_start();
        let written = text.strip_prefix('+').unwrap_or(text);
        let digits: String = written.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
        let fits = PHONE_DIGITS.contains(&digits.len())
            && digits.bytes().all(|byte| byte.is_ascii_digit());
        fits.then_some(Self(digits))
    }

    /// The contact's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One message of a conversation, as stored and shown. Never logged.
#[derive(Serialize)]
pub struct ConversationMessage<'a> {
    message_id: &'a ProviderMessageId,
    from: &'a str,
    name: Option<&'a str>,
    at: Timestamp,
    received_at: Timestamp,
    number: Option<&'a str>,
    in_reply_to: Option<&'a ProviderMessageId>,
    content: &'a Content,
}

impl std::fmt::Debug for ConversationMessage<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ConversationMessage")
            .field("message_id", &self.message_id)
            .finish_non_exhaustive()
    }
}

impl<'a> ConversationMessage<'a> {
    /// What was written to this number of ours, received at this time.
    pub fn new(
        written: &'a InboundMessage,
        number: Option<&'a str>,
        received_at: Timestamp,
    ) -> Self {
        Self {
            message_id: &written.message,
            from: &written.from,
            name: written.name.as_deref(),
            at: plausible_time(written.at, received_at),
            received_at,
            number,
            in_reply_to: written.in_reply_to.as_ref(),
            content: &written.content,
        }
    }

    /// When it was received.
    pub fn received_at(&self) -> Timestamp {
        self.received_at
    }

    /// Its place in the conversation: `{at}/{message id}`. The same message always has the same.
    pub fn sort_key(&self) -> String {
        format!("{}/{}", self.at, self.message_id.as_str())
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::testing::{minute, second};

    #[test]
    fn how_people_write_phone_numbers() {
        for text in [
            "919876543210",
            "+919876543210",
            " 919876543210",
            "+91 98765-43210",
            " +91-98765 43210 ",
        ] {
            assert_eq!(Contact::of_phone(text).unwrap().as_str(), "919876543210", "{text}");
        }
        assert!(
            Contact::of_phone("12345").is_some() && Contact::of_phone(&"1".repeat(20)).is_some()
        );
        for text in [
            "",
            "+",
            " - ",
            "1234",
            "++91987",
            "91+98765",
            "98765a",
            "(022) 12345",
            "९८७६५४",
            "+91\u{a0}98765",
        ] {
            assert_eq!(Contact::of_phone(text), None, "{text}");
        }
        assert_eq!(Contact::of_phone(&"1".repeat(21)), None);
    }

    #[test]
    fn how_the_provider_names_people() {
        for text in ["919876543210", "US.13491208655302741918", &"x".repeat(128)] {
            assert_eq!(Contact::parse(text).unwrap().as_str(), text);
        }
        for text in ["", " ", "a b", "ä", "a\n", "\0", &"x".repeat(129)] {
            assert_eq!(Contact::parse(text), None, "{text:?}");
        }
    }

    fn written(at: Option<Timestamp>) -> InboundMessage {
        InboundMessage {
            message: ProviderMessageId::parse("wamid.A").unwrap(),
            from: "919876543210".to_owned(),
            name: None,
            at,
            in_reply_to: None,
            content: Content::Text { text: "hello".to_owned() },
        }
    }

    #[test]
    fn a_message_has_one_place_however_often_its_event_comes() {
        for (at, place) in [
            (Some(minute(-60)), minute(-60)),
            (Some(minute(10)), minute(10)),
            (Some(second(601)), minute(0)),
            (None, minute(0)),
        ] {
            let written = written(at);
            assert_eq!(
                ConversationMessage::new(&written, None, minute(0)).sort_key(),
                format!("{place}/wamid.A")
            );
        }
    }

    #[test]
    fn it_is_shown_with_all_its_fields() {
        let written = written(Some(minute(0)));
        let shown = serde_json::to_value(ConversationMessage::new(
            &written,
            Some("106540352242922"),
            minute(1),
        ))
        .unwrap();
        let expected = serde_json::json!({
            "message_id": "wamid.A", "from": "919876543210", "name": null, "at": "2026-01-20T10:00:00.000Z",
            "received_at": "2026-01-20T10:01:00.000Z", "number": "106540352242922", "in_reply_to": null,
            "content": {"type": "text", "text": "hello"},
        });
        assert_eq!(shown, expected);
    }

    #[test]
    fn digits_of_a_place_stay_as_they_came() {
        let content = Content::Location {
            latitude: Some(serde_json::from_str("-0.10").unwrap()),
            longitude: Some(serde_json::from_str("123456789.1234567890123456789").unwrap()),
            name: None,
            address: None,
        };
        let written = InboundMessage { content, ..written(None) };
        let shown =
            serde_json::to_string(&ConversationMessage::new(&written, None, minute(0))).unwrap();
        assert!(
            shown.contains(r#""latitude":-0.10,"longitude":123456789.1234567890123456789,"#),
            "{shown}"
        );
    }

    #[test]
    fn a_log_shows_nobody() {
        let written = written(None);
        let logged = format!(
            "{:?} {:?}",
            ConversationMessage::new(&written, Some("1065"), minute(0)),
            Contact::of_phone("919876543210")
        );
        assert!(
            logged.contains("wamid.A") && !logged.contains("9198") && !logged.contains("hello"),
            "{logged}"
        );
    }
}
