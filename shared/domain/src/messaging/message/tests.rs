#![expect(clippy::unwrap_used)]

use super::*;
use crate::messaging::linked::{MessageView, TrackedMessage};
use crate::messaging::message_status::ProviderStatus;
use crate::testing::{MINIMAL, minute, order};

#[test]
fn parses_message_statuses() {
    for good in ["sent", "pending", "a", "A_b.c-9", &"x".repeat(64)] {
        assert_eq!(MessageStatus::parse(good).unwrap().as_str(), good);
    }
    for bad in ["", " ", "a b", "ä", "a/b", "<script>", &"x".repeat(65)] {
        assert_eq!(MessageStatus::parse(bad), None, "{bad}");
    }
}

#[test]
fn errors_name_the_invalid_field_of_a_message() {
    for (body, field) in [
        (r#"{"account_code":"S","message_status":"sent"}"#, "order_id"),
        (r#"{"order_id":"O","message_status":"sent"}"#, "account_code"),
        (r#"{"order_id":"O","account_code":"S"}"#, "message_status"),
        (r#"{"order_id":"O","account_code":"S","message_status":""}"#, "message_status"),
        (r#"{"order_id":"","account_code":"S","message_status":"sent"}"#, "order_id"),
        (r#"{"order_id":1,"account_code":"S","message_status":"sent"}"#, "order_id"),
        (
            r#"{"order_id":"O","account_code":"S","message_status":"sent","message_id":""}"#,
            "message_id",
        ),
        (
            r#"{"order_id":"O","account_code":"S","message_status":"sent","message_id":"a b"}"#,
            "message_id",
        ),
        (
            r#"{"order_id":"O","account_code":"S","message_status":"sent","messageId":7}"#,
            "messageId",
        ),
        (r#"{"order_id":"O","account_code":"S","message_status":"sent","text":"Hello"}"#, "text"),
        (&with_details(r#""channel":"""#), "channel"),
        (&with_details(&format!(r#""channel":"{}""#, "c".repeat(65))), "channel"),
        (&with_details(&format!(r#""template":"{}""#, "\u{e9}".repeat(513))), "template"),
        (&with_details(r#""template":" ""#), "template"),
        (&with_details(r#""sent_at":"canary""#), "sent_at"),
        (&with_details(r#""sentAt":5"#), "sentAt"),
        (&with_details(r#""error":7"#), "error"),
        (&with_details(r#""error":"""#), "error"),
        (&with_details(r#""error":["canary"]"#), "error"),
        (&with_details(r#""error":{"canary":1}"#), "error"),
        (&with_details(&format!(r#""error":{{"code":"{}"}}"#, "1".repeat(65))), "error"),
        (&with_details(&format!(r#""error":{{"title":"{}"}}"#, "t".repeat(257))), "error"),
        (&with_details(&format!(r#""error":{{"details":"{}"}}"#, "d".repeat(1025))), "error"),
    ] {
        let error = NewMessage::read(body.as_bytes()).unwrap_err();
        assert!(
            matches!(&error, InvalidBody::Invalid { field: at, .. } if at == field),
            "{body}: {error}"
        );
        assert!(!error.to_string().contains("canary"), "{error}");
    }
}

fn with_details(details: &str) -> String {
    format!(r#"{{"order_id":"O","account_code":"S","message_status":"sent",{details}}}"#)
}

#[test]
fn keeps_the_details_of_a_message() {
    let error = |code: Option<&str>, title: Option<&str>, details: Option<&str>| {
        let [code, title, details] = [code, title, details].map(|it| it.map(str::to_owned));
        Some(ChannelError { code, title, details })
    };
    for (body, expected) in [
        (r#""Re-engagement message""#, error(None, Some("Re-engagement message"), None)),
        (r#"{"code":131047,"title":null}"#, error(Some("131047"), None, None)),
        (r#"{"code":"x","title":"t","details":"d"}"#, error(Some("x"), Some("t"), Some("d"))),
        ("{}", None),
        ("null", None),
    ] {
        let new = NewMessage::read(with_details(&format!(r#""error":{body}"#)).as_bytes());
        assert_eq!(new.unwrap().error, expected, "{body}");
    }
    let body = with_details(
        r#""channel":"sms","template":"shipped_v2","sentAt":"2026-01-20T09:00:00+00:00""#,
    );
    let new = NewMessage::read(body.as_bytes()).unwrap();
    let message = Message::new(new, &MessageKey::Request("r"), minute(0));
    let view =
        serde_json::to_value(MessageView::new(&message, &TrackedMessage::default(), minute(9)));
    let view = view.unwrap();
    assert_eq!((&view["channel"], &view["template"]), (&"sms".into(), &"shipped_v2".into()));
    assert_eq!(view["sent_at"], "2026-01-20T09:00:00.000Z");
}

#[test]
fn a_message_sent_in_the_future_counts_as_sent_now() {
    let sent_at = |time: &str| {
        let body = with_details(&format!(r#""sent_at":"{time}""#));
        let new = NewMessage::read(body.as_bytes()).unwrap();
        Message::new(new, &MessageKey::Request("r"), minute(0)).sent_at
    };
    assert_eq!(sent_at("2026-01-20T10:09:00Z"), minute(9));
    assert_eq!(sent_at("2026-01-20T11:00:00Z"), minute(0));
    assert_eq!(sent_at("2026-01-20T09:00:00Z"), minute(-60));
}

#[test]
fn a_move_completes_a_message_and_brings_the_error() {
    let message = |details: &str| {
        let body = with_details(&format!(r#""message_id":"wamid.A",{details}"#));
        let body = body.replace(r#""sent""#, r#""failed""#);
        let new = NewMessage::read(body.as_bytes()).unwrap();
        Message::new(new, &MessageKey::Provider("wamid.A"), minute(5))
    };
    let record = message(r#""channel":"sms""#);
    let mut tracked = TrackedMessage::default();
    tracked.link(&record);
    let moved = message(r#""channel":"email","template":"shipped","error":"blocked""#);
    assert!(tracked.move_to(&moved, minute(5)));
    assert!(!tracked.move_to(&moved, minute(6)), "a repeat changes nothing");
    let view = serde_json::to_value(MessageView::new(&record, &tracked, minute(9))).unwrap();
    assert_eq!((&view["channel"], &view["template"]), (&"sms".into(), &"shipped".into()));
    assert_eq!(view["error"]["title"], "blocked");
}

fn new_message(message_id: &str) -> NewMessage {
    let body = format!(
        r#"{{"orderId":"O","accountCode":"S","messageStatus":"sent","messageId":{message_id}}}"#
    );
    NewMessage::read(body.as_bytes()).unwrap()
}

#[test]
fn the_provider_message_id_is_optional() {
    assert_eq!(new_message(r#""wamid.A""#).message_id, ProviderMessageId::parse("wamid.A"));
    assert_eq!(new_message("null").message_id, None);
    let stored = r#"{"id":"i","order_id":"O","account_code":"S","message_status":"sent",
        "sent_at":"2026-01-20T10:00:00.000Z"}"#;
    assert_eq!(
        serde_json::from_str::<Message>(stored).unwrap().message_id,
        None,
        "a row of an older release"
    );
}

#[test]
fn keys_of_two_kinds_give_different_ids() {
    use MessageKey::{Idempotency, Provider, Request};
    let id = |key| Message::new(new_message("null"), &key, minute(0)).id;
    let ids = [id(Idempotency("a")), id(Provider("a")), id(Request("a")), id(Provider("b"))];
    assert_eq!(ids.iter().collect::<std::collections::BTreeSet<_>>().len(), ids.len());
    assert_eq!(id(Provider("a")), id(Provider("a")));
}

#[test]
fn a_repeated_request_has_the_same_values() {
    let first = Message::new(new_message(r#""wamid.A""#), &MessageKey::Idempotency("k"), minute(0));
    let later = Message { sent_at: minute(9), ..first.clone() };
    assert!(later.repeats(&first));
    for other in [
        Message { id: "other".to_owned(), ..first.clone() },
        Message { message_status: MessageStatus::parse("read").unwrap(), ..first.clone() },
        Message { message_id: None, ..first.clone() },
        Message { channel: "sms".to_owned().try_into().ok(), ..first.clone() },
        Message { given_sent_at: Some(minute(0)), ..first.clone() },
    ] {
        assert!(!other.repeats(&first), "{other:?}");
    }
}

#[test]
fn an_order_shows_its_newest_message() {
    let message = |id: &str, minutes| Message {
        id: id.to_owned(),
        ..Message::new(new_message("null"), &MessageKey::Request("r"), minute(minutes))
    };
    let with_status = |on: &Order, message: &Message, shown: &str, now| {
        message.latest_on(on, shown.to_owned(), minute(now))
    };
    let (first, second) = (message("b", 1), message("a", 2));
    let order = with_status(&order("S", MINIMAL), &first, "sent", 1);
    let steps = [
        ("an older message", message("z", 0), "read", 5, "sent", 1),
        ("same time, lower id", message("a", 1), "read", 5, "sent", 1),
        ("same time, higher id", message("c", 1), "read", 5, "read", 5),
        ("the same message", first, "delivered", 5, "delivered", 5),
        ("a newer message", second, "pending", 2, "pending", 2),
    ];
    for (name, message, shown, now, expected, updated) in steps {
        let after = with_status(&order, &message, shown, now);
        let (state, before) = (&after.state, &order.state);
        assert_eq!(state.latest_message_status.as_deref(), Some(expected), "{name}");
        assert_eq!((state.rev, state.version), (before.rev + 1, before.version), "{name}");
        assert_eq!(state.updated_at, minute(updated), "{name}");
        assert_eq!(message.is_newest(before), shown == expected, "{name}");
    }
}

#[test]
fn an_order_without_a_message_id_takes_a_message_of_the_same_time() {
    let mut order = order("S", MINIMAL);
    order.state.latest_message_at = Some(minute(1));
    let newest = |minutes| {
        Message::new(new_message("null"), &MessageKey::Request("r"), minute(minutes))
            .is_newest(&order.state)
    };
    assert_eq!([0, 1, 2].map(newest), [false, true, true]);
}

#[test]
fn shows_all_statuses_of_a_message() {
    let shown = |message: &Message, tracked: &TrackedMessage| {
        serde_json::to_value(MessageView::new(message, tracked, minute(9))).unwrap()
    };
    let plain = Message::new(new_message("null"), &MessageKey::Request("r"), minute(0));
    let expected = serde_json::json!({
        "id": plain.id, "order_id": "O", "account_code": "S", "message_status": "sent",
        "sent_at": "2026-01-20T10:00:00.000Z", "message_id": null,
        "channel": null, "template": null, "error": null, "statuses": [],
        "phone_number_id": null, "to": null, "language": null, "rule": null, "doubtful": false,
    });
    assert_eq!(shown(&plain, &TrackedMessage::default()), expected);

    let linked =
        Message::new(new_message(r#""wamid.A""#), &MessageKey::Provider("wamid.A"), minute(0));
    let mut tracked = TrackedMessage::default();
    tracked.link(&linked);
    tracked.tracking.observe(ProviderStatus::Delivered, minute(3));
    tracked.tracking.observe(ProviderStatus::Sent, minute(-1));
    let expected = serde_json::json!({
        "id": linked.id, "order_id": "O", "account_code": "S", "message_status": "delivered",
        "sent_at": "2026-01-20T10:00:00.000Z", "message_id": "wamid.A",
        "channel": null, "template": null, "error": null,
        "phone_number_id": null, "to": null, "language": null, "rule": null, "doubtful": false,
        "statuses": [{"status": "sent", "at": "2026-01-20T09:59:00.000Z"},
                     {"status": "delivered", "at": "2026-01-20T10:03:00.000Z"}],
    });
    assert_eq!(shown(&linked, &tracked), expected);
}
