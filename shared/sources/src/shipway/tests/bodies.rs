//! Mapping of bodies.

use super::*;

#[test]
fn reads_the_name_of_the_carrier() {
    let name = |value: Value| report(&with(json!({"carrier": value}))).carrier_name;
    assert_eq!(report(&full()).carrier_name.as_deref(), Some("Delhivery"));
    assert_eq!(name(json!("x".repeat(500))).map(|name| name.len()), Some(128));
    for none in [json!(4), json!("4"), json!(""), json!(null), json!({})] {
        assert_eq!(name(none.clone()), None, "{none}");
    }
    let changed = with(json!({"carrier": "Other"}));
    assert_eq!(report(&changed).id, report(&full()).id);
}

#[test]
fn maps_every_field_of_the_full_body() {
    let report = report(&with(json!({"reverse_tracking_number": 22600000000091_u64})));
    assert_eq!(report.source.as_str(), "shipway");
    assert_eq!(report.awb.as_ref().map(Awb::as_str), Some("22600000000001"));
    assert_eq!(report.return_awb.as_ref().map(Awb::as_str), Some("22600000000091"));
    assert_eq!(report.provider_id, None);
    assert_eq!(report.order_id.as_ref().map(OrderId::as_str), Some("ORD1001"));
    assert_eq!((report.leg, report.status), (Leg::Outbound, Status::Delivered));
    assert_eq!(report.source_status.as_deref(), Some("DEL"));
    assert_eq!(report.occurred_at, time("2026-01-04T15:00:00+05:30"));
    assert_eq!(report.location.as_deref(), Some("Exampletown_Central_D (Bihar)"));
    assert_eq!(report.eta, time("2026-01-05T23:59:59+05:30"));
    assert_eq!(report.scans.len(), 5);
    assert_eq!(report.scans[3].activity.as_deref(), Some("Call placed to consignee"));
}

#[test]
fn reads_the_smallest_body() {
    let report = report(&json!({"order_id": "ORD1001", "current_status": "OOD"}));
    assert_eq!((report.awb, report.occurred_at, report.scans.len()), (None, None, 0));
    assert_eq!(report.order_id.as_ref().map(OrderId::as_str), Some("ORD1001"));
    assert_eq!(report.status, Status::OutForDelivery);
}

#[test]
fn reads_every_order_of_a_feed() {
    let items = json!([
        {"order_id": "A", "current_status": "OOD"},
        {"order_id": "B", "awbno": "2", "current_status": "RTO", "carrier_id": "1"},
        {"awbno": 3, "current_status": "RDEL"},
    ]);
    let reports = reports_of(&feed(items.clone()));
    let summary = |report: &Report| {
        (report.status, report.leg, report.order_id.is_some(), report.awb.is_some())
    };
    assert_eq!(
        reports.items.iter().map(summary).collect::<Vec<_>>(),
        [
            (Status::OutForDelivery, Leg::Outbound, true, false),
            (Status::ReturnInitiated, Leg::Outbound, true, true),
            (Status::Returned, Leg::Return, false, true),
        ]
    );
    let numbered = json!({"0": items[0], "1": items[1], "2": items[2]});
    assert_eq!(reports_of(&feed(numbered)), reports);
}

#[test]
fn rejects_feeds_over_500_items() {
    let long = |count: usize| {
        let items: Vec<Value> = (0..count)
            .map(|n| json!({"order_id": n.to_string(), "current_status": "OOD"}))
            .collect();
        feed(json!(items))
    };
    assert_eq!(reports_of(&long(500)).items.len(), 500);
    assert_eq!(read(&long(501)).unwrap_err().field(), Some("status_feed"));
}

#[test]
fn maps_codes_in_any_case_and_names() {
    for (text, expected) in [
        (json!("DEL"), Status::Delivered),
        (json!(" del "), Status::Delivered),
        (json!("Delivered"), Status::Delivered),
        (json!("Out For Delivery"), Status::OutForDelivery),
        (json!(22), Status::Undelivered),
        (json!("NFI"), Status::Unknown),
        (json!("Delivered to consignee"), Status::Unknown),
        (json!(""), Status::Unknown),
        (json!(null), Status::Unknown),
        (json!({"code": "DEL"}), Status::Unknown),
        (json!(["DEL"]), Status::Unknown),
    ] {
        assert_eq!(report(&with(json!({"current_status": text}))).status, expected, "{text}");
    }
}

