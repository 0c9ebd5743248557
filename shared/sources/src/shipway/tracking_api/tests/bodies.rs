//! Mapping of items.

use domain::tracking::report::Scan;

use super::*;

#[test]
fn reads_the_sample_response() {
    let found = read(&[ORDER, ("STORE001", "ORD1002", "22600000000002")], &answer());
    let [ParcelAnswer::Known(report), ParcelAnswer::Unknown] = &found[..] else {
        unreachable!("{found:?}")
    };
    assert_eq!(
        (report.source.as_str(), &report.return_awb, &report.provider_id),
        ("shipway", &None, &None)
    );
    assert_eq!(report.awb.as_ref().map(Awb::as_str), Some("22600000000001"));
    assert_eq!(report.order_id.as_ref().map(OrderId::as_str), Some("ORD1001"));
    assert_eq!((report.leg, report.status), (Leg::Outbound, Status::Returned));
    assert_eq!(report.source_status.as_deref(), Some("RTO Delivered"));
    assert_eq!(report.occurred_at, time("2026-01-14T15:11:34+05:30"));
    assert_eq!(report.location.as_deref(), Some("Sampleville (Haryana)"));
    assert_eq!((&report.note, report.eta), (&None, None));
    assert_eq!((report.carrier_name.as_deref(), report.attempts), (Some("Delhivery"), None));
    let scan = |at, activity: &str, location: Option<&str>| Scan {
        at,
        activity: Some(activity.to_owned()),
        location: location.map(str::to_owned),
    };
    let expected = [
        scan(None, "Manifested", None),
        scan(time("2026-01-10T09:02:10+05:30"), "RTO Initiated", Some("Exampletown (Bihar)")),
        scan(time("2026-01-14T15:11:34+05:30"), "RETURN Accepted", Some("Sampleville (Haryana)")),
    ];
    assert_eq!(report.scans, expected);
}

#[test]
fn report_keeps_the_spelling_of_the_order() {
    let mut body = answer();
    body[0]["tracking_details"]["shipment_details"][0]["order_id"] = json!("OTHER");
    let found = read(&[("STORE001", "ORD1001", "0022600000000001")], &body);
    let ParcelAnswer::Known(report) = &found[0] else { unreachable!() };
    assert_eq!(report.awb.as_ref().map(Awb::as_str), Some("0022600000000001"));
    assert_eq!(report.order_id.as_ref().map(OrderId::as_str), Some("ORD1001"));
}

/// Code, name, resulting status, leg and label.
#[test]
fn prefers_a_return_then_the_code_then_the_name() {
    use Leg::{Outbound, Return};
    for (code, name, status, leg, label) in [
        (json!("DEL"), json!("Delivered"), Status::Delivered, Outbound, Some("Delivered")),
        (json!("DEL"), json!(null), Status::Delivered, Outbound, Some("DEL")),
        (json!("DEL"), json!("In Transit"), Status::Delivered, Outbound, Some("DEL")),
        (json!("DEL"), json!("Left with neighbour"), Status::Delivered, Outbound, Some("DEL")),
        (json!(" del "), json!(""), Status::Delivered, Outbound, Some("del")),
        (
            json!("Out For Delivery"),
            json!(null),
            Status::OutForDelivery,
            Outbound,
            Some("Out For Delivery"),
        ),
        (
            json!(22),
            json!("Address Incorrect"),
            Status::Undelivered,
            Outbound,
            Some("Address Incorrect"),
        ),
        (json!("22"), json!(null), Status::Undelivered, Outbound, Some("22")),
        (json!(""), json!("In Transit"), Status::InTransit, Outbound, Some("In Transit")),
        (json!(null), json!("In Transit"), Status::InTransit, Outbound, Some("In Transit")),
        (json!({"a": 1}), json!("In Transit"), Status::InTransit, Outbound, Some("In Transit")),
        (json!("XYZ"), json!("In Transit"), Status::InTransit, Outbound, Some("In Transit")),
        (json!("OTH"), json!("Others"), Status::Unknown, Outbound, Some("OTH")),
        (json!("XYZ"), json!("Gone fishing"), Status::Unknown, Outbound, Some("XYZ")),
        (json!(null), json!("Gone fishing"), Status::Unknown, Outbound, Some("Gone fishing")),
        (json!("XYZ"), json!(null), Status::Unknown, Outbound, Some("XYZ")),
        (
            json!("INT"),
            json!("RTO Initiated"),
            Status::ReturnInitiated,
            Outbound,
            Some("RTO Initiated"),
        ),
        (json!("INT"), json!("RTO"), Status::ReturnInitiated, Outbound, Some("RTO")),
        (json!("DEL"), json!("RTO Delivered"), Status::Returned, Outbound, Some("RTO Delivered")),
        (
            json!("OOD"),
            json!("RTO Out For Delivery"),
            Status::ReturnOutForDelivery,
            Return,
            Some("RTO Out For Delivery"),
        ),
        (
            json!("XYZ"),
            json!("RTO In Transit"),
            Status::ReturnInTransit,
            Return,
            Some("RTO In Transit"),
        ),
        (
            json!("DEL"),
            json!("RTO Gone fishing"),
            Status::Unknown,
            Return,
            Some("RTO Gone fishing"),
        ),
        (json!("RTD"), json!("Delivered"), Status::Returned, Outbound, Some("RTD")),
        (json!("RTO"), json!("RTO Delivered"), Status::ReturnInitiated, Outbound, Some("RTO")),
        (json!("RINT"), json!("In Transit"), Status::ReturnInTransit, Return, Some("RINT")),
        (json!("RCAN"), json!("Picked Up"), Status::Cancelled, Return, Some("RCAN")),
    ] {
        let report = report(&details(
            json!({"shipment_status": code, "shipment_details": [{"current_status": name}]}),
        ));
        let read = (report.status, report.leg, report.source_status.as_deref());
        assert_eq!(read, (status, leg, label), "{code} {name}");
    }
}

