//! Unusual bodies of Shiprocket.

use std::time::Duration;

use aws::tables::inbound::EventState::Ignored;
use futures::future::join_all;

use super::*;
use crate::bad_inputs::test_case::send_and_settle;
use crate::support::sample;

/// A valid body with these top-level fields replaced.
fn body_with(tag: &str, fields: &Value) -> String {
    let mut body = valid_body(tag);
    body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    body.to_string()
}

/// A case for an order that ends in this status, or that does not change.
fn order_case(
    source: &SourceFixture,
    name: &str,
    fields: &Value,
    changed_status: Option<&'static str>,
) -> TestCase<'static> {
    let tag = unique("");
    let outcome = accepted(Processed);
    let outcome = if changed_status.is_some() { outcome } else { outcome.without_change() };
    let order =
        TestOrder { changed_status: changed_status.unwrap_or("none"), ..source.order(&tag) };
    TestCase::new(name, source.request(body_with(&tag, fields)), outcome).for_order(order)
}

#[tokio::test]
async fn reads_unusual_statuses_and_scans() {
    let source = fixture().await;
    let label = |label: &str| {
        let id = Value::Null;
        json!({"shipment_status_id": id, "shipment_status": label,
               "current_status_id": id, "current_status": id})
    };
    let scan = |n: usize| {
        let date = format!("2023-05-23 {:02}:00:00", n % 24);
        json!({"date": date, "activity": format!("stop {n}")})
    };
    let scans = |count: usize| (0..count).map(scan).collect::<Vec<_>>();
    let reversed: Vec<Value> = scans(9).into_iter().rev().collect();
    let contradictory = json!({
        "shipment_status": "DELIVERED", "current_status": "CANCELLED", "current_status_id": 5,
    });
    let cases = [
        ("FOO", label("FOO"), None),
        (
            "FOO with a known id",
            json!({"shipment_status_id": null, "shipment_status": "FOO",
            "current_status_id": 36, "current_status": "FOO"}),
            Some("undelivered"),
        ),
        ("NDR PENDING", label("NDR PENDING"), Some("undelivered")),
        ("RTO IN INTRANSIT", label("RTO IN INTRANSIT"), Some("return_in_transit")),
        ("DELIVERY FAILED", label("DELIVERY FAILED"), None),
        ("trailing space", label("Delivered "), Some("delivered")),
        ("RTO DELIVERED", label("RTO DELIVERED"), Some("returned")),
        ("fields disagree", contradictory, Some("in_transit")),
        ("scans null", json!({"scans": null}), Some("in_transit")),
        ("scans {}", json!({"scans": {}}), Some("in_transit")),
        ("scans 10k", json!({"scans": scans(10_000)}), Some("in_transit")),
        ("scans reversed", json!({"scans": reversed}), Some("in_transit")),
    ];
    check(source, &cases.map(|(name, fields, status)| order_case(source, name, &fields, status)))
        .await;
}

#[tokio::test]
async fn matches_unusual_awbs_and_order_ids() {
    let source = fixture().await;
    let case = |name: &str, ids: Value, outcome| {
        let mut fields = json!({"awb": "", "order_id": null, "sr_order_id": null});
        fields.as_object_mut().unwrap().extend(ids.as_object().unwrap().clone());
        TestCase::new(name, source.request(body_with(&unique(""), &fields)), outcome)
    };
    let without_id = || unreadable().with_field("awb, sr_order_id or order_id");
    let order = |awb: String| TestOrder {
        body: json!({"orderId": unique("ORD-"), "awb": awb, "accountCode": source.account}),
        message_id: None,
        changed_status: "in_transit",
    };
    let (first, second, third) = {
        let digits: u64 = format!("19{}", unique("")).parse().unwrap();
        (digits, digits + 1, format!("00{}", digits + 2))
    };
    let ping = source.request(sample("shiprocket/test_ping").to_string());
    let wrong_types = json!({"awb": [], "order_id": {}, "sr_order_id": true});
    let cases = [
        case("unknown AWB", json!({"awb": unique("19")}), accepted(Unmatched)),
        case("AWB as number", json!({"awb": first}), accepted(Processed))
            .for_order(order(first.to_string())),
        case("AWB without leading zeros", json!({"awb": second}), accepted(Processed))
            .for_order(order(format!("00{second}"))),
        case("AWB with leading zeros", json!({"awb": third}), accepted(Processed))
            .for_order(order(third.clone())),
        case("order id 0", json!({"order_id": 0}), accepted(Unmatched)),
        case("order id -1", json!({"order_id": -1}), accepted(Unmatched)),
        case("order id 1.5", json!({"order_id": 1.5}), without_id()),
        case("no id", json!({}), without_id()),
        case("ids of wrong types", wrong_types, without_id()),
        TestCase::new("test ping", ping, accepted(Ignored).with_reason("test_ping")),
    ];
    check(source, &cases).await;
}

