//! What tells an event from others.

use super::*;

const CONTRADICTORY: DedupKey = DedupKey::Contradictory("event_header");

fn dedup_key(headers: &[(&str, &str)], body: &str) -> DedupKey {
    Esahayak.dedup_key(&Request { headers, source_ip: None, body: body.as_bytes() })
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
fn an_event_is_known_by_its_id() {
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
fn the_same_id_with_other_content_is_the_same_event() {
    let other =
        with(json!({"data": {"order": {"id": "order_2"}}, "created_at": "2025-01-01T00:00:00Z"}));
    assert_eq!(uploaded(&other.to_string()), uploaded(&body().to_string()));
}

#[test]
fn an_id_that_cannot_be_used_leaves_the_bytes() {
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
fn an_id_has_at_most_256_bytes() {
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
fn the_header_repeats_the_type() {
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
fn a_body_without_a_type_contradicts_nothing() {
    for (body, expected) in [
        (r#"{"id":"x"}"#, named("x")),
        (r#"{"id":"x","type":null}"#, named("x")),
        (r#"{"id":"x","type":" "}"#, named("x")),
        (r#"{"id":"x","type":{}}"#, named("x")),
        ("{}", DedupKey::Body),
        ("[]", DedupKey::Body),
        ("{", DedupKey::Body),
        ("", DedupKey::Body),
    ] {
        assert_eq!(uploaded(body), expected, "{body}");
        assert_eq!(dedup_key(&[], body), expected, "{body}");
    }
    let binary = Request { headers: &[], source_ip: None, body: b"\xff\xfe" };
    assert_eq!(Esahayak.dedup_key(&binary), DedupKey::Body);
}