#[test]
fn item_without_content_is_unknown() {
    for nothing in [
        json!(null),
        json!([]),
        json!({}),
        json!(""),
        json!("DEL"),
        json!({"shipment_status": ""}),
        json!({"shipment_status": null, "shipment_details": [], "shipment_track_activities": []}),
        json!({"shipment_status": " ", "shipment_details": [{"current_status": ""}], "tracking_history": null}),
        json!({"shipment_status": {}, "shipment_details": null, "shipment_track_activities": [{}, null, 1]}),
        json!({"shipment_details": [{"courier_name": "Delhivery"}], "track_url": "https://example.invalid"}),
        json!({"shipment_track_activities": [{"date": "1970-01-01 05:30:00", "activity": "", "location": null}]}),
        json!({"shipment_status": "\u{7}"}),
    ] {
        assert_eq!(found(&details(nothing.clone())), ParcelAnswer::Unknown, "{nothing}");
    }
    assert_eq!(found(&json!([{"awb": ORDER.2}])), ParcelAnswer::Unknown);
    assert_eq!(
        found(&json!([{"awb": ORDER.2, "tracking_detail": {"shipment_status": "DEL"}}])),
        ParcelAnswer::Unknown
    );
}

#[test]
fn parcel_with_scans_is_known_without_a_status() {
    let report = report(&details(
        json!({"shipment_status": null, "tracking_history": [{"location": "Hub"}]}),
    ));
    assert_eq!(
        (report.status, report.source_status, report.scans.len()),
        (Status::Unknown, None, 1)
    );
}

#[test]
fn reads_scans_under_every_name_and_shape() {
    let activity =
        |date: &str, what: &str| json!({"date": date, "activity": what, "location": "Hub"});
    let entry =
        |date: &str, what: &str| json!({"timestamp": date, "remarks": what, "location": "Hub"});
    let (old, new) = ("2026-01-10 09:02:10", "2026-01-14 15:11:34");
    let list = json!([activity(new, "b"), activity(old, "a")]);
    let history = json!([entry(new, "b"), entry(old, "a")]);
    let expected = report(&details(json!({"shipment_track_activities": list}))).scans;
    assert_eq!(
        expected.iter().map(|scan| scan.activity.as_deref()).collect::<Vec<_>>(),
        [Some("a"), Some("b")]
    );
    for body in [
        details(json!({"tracking_history": history})),
        details(json!({"shipment_track_activities": null, "tracking_history": history})),
        details(json!({"shipment_track_activities": [], "tracking_history": history})),
        details(json!({"shipment_track_activities": {}, "scans": list})),
        details(json!({"shipment_track_activities": {"0": list[0], "1": list[1]}})),
        details(json!({"shipment_track_activities": [list[1], list[0]]})),
        details(json!({"shipment_track_activities": [list[0], null, 1, {}, list[1]]})),
        json!([{"awb": ORDER.2, "tracking_details": {}, "tracking_history": history}]),
        json!([{"awb": ORDER.2, "tracking_history": history}]),
    ] {
        assert_eq!(report(&body).scans, expected, "{body}");
    }
    let status =
        report(&details(json!({"tracking_history": [{"status": "Left", "remarks": "x"}]})));
    assert_eq!(status.scans[0].activity.as_deref(), Some("Left"));
}

