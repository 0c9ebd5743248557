//! What they say.

use aws::tables::inbound::EventState::{Ignored, Processed, Unmatched};
use futures::future::join_all;
use serde_json::{Value, json};

use super::*;
use crate::bad_inputs::case::settled;
use crate::bad_inputs::post::Door;
use crate::support::Calls;

/// The good body with these fields in place of its own.
fn with(tag: &str, fields: &Value) -> String {
    let mut body = good(tag);
    body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    body.to_string()
}

/// A case about an order that ends in this status; without one it stays as it is.
fn about_an_order(
    surface: &Surface,
    name: &str,
    fields: &Value,
    moved: Option<&'static str>,
) -> Case<'static> {
    let tag = unique("");
    let outcome =
        if moved.is_some() { taken(Processed) } else { taken(Processed).moving_nothing() };
    let subject = Subject { moved: moved.unwrap_or("nowhere"), ..surface.subject(&tag) };
    Case::new(name, surface.post(with(&tag, fields)), outcome).on(subject)
}

#[tokio::test]
async fn odd_words_and_scans() {
    let surface = surface().await;
    let words = |label: &str| json!({"shipment_status_id": null, "shipment_status": label, "current_status_id": null});
    let scan = |n: usize| json!({"date": format!("2023-05-23 {:02}:00:00", n % 24), "activity": format!("stop {n}")});
    let scans = |count: usize| (0..count).map(scan).collect::<Vec<_>>();
    let backwards: Vec<Value> = scans(9).into_iter().rev().collect();
    let disagree = json!({"shipment_status": "DELIVERED", "current_status": "CANCELLED", "current_status_id": 5});
    check(
        surface,
        &[
            about_an_order(surface, "FOO", &words("FOO"), None),
            about_an_order(surface, "trailing space", &words("Delivered "), Some("delivered")),
            about_an_order(surface, "RTO DELIVERED", &words("RTO DELIVERED"), Some("returned")),
            about_an_order(surface, "fields disagree", &disagree, Some("in_transit")),
            about_an_order(surface, "scans null", &json!({"scans": null}), Some("in_transit")),
            about_an_order(surface, "scans {}", &json!({"scans": {}}), Some("in_transit")),
            about_an_order(
                surface,
                "scans 10k",
                &json!({"scans": scans(10_000)}),
                Some("in_transit"),
            ),
            about_an_order(
                surface,
                "scans reversed",
                &json!({"scans": backwards}),
                Some("in_transit"),
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn odd_names_of_parcels_and_orders() {
    let surface = surface().await;
    let nameless = json!({"awb": "", "order_id": null, "sr_order_id": null});
    let named = |fields: Value| {
        let mut all = nameless.clone();
        all.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        surface.post(with(&unique(""), &all))
    };
    let none = || unreadable().about("awb, sr_order_id or order_id");
    let digits: u64 = format!("19{}", unique("")).parse().unwrap();
    let order = |awb: String| {
        let order = json!({"orderId": unique("ORD-"), "awb": awb, "accountCode": surface.account});
        Subject { order, message: None, moved: "in_transit" }
    };
    let ping = std::fs::read(format!(
        "{}/../events/shiprocket/test_ping.json",
        env!("CARGO_MANIFEST_DIR")
    ))
    .unwrap();
    check(
        surface,
        &[
            Case::new("unknown awb", named(json!({"awb": unique("19")})), taken(Unmatched)),
            Case::new("awb int", named(json!({"awb": digits})), taken(Processed))
                .on(order(digits.to_string())),
            Case::new("zeros lost", named(json!({"awb": digits + 1})), taken(Processed))
                .on(order(format!("00{}", digits + 1))),
            Case::new(
                "zeros kept",
                named(json!({"awb": format!("00{}", digits + 2)})),
                taken(Processed),
            )
            .on(order(format!("00{}", digits + 2))),
            Case::new("order id 0", named(json!({"order_id": 0})), taken(Unmatched)),
            Case::new("order id -1", named(json!({"order_id": -1})), taken(Unmatched)),
            Case::new("order id 1.5", named(json!({"order_id": 1.5})), none()),
            Case::new("no name", named(json!({})), none()),
            Case::new(
                "names of the wrong kind",
                named(json!({"awb": [], "order_id": {}, "sr_order_id": true})),
                none(),
            ),
            Case::new("test ping", surface.post(ping), taken(Ignored).because("test_ping")),
        ],
    )
    .await;
}

/// What no time is read from counts as when it came, and so does what lies ahead.
#[tokio::test]
async fn odd_times() {
    let surface = surface().await;
    let hour_ahead = aws::clock::now().after(std::time::Duration::from_secs(3600)).to_string();
    let times = [
        (json!("23 05 2023 11:43:52"), Some("2023-05-23T06:13:52.000Z")),
        (json!("03 04 2026 10:00:00"), Some("2026-04-03T04:30:00.000Z")),
        (json!("2026-01-20T10:15:30"), Some("2026-01-20T04:45:30.000Z")),
        (json!("1970-01-01T00:00:01Z"), Some("1970-01-01T00:00:01.000Z")),
        (json!("9999-12-31 23:59:59"), None),
        (json!(hour_ahead), None),
        (json!("Invalid Date"), None),
        (json!(1_768_882_530_000_u64), None),
        (json!(-1), None),
        (json!(" "), None),
    ];
    let each = async |(time, expected): &(Value, Option<&str>)| {
        let tag = unique("");
        let order =
            told(surface, &tag, &[with(&tag, &json!({"current_timestamp": time, "scans": []}))])
                .await;
        let entry = &order["timeline"][0];
        let expected = expected.map_or_else(|| entry["receivedAt"].clone(), Value::from);
        assert_eq!(
            (&order["status"], &entry["occurredAt"]),
            (&json!("in_transit"), &expected),
            "{time}"
        );
    };
    join_all(times.iter().map(each)).await;
}

/// Posts one after the other, each when the one before is worked on. The order as it stands then.
async fn told(surface: &Surface, tag: &str, bodies: &[String]) -> Value {
    let (subject, events) = (surface.subject(tag), stack().events(&Calls::default()));
    subject.make().await;
    for body in bodies {
        let post = surface.post(body.as_str());
        let answer = Door::Front.send(&post).await;
        assert_eq!(
            settled(&events, surface, &post, &answer).await.unwrap().state,
            Processed,
            "{body}"
        );
    }
    subject.seen().await
}

#[tokio::test]
async fn what_follows_an_end() {
    let surface = surface().await;
    let stories = [
        (
            "IN TRANSIT after DELIVERED",
            [(7, "DELIVERED"), (18, "IN TRANSIT")],
            "delivered",
            json!("after_terminal"),
        ),
        (
            "DELIVERED after CANCELLED",
            [(8, "CANCELLED"), (7, "DELIVERED")],
            "delivered",
            json!(null),
        ),
        (
            "RTO after DELIVERED",
            [(7, "DELIVERED"), (9, "RTO INITIATED")],
            "return_initiated",
            json!(null),
        ),
    ];
    let each = async |(name, steps, status, reason): &(&str, [(u32, &str); 2], &str, Value)| {
        let tag = unique("");
        let body = |(n, (id, label)): (usize, &(u32, &str))| {
            parcel(&tag).report(*id, label, &format!("{:02}:00:00", n + 8)).to_string()
        };
        let bodies: Vec<String> = steps.iter().enumerate().map(body).collect();
        let order = told(surface, &tag, &bodies).await;
        assert_eq!(
            (&order["status"], &order["timeline"][0]["reason"]),
            (&json!(status), reason),
            "{name}"
        );
    };
    join_all(stories.iter().map(each)).await;
}

#[tokio::test]
async fn two_hubs_in_one_second_are_two_reports() {
    let surface = surface().await;
    let tag = unique("");
    let at = |hub: &str| {
        with(&tag, &json!({"scans": [{"date": "2023-05-23 11:43:52", "location": hub}]}))
    };
    let order =
        told(surface, &tag, &[at("Sampleville"), at("Exampletown"), at("Sampleville")]).await;
    assert_eq!(order["version"], 2);
    let mut hubs: Vec<_> =
        order["timeline"].as_array().unwrap().iter().map(|entry| &entry["location"]).collect();
    hubs.sort_by_key(|hub| hub.to_string());
    assert_eq!(hubs, ["Exampletown", "Sampleville"]);
}

#[tokio::test]
async fn one_awb_of_two_tenants() {
    let ours = surface().await;
    let theirs = ours.at("STORE001", "/webhooks/carrier");
    let tag = unique("");
    let order = |surface: &Surface| {
        let mut subject = surface.subject(&tag);
        subject.order["awb"] = parcel(&tag).awb.into();
        subject
    };
    let others = order(&theirs);
    others.make().await;
    check(ours, &[Case::new("ours", ours.good(&tag), taken(Processed)).on(order(ours))]).await;
    let untouched = others.seen().await;
    assert_eq!((&untouched["status"], &untouched["timeline"]), (&json!("pending"), &json!([])));
}
