//! Report ids of pushed and polled reports.

use domain::core::id::ReportId;

use super::*;
use crate::shipway::Shipway;
use crate::{Reading, Request, Source};

const AT: &str = "2026-01-14 15:11:34";

fn id(body: &Value) -> ReportId {
    report(body).id
}

/// The id of the only report in a pushed body.
fn pushed(body: &Value) -> ReportId {
    let account = AccountCode::parse(ORDER.0).unwrap();
    let body = body.to_string();
    let request = Request::stored(Some(&account), body.as_bytes());
    let parsed = Shipway.parse(&request, Timestamp::parse(NOW).unwrap()).unwrap();
    let Reading::Reports(mut reports) = parsed.reading else { unreachable!("{body}") };
    assert_eq!((reports.items.len(), reports.skipped), (1, 0), "{body}");
    reports.items.remove(0).id
}

/// The second of the two is a duplicate.
#[test]
fn pushed_and_polled_reports_have_the_same_id() {
    let scan = json!({"time": AT, "status": "Reached", "location": "Sampleville (Haryana)"});
    let older = json!({"time": "2026-01-10 09:02:10", "status": "x", "location": "Elsewhere"});
    let push = |awb: Value, status: &str, order: &str| {
        pushed(
            &json!({"awbno": awb, "order_id": order, "current_status": status, "status_time": "2026-01-14 16:00:00",
            "scans": {"0": scan, "1": older}}),
        )
    };
    let expected = id(&answer());
    for (awb, status, order) in [
        (json!("22600000000001"), "RTD", "ORD1001"),
        (json!(22600000000001_u64), "rtd ", "ORD1001"),
        (json!("0022600000000001"), "RTO Delivered", "ORD1001"),
        (json!("22600000000001"), "RTD", "its own name of the order"),
    ] {
        assert_eq!(push(awb.clone(), status, order), expected, "{awb} {status}");
    }
    assert_ne!(push(json!("22600000000001"), "RTO", "ORD1001"), expected);
    assert_ne!(push(json!("22600000000002"), "RTD", "ORD1001"), expected);
    let full: Value =
        serde_json::from_str(include_str!("../../../../../../events/shipway/full.json")).unwrap();
    let scans = full["api_input"]["scans"].as_object().unwrap().values();
    let activity = |scan: &Value| json!({"date": scan["time"], "activity": scan["status"], "location": scan["location"]});
    let activities: Vec<Value> = scans.map(activity).collect();
    let answer =
        details(json!({"shipment_status": "DEL", "shipment_track_activities": activities}));
    assert_eq!(id(&answer), pushed(&full));
}

#[test]
fn same_response_gives_the_same_reports() {
    for body in [
        answer(),
        details(json!({"shipment_status": "DEL"})),
        details(
            json!({"shipment_status": "INT", "tracking_history": [{"status": "x", "timestamp": "soon"}]}),
        ),
        details(json!({"tracking_history": [{"status": "x"}]})),
    ] {
        assert!(matches!(found(&body), ParcelAnswer::Known(_)));
        assert_eq!(found(&body), found(&body), "{body}");
    }
}

#[test]
fn report_id_ignores_irrelevant_changes() {
    let expected = id(&json!([item(ORDER.2, "DEL", AT)]));
    let mut renamed = item("0022600000000001", "Delivered", AT);
    renamed["tracking_details"]["shipment_details"] = json!([{"current_status": "Delivered", "delivered_date": "2026-01-14 10:00:00", "courier_name": "Other"}]);
    assert_eq!(id(&json!([renamed])), expected);
    let mut older = item(ORDER.2, "DEL", AT);
    let activities = older["tracking_details"]["shipment_track_activities"].as_array_mut().unwrap();
    activities
        .push(json!({"date": "2026-01-10 09:02:10", "activity": "y", "location": "Elsewhere"}));
    assert_eq!(id(&json!([older])), expected);
    let found = read(
        &[("STORE001", "another order", "0022600000000001")],
        &json!([item(ORDER.2, "DEL", AT)]),
    );
    let ParcelAnswer::Known(report) = &found[0] else { unreachable!() };
    assert_eq!(report.id, expected);
}

#[test]
fn report_id_changes_with_every_relevant_field() {
    let with = |status: &str, name: &str, date: &str, place: &str| {
        details(json!({"shipment_status": status, "shipment_details": [{"current_status": name}],
            "shipment_track_activities": [{"date": date, "activity": "x", "location": place}]}))
    };
    let bodies = [
        with("INT", "In Transit", AT, "Hub"),
        with("OOD", "In Transit", AT, "Hub"),
        with("INT", "RTO In Transit", AT, "Hub"),
        with("INT", "In Transit", "2026-01-14 15:11:35", "Hub"),
        with("INT", "In Transit", AT, "Other hub"),
        with("INT", "In Transit", AT, ""),
        with("INT", "In Transit", "", "Hub"),
        with("INT", "In Transit", "at 9", "Hub"),
        with("INT", "In Transit", "at 10", "Hub"),
        with("", "", AT, "Hub"),
    ];
    let ids: BTreeSet<_> = bodies.iter().map(id).collect();
    assert_eq!(ids.len(), bodies.len());
}
