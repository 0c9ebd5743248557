//! What they say.

use aws::tables::inbound::EventState::Quarantined;
use futures::future::join_all;

use super::*;
use crate::bad_inputs::case::settled;
use crate::bad_inputs::post::Door;
use crate::bad_inputs::surface::put;
use crate::support::Calls;

/// The good body with these values at these places.
fn with(tag: &str, values: &[(&str, Value)]) -> Value {
    let mut body = good(tag);
    for (pointer, value) in values {
        put(&mut body, pointer, value.clone());
    }
    body
}

fn without(tag: &str, name: &str) -> String {
    let mut body = good(tag);
    body.as_object_mut().unwrap().remove(name);
    body.to_string()
}

#[tokio::test]
async fn what_every_event_has() {
    let surface = surface().await;
    let mut cases = Vec::new();
    for name in ["id", "type", "created_at", "data"] {
        let absent = surface.post(without(&unique(""), name));
        let null = surface.post(surface.with(&unique(""), &format!("/{name}"), "null"));
        cases.push(Case::new(format!("no {name}"), absent, unreadable().about(name)));
        cases.push(Case::new(format!("{name} null"), null, unreadable().about(name)));
    }
    check(surface, &cases).await;
}

#[tokio::test]
async fn odd_content() {
    let surface = surface().await;
    let case = |name: &str, values: &[(&str, Value)], outcome| {
        let tag = unique("");
        Case::new(name, surface.post(with(&tag, values).to_string()), outcome)
            .on(surface.subject(&tag))
    };
    let no_order = || taken(Ignored).because("no_order_named");
    let huge = {
        let tag = unique("");
        let post = surface.post(surface.with(&tag, "/data/stamp_request/amount", "1e308"));
        Case::new("amount 1e308", post, taken(Processed)).on(surface.subject(&tag))
    };
    let cases = [
        case("amount -1", &[("/data/stamp_request/amount", json!(-1))], taken(Processed)),
        case("amount \"1000\"", &[("/data/stamp_request/amount", json!("1000"))], taken(Processed)),
        huge,
        case("data []", &[("/data", json!([]))], no_order()),
        case("data \"x\"", &[("/data", json!("x"))], no_order()),
        case("no order.id", &[("/data/order", json!({"status": "COMPLETED"}))], no_order()),
        case("order []", &[("/data/order", json!([]))], no_order()),
    ];
    check(surface, &cases).await;
}

#[tokio::test]
async fn a_type_is_said_twice_and_known_to_the_letter() {
    let surface = surface().await;
    let case = |name: &str, kind: &str, header: Option<&str>, outcome| {
        let tag = unique("");
        let post = surface.post(with(&tag, &[("/type", json!(kind))]).to_string());
        let post = Post {
            headers: post.headers.into_iter().filter(|(name, _)| *name != KIND.0).collect(),
            ..post
        };
        let post = if let Some(header) = header { post.with(KIND.0, header) } else { post };
        Case::new(name, post, outcome).on(surface.subject(&tag))
    };
    let contradictory = || taken(Quarantined).because("event_header");
    let unknown = || taken(Ignored).because("unknown_type");
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
    check(surface, &cases).await;
}

/// The first that comes under an id is the event. Another is kept beside it, and answered as if all was well.
#[tokio::test]
async fn an_id_is_one_events() {
    let surface = surface().await;
    let events = stack().events(&Calls::default());
    let (tag, twin) = (unique(""), unique(""));
    let (subject, others) = (surface.subject(&tag), surface.subject(&twin));
    subject.make().await;
    others.make().await;
    let name = format!("Webhook_{tag}");
    let send = async |id: &str, tag: &str| {
        let post = surface.post(with(tag, &[("/id", json!(id))]).to_string());
        let post = post.with("x-esahayak-delivery", unique("delivery_"));
        let answer = Door::Front.send(&post).await;
        assert_eq!((answer.status, answer.json["event_id"].as_str()), (200, Some(id)));
        let row = settled(&events, surface, &post, &answer).await.unwrap();
        (row.state, row.reason)
    };
    assert_eq!(send(&name, &tag).await, (Processed, None));
    assert_eq!(send(&name, &tag).await, (Processed, None), "the same again, in another delivery");
    assert_eq!(send(&name, &twin).await, (Quarantined, Some("id_reused".to_owned())));
    assert_eq!(
        (&subject.seen().await["version"], &others.seen().await["status"]),
        (&json!(2), &json!("pending"))
    );
    assert_eq!(
        send(&name.to_lowercase(), &twin).await,
        (Processed, None),
        "another spelling is another event"
    );
    assert_eq!(others.seen().await["status"], "completed");
}

#[tokio::test]
async fn one_after_the_other() {
    let surface = surface().await;
    let events = stack().events(&Calls::default());
    for (first, second, status, reason) in [
        ("order.delivered", "order.cancelled", "delivered", json!("after_terminal")),
        ("stamp.failed", "stamp.uploaded", "completed", json!(null)),
    ] {
        let tag = unique("");
        let subject = surface.subject(&tag);
        subject.make().await;
        for (minute, kind) in [first, second].into_iter().enumerate() {
            let at = format!("2026-01-20T10:0{minute}:00Z");
            let id = format!("webhook_{minute}_{tag}");
            let body = with(
                &tag,
                &[("/id", json!(id)), ("/type", json!(kind)), ("/created_at", json!(at))],
            );
            let post = surface.post(body.to_string()).with(KIND.0, kind);
            let answer = Door::Front.send(&post).await;
            assert_eq!(
                settled(&events, surface, &post, &answer).await.unwrap().state,
                Processed,
                "{kind}"
            );
        }
        let order = subject.seen().await;
        assert_eq!(
            (&order["status"], &order["timeline"][0]["reason"]),
            (&json!(status), &reason),
            "{second}"
        );
    }
}

#[tokio::test]
async fn an_id_of_another_provider_is_another_id() {
    let surface = surface().await;
    let tag = unique("");
    let mut others = surface.subject(&unique(""));
    others.order["refs"] = json!({"shiprocket": format!("order_{tag}")});
    others.order["awb"] = json!(format!("order_{tag}"));
    others.make().await;
    check(
        surface,
        &[Case::new("ours", surface.good(&tag), taken(Processed)).on(surface.subject(&tag))],
    )
    .await;
    let untouched = others.seen().await;
    assert_eq!((&untouched["status"], &untouched["timeline"]), (&json!("pending"), &json!([])));
}

/// What no time is read from counts as when it came, and so does what lies ahead.
#[tokio::test]
async fn odd_times() {
    let surface = surface().await;
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
        let tag = unique("");
        let subject = surface.subject(&tag);
        let post = surface.post(with(&tag, &[("/created_at", time.clone())]).to_string());
        check(surface, &[Case::new(time.to_string(), post, taken(Processed)).on(subject.clone())])
            .await;
        let entry = &subject.seen().await["timeline"][0];
        let expected = expected.map_or_else(|| entry["receivedAt"].clone(), Value::from);
        assert_eq!(entry["occurredAt"], expected, "{time}");
    };
    join_all(times.iter().map(each)).await;
}
