//! Property tests: no body makes the parser panic or exceed its limits.

use proptest::prelude::*;

use super::*;
use crate::testing::{is_clean, non_text};

const KEYS: [&str; 12] = [
    "awbno",
    "order_id",
    "current_status",
    "status_time",
    "scans_current_status",
    "scans_current_status_time",
    "expected_delivery_date",
    "reverse_tracking_number",
    "scans",
    "api_input",
    "status_feed",
    "hash",
];
const SCAN_KEYS: [&str; 8] =
    ["time", "date", "datetime", "status", "activity", "remarks", "location", "city"];

fn text() -> impl Strategy<Value = String> {
    let samples = vec![
        "DEL",
        "RTO In Transit",
        "99999999",
        "1970-01-01 05:30:00",
        "2026-01-05",
        "0",
        " ",
        "\u{0}",
        "NA",
    ];
    let times = "[0-9]{1,4}[ /-][0-9]{1,2}[ /-][0-9]{1,4}[ T][0-9]{1,2}:[0-9]{2}:[0-9]{2}|2026-01-0[1-9] 1[0-9]:00:00";
    prop_oneof![any::<String>(), prop::sample::select(samples).prop_map(str::to_owned), times]
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![4 => non_text(), 1 => text().prop_map(Value::from)]
}

/// A list, or an object with numeric keys.
fn members(one: impl Strategy<Value = Value> + Clone, most: usize) -> impl Strategy<Value = Value> {
    let list = prop::collection::vec(one.clone(), 0..most).prop_map(Value::from);
    prop_oneof![
        list,
        prop::collection::hash_map("[0-9]{0,2}", one, 0..most).prop_map(|members| json!(members))
    ]
}

fn object(
    keys: &'static [&'static str],
    value: impl Strategy<Value = Value>,
) -> impl Strategy<Value = Value> {
    prop::collection::hash_map(prop::sample::select(keys), value, 0..9)
        .prop_map(|object| json!(object))
}

fn scans() -> impl Strategy<Value = Value> + Clone {
    members(prop_oneof![scalar().boxed(), object(&SCAN_KEYS, scalar()).boxed()].boxed(), 5).boxed()
}

fn item() -> impl Strategy<Value = Value> + Clone {
    let nested = object(&["scans", "order_id"], prop_oneof![scalar().boxed(), scans().boxed()]);
    object(&KEYS, prop_oneof![6 => scalar().boxed(), 1 => scans().boxed(), 1 => nested.boxed()])
        .boxed()
}

fn body() -> impl Strategy<Value = Value> {
    let feed =
        members(prop_oneof![1 => scalar().boxed(), 4 => item().boxed()].boxed(), 4).prop_map(feed);
    prop_oneof![item().boxed(), feed.boxed()]
}

fn is_sound(report: &Report) -> bool {
    (report.awb.is_some() || report.order_id.is_some()) && is_clean(report)
}

proptest! {
    #[test]
    fn any_bytes(body in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = read_bytes(&body);
    }

    #[test]
    fn any_object(body in body()) {
        let body = body.to_string();
        let reading = read_bytes(body.as_bytes());
        prop_assert_eq!(&reading, &read_bytes(body.as_bytes()));
        if let Ok(Reading::Reports(reports)) = reading {
            prop_assert!(reports.items.iter().all(is_sound), "{:?}", reports);
            let ids: BTreeSet<_> = reports.items.iter().map(|report| report.id.clone()).collect();
            prop_assert_eq!(ids.len(), reports.items.len());
        }
    }

    /// Report ids depend on the minute only where the dedup key does.
    #[test]
    fn report_id_depends_on_the_minute_only_without_a_time(body in body()) {
        let body = body.to_string();
        let ids = |at| match read_at(at, "STORE001", body.as_bytes()) {
            Ok(Reading::Reports(reports)) => reports.items.into_iter().map(|report| report.id).collect(),
            _ => Vec::new(),
        };
        let (now, later) = (ids(NOW), ids("2026-11-24T05:01:00Z"));
        prop_assert_eq!(now.len(), later.len());
        let parsed = Shipway.parse(&Request::stored(None, body.as_bytes()), Timestamp::EPOCH);
        if parsed.is_ok_and(|parsed| parsed.dedup_key == DedupKey::BodyAndMinute) {
            prop_assert!(now.iter().all(|id| !later.contains(id)));
        }
    }
}
