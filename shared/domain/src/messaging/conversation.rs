//! Conversations: the messages of one contact, in both directions.

use serde::{Deserialize, Serialize};

use crate::core::timestamp::Timestamp;
use crate::messaging::channel::{Call, Content, Echo, InboundMessage, ProviderMessageId};
use crate::messaging::message::Message;
use crate::messaging::send::SendId;
use crate::tracking::timeline::plausible_time;

/// WhatsApp's user ids have up to 128 characters after `CC.`, a country code, or `CC.ENT.`. Phone
/// numbers have at most 15 digits (ITU-T E.164).
const MAX_CONTACT_BYTES: usize = 7 + 128;
/// The number of digits of a phone number with country code.
const PHONE_DIGITS: std::ops::RangeInclusive<usize> = 5..=20;

/// The digits of a phone number, or the provider's id of a user without one. Personal data: never
/// logged.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Contact(String);

impl TryFrom<String> for Contact {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("must be 1 to 135 visible ASCII characters")
    }
}

impl From<Contact> for String {
    fn from(contact: Contact) -> Self {
        contact.0
    }
}

impl std::fmt::Debug for Contact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Contact([REDACTED])")
    }
}

impl Contact {
    /// The provider's form: 1 to 135 visible ASCII characters.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = (1..=MAX_CONTACT_BYTES).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_graphic());
        fits.then(|| Self(text.to_owned()))
    }

    /// A phone number as people write it: 5 to 20 digits, an optional `+`, spaces and dashes.
    pub fn of_phone(text: &str) -> Option<Self> {
        // The `+` of an unescaped query arrives as a space.
        let text = text.trim_start();
        let text = text.strip_prefix('+').unwrap_or(text);
        let digits: String = text.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
        let fits = PHONE_DIGITS.contains(&digits.len())
            && digits.bytes().all(|byte| byte.is_ascii_digit());
        fits.then_some(Self(digits))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Direction {
    /// From the shopper.
    Inbound,
    /// From the business.
    Outbound,
}

/// A message as stored and as the API shows it. Personal data: never logged. Rows of older releases
/// have no `direction`, `to` and `group_id`: they are inbound.
#[derive(Serialize)]
pub struct ConversationMessage<'a> {
    message_id: &'a ProviderMessageId,
    direction: Direction,
    from: Option<&'a str>,
    /// The shopper, for an outbound message.
    to: Option<&'a str>,
    name: Option<&'a str>,
    at: Timestamp,
    received_at: Timestamp,
    number: Option<&'a str>,
    group_id: Option<&'a str>,
    in_reply_to: Option<&'a ProviderMessageId>,
    content: &'a Content,
    /// Which of a call's events it is: they share its id.
    #[serde(skip)]
    part: Option<&'a str>,
}

impl std::fmt::Debug for ConversationMessage<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ConversationMessage")
            .field("message_id", &self.message_id)
            .finish_non_exhaustive()
    }
}

impl<'a> ConversationMessage<'a> {
    /// `number` is the provider's id of the phone number that received the message.
    pub fn new(
        message: &'a InboundMessage,
        number: Option<&'a str>,
        received_at: Timestamp,
    ) -> Self {
        Self {
            message_id: &message.message,
            direction: Direction::Inbound,
            from: Some(&message.from),
            to: None,
            name: message.name.as_deref(),
            at: plausible_time(message.at, received_at),
            received_at,
            number,
            group_id: message.group.as_deref(),
            in_reply_to: message.in_reply_to.as_ref(),
            content: &message.content,
            part: None,
        }
    }

    /// `number` is the provider's id of the phone number that sent the message.
    pub fn of_echo(echo: &'a Echo, number: Option<&'a str>, received_at: Timestamp) -> Self {
        Self {
            message_id: &echo.message,
            direction: Direction::Outbound,
            from: echo.from.as_deref(),
            to: Some(&echo.to),
            name: echo.name.as_deref(),
            at: plausible_time(echo.at, received_at),
            received_at,
            number,
            group_id: None,
            in_reply_to: echo.in_reply_to.as_ref(),
            content: &echo.content,
            part: None,
        }
    }

    /// `number` is the provider's id of the business's phone number.
    pub fn of_call(call: &'a Call, number: Option<&'a str>, received_at: Timestamp) -> Self {
        let (direction, from, to) = if call.is_inbound {
            (Direction::Inbound, Some(call.with.as_str()), None)
        } else {
            (Direction::Outbound, None, Some(call.with.as_str()))
        };
        Self {
            message_id: &call.call,
            direction,
            from,
            to,
            name: call.name.as_deref(),
            at: plausible_time(call.at, received_at),
            received_at,
            number,
            group_id: None,
            in_reply_to: None,
            content: &call.content,
            part: call.content.part_of_call(),
        }
    }

    /// A message that Waypost sends; `content` is its template. `None` for another one.
    pub fn of_send(message: &'a Message, id: &'a SendId, content: &'a Content) -> Option<Self> {
        let send = message.send.as_ref()?;
        Some(Self {
            message_id: id.as_message_id(),
            direction: Direction::Outbound,
            from: None,
            to: Some(send.to.as_str()),
            name: None,
            at: message.sent_at,
            received_at: message.sent_at,
            number: Some(&send.phone_number_id),
            group_id: None,
            in_reply_to: None,
            content,
            part: None,
        })
    }

