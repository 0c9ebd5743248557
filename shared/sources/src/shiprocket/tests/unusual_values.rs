//! Unusual and unreadable bodies.

use super::*;
use crate::testing::{assert_rejects_non_objects, unusual_values};

#[test]
fn rejects_bodies_that_are_not_objects() {
    assert_rejects_non_objects("awb", read);
}

#[test]
fn invalid_ids_count_as_absent() {
    for odd in [
        json!("a\u{0}b"),
        json!("x".repeat(2049)),
        json!("../x"),
        json!("a\r\nb"),
        json!("\u{1b}[2J"),
        json!({}),
    ] {
        let report = report(&with(json!({"awb": odd, "return_awb_code": odd, "order_id": odd})));
        assert_eq!((report.awb, report.return_awb, report.order_id), (None, None, None), "{odd}");
        assert!(report.provider_id.is_some());
    }
}

#[test]
fn keeps_all_digits_of_numbers() {
    for (value, expected) in [
        ("19000000000501", Some("19000000000501")),
        ("123456789012345678901234567890", Some("123456789012345678901234567890")),
        ("0", Some("0")),
        ("-1", Some("-1")),
        ("1.5", None),
        ("1e400", None),
        (r#""0019""#, Some("0019")),
    ] {
        let body = format!(r#"{{"awb":{value},"sr_order_id":"1","order_id":{value}}}"#);
        let Ok(Reading::Reports(reports)) = read(body.as_bytes()) else { unreachable!("{body}") };
        assert_eq!(reports.items[0].awb.as_ref().map(Awb::as_str), expected, "{body}");
        assert_eq!(reports.items[0].order_id.as_ref().map(OrderId::as_str), expected, "{body}");
    }
}

#[test]
fn last_of_repeated_keys_counts() {
    let Ok(Reading::Reports(reports)) =
        read(br#"{"awb":"a","awb":"b","shipment_status_id":7,"shipment_status_id":17}"#)
    else {
        unreachable!()
    };
    assert_eq!(reports.items[0].awb.as_ref().map(Awb::as_str), Some("b"));
    assert_eq!(reports.items[0].status, Status::OutForDelivery);
}

#[test]
fn ignores_fields_of_the_wrong_type() {
    for odd in unusual_values() {
        let changed = with(json!({
            "current_timestamp": odd, "etd": odd, "scans": odd, "location": odd, "undelivered_reason": odd,
            "return_awb_code": null, "is_return": 0, "courier_name": odd, "shipment_status": odd,
        }));
        let report = report(&changed);
        assert_eq!((report.occurred_at, report.eta), (None, None), "{odd}");
        assert_eq!((report.status, report.scans.len()), (Status::InTransit, 0), "{odd}");
    }
    let lone = br#"{"awb":"x","undelivered_reason":"\ud800","shipment_status_id":7}"#;
    assert!(matches!(read(lone), Ok(Reading::Reports(reports)) if reports.items[0].note.is_none()));
}

#[test]
fn parses_times_in_every_format() {
    for (text, expected) in [
        (json!("23 05 2023 11:43:52"), time("2023-05-23T06:13:52Z")),
        (json!("2021-07-02 16:41:59"), time("2021-07-02T11:11:59Z")),
        (json!("2026-01-20T10:15:30.000+05:30"), time("2026-01-20T04:45:30Z")),
        (json!("31 Jul 2019, 03:03 PM"), time("2019-07-31T09:33:00Z")),
        (json!("2026-07-06 14:00"), time("2026-07-06T08:30:00Z")),
        (json!("06 07 2026 14:00"), time("2026-07-06T08:30:00Z")),
        (json!("9999-12-31 23:59:59"), time("9999-12-31T18:29:59Z")),
        (json!("0000-00-00 00:00:00"), None),
        (json!("Invalid Date"), None),
        (json!(1_700_000_000), None),
        (json!(1_700_000_000_000_u64), None),
        (json!(-1), None),
    ] {
        let times = json!({"current_timestamp": text, "etd": text, "scans": null});
        let report = report(&with(times));
        assert_eq!((report.occurred_at, report.eta), (expected, expected), "{text}");
    }
    let scans = json!({"scans": [{"date": "2026-07-06 14:00", "activity": "Bag received"}]});
    assert_eq!(report(&with(scans)).scans[0].at, time("2026-07-06T08:30:00Z"));
    let date = report(&with(json!({"etd": "2026-07-09"}))).eta;
    assert_eq!(date, time("2026-07-09T18:29:59Z"));
}

#[test]
fn sorts_scans_oldest_first() {
    let order = |scans: Value| {
        let activity = |scan: Scan| scan.activity.unwrap_or_default();
        report(&with(json!({"scans": scans}))).scans.into_iter().map(activity).collect::<String>()
    };
    let at = |time: &str, activity: &str| json!({"date": format!("2023-05-19 {time}"), "activity": activity});
    let (a, b, c) = (at("10:00:00", "a"), at("11:00:00", "b"), at("11:00:00", "c"));
    let undated = json!({"date": "0000-00-00 00:00:00", "activity": "?"});
    assert_eq!(order(json!([a, b, c])), "abc");
    assert_eq!(order(json!([c, b, a])), "abc");
    assert_eq!(order(json!([b, a, c])), "abc");
    assert_eq!(order(json!([a, undated, b])), "a?b");
    assert_eq!(order(json!([b, undated, a])), "a?b");
    assert_eq!(order(json!([undated, undated])), "??");
    assert_eq!(order(json!([null, 1, "x", [], {}, {"location": "NA"}, a])), "a");
}

#[test]
fn keeps_the_newest_fifty_scans() {
    let minute =
        |n: usize| format!("2023-05-{:02} {:02}:{:02}:00", 1 + n / 1440, n / 60 % 24, n % 60);
    let scans: Vec<_> = (0..10_000)
        .map(|n| json!({"date": minute(n), "activity": n, "location": "x".repeat(500)}))
        .collect();
    let report = report(&with(json!({"scans": scans})));
    let activities: Vec<_> = report.scans.iter().filter_map(|scan| scan.activity.clone()).collect();
    assert_eq!(activities, (9950..10_000).map(|n: u32| n.to_string()).collect::<Vec<_>>());
    assert_eq!(report.location.map(|place| place.len()), Some(128));
}

#[test]
fn parses_huge_bodies() {
    let text = "x".repeat(1_000_000);
    let clipped =
        report(&with(json!({"undelivered_reason": text, "shipment_status": text, "awb": text})));
    assert_eq!(clipped.note.map(|note| note.len()), Some(256));
    assert_eq!(clipped.source_status.map(|label| label.len()), Some(128));
    let mut body = with(json!({"scans": vec![0; 100_000]}));
    body.as_object_mut().unwrap().insert("k".repeat(65_536), json!(1));
    assert_eq!(report(&body).scans.len(), 0);
}
