//! Property tests: no request makes the parser panic or exceed its limits.

use proptest::prelude::*;

use super::*;
use crate::testing::{is_clean, non_text};
use crate::text::EVENT_ID;

const TYPES: [&str; 6] = [
    "stamp.uploaded",
    "stamp.failed",
    "order.delivered",
    "order.cancelled",
    "order.created",
    "Stamp.Failed",
];

fn text() -> impl Strategy<Value = String> {
    let samples =
        prop::sample::select(vec!["order_12345", "2024-01-15T10:30:00Z", " ", "", "\u{0}", "a/b"]);
    prop_oneof![any::<String>(), samples.prop_map(str::to_owned), "x{250,260}"]
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![4 => non_text(), 6 => text().prop_map(Value::from)]
}

/// Usually an object with some of these fields.
fn object(names: &'static [&'static str]) -> impl Strategy<Value = Value> {
    let fields = prop::collection::hash_map(prop::sample::select(names), scalar(), 0..4)
        .prop_map(|body| json!(body));
    prop_oneof![8 => fields, 1 => scalar(), 1 => prop::collection::vec(scalar(), 0..3).prop_map(Value::from)]
}

fn data() -> impl Strategy<Value = Value> {
    let parts =
        (object(&["id", "status", "created_at"]), object(&["message"]), object(&["reason"]));
    let full = parts.prop_map(
        |(order, error, cancellation)| json!({"order": order, "error": error, "cancellation": cancellation}),
    );
    prop_oneof![8 => full, 1 => object(&["order", "error", "cancellation"])]
}

fn envelope() -> impl Strategy<Value = Value> {
    let kind =
        prop_oneof![8 => prop::sample::select(&TYPES[..]).prop_map(Value::from), 1 => scalar()];
    (scalar(), kind, scalar(), data()).prop_map(
        |(id, kind, at, data)| json!({"id": id, "type": kind, "created_at": at, "data": data}),
    )
}

fn is_sound(report: &Report) -> bool {
    report.provider_id.is_some()
        && report.source_status.is_some()
        && report.status != Status::Unknown
        && is_clean(report)
}

/// The dedup key with the type in a header, if the type is a string.
fn dedup_key_of(body: &Value) -> DedupKey {
    let kind = body["type"].as_str().map(|kind| ("x-esahayak-event", kind));
    dedup_key(kind.as_slice(), body.to_string().as_bytes())
}

proptest! {
    #[test]
    fn any_bytes(body in prop::collection::vec(any::<u8>(), 0..300)) {
        let parse = || {
            let parsed = Esahayak.parse(&Request::stored(None, &body), Timestamp::EPOCH);
            parsed.map(|parsed| (parsed.dedup_key, parsed.reading))
        };
        prop_assert_eq!(parse(), parse());
    }

    #[test]
    fn any_envelope(body in envelope()) {
        let reading = read_value(&body);
        prop_assert_eq!(&reading, &read_value(&body));
        if let Ok(Reading::Reports(reports)) = &reading {
            prop_assert!(reports.items.iter().all(is_sound), "{:?}", reports);
        }
    }

    #[test]
    fn same_event_id_gives_the_same_report_id(body in envelope(), other in envelope()) {
        let DedupKey::ProviderId(id) = dedup_key_of(&body) else { return Ok(()) };
        prop_assert!((1..=EVENT_ID).contains(&id.len()) && !id.contains(char::is_control), "{}", id);
        let mut twin = other;
        twin["id"] = json!(id);
        if let (Ok(Reading::Reports(first)), Ok(Reading::Reports(second))) = (read_value(&body), read_value(&twin)) {
            prop_assert_eq!(&first.items[0].id, &second.items[0].id);
        }
    }
}