#[tokio::test]
async fn uses_the_receive_time_when_a_time_is_invalid_or_in_the_future() {
    let source = fixture().await;
    let hour_ahead = aws::clock::now().after(Duration::from_secs(3600)).to_string();
    let times = [
        (json!("23 05 2023 11:43:52"), Some("2023-05-23T06:13:52.000Z")),
        (json!("03 04 2026 10:00:00"), Some("2026-04-03T04:30:00.000Z")),
        (json!("2026-01-20T10:15:30"), Some("2026-01-20T04:45:30.000Z")),
        (json!("2026-01-20 10:15"), Some("2026-01-20T04:45:00.000Z")),
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
        let body = body_with(&tag, &json!({"current_timestamp": time, "scans": []}));
        let order = apply_in_sequence(source, &tag, &[body]).await;
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

/// Creates an order and sends each body after the previous one is processed. Returns the order.
async fn apply_in_sequence(source: &SourceFixture, tag: &str, bodies: &[String]) -> Value {
    let order = source.order(tag);
    order.create().await;
    for body in bodies {
        let (_, event) = send_and_settle(source, &source.request(body.as_str())).await;
        assert_eq!(event.state, Processed, "{body}");
    }
    order.load().await
}

#[tokio::test]
async fn applies_or_rejects_reports_after_a_terminal_status() {
    let source = fixture().await;
    let sequences = [
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
        let order = apply_in_sequence(source, &tag, &bodies).await;
        assert_eq!(
            (&order["status"], &order["timeline"][0]["reason"]),
            (&json!(status), reason),
            "{name}"
        );
    };
    join_all(sequences.iter().map(each)).await;
}

#[tokio::test]
async fn records_scans_of_two_hubs_in_one_second_separately() {
    let source = fixture().await;
    let tag = unique("");
    let at = |hub: &str| {
        body_with(&tag, &json!({"scans": [{"date": "2023-05-23 11:43:52", "location": hub}]}))
    };
    let bodies = [at("Sampleville"), at("Exampletown"), at("Sampleville")];
    let order = apply_in_sequence(source, &tag, &bodies).await;
    assert_eq!(order["version"], 2);
    let mut hubs: Vec<_> =
        order["timeline"].as_array().unwrap().iter().map(|entry| &entry["location"]).collect();
    hubs.sort_by_key(|hub| hub.to_string());
    assert_eq!(hubs, ["Exampletown", "Sampleville"]);
}

#[tokio::test]
async fn matches_an_awb_only_within_its_tenant() {
    let ours = fixture().await;
    let theirs = ours.at("STORE001", "/webhooks/carrier");
    let tag = unique("");
    let order = |source: &SourceFixture| {
        let mut order = source.order(&tag);
        order.body["awb"] = parcel(&tag).awb.into();
        order
    };
    let their_order = order(&theirs);
    their_order.create().await;
    let case =
        TestCase::new("ours", ours.valid_request(&tag), accepted(Processed)).for_order(order(ours));
    check(ours, &[case]).await;
    let unchanged = their_order.load().await;
    assert_eq!((&unchanged["status"], &unchanged["timeline"]), (&json!("pending"), &json!([])));
}
