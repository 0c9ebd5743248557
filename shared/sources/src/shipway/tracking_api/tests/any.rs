//! Property tests: no response makes the parser panic, exceed its limits or confuse orders.

use proptest::prelude::*;

use super::*;
use crate::testing::{is_clean, non_text};

const ORDERS: [Order; 4] = [
    ("STORE001", "A", "12"),
    ("STORE001", "B", "ab1"),
    ("STORE002", "C", "12"),
    ("STORE002", "D", "0099"),
];

const KEYS: [&str; 13] = [
    "awb",
    "tracking_details",
    "shipment_status",
    "shipment_details",
    "current_status",
    "delivered_date",
    "expected_delivery_date",
    "shipment_track_activities",
    "tracking_history",
    "date",
    "timestamp",
    "activity",
    "location",
];

fn text() -> impl Strategy<Value = String> {
    let samples = vec![
        "12",
        "0012",
        "AB1",
        "99",
        "DEL",
        "RTO In Transit",
        "1970-01-01 05:30:00",
        "0",
        " ",
        "\u{0}",
    ];
    let times =
        "2026-01-0[1-9] 1[0-9]:00:00|[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}";
    prop_oneof![any::<String>(), prop::sample::select(samples).prop_map(str::to_owned), times]
}

fn scalar() -> impl Strategy<Value = Value> {
    let number = (0_u32..100).prop_map(Value::from);
    prop_oneof![3 => non_text(), 1 => number, 1 => text().prop_map(Value::from)]
}

fn value() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(4, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::hash_map("[0-9]{0,2}", inner.clone(), 0..4)
                .prop_map(|object| json!(object)),
            prop::collection::hash_map(prop::sample::select(&KEYS[..]), inner, 0..9)
                .prop_map(|object| json!(object)),
        ]
    })
}

/// An item of the right shape with arbitrary values.
fn item() -> impl Strategy<Value = Value> {
    let awb =
        prop::sample::select(vec![json!("12"), json!(12), json!("AB1"), json!(99), json!("Z")]);
    let activity = (value(), value(), value())
        .prop_map(|(date, activity, location)| json!({"date": date, "activity": activity, "location": location}));
    (awb, value(), value(), prop::collection::vec(activity, 0..4)).prop_map(|(awb, code, name, activities)| {
        json!({"awb": awb, "tracking_details": {"shipment_status": code,
            "shipment_details": [{"current_status": name}], "shipment_track_activities": activities}})
    })
}

fn is_sound(report: &Report, (_, order, awb): &Order) -> bool {
    report.awb.as_ref().map(Awb::as_str) == Some(*awb)
        && report.order_id.as_ref().map(OrderId::as_str) == Some(*order)
        && is_clean(report)
}

proptest! {
    #[test]
    fn any_bytes(body in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = read_bytes(&ORDERS, &body);
    }

    #[test]
    fn any_list(items in prop::collection::vec(prop_oneof![item().boxed(), value().boxed()], 0..6)) {
        let body = json!(items).to_string();
        let found = read_bytes(&ORDERS, body.as_bytes());
        prop_assert_eq!(&found, &read_bytes(&ORDERS, body.as_bytes()));
        if let Ok(found) = found {
            prop_assert_eq!(found.len(), ORDERS.len());
            for (found, order) in found.iter().zip(&ORDERS) {
                let sound = match found {
                    ParcelAnswer::Known(report) => is_sound(report, order),
                    ParcelAnswer::Unknown => true,
                };
                prop_assert!(sound, "{:?}", found);
            }
        }
    }

    #[test]
    fn rejects_truncated_responses(cut in any::<prop::sample::Index>()) {
        let body = answer().to_string();
        let cut = cut.index(body.len());
        prop_assert!(read_bytes(&ORDERS, &body.as_bytes()[..cut]).is_err());
    }
}
