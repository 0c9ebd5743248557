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
            "delivered",
        ),
        (json!({"shipment_status_id": 999, "current_status": "PICKED UP"}), "picked_up"),
        (json!({"shipment_status": "UNDELIVERED-1ST ATTEMPT"}), "undelivered"),
        (json!({"shipment_status": " ", "current_status": "In_Transit"}), "in_transit"),
        (json!({"current_status": "Delivered "}), "delivered"),
        (json!({"current_status": "FOO"}), "unknown"),
        (json!({"current_status": "FOO", "current_status_id": 36}), "undelivered"),
        (json!({}), "unknown"),
    ] {
        assert_eq!(status_of(fields.clone()).as_str(), expected, "{fields}");
    }
}

#[test]
fn unknown_label_falls_back_to_the_order_status() {
    let undelivered = json!({"current_status": "UNDELIVERED", "current_status_id": 36});
    let id_only = json!({"current_status": "FOO", "current_status_id": 36});
    for (label, order, expected) in [
        ("CUSTOMER ESCALATION", undelivered.clone(), "undelivered"),
        ("CUSTOMER ESCALATION", id_only.clone(), "undelivered"),
        ("CUSTOMER ESCALATION", json!({"current_status": "PICKED UP"}), "picked_up"),
        (
            "CUSTOMER ESCALATION",
            json!({"current_status": "FOO", "current_status_id": 999}),
            "unknown",
        ),
        ("CUSTOMER ESCALATION", json!({}), "unknown"),
        ("NDR PENDING", json!({"current_status_id": 20}), "undelivered"),
        // Known without a meaning.
        ("CANCELLATION REQUESTED", undelivered.clone(), "unknown"),
        // An unknown status of the way back is none of the way out.
        ("RTO ESCALATION", json!({"current_status_id": 7}), "unknown"),
        ("RTO ESCALATION", json!({"current_status_id": 16}), "returned"),
    ] {
        let mut fields = order.clone();
        fields["shipment_status"] = json!(label);
        for id in [json!(null), json!(999)] {
            fields["shipment_status_id"] = id;
            let report = report(&with_status(fields.clone()));
            assert_eq!(report.status.as_str(), expected, "{fields}");
            assert_eq!(report.source_status.as_deref(), Some(label), "{fields}");
        }
    }
}

/// Labels of live bodies, alone.
#[test]
fn labels_without_an_id_decide_the_status() {
    for (label, expected) in [
        ("NDR PENDING", "undelivered"),
        ("SELF FULFILED", "delivered"),
        ("RTO IN INTRANSIT", "return_in_transit"),
        ("RETURN TO ORIGIN", "return_initiated"),
        ("RTO LOCKED", "return_initiated"),
        ("RTO COMPLETE", "returned"),
        ("SHIPMENT LOST", "lost"),
        ("NEW ORDER", "unknown"),
        ("DELIVERY ACKNOWLEDGED", "unknown"),
        ("PENDING PICKUP", "unknown"),
        ("PICKUP COMPLETED", "unknown"),
        ("DELIVERY FAILED", "unknown"),
    ] {
        assert_eq!(status_of(json!({"shipment_status": label})).as_str(), expected, "{label}");
    }
}

#[test]
fn reads_a_body_in_a_data_object() {
    let inner = json!({
        "awb_code": "19000000000532", "current_status": "Delivered", "shipment_status": 7,
        "activities": [
            {"date": "2026-07-06 14:00:05", "activity": "Left at door", "location": "Hub"},
        ],
    });
    let mut renamed = inner.clone();
    renamed["awb"] = renamed["awb_code"].take();
    renamed["scans"] = renamed["activities"].take();
    for body in [
        json!({"data": inner}),
        json!({"event": "tracking", "data": inner}),
        json!({"data": renamed}),
        inner.clone(),
        renamed.clone(),
    ] {
        let report = report(&body);
        assert_eq!(report.awb.as_ref().map(Awb::as_str), Some("19000000000532"), "{body}");
        assert_eq!(report.status, Status::Delivered, "{body}");
        assert_eq!(report.source_status.as_deref(), Some("Delivered"), "{body}");
        assert_eq!(report.occurred_at, time("2026-07-06T08:30:05Z"), "{body}");
        assert_eq!(report.location.as_deref(), Some("Hub"), "{body}");
        assert_eq!(report.scans[0].activity.as_deref(), Some("Left at door"), "{body}");
    }
    let outer_time = report(&json!({"timestamp": "2026-07-06 15:00:00", "data": {"awb": "x"}}));
    assert_eq!(outer_time.occurred_at, time("2026-07-06T09:30:00Z"));
}

#[test]
fn body_that_names_a_parcel_is_no_envelope() {
    let report = report(&with(json!({"data": {"awb": "other", "shipment_status_id": 7}})));
    assert_eq!(report.awb.as_ref().map(Awb::as_str), Some("19000000000501"));
    assert_eq!(report.status, Status::InTransit);
    for body in [
        json!({"data": {}}),
        json!({"data": [{"awb": "x"}]}),
        json!({"data": {"data": {"awb": "x"}}}),
    ] {
        assert!(read(body.to_string().as_bytes()).is_err(), "{body}");
    }
}

/// The ids that mean one thing as a parcel's and another as an order's.
#[test]
fn order_status_ids_use_their_own_table() {
    for (id, shipment, order) in [
        (20, Status::PickupFailed, Status::InTransit),
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
        assert_eq!((report.leg, report.status), (leg, Status::Delivered));
    }
    for flag in [json!(0), json!("0"), json!(false), json!(null), json!(2)] {
        assert_eq!(report(&with(json!({"is_return": flag}))).leg, Leg::Outbound);
    }
}