#[test]
fn reads_shipment_details_as_list_or_object() {
    for shipment in [
        json!([{"current_status": "OOD"}]),
        json!({"0": {"current_status": "OOD"}}),
        json!({"current_status": "OOD"}),
    ] {
        let report = report(&details(json!({"shipment_details": shipment})));
        assert_eq!(report.status, Status::OutForDelivery, "{shipment}");
    }
}

#[test]
fn keeps_the_newest_fifty_scans() {
    let minute =
        |n: usize| format!("2026-01-{:02} {:02}:{:02}:00", 1 + n / 1440, n / 60 % 24, n % 60);
    let activities: Vec<_> =
        (0..10_000).rev().map(|n| json!({"date": minute(n), "activity": n})).collect();
    let report = report(&details(json!({"shipment_track_activities": activities})));
    let activities: Vec<_> = report.scans.iter().filter_map(|scan| scan.activity.clone()).collect();
    assert_eq!(activities, (9_950..10_000).map(|n: u32| n.to_string()).collect::<Vec<_>>());
}

#[test]
fn occurred_at_is_the_newest_scan() {
    let body = |code: &str, delivered: &str, dates: &[&str]| {
        let activities: Vec<_> =
            dates.iter().map(|date| json!({"date": date, "activity": "x"})).collect();
        details(
            json!({"shipment_status": code, "shipment_details": [{"delivered_date": delivered}],
            "shipment_track_activities": activities}),
        )
    };
    let (first, last, delivered) =
        ("2026-01-10 09:00:00", "2026-01-14 15:00:00", "2026-01-14 14:00:00");
    let (null, future) = ("1970-01-01 05:30:00", "2099-01-01 00:00:00");
    for (code, handed_over, dates, expected) in [
        ("DEL", delivered, &[last, first][..], time("2026-01-14T15:00:00+05:30")),
        ("DEL", delivered, &[first, last], time("2026-01-14T15:00:00+05:30")),
        ("DEL", null, &["", last, first], time("2026-01-14T15:00:00+05:30")),
        ("DEL", delivered, &[], time("2026-01-14T14:00:00+05:30")),
        ("DEL", delivered, &[null, ""], time("2026-01-14T14:00:00+05:30")),
        ("DEL", null, &[], None),
        ("DEL", "", &[], None),
        ("DEL", "yesterday", &["soon"], None),
        ("INT", delivered, &[], None),
        ("INT", null, &["2026-01-14T15:00:00Z"], time("2026-01-14T15:00:00Z")),
        ("INT", null, &[future, last], time("2099-01-01T00:00:00+05:30")),
    ] {
        let body = body(code, handed_over, dates);
        assert_eq!(report(&body).occurred_at, expected, "{body}");
    }
}

#[test]
fn eta_is_set_only_by_its_field() {
    let eta = |details: Value| report(&super::details(details)).eta;
    let (day, end) = (json!("2026-01-05"), time("2026-01-05T23:59:59+05:30"));
    assert_eq!(eta(json!({"shipment_status": "INT"})), None);
    assert_eq!(eta(json!({"shipment_status": "INT", "expected_delivery_date": day})), end);
    assert_eq!(
        eta(
            json!({"shipment_status": "INT", "shipment_details": [{"expected_delivery_date": day}]})
        ),
        end
    );
    let null = json!({"shipment_status": "INT", "shipment_details": [{"expected_delivery_date": "0000-00-00"}]});
    assert_eq!(eta(null), None);
}

#[test]
fn reports_older_statuses_unchanged() {
    let at = "2026-01-14 15:11:34";
    let statuses =
        ["DEL", "OOD", "INT"].map(|code| report(&json!([item(ORDER.2, code, at)])).status);
    assert_eq!(statuses, [Status::Delivered, Status::OutForDelivery, Status::InTransit]);
}

#[test]
fn truncates_texts() {
    let long = "\u{e9}".repeat(1_000);
    let activity = json!({"date": long, "activity": format!("a\r\n{long}"), "location": long});
    let body = json!({"shipment_status": long, "shipment_track_activities": [activity]});
    let report = report(&details(body));
    let length = |text: Option<&String>| text.map(|text| text.chars().count());
    assert_eq!(length(report.source_status.as_ref()), Some(128));
    assert_eq!(
        (length(report.location.as_ref()), length(report.scans[0].activity.as_ref())),
        (Some(128), Some(256))
    );
}
