#![expect(clippy::unwrap_used)]

use super::*;
use crate::messaging::message::{MessageKey, NewMessage};
use crate::messaging::message_status::ProviderStatus;
use crate::testing::minute;

fn wamid(text: &str) -> ProviderMessageId {
    ProviderMessageId::parse(text).unwrap()
}

fn inbound(content: Content) -> InboundMessage {
    InboundMessage {
        message: wamid("wamid.B"),
        from: "919876543210".to_owned(),
        other_id: None,
        name: Some("canary".to_owned()),
        group: None,
        at: Some(minute(0)),
        in_reply_to: Some(wamid("wamid.A")),
        content,
    }
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn choice(kind: &str, description: Option<String>) -> Content {
    Content::Choice { kind: kind.to_owned(), id: some("i"), title: some("t"), description }
}

fn record() -> (Message, TrackedMessage) {
    let body = br#"{"order_id":"ORD-1","account_code":"A","message_status":"sent",
        "message_id":"wamid.A","template":"shipped_v2"}"#;
    let new = NewMessage::read(body).unwrap();
    let record = Message::new(new, &MessageKey::Provider("wamid.A"), minute(0));
    let mut tracked = TrackedMessage::default();
    tracked.link(&record);
    tracked.tracking.observe(ProviderStatus::Read, minute(1));
    (record, tracked)
}

fn answer(content: Content) -> Answer {
    let (record, tracked) = record();
    Answer::new(&inbound(content), &record, &tracked)
}

#[test]
fn every_content_has_its_words() {
    let media = |kind: &str| Content::Media {
        kind: kind.to_owned(),
        id: some("1"),
        mime_type: None,
        sha256: None,
        filename: some("f"),
        caption: some("c"),
    };
    let place =
        Content::Location { latitude: None, longitude: None, name: None, address: some("a") };
    let cart = Content::Order { catalog_id: some("1"), text: some("o"), items: Vec::new() };
    let reaction = |emoji| Content::Reaction { to: Some(wamid("wamid.A")), emoji };
    use AnswerKind as Kind;
    for (content, kind, text, payload, title) in [
        (Content::Text { text: "x".to_owned() }, Kind::Text, Some("x"), None, None),
        (
            Content::Button { text: some("Yes"), payload: some("p") },
            Kind::Button,
            Some("Yes"),
            Some("p"),
            None,
        ),
        (choice("button_reply", None), Kind::Button, Some("t"), Some("i"), Some("t")),
        (choice("list_reply", some("d")), Kind::List, Some("t"), Some("i"), Some("t")),
        (choice("nfm_reply", some("{}")), Kind::Form, Some("t"), Some("{}"), None),
        (reaction(some("👍")), Kind::Reaction, Some("👍"), None, None),
        (reaction(None), Kind::Reaction, None, None, None),
        (media("image"), Kind::Image, Some("c"), None, None),
        (media("audio"), Kind::Audio, Some("c"), None, None),
        (media("video"), Kind::Video, Some("c"), None, None),
        (media("document"), Kind::Document, Some("c"), None, None),
        (media("sticker"), Kind::Sticker, Some("c"), None, None),
        (place, Kind::Location, Some("a"), None, None),
        (Content::Contacts { contacts: Vec::new() }, Kind::Contacts, None, None, None),
        (cart, Kind::Order, Some("o"), None, None),
        (Content::Other { kind: "hologram".to_owned() }, Kind::Other, None, None, None),
    ] {
        let answer = answer(content);
        let words = [&answer.text, &answer.payload, &answer.title].map(Option::as_deref);
        assert_eq!((answer.kind, words), (kind, [text, payload, title]));
    }
}

#[test]
fn only_replies_and_reactions_are_answers() {
    let to = |content| inbound(content).answers().map(|id| id.as_str().to_owned());
    let text = || Content::Text { text: "x".to_owned() };
    assert_eq!(to(text()), some("wamid.A"));
    let reaction = Content::Reaction { to: Some(wamid("wamid.C")), emoji: None };
    assert_eq!(to(reaction), some("wamid.C"));
    assert_eq!(InboundMessage { in_reply_to: None, ..inbound(text()) }.answers(), None);
    let kind = "user_changed_number".to_owned();
    for content in [
        Content::Edit { original_message_id: None, content: Box::new(text()) },
        Content::Revoke { original_message_id: None },
        Content::System { kind, text: None, previous_id: None, new_id: None },
    ] {
        assert_eq!(to(content), None);
    }
}

#[test]
fn an_answer_is_bounded() {
    let long = |count| Some("\u{0915}".repeat(count));
    let text = answer(Content::Text { text: "x".repeat(5000) }).text.unwrap();
    assert_eq!(text.len(), 4096);
    assert_eq!(answer(choice("nfm_reply", long(8192))).payload, long(8192));
    assert_eq!(answer(choice("nfm_reply", long(8193))).payload, None);
}

#[test]
fn an_answer_says_what_it_answers() {
    let answer = answer(Content::Text { text: "x".to_owned() });
    let (record, _) = record();
    assert_eq!(
        (&answer.answered.id, answer.answered.message_status.as_str()),
        (&record.id, "read")
    );
    assert_eq!(answer.answered.template, record.template);
    assert_eq!(answer.in_reply_to, Some(wamid("wamid.A")));
}

#[test]
fn the_same_message_has_the_same_id() {
    let id = |account: &str, number, message: &str| {
        Answer::id(&AccountCode::parse(account).unwrap(), number, &wamid(message))
    };
    let all = [
        id("A", Some("1"), "wamid.B"),
        id("B", Some("1"), "wamid.B"),
        id("A", Some("2"), "wamid.B"),
        id("A", None, "wamid.B"),
        id("A", Some("1"), "wamid.C"),
    ];
    assert_eq!(all[0], id("A", Some("1"), "wamid.B"));
    assert_eq!(all.iter().collect::<std::collections::BTreeSet<_>>().len(), all.len());
}

/// The ids of WhatsApp's messages contain the phone number.
#[test]
fn debug_output_of_an_answer_has_no_words_and_no_ids() {
    let mut answer = answer(choice("list_reply", None));
    assert_eq!(format!("{answer:?}"), "Answer { kind: List, .. }");
    assert!(answer.forget_words());
    assert!(!answer.forget_words());
    let json = serde_json::to_value(&answer).unwrap();
    let fields: Vec<&String> = json.as_object().unwrap().keys().collect();
    assert_eq!(fields, ["answered", "kind", "source"]);
    assert_eq!(serde_json::from_value::<Answer>(json).unwrap(), answer);
}