/// The fold decides what a cancelled or lost return means for its order.
#[test]
fn a_cancelled_or_lost_return_is_reported_on_the_return_leg() {
    for (fields, expected) in [
        (json!({"shipment_status_id": 8, "is_return": 1}), Status::Cancelled),
        (json!({"shipment_status_id": 45, "is_return": 1}), Status::Cancelled),
        (json!({"shipment_status_id": 12, "is_return": 1}), Status::Lost),
        (json!({"shipment_status": "RETURN CANCELLED"}), Status::Cancelled),
        (json!({"current_status_id": 27}), Status::Cancelled),
        (json!({"shipment_status": "RTO FOO", "current_status_id": 27}), Status::Cancelled),
        (json!({"current_status": "RTO LOST"}), Status::Lost),
    ] {
        let report = report(&with_status(fields.clone()));
        assert_eq!((report.status, report.leg), (expected, Leg::Return), "{fields}");
    }
    for id in [8, 12] {
        let outbound = report(&with_status(json!({"shipment_status_id": id, "is_return": 0})));
        assert_eq!(outbound.leg, Leg::Outbound, "{id}");
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
    assert_eq!(source_status(json!({"shipment_status": 18})).as_deref(), Some("IN TRANSIT"));
    let number_only = json!({"shipment_status": 18, "current_status": null});
    assert_eq!(source_status(number_only).as_deref(), Some("18"));
}

#[test]
fn shipment_status_may_be_an_id() {
    for (fields, expected) in [
        (json!({"shipment_status": 7}), "delivered"),
        (json!({"shipment_status": "7"}), "delivered"),
        (json!({"shipment_status": 7, "shipment_status_id": 18}), "in_transit"),
        (json!({"shipment_status": 20, "current_status_id": 20}), "pickup_failed"),
        (json!({"shipment_status": 999, "current_status": "PICKED UP"}), "picked_up"),
        (json!({"shipment_status": 999}), "unknown"),
    ] {
        assert_eq!(status_of(fields.clone()).as_str(), expected, "{fields}");
    }
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

/// The same body may be sent again later with a new meaning.
#[test]
fn body_without_a_time_is_a_new_report_each_minute() {
    let id_at = |body: &Value, at: &str| {
        let at = Timestamp::parse(at).unwrap();
        let body = body.to_string();
        let parsed = Shiprocket.parse(&Request::stored(None, body.as_bytes()), at).unwrap();
        let Reading::Reports(mut reports) = parsed.reading else { unreachable!("ignored") };
        (parsed.dedup_key, reports.items.remove(0).id)
    };
    let (start, end, next) =
        ("2026-07-06T08:30:00Z", "2026-07-06T08:30:59Z", "2026-07-06T08:31:00Z");
    let scan = json!([{"date": "2026-07-06 14:00:05", "activity": "x"}]);
    let undated = json!([{"date": "0000-00-00 00:00:00", "activity": "x"}]);
    for (fields, dedup_key) in [
        (json!({"scans": null}), DedupKey::BodyAndMinute),
        (json!({"scans": undated}), DedupKey::BodyAndMinute),
        (json!({"scans": [], "current_timestamp": " "}), DedupKey::BodyAndMinute),
        (json!({"scans": [], "timestamp": "0000-00-00 00:00:00"}), DedupKey::BodyAndMinute),
        (json!({"scans": [], "current_timestamp": "Invalid Date"}), DedupKey::BodyAndMinute),
        (json!({"scans": [], "current_timestamp": "06-07-2026 2 PM"}), DedupKey::Body),
        (json!({"scans": [], "timestamp": "2026-07-06 14:00"}), DedupKey::Body),
        (json!({"scans": scan}), DedupKey::Body),
    ] {
        let mut body = with(json!({"current_timestamp": null}));
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let (first_key, first) = id_at(&body, start);
        assert_eq!(first_key, dedup_key, "{fields}");
        assert_eq!(id_at(&body, end), (first_key, first.clone()), "{fields}");
        assert_eq!(id_at(&body, next).1 == first, dedup_key == DedupKey::Body, "{fields}");
    }
}

/// Time and id of a report come from the same field.
#[test]
fn reads_the_time_from_the_first_field_that_has_one() {
    let scans = json!([{"date": "2026-07-06 12:00:00"}]);
    for (fields, expected) in [
        (json!({"current_timestamp": "06 07 2026 14:00:05"}), Some("2026-07-06T08:30:05Z")),
        (
            json!({"current_timestamp": "x", "timestamp": "2026-07-06 13:00"}),
            Some("2026-07-06T07:30:00Z"),
        ),
        (json!({"current_timestamp": "x 9", "timestamp": null}), Some("2026-07-06T06:30:00Z")),
        (json!({"current_timestamp": null, "scans": null}), None),
    ] {
        let mut body = with(json!({"scans": scans}));
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        assert_eq!(report(&body).occurred_at, expected.and_then(time), "{fields}");
    }
    let id = |current: &str| {
        let fields = json!({"current_timestamp": current, "timestamp": "2026-07-06 13:00"});
        report(&with(fields)).id
    };
    assert_eq!(id("x"), id("y"));
    assert_ne!(id("06 07 2026 14:00:05"), id("06 07 2026 14:00:06"));
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
