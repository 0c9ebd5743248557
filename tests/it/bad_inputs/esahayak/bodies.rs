//! Unusual and contradictory bodies of eSahayak.

use aws::tables::inbound::EventState::Quarantined;
use futures::future::join_all;

use super::*;
use crate::bad_inputs::test_case::send_and_settle;

fn without(tag: &str, name: &str) -> String {
    let mut body = valid_body(tag);
    body.as_object_mut().unwrap().remove(name);
    body.to_string()
}

#[tokio::test]
async fn rejects_events_without_required_fields() {
    let source = fixture().await;
    let mut cases = Vec::new();
    for name in ["id", "type", "created_at", "data"] {
        let absent = source.request(without(&unique(""), name));
        let null = source.body_with_text(&unique(""), &format!("/{name}"), "null");
        let expected = || unreadable().with_field(name);
        cases.push(TestCase::new(format!("no {name}"), absent, expected()));
        cases.push(TestCase::new(format!("{name} null"), source.request(null), expected()));
    }
    check(source, &cases).await;
}

#[tokio::test]
async fn applies_or_ignores_unusual_content() {
    const AMOUNT: &str = "/data/stamp_request/amount";
    let source = fixture().await;
    let case = |name: &str, pointer: &str, value: Value, outcome| {
        source.case_with(name, &[(pointer, value)], outcome)
    };
    let no_order = || accepted(Ignored).with_reason("no_order_named");
    let huge = {
        let tag = unique("");
        let request = source.request(source.body_with_text(&tag, AMOUNT, "1e308"));
        TestCase::new("amount 1e308", request, accepted(Processed)).for_order(source.order(&tag))
    };
    let cases = [
        case("amount -1", AMOUNT, json!(-1), accepted(Processed)),
        case("amount \"1000\"", AMOUNT, json!("1000"), accepted(Processed)),
        huge,
        case("data []", "/data", json!([]), no_order()),
        case("data \"x\"", "/data", json!("x"), no_order()),
        case("no order.id", "/data/order", json!({"status": "COMPLETED"}), no_order()),
        case("order []", "/data/order", json!([]), no_order()),
    ];
    check(source, &cases).await;
}

/// Types are case-sensitive, in the body and in the header.
#[tokio::test]
async fn quarantines_a_type_that_contradicts_its_header() {
    let source = fixture().await;
    let case = |name: &str, kind: &str, header: Option<&str>, outcome| {
        let mut case = source.case_with(name, &[("/type", json!(kind))], outcome);
        case.request.headers.retain(|(name, _)| *name != EVENT_TYPE.0);
        if let Some(header) = header {
            case.request = case.request.with_header(EVENT_TYPE.0, header);
        }
        case
    };
    let contradictory = || accepted(Quarantined).with_reason("event_header");
    let unknown = || accepted(Ignored).with_reason("unknown_type");
    let cases = [
        case("unknown", "order.created", Some("order.created"), unknown()),
        case("upper case", "STAMP.UPLOADED", Some("STAMP.UPLOADED"), unknown()),
        case("header != type", "stamp.uploaded", Some("stamp.failed"), contradictory()),
        case("header in another case", "stamp.uploaded", Some("Stamp.Uploaded"), contradictory()),
        case("no header", "stamp.uploaded", None, contradictory()),
        case(
            "two headers",
            "stamp.uploaded",
            Some("stamp.uploaded,stamp.uploaded"),
            contradictory(),
        ),
    ];
    check(source, &cases).await;
}

