//! Property tests: no body makes the parser panic or exceed its limits.

use proptest::prelude::*;

use super::*;
use crate::testing::{is_clean, non_text};

const KEYS: [&str; 23] = [
    "awb",
    "awb_code",
    "data",
    "activities",
    "sr_order_id",
    "order_id",
    "return_awb_code",
    "shipment_status",
    "shipment_status_id",
    "current_status",
    "current_status_id",
    "current_timestamp",
    "timestamp",
    "etd",
    "is_return",
    "scans",
    "location",
    "undelivered_reason",
    "pickup_exception_reason",
    "qc_failure_reason",
    "courier_name",
    "channel",
    "channel_order_id",
];

fn text() -> impl Strategy<Value = String> {
    let samples = vec![
        "RTO RTO_RETURN-DELIVERED",
        "enter your channel order id",
        "1",
        "true",
        " ",
        "\u{0}",
        "NA",
    ];
    let times = (
        "[0-9]{1,4}",
        "[ /-]",
        "[0-9]{1,2}",
        "[ /-]",
        "[0-9]{1,4}",
        "[ T]",
        "[0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}",
    )
        .prop_map(|(a, b, c, d, e, f, g)| [a, b, c, d, e, f, g].concat());
    prop_oneof![any::<String>(), prop::sample::select(samples).prop_map(str::to_owned), times]
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![4 => non_text(), 1 => text().prop_map(Value::from)]
}

fn scan() -> impl Strategy<Value = Value> {
    let key = prop::sample::select(vec!["date", "activity", "location", "sr-status"]);
    prop_oneof![
        scalar(),
        prop::collection::hash_map(key, scalar(), 0..4).prop_map(|scan| json!(scan))
    ]
}

fn object() -> impl Strategy<Value = Value> {
    let value =
        prop_oneof![4 => scalar(), 1 => prop::collection::vec(scan(), 0..70).prop_map(Value::from)];
    prop::collection::hash_map(prop::sample::select(KEYS.to_vec()), value, 0..20)
        .prop_map(|body| json!(body))
}

proptest! {
    #[test]
    fn any_bytes(body in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = read(&body);
    }

    #[test]
    fn any_object(body in object()) {
        let body = body.to_string();
        let reading = read(body.as_bytes());
        prop_assert_eq!(&reading, &read(body.as_bytes()));
        if let Ok(Reading::Reports(reports)) = reading {
            prop_assert!(reports.items.iter().all(is_clean), "{:?}", reports);
        }
    }
}
