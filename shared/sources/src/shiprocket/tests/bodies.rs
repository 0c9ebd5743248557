//! Mapping of bodies.

use super::*;

#[test]
fn maps_every_field() {
    let report = report(&with(
        json!({"return_awb_code": "19000000000590", "undelivered_reason": "Door locked"}),
    ));
    assert_eq!(report.source.as_str(), "shiprocket");
    assert_eq!(report.awb.as_ref().map(Awb::as_str), Some("19000000000501"));
    assert_eq!(report.return_awb.as_ref().map(Awb::as_str), Some("19000000000590"));
    assert_eq!(report.provider_id.as_ref().map(ProviderId::as_str), Some("348450001"));
    assert_eq!(report.order_id.as_ref().map(OrderId::as_str), Some("1370001_150870001"));
    assert_eq!((report.leg, report.status), (Leg::Outbound, Status::InTransit));
    assert_eq!(report.source_status.as_deref(), Some("IN TRANSIT"));
    assert_eq!(report.occurred_at, time("2023-05-23T11:43:52+05:30"));
    assert_eq!(report.location.as_deref(), Some("Sampleville_H (Maharashtra)"));
    assert_eq!(report.note.as_deref(), Some("Door locked"));
    assert_eq!(report.eta, time("2023-05-23T15:40:19+05:30"));
    assert_eq!(report.scans.len(), 4);
    assert_eq!(report.scans[2].activity.as_deref(), Some("System weight captured"));
}

#[test]
fn rejects_bodies_without_parcel_and_order() {
    for body in [
        json!({}),
        json!({"current_status": "DELIVERED"}),
        json!({"awb": "", "order_id": null, "sr_order_id": " "}),
        json!({"awb": "a/b", "order_id": 1.5, "sr_order_id": {}}),
    ] {
        let error = read(body.to_string().as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), "missing awb, sr_order_id or order_id", "{body}");
    }
    for body in [json!({"awb": "x"}), json!({"order_id": "x"}), json!({"sr_order_id": 1})] {
        assert_eq!(report(&body).status, Status::Unknown, "{body}");
    }
}

#[test]
fn maps_every_shipment_id() {
    for id in 0..=120 {
        let expected = status::of_shipment(&id.to_string()).unwrap_or(Status::Unknown);
        assert_eq!(status_of(json!({"shipment_status_id": id})), expected, "{id}");
        assert_eq!(status_of(json!({"shipment_status_id": id.to_string()})), expected, "{id}");
    }
}

#[test]
fn shipment_status_takes_precedence_over_order_status() {
    for (fields, expected) in [
        (
            json!({"shipment_status_id": 8, "current_status_id": 27, "current_status": "RETURN CANCELLED"}),
            "cancelled",
        ),
        (
            json!({"shipment_status_id": 18, "shipment_status": "DELIVERED", "current_status_id": 7}),
            "in_transit",
        ),
        (json!({"shipment_status_id": 16, "shipment_status": "DELIVERED"}), "unknown"),
        (
            json!({"shipment_status_id": 999, "shipment_status": "RTO DELIVERED", "current_status_id": 7}),
            "returned",
        ),
        (
            json!({"shipment_status_id": 999, "shipment_status": "FOO", "current_status_id": 7}),
            "unknown",
        ),
        (json!({"shipment_status_id": 999, "current_status": "PICKED UP"}), "picked_up"),
        (json!({"shipment_status": "UNDELIVERED-1ST ATTEMPT"}), "undelivered"),
        (json!({"shipment_status": " ", "current_status": "In_Transit"}), "in_transit"),
        (json!({"current_status": "Delivered "}), "delivered"),
        (json!({"current_status": "FOO"}), "unknown"),
        (json!({}), "unknown"),
    ] {
        assert_eq!(status_of(fields.clone()).as_str(), expected, "{fields}");
    }
}

/// The ids that mean one thing as a parcel's and another as an order's.
#[test]
fn order_status_ids_use_their_own_table() {
    for (id, shipment, order) in [
        (20, Status::Exception, Status::InTransit),
        (8, Status::Cancelled, Status::Unknown),
        (9, Status::ReturnInitiated, Status::Returned),
        (16, Status::Unknown, Status::Returned),
        (5, Status::Processing, Status::Cancelled),
        (78, Status::ReturnInTransit, Status::Unknown),
    ] {
        assert_eq!(status_of(json!({"shipment_status_id": id})), shipment, "{id}");
        assert_eq!(status_of(json!({"current_status_id": id})), order, "{id}");
    }
}

