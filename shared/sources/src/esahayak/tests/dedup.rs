//! Deduplication of events.

use super::*;

const CONTRADICTORY: DedupKey = DedupKey::Contradictory(QuarantineReason::EventHeader);

fn dedup_key(headers: &[(&str, &str)], body: &str) -> DedupKey {
    super::dedup_key(headers, body.as_bytes())
}

fn uploaded(body: &str) -> DedupKey {
    dedup_key(&[("X-eSahayak-Event", "stamp.uploaded")], body)
}

fn of_id(id: &str) -> DedupKey {
    uploaded(&format!(r#"{{"id":{id},"type":"stamp.uploaded"}}"#))
}

fn named(id: &str) -> DedupKey {
    DedupKey::ProviderId(id.to_owned())
}

#[test]
fn dedup_key_is_the_event_id() {
    assert_eq!(uploaded(&body().to_string()), named("webhook_unique_id_1"));
    for (id, expected) in [
        (r#""evt_1""#, "evt_1"),
        (r#""EVT_1""#, "EVT_1"),
        (r#"" evt_1 ""#, " evt_1 "),
        (r#""e\u0301""#, "e\u{301}"),
        (r#""\u00e9""#, "\u{e9}"),
        (r#""a#b/../c""#, "a#b/../c"),
        (r#""007""#, "007"),
        ("7", "7"),
        ("-1", "-1"),
        ("123456789012345678901234567890", "123456789012345678901234567890"),
        ("1e400", "1e400"),
    ] {
        assert_eq!(of_id(id), named(expected), "{id}");
    }
}

#[test]
fn dedup_key_ignores_other_content() {
    let other =
        with(json!({"data": {"order": {"id": "order_2"}}, "created_at": "2025-01-01T00:00:00Z"}));
    assert_eq!(uploaded(&other.to_string()), uploaded(&body().to_string()));
}

#[test]
fn dedup_key_is_the_body_without_a_usable_id() {
    for id in [
        "null",
        r#""""#,
        r#"" ""#,
        "{}",
        "[1]",
        "true",
        r#""a\u0000b""#,
        r#""a\r\nb""#,
        r#""\u001b[2J""#,
    ] {
        assert_eq!(of_id(id), DedupKey::Body, "{id}");
    }
    assert_eq!(of_id(r#""\ud800""#), DedupKey::Body);
    assert_eq!(uploaded(r#"{"type":"stamp.uploaded"}"#), DedupKey::Body);
}

#[test]
fn limits_event_ids_to_256_bytes() {
    for (id, fits) in [
        ("x".repeat(256), true),
        ("x".repeat(257), false),
        ("é".repeat(128), true),
        ("é".repeat(129), false),
    ] {
        let expected = if fits { named(&id) } else { DedupKey::Body };
        assert_eq!(of_id(&format!("\"{id}\"")), expected, "{id}");
    }
}

#[test]
fn quarantines_if_the_header_differs_from_the_type() {
    let body = body().to_string();
    for headers in [
        &[("x-esahayak-event", "stamp.failed")][..],
        &[("x-esahayak-event", "Stamp.Uploaded")],
        &[("x-esahayak-event", "stamp.uploaded,stamp.uploaded")],
        &[("x-esahayak-event", "")],
        &[("x-esahayak-event", "stamp.uploaded"), ("X-eSahayak-Event", "stamp.uploaded")],
        &[("x-esahayak-event", "stamp.failed"), ("x-esahayak-event", "stamp.uploaded")],
        &[("x-esahayak-delivery", "stamp.uploaded")],
        &[],
    ] {
        assert_eq!(dedup_key(headers, &body), CONTRADICTORY, "{headers:?}");
    }
    for name in ["x-esahayak-event", "X-ESAHAYAK-EVENT"] {
        assert_eq!(
            dedup_key(&[(name, "stamp.uploaded")], &body),
            named("webhook_unique_id_1"),
            "{name}"
        );
    }
    assert_eq!(uploaded(r#"{"id":"x","type":" stamp.uploaded"}"#), CONTRADICTORY);
    assert_eq!(
        dedup_key(&[("x-esahayak-event", "order.created")], r#"{"id":"x","type":"order.created"}"#),
        named("x")
    );
}

#[test]
fn compares_the_header_only_with_a_string_or_number() {
    for (body, expected) in [
        (r#"{"id":"x"}"#, named("x")),
        (r#"{"id":"x","type":null}"#, named("x")),
        (r#"{"id":"x","type":" "}"#, named("x")),
        (r#"{"id":"x","type":{}}"#, named("x")),
        ("{}", DedupKey::Body),
    ] {
        assert_eq!(uploaded(body), expected, "{body}");
        assert_eq!(dedup_key(&[], body), expected, "{body}");
    }
    let numeric = r#"{"id":"x","type":7}"#;
    assert_eq!(dedup_key(&[("x-esahayak-event", "7")], numeric), named("x"));
    assert_eq!(uploaded(numeric), CONTRADICTORY);
    assert_eq!(dedup_key(&[], numeric), CONTRADICTORY);
}

#[test]
fn unreadable_bodies_have_no_dedup_key() {
    for body in [&br#"{"id":"x"}"#[..], b"{}", b"[]", b"{", b"", b"\xff\xfe"] {
        let headers = [("x-esahayak-event", "stamp.uploaded")];
        let request = Request { headers: &headers, body, ..Request::default() };
        assert!(Esahayak.parse(&request, Timestamp::EPOCH).is_err(), "{body:?}");
    }
}

#[test]
fn parse_returns_the_dedup_key_with_the_reading() {
    let body = body().to_string();
    for (kind, expected) in
        [("stamp.uploaded", named("webhook_unique_id_1")), ("stamp.failed", CONTRADICTORY)]
    {
        let headers = [("x-esahayak-event", kind)];
        let request = Request { headers: &headers, body: body.as_bytes(), ..Request::default() };
        let parsed = Esahayak.parse(&request, Timestamp::EPOCH).unwrap();
        assert_eq!(parsed.dedup_key, expected, "{kind}");
        assert!(matches!(parsed.reading, Reading::Reports(_)), "{kind}");
    }
}