#[test]
fn source_status_is_the_original_text() {
    let source_status = |text: Value| report(&with(json!({"current_status": text}))).source_status;
    assert_eq!(source_status(json!("RTO In-Transit")).as_deref(), Some("RTO In-Transit"));
    assert_eq!(source_status(json!(25)).as_deref(), Some("25"));
    assert_eq!(source_status(json!("In\u{7}_Transit <b>")).as_deref(), Some("In_Transit <b>"));
    assert_eq!(source_status(json!("é".repeat(200))), Some("é".repeat(128)));
    let without = json!({"order_id": "A", "current_status": null});
    assert_eq!(report(&without).source_status, None);
}

#[test]
fn occurred_at_is_the_newest_scan_or_else_the_first_valid_time() {
    let (first, second, scan) =
        ("2026-01-04 15:00:00", "2026-01-04 14:00:00", "2026-01-04 13:00:00");
    let body = |status: Value, current: Value, scanned: Value, older: Value| {
        let scans = json!([{"time": scanned, "status": "x"}, {"time": older, "status": "y"}]);
        json!({"order_id": "A", "status_time": status, "scans_current_status_time": current, "scans": scans})
    };
    let older = "2026-01-01 10:00:00";
    for (status, current, scanned, older, expected) in [
        (json!(first), json!(second), json!(scan), json!(older), "2026-01-04T13:00:00+05:30"),
        (json!(first), json!(second), json!(""), json!(older), "2026-01-04T15:00:00+05:30"),
        (json!(null), json!(0), json!(""), json!(older), "2026-01-01T10:00:00+05:30"),
        (json!(first), json!(second), json!("soon"), json!(""), "2026-01-04T15:00:00+05:30"),
        (json!(""), json!(second), json!(null), json!(null), "2026-01-04T14:00:00+05:30"),
        (json!("soon, at 9"), json!(second), json!(0), json!(""), "2026-01-04T14:00:00+05:30"),
        (
            json!("1970-01-01 05:30:00"),
            json!("0000-00-00 00:00:00"),
            json!(scan),
            json!(null),
            "2026-01-04T13:00:00+05:30",
        ),
        (
            json!("2026-01-04T09:30:00Z"),
            json!(null),
            json!(null),
            json!(null),
            "2026-01-04T15:00:00+05:30",
        ),
    ] {
        let body = body(status, current, scanned, older);
        assert_eq!(report(&body).occurred_at, time(expected), "{body}");
    }
}

#[test]
fn reads_the_status_from_a_code_field_or_else_from_a_description() {
    for (fields, expected, label) in [
        (
            json!({"scans_current_status": "Out For Delivery"}),
            Status::OutForDelivery,
            "Out For Delivery",
        ),
        (
            json!({"current_status": "", "scans_current_status": "Delivered"}),
            Status::Delivered,
            "Delivered",
        ),
        (
            json!({"current_status": null, "current_status_desc": "In Transit"}),
            Status::InTransit,
            "In Transit",
        ),
        (
            json!({"current_status": "Left the hub", "current_status_code": "INT"}),
            Status::InTransit,
            "INT",
        ),
        (
            json!({"current_status": "OOD", "current_status_code": "DEL", "scans_current_status": "x"}),
            Status::OutForDelivery,
            "OOD",
        ),
        (
            json!({"current_status": "XYZ", "scans_current_status": "Delivered"}),
            Status::Unknown,
            "XYZ",
        ),
        (json!({"current_status": "OTH", "current_status_code": "DEL"}), Status::Unknown, "OTH"),
    ] {
        let mut body = json!({"order_id": "A"});
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let report = report(&body);
        assert_eq!(
            (report.status, report.source_status.as_deref()),
            (expected, Some(label)),
            "{body}"
        );
    }
}

#[test]
fn ignores_null_dates() {
    for date in [
        json!(null),
        json!(""),
        json!(" "),
        json!(0),
        json!("0"),
        json!("NA"),
        json!("1970-01-01 05:30:00"),
        json!("1970-01-01 00:00:00"),
        json!("0000-00-00 00:00:00"),
        json!("0000-00-00"),
        json!("-0001-11-30 00:00:00"),
    ] {
        let body = json!({"order_id": "A", "status_time": date, "scans_current_status_time": date,
            "expected_delivery_date": date, "scans": [{"time": date, "status": "x"}]});
        let report = report(&body);
        assert_eq!(
            (report.occurred_at, report.eta, report.scans[0].at),
            (None, None, None),
            "{date}"
        );
    }
}

