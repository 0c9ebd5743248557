//! Unusual and unreadable bodies.

use super::*;
use crate::testing::assert_rejects_non_objects;

#[test]
fn rejects_bodies_that_are_not_objects() {
    assert_rejects_non_objects("id", read);
}

#[test]
fn ignores_fields_of_the_wrong_type() {
    let expected = report(&body());
    for odd in
        [json!({"a": 1}), json!([1]), json!(true), json!("🎉\u{202e}"), json!("x".repeat(2049))]
    {
        let report = report(&with(json!({"id": odd, "created_at": odd, "unheard_of": odd})));
        assert_eq!((report.status, report.occurred_at), (Status::Completed, None), "{odd}");
        assert_eq!(report.provider_id, expected.provider_id, "{odd}");
        assert_eq!(report.source_status, expected.source_status, "{odd}");
    }
    for odd in [json!({}), json!([]), json!(true), json!(7)] {
        assert_eq!(
            read_value(&with(json!({"type": odd}))),
            Ok(Reading::Ignored(IgnoreReason::UnknownType)),
            "{odd}"
        );
    }
    let lone = br#"{"id":"\ud800","type":"stamp.failed","created_at":"\ud800",
        "data":{"order":{"id":"x","status":"\ud800"},"error":{"message":"\ud800"}}}"#;
    let report = only(read(lone));
    assert_eq!((report.status, report.note, report.occurred_at), (Status::Failed, None, None));
    assert_eq!(report.source_status.as_deref(), Some("stamp.failed"));
}

#[test]
fn ignores_amounts() {
    let expected = report(&body());
    for amount in
        ["-1", "1e308", "1e400", "0.1", "\"1000\"", "null", "{}", "123456789012345678901234567890"]
    {
        let body = body().to_string().replace("1000", amount);
        assert!(body.contains(amount), "{body}");
        assert_eq!(only(read(body.as_bytes())), expected, "{amount}");
    }
}

#[test]
fn keeps_all_digits_of_order_ids() {
    for (value, expected) in [
        ("12345", "12345"),
        ("0", "0"),
        ("123456789012345678901234567890", "123456789012345678901234567890"),
        (r#""0012""#, "0012"),
        (r#"" order_1 ""#, "order_1"),
        (r#""a#b""#, "a#b"),
        (r#""e\u0301""#, "\u{e9}"),
        (r#""ORDER_1""#, "ORDER_1"),
    ] {
        let data = format!(r#"{{"order":{{"id":{value}}}}}"#);
        let body =
            format!(r#"{{"id":"x","type":"order.delivered","created_at":"x","data":{data}}}"#);
        let report = only(read(body.as_bytes()));
        assert_eq!(report.provider_id.as_ref().map(ProviderId::as_str), Some(expected), "{body}");
    }
}

#[test]
fn parses_times_in_every_format() {
    for (text, expected) in [
        (json!("2024-01-15T10:30:00Z"), time("2024-01-15T10:30:00Z")),
        (json!("2024-01-15T10:30:00.123456Z"), time("2024-01-15T10:30:00.123Z")),
        (json!("2024-01-15T16:00:00+05:30"), time("2024-01-15T10:30:00Z")),
        (json!("2024-01-15T16:00:00"), time("2024-01-15T10:30:00Z")),
        (json!("9999-12-31T23:59:59Z"), time("9999-12-31T23:59:59Z")),
        (json!("1969-12-31T23:59:59Z"), None),
        (json!("2024-01-15"), None),
        (json!("Invalid Date"), None),
        (json!(1_705_314_600), None),
        (json!(1_705_314_600_000_u64), None),
        (json!(-1), None),
    ] {
        assert_eq!(report(&with(json!({"created_at": text}))).occurred_at, expected, "{text}");
    }
}

#[test]
fn last_of_repeated_keys_counts() {
    let body = br#"{"id":"a","id":"b","type":"x","type":"order.delivered","created_at":"x",
        "data":[],"data":{"order":{"id":"1"},"order":{"id":"2"}}}"#;
    let report = only(read(body));
    assert_eq!(report.provider_id.as_ref().map(ProviderId::as_str), Some("2"));
    let delivered = with(json!({"id": "b", "type": "order.delivered"}));
    assert_eq!(report.id, super::report(&delivered).id);
}

#[test]
fn parses_huge_bodies() {
    let text = "x".repeat(500_000);
    let mut body = event(
        "stamp.failed",
        json!({"error": {"message": text}, "stamp_request": vec![0; 100_000]}),
    );
    body["data"]["order"]["status"] = json!(text);
    body.as_object_mut().unwrap().insert("k".repeat(65_536), json!(1));
    let report = report(&body);
    assert_eq!(report.note.map(|note| note.len()), Some(256));
    assert_eq!(report.source_status.map(|label| label.len()), Some(128));
}