/// The first event with an id is applied. A different one is answered alike and stored apart.
#[tokio::test]
async fn quarantines_a_reused_event_id() {
    let source = fixture().await;
    let (tag, other_tag) = (unique(""), unique(""));
    let (order, other) = (source.order(&tag), source.order(&other_tag));
    order.create().await;
    other.create().await;
    let event_id = format!("Webhook_{tag}");
    let send = async |id: &str, tag: &str| {
        let request = source.request(source.body_with(tag, &[("/id", json!(id))]).to_string());
        let request = request.with_header("x-esahayak-delivery", unique("delivery_"));
        let (answer, event) = send_and_settle(source, &request).await;
        assert_eq!((answer.status, answer.json["event_id"].as_str()), (200, Some(id)));
        (event.state, event.reason)
    };
    assert_eq!(send(&event_id, &tag).await, (Processed, None));
    assert_eq!(send(&event_id, &tag).await, (Processed, None), "a repeat in another delivery");
    let reused = (Quarantined, Some("id_reused".to_owned()));
    assert_eq!(send(&event_id, &other_tag).await, reused);
    assert_eq!(
        (&order.load().await["version"], &other.load().await["status"]),
        (&json!(2), &json!("pending"))
    );
    assert_eq!(
        send(&event_id.to_lowercase(), &other_tag).await,
        (Processed, None),
        "event ids are case-sensitive"
    );
    assert_eq!(other.load().await["status"], "completed");
}

#[tokio::test]
async fn applies_events_in_sequence() {
    let source = fixture().await;
    for (first, second, status, reason) in [
        ("order.delivered", "order.cancelled", "delivered", json!("after_terminal")),
        ("stamp.failed", "stamp.uploaded", "completed", json!(null)),
    ] {
        let tag = unique("");
        let order = source.order(&tag);
        order.create().await;
        for (minute, kind) in [first, second].into_iter().enumerate() {
            let at = format!("2026-01-20T10:0{minute}:00Z");
            let id = format!("webhook_{minute}_{tag}");
            let values = [("/id", json!(id)), ("/type", json!(kind)), ("/created_at", json!(at))];
            let request = source.request(source.body_with(&tag, &values).to_string());
            let request = request.with_header(EVENT_TYPE.0, kind);
            assert_eq!(send_and_settle(source, &request).await.1.state, Processed, "{kind}");
        }
        let order = order.load().await;
        assert_eq!(
            (&order["status"], &order["timeline"][0]["reason"]),
            (&json!(status), &reason),
            "{second}"
        );
    }
}

#[tokio::test]
async fn matches_refs_only_of_the_same_provider() {
    let source = fixture().await;
    let tag = unique("");
    let mut other = source.order(&unique(""));
    other.body["refs"] = json!({"shiprocket": format!("order_{tag}")});
    other.body["awb"] = json!(format!("order_{tag}"));
    other.create().await;
    let case = TestCase::new("ours", source.valid_request(&tag), accepted(Processed))
        .for_order(source.order(&tag));
    check(source, &[case]).await;
    let unchanged = other.load().await;
    assert_eq!((&unchanged["status"], &unchanged["timeline"]), (&json!("pending"), &json!([])));
}

#[tokio::test]
async fn uses_the_receive_time_when_a_time_is_invalid_or_in_the_future() {
    let source = fixture().await;
    let times = [
        (json!("2026-01-20T10:15:30Z"), Some("2026-01-20T10:15:30.000Z")),
        (json!("1970-01-01T00:00:01Z"), Some("1970-01-01T00:00:01.000Z")),
        (json!("9999-12-31T23:59:59Z"), None),
        (json!("Invalid Date"), None),
        (json!(1_768_882_530_000_u64), None),
        (json!(-1), None),
        (json!({}), None),
    ];
    let each = async |(time, expected): &(Value, Option<&str>)| {
        let values = [("/created_at", time.clone())];
        let case = source.case_with(&time.to_string(), &values, accepted(Processed));
        let order = case.order.clone().unwrap();
        check(source, &[case]).await;
        let entry = &order.load().await["timeline"][0];
        let expected = expected.map_or_else(|| entry["receivedAt"].clone(), Value::from);
        assert_eq!(entry["occurredAt"], expected, "{time}");
    };
    join_all(times.iter().map(each)).await;
}