#[test]
fn date_without_time_means_the_end_of_the_day() {
    for (date, expected) in [
        (json!("2026-01-05"), time("2026-01-05T23:59:59+05:30")),
        (json!("2026-01-05 18:00:00"), time("2026-01-05T18:00:00+05:30")),
        (json!("2026-01-05T12:00:00Z"), time("2026-01-05T12:00:00Z")),
        (json!("2026-13-05"), None),
        (json!("tomorrow"), None),
        (json!(20260105), None),
        (json!("1970-01-01"), None),
        (json!("0000-00-00"), None),
    ] {
        assert_eq!(report(&with(json!({"expected_delivery_date": date}))).eta, expected, "{date}");
    }
}

#[test]
fn return_awb_differs_from_the_awb() {
    let back = |awb: Value, reverse: Value| {
        let report = report(&with(json!({"awbno": awb, "reverse_tracking_number": reverse})));
        report.return_awb.map(String::from)
    };
    assert_eq!(back(json!("22"), json!("33")), Some("33".to_owned()));
    assert_eq!(back(json!("22"), json!(33)), Some("33".to_owned()));
    assert_eq!(back(json!("22"), json!(22)), None);
    assert_eq!(back(json!("0022"), json!(22)), None);
    assert_eq!(back(json!(22), json!("0022")), None);
    assert_eq!(back(json!(null), json!(33)), Some("33".to_owned()));
    for none in [
        json!(null),
        json!(""),
        json!(" "),
        json!(0),
        json!("000"),
        json!(true),
        json!([33]),
        json!(33.5),
    ] {
        assert_eq!(back(json!("22"), none.clone()), None, "{none}");
    }
}

#[test]
fn reads_scans_in_both_places_and_shapes() {
    let scans = full()["api_input"]["scans"].as_object().unwrap().clone();
    let list: Vec<Value> = scans.values().cloned().collect();
    let expected = report(&full()).scans;
    for body in [
        with_scans(json!(list)),
        with(json!({"scans": scans, "api_input": null})),
        with(json!({"scans": list, "api_input": {"scans": [{"status": "less"}]}})),
        with(json!({"scans": [], "api_input": {"scans": list}})),
        with_scans(json!(list.iter().rev().collect::<Vec<_>>())),
    ] {
        assert_eq!(report(&body).scans, expected, "{body}");
    }
}

#[test]
fn reads_scan_fields_under_every_name() {
    for name in ["time", "date", "datetime", "timestamp", "status_time"] {
        let scans = report(&with_scans(json!([{name: "2026-01-04 15:00:00"}]))).scans;
        assert_eq!(scans[0].at, time("2026-01-04T15:00:00+05:30"), "{name}");
    }
    for name in ["status", "activity", "status_detail", "remarks"] {
        let scans = report(&with_scans(json!([{name: "Left\r\nhub"}]))).scans;
        assert_eq!(scans[0].activity.as_deref(), Some("Left  hub"), "{name}");
    }
    for name in ["location", "city"] {
        let report = report(&with_scans(json!([{name: "Exampletown"}])));
        assert_eq!(report.scans[0].location.as_deref(), Some("Exampletown"), "{name}");
        assert_eq!(report.location.as_deref(), Some("Exampletown"), "{name}");
    }
    let first = report(&with_scans(
        json!([{"time": "", "date": "2026-01-04 15:00:00", "status": " ", "remarks": "x"}]),
    ));
    assert_eq!(
        (first.scans[0].at, first.scans[0].activity.as_deref()),
        (time("2026-01-04T15:00:00+05:30"), Some("x"))
    );
}

#[test]
fn sorts_scans_oldest_first() {
    let order = |scans: Value| {
        let activity = |scan: domain::tracking::report::Scan| scan.activity.unwrap_or_default();
        report(&with_scans(scans)).scans.into_iter().map(activity).collect::<String>()
    };
    let at = |hour: u32, activity: &str| json!({"time": format!("2026-01-04 {hour}:00:00"), "status": activity});
    let (a, b, c) = (at(10, "a"), at(11, "b"), at(11, "c"));
    let undated = |activity: &str| json!({"time": "", "status": activity});
    assert_eq!(order(json!([c, b, a])), "abc");
    assert_eq!(order(json!([a, b, c])), "abc");
    assert_eq!(order(json!([c, b])), "bc");
    assert_eq!(order(json!([undated("z"), undated("y")])), "yz");
    assert_eq!(order(json!([c, undated("?"), a])), "a?c");
    assert_eq!(order(json!([c, b, a, undated("?")])), "?abc");
    assert_eq!(order(json!({"0": c, "1": b, "2": a})), "abc");
    let eleven: serde_json::Map<_, _> = ('a'..='k')
        .rev()
        .enumerate()
        .map(|(n, c)| (n.to_string(), undated(&c.to_string())))
        .collect();
    assert_eq!(order(json!(eleven)), "abcdefghijk");
}