#[test]
fn return_flag_sets_the_leg() {
    for (flag, leg) in
        [(json!(1), Leg::Return), (json!("1"), Leg::Return), (json!(true), Leg::Return)]
    {
        let report = report(&with(json!({"is_return": flag, "shipment_status_id": 7})));
        assert_eq!(
            (report.leg, report.status, report.status_for(None)),
            (leg, Status::Delivered, Status::Returned)
        );
    }
    for flag in [json!(0), json!("0"), json!(false), json!(null), json!(2)] {
        assert_eq!(report(&with(json!({"is_return": flag}))).leg, Leg::Outbound);
    }
}

#[test]
fn source_status_is_the_shipment_label() {
    let source_status = |changes| report(&with(changes)).source_status;
    let both = json!({"shipment_status": "CANCELED", "current_status": "RETURN CANCELLED"});
    assert_eq!(source_status(both).as_deref(), Some("CANCELED"));
    assert_eq!(source_status(json!({"shipment_status": null})).as_deref(), Some("IN TRANSIT"));
    assert_eq!(
        source_status(json!({"shipment_status": "In\u{7}_Transit <b>"})).as_deref(),
        Some("In_Transit <b>")
    );
    assert_eq!(source_status(json!({"shipment_status": "é".repeat(200)})), Some("é".repeat(128)));
    assert_eq!(source_status(json!({"shipment_status": 18})).as_deref(), Some("18"));
}

#[test]
fn report_id_ignores_irrelevant_changes() {
    let id = report(&body()).id;
    for same in [
        json!({"etd": "2023-05-30 00:00:00"}),
        json!({"sr_order_id": "348450001"}),
        json!({"shipment_status_id": "18"}),
        json!({"shipment_status": "in-transit", "current_status": "x", "current_status_id": 0}),
        json!({"is_return": null}),
        json!({"order_id": "other"}),
        json!({"scans": body()["scans"].as_array().unwrap().iter().rev().collect::<Vec<_>>()}),
        json!({"undelivered_reason": "x", "unheard_of": [1]}),
    ] {
        assert_eq!(report(&with(same.clone())).id, id, "{same}");
    }
    let other = read_for("STORE002", body().to_string().as_bytes());
    assert!(matches!(other, Ok(Reading::Reports(reports)) if reports.items[0].id != id));
}

#[test]
fn report_id_changes_with_every_relevant_field() {
    let hub = |place: &str| json!([{"date": "2023-05-23 11:43:52", "activity": "Added to Bag", "location": place}]);
    let mut ids = std::collections::BTreeSet::from([report(&body()).id]);
    let others = [
        json!({"sr_order_id": 348450002}),
        json!({"sr_order_id": null}),
        json!({"awb": "19000000000502"}),
        json!({"awb": ""}),
        json!({"is_return": 1}),
        json!({"shipment_status_id": 17}),
        json!({"shipment_status_id": null}),
        json!({"shipment_status_id": null, "shipment_status": "IN TRANSIT-EN-ROUTE"}),
        json!({"current_timestamp": "23 05 2023 11:43:53"}),
        json!({"current_timestamp": null}),
        json!({"scans": hub("Hub A")}),
        json!({"scans": hub("Hub B")}),
        json!({"scans": null}),
    ];
    let count = others.len();
    ids.extend(others.into_iter().map(|change| report(&with(change)).id));
    assert_eq!(ids.len(), count + 1);
}

#[test]
fn recognises_the_test_ping_by_its_placeholders() {
    let ping: Value =
        serde_json::from_str(include_str!("../../../../../events/shiprocket/test_ping.json"))
            .unwrap();
    let without = |names: &[&str]| {
        let mut body = ping.clone();
        body.as_object_mut().unwrap().retain(|name, _| !names.contains(&name.as_str()));
        read(body.to_string().as_bytes()).unwrap()
    };
    let ignored = Reading::Ignored(IgnoreReason::TestPing);
    assert_eq!(without(&[]), ignored);
    assert_eq!(without(&["awb", "order_id"]), ignored);
    assert_eq!(without(&["channel", "courier_name"]), ignored);
    assert_eq!(without(&["channel_order_id", "channel"]), ignored);
    assert!(matches!(
        without(&["channel_order_id", "channel", "courier_name"]),
        Reading::Reports(_)
    ));
}

#[test]
fn real_body_is_not_a_test_ping() {
    for change in [
        json!({"channel_order_id": "1370001_150870001", "channel": "My shop"}),
        json!({"courier_name": "Enterprise Logistics", "channel": "Enter Shop"}),
        json!({"courier_name": "enter courier_name"}),
        json!({"channel": "Enter your dreams"}),
        json!({"channel_order_id": null, "current_status": "Delivered", "shipment_status_id": 7}),
    ] {
        assert!(
            matches!(read(with(change.clone()).to_string().as_bytes()), Ok(Reading::Reports(_))),
            "{change}"
        );
    }
}
