#![expect(clippy::unwrap_used)]

use domain::core::id::{AccountCode, Awb, OrderId};
use domain::core::timestamp::Timestamp;
use domain::tracking::report::Report;
use domain::tracking::status::{Leg, Status};
use serde_json::{Value, json};

use super::*;
use crate::testing::time;

mod any;
mod bodies;
mod ids;
mod matching;
mod unreadable;

/// 24 November 2026, 10:30:40 in India.
const NOW: &str = "2026-11-24T05:00:40Z";

/// A queried order: account, order id, AWB.
type Order = (&'static str, &'static str, &'static str);

const ORDER: Order = ("STORE001", "ORD1001", "22600000000001");

/// Shaped like responses that implementers published. Numbers, names and places are made up.
fn answer() -> Value {
    json!([
        {
            "awb": 22600000000001_u64,
            "tracking_details": {
                "shipment_status": "RTD",
                "shipment_details": [{
                    "courier_id": 1,
                    "courier_name": "Delhivery",
                    "order_id": "ORD1001",
                    "pickup_date": "2026-01-02 18:20:00",
                    "delivered_date": "1970-01-01 05:30:00",
                    "weight": "0.5",
                    "packages": 1,
                    "current_status": "RTO Delivered",
                    "delivered_to": "Exampletown",
                    "destination": "Exampletown",
                    "consignee_name": "Test Person",
                    "origin": "Sampleville"
                }],
                "track_url": "https://example.invalid/track/22600000000001",
                "shipment_track_activities": [
                    {"date": "2026-01-14 15:11:34", "activity": "RETURN Accepted", "location": "Sampleville (Haryana)"},
                    {"date": "2026-01-10 09:02:10", "activity": "RTO Initiated", "location": "Exampletown (Bihar)"},
                    {"date": "", "activity": "Manifested", "location": ""}
                ]
            }
        },
        {"awb": 22600000000002_u64}
    ])
}

/// An item with this code and one scan.
fn item(awb: &str, code: &str, date: &str) -> Value {
    let activities = json!([{"date": date, "activity": "x", "location": "Hub"}]);
    json!({"awb": awb, "tracking_details": {"shipment_status": code, "shipment_track_activities": activities}})
}

fn read_bytes(orders: &[Order], body: &[u8]) -> Result<Vec<ParcelAnswer>, UnreadableAnswer> {
    let parse = |(account, order, awb): &Order| {
        (
            AccountCode::parse(account).unwrap(),
            OrderId::parse(order).unwrap(),
            Awb::parse(awb).unwrap(),
        )
    };
    let orders: Vec<_> = orders.iter().map(parse).collect();
    let queries: Vec<_> = orders
        .iter()
        .map(|(account, order_id, awb)| TrackingQuery { account, order_id, awb })
        .collect();
    super::read(&queries, body)
}

fn read(orders: &[Order], body: &Value) -> Vec<ParcelAnswer> {
    read_bytes(orders, body.to_string().as_bytes()).unwrap()
}

/// The result for [`ORDER`].
fn found(body: &Value) -> ParcelAnswer {
    read(&[ORDER], body).remove(0)
}

fn report(body: &Value) -> Report {
    let ParcelAnswer::Known(report) = found(body) else { unreachable!("unknown: {body}") };
    *report
}

/// A response about [`ORDER`] with these tracking details.
fn details(details: Value) -> Value {
    json!([{"awb": ORDER.2, "tracking_details": details}])
}

#[test]
fn builds_one_request_for_many_parcels() {
    let path = |awbs: &[&str]| {
        path_and_query(&awbs.iter().map(|awb| Awb::parse(awb).unwrap()).collect::<Vec<_>>())
    };
    for (awbs, list) in [
        (&[][..], ""),
        (&["22600000000001"], "22600000000001"),
        (&["A", "B", "C"], "A,B,C"),
        (&["A", "B", "A"], "A,B"),
        (&["a", "A", "0012", "12"], "a,A,0012,12"),
        (&["A,B", "C"], "C"),
        (&["A&tracking_history=0", "C"], "C"),
        (&["Ab-9_x.1"], "Ab-9_x.1"),
    ] {
        assert_eq!(
            path(awbs),
            format!("/api/tracking?awb_numbers={list}&tracking_history=1"),
            "{awbs:?}"
        );
    }
    let fifty: Vec<_> = (0..51).map(|n| format!("{n:064}")).collect();
    let fifty = path(&fifty.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!((fifty.matches(',').count(), fifty.len()), (50, path(&[]).len() + 51 * 64 + 50));
}

#[test]
fn leaves_out_awbs_that_need_escaping() {
    for awb in ["1", "22600000000001", "Ab-9_x.1", &"x".repeat(64)] {
        assert!(is_pollable(&Awb::parse(awb).unwrap()), "{awb}");
    }
    for awb in [
        "A,B",
        "A&b=1",
        "A B",
        "A#",
        "A%2C",
        "A+B",
        "A=1",
        "A?",
        "\u{c9}",
        "\u{966}",
        "A;B",
        &"x".repeat(65),
    ] {
        assert!(!is_pollable(&Awb::parse(awb).unwrap()), "{awb}");
    }
    for awb in ["A\nB", "A/B", ""] {
        assert!(Awb::parse(awb).is_err(), "{awb:?} is no AWB at all");
    }
}
