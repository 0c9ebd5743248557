//! What makes a claim the same claim, whoever began to speak.

use domain::core::id::ReportId;

use super::*;
use crate::shipway::Shipway;
use crate::{Reading, Source};

const AT: &str = "2026-01-14 15:11:34";

fn id(body: &Value) -> ReportId {
    report(body).id
}

/// The id of the one claim that Shipway sends with this body to the order's account.
fn pushed(body: &Value) -> ReportId {
    let account = AccountCode::parse(ORDER.0).unwrap();
    let body = body.to_string();
    let received = Received {
        account: Some(&account),
        at: Timestamp::parse(NOW).unwrap(),
        body: body.as_bytes(),
    };
    let Ok(Reading::Reports(mut reports)) = Shipway.read(&received) else { unreachable!("{body}") };
    assert_eq!((reports.items.len(), reports.skipped), (1, 0), "{body}");
    reports.items.remove(0).id
}

/// Whichever comes second changes nothing.
#[test]
fn a_claim_that_was_sent_is_the_claim_that_is_answered() {
    let scan = json!({"time": AT, "status": "Reached", "location": "Sampleville (Haryana)"});
    let older = json!({"time": "2026-01-10 09:02:10", "status": "x", "location": "Elsewhere"});
    let push = |awb: Value, word: &str, order: &str| {
        pushed(
            &json!({"awbno": awb, "order_id": order, "current_status": word, "status_time": "2026-01-14 16:00:00",
            "scans": {"0": scan, "1": older}}),
        )
    };
    let expected = id(&answer());
    for (awb, word, order) in [
        (json!("22600000000001"), "RTD", "ORD1001"),
        (json!(22600000000001_u64), "rtd ", "ORD1001"),
        (json!("0022600000000001"), "RTO Delivered", "ORD1001"),
        (json!("22600000000001"), "RTD", "its own name of the order"),
    ] {
        assert_eq!(push(awb.clone(), word, order), expected, "{awb} {word}");
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
fn the_same_answer_is_the_same_claim_in_every_hour() {
    let at = |at: &str, body: &Value| {
        let (account, order_id) =
            (AccountCode::parse("STORE001").unwrap(), OrderId::parse("ORD1001").unwrap());
        let awb = Awb::parse(ORDER.2).unwrap();
        let asked = [TrackingQuery { account: &account, order_id: &order_id, awb: &awb }];
        super::super::read(&asked, body.to_string().as_bytes(), Timestamp::parse(at).unwrap())
            .unwrap()
    };
    for body in [
        answer(),
        details(json!({"shipment_status": "DEL"})),
        details(
            json!({"shipment_status": "INT", "tracking_history": [{"status": "x", "timestamp": "soon"}]}),
        ),
        details(json!({"tracking_history": [{"status": "x"}]})),
    ] {
        assert!(matches!(at(NOW, &body)[0], ParcelAnswer::Known(_)));
        assert_eq!(at(NOW, &body), at("2026-11-24T06:00:40Z", &body), "{body}");
    }
}

#[test]
fn what_does_not_change_the_claim_does_not_change_its_id() {
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
fn another_claim_has_another_id() {
    let with = |status: &str, words: &str, date: &str, place: &str| {
        details(json!({"shipment_status": status, "shipment_details": [{"current_status": words}],
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