    pub fn received_at(&self) -> Timestamp {
        self.received_at
    }

    /// `{at}/{message id}`, for a call with its event: a redelivered message has the same key
    /// (dedup).
    pub fn sort_key(&self) -> String {
        let part = self.part.map(|part| format!("/{part}")).unwrap_or_default();
        format!("{}/{}{part}", self.at, self.message_id.as_str())
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::testing::{minute, second};

    #[test]
    fn parses_phone_numbers_as_people_write_them() {
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
    fn parses_contacts_in_the_providers_form() {
        for text in
            ["919876543210", "US.13491208655302741918", &format!("IN.ENT.{}", "1".repeat(128))]
        {
            assert_eq!(Contact::parse(text).unwrap().as_str(), text);
        }
        for text in ["", " ", "a b", "ä", "a\n", "\0", &"x".repeat(136)] {
            assert_eq!(Contact::parse(text), None, "{text:?}");
        }
    }

    fn inbound(at: Option<Timestamp>) -> InboundMessage {
        InboundMessage {
            message: ProviderMessageId::parse("wamid.A").unwrap(),
            from: "919876543210".to_owned(),
            name: None,
            group: None,
            other_id: None,
            at,
            in_reply_to: None,
            content: Content::Text { text: "hello".to_owned() },
        }
    }

    #[test]
    fn a_redelivered_message_has_the_same_sort_key() {
        for (at, expected) in [
            (Some(minute(-60)), minute(-60)),
            (Some(minute(10)), minute(10)),
            (Some(second(601)), minute(0)),
            (None, minute(0)),
        ] {
            let message = inbound(at);
            assert_eq!(
                ConversationMessage::new(&message, None, minute(0)).sort_key(),
                format!("{expected}/wamid.A")
            );
        }
    }

    #[test]
    fn shows_all_fields_of_a_message() {
        let message = inbound(Some(minute(0)));
        let json = serde_json::to_value(ConversationMessage::new(
            &message,
            Some("106540352242922"),
            minute(1),
        ))
        .unwrap();
        let expected = serde_json::json!({
            "message_id": "wamid.A", "direction": "inbound", "from": "919876543210", "to": null,
            "name": null,
            "at": "2026-01-20T10:00:00.000Z", "received_at": "2026-01-20T10:01:00.000Z",
            "number": "106540352242922", "group_id": null, "in_reply_to": null,
            "content": {"type": "text", "text": "hello"},
        });
        assert_eq!(json, expected);
    }

    #[test]
    fn the_events_of_a_call_are_messages_of_their_own() {
        let event = |event: &str, status: Option<&str>, is_inbound| Call {
            call: ProviderMessageId::parse("wacid.A").unwrap(),
            with: "919876543210".to_owned(),
            other_id: None,
            name: None,
            is_inbound,
            at: Some(minute(0)),
            content: Content::Call {
                event: event.to_owned(),
                status: status.map(str::to_owned),
                duration: None,
            },
        };
        let calls = [
            event("connect", None, true),
            event("terminate", Some("COMPLETED"), true),
            event("status", Some("RINGING"), false),
            event("status", Some("ACCEPTED"), false),
        ];
        let rows = calls.each_ref().map(|it| ConversationMessage::of_call(it, None, minute(1)));
        let keys: std::collections::BTreeSet<_> = rows.iter().map(|it| it.sort_key()).collect();
        assert_eq!(keys.len(), 4, "{keys:?}");
        let json = rows.map(|row| serde_json::to_value(row).unwrap());
        assert_eq!([&json[0]["from"], &json[0]["direction"]], ["919876543210", "inbound"]);
        assert_eq!([&json[2]["to"], &json[2]["direction"]], ["919876543210", "outbound"]);
        let content = serde_json::json!({
            "type": "call", "event": "terminate", "status": "COMPLETED", "duration": null,
        });
        assert_eq!(json[1]["content"], content);
        assert!(!format!("{calls:?}").contains("9198"));
    }

    #[test]
    fn keeps_the_digits_of_a_location() {
        let content = Content::Location {
            latitude: Some(serde_json::from_str("-0.10").unwrap()),
            longitude: Some(serde_json::from_str("123456789.1234567890123456789").unwrap()),
            name: None,
            address: None,
        };
        let message = InboundMessage { content, ..inbound(None) };
        let json =
            serde_json::to_string(&ConversationMessage::new(&message, None, minute(0))).unwrap();
        assert!(
            json.contains(r#""latitude":-0.10,"longitude":123456789.1234567890123456789,"#),
            "{json}"
        );
    }

    #[test]
    fn debug_output_of_a_conversation_has_no_personal_data() {
        let message = inbound(None);
        let logged = format!(
            "{:?} {:?}",
            ConversationMessage::new(&message, Some("1065"), minute(0)),
            Contact::of_phone("919876543210")
        );
        assert!(
            logged.contains("wamid.A") && !logged.contains("9198") && !logged.contains("hello"),
            "{logged}"
        );
    }
}
