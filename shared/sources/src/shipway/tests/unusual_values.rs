//! Unusual and unreadable bodies.

use super::*;
use crate::testing::{assert_rejects_non_objects, unusual_values};

#[test]
fn rejects_bodies_that_are_not_objects() {
    assert_rejects_non_objects("awbno", read_bytes);
}

#[test]
fn rejects_bodies_without_parcel_and_order() {
    for (body, missing) in [
        (json!({}), "status_feed, order_id or awbno"),
        (json!({"current_status": "DEL"}), "status_feed, order_id or awbno"),
        (json!({"hash": "ff9eee4e5674e80ff7a08ef685209267"}), "status_feed, order_id or awbno"),
        (json!({"awbno": null, "order_id": null}), "status_feed, order_id or awbno"),
        (feed(json!(null)), "status_feed, order_id or awbno"),
        (feed(json!("")), "status_feed, order_id or awbno"),
        (feed(json!({"order_id": "A"})), "status_feed, order_id or awbno"),
        (json!({"awbno": "", "order_id": " "}), "awbno or order_id"),
        (json!({"awbno": "a/b", "order_id": 1.5}), "awbno or order_id"),
        (json!({"awbno": 0}), "awbno or order_id"),
        (json!({"awbno": {}, "status_feed": []}), "awbno or order_id"),
    ] {
        assert_eq!(read(&body), Err(Unreadable::Missing(missing)), "{body}");
    }
}

#[test]
fn ignores_the_sample_order() {
    let sample = json!({"order_id": "99999999", "current_status": "DEL"});
    for body in [
        sample.clone(),
        json!({"order_id": 99999999, "current_status": "DEL"}),
        with(json!({"order_id": "99999999"})),
        feed(json!([sample])),
        feed(json!([sample, {"order_id": " 99999999 ", "awbno": "1"}])),
    ] {
        assert_eq!(read(&body), Ok(Reading::Ignored(IgnoreReason::TestPing)), "{body}");
    }
    for other in ["999999999", "9999999", "099999999", "99999999a"] {
        assert_eq!(
            report(&with(json!({"order_id": other}))).order_id.map(String::from).as_deref(),
            Some(other)
        );
    }
}

#[test]
fn ignores_feeds_without_orders() {
    assert_eq!(read(&feed(json!([]))), Ok(Reading::Ignored(IgnoreReason::EmptyFeed)));
    assert_eq!(read(&feed(json!({}))), Ok(Reading::Ignored(IgnoreReason::EmptyFeed)));
    for items in [
        json!([{}]),
        json!([null]),
        json!([1, "x", [], true]),
        json!([{"current_status": "DEL"}]),
        json!([{"order_id": "a/b"}]),
        json!([{"order_id": "99999999"}, {}]),
        json!({"0": {}}),
    ] {
        assert_eq!(
            read(&feed(items.clone())),
            Ok(Reading::Ignored(IgnoreReason::NoOrderNamed)),
            "{items}"
        );
    }
}

#[test]
fn invalid_items_do_not_affect_others() {
    let good = json!({"order_id": "A", "current_status": "DEL"});
    let odd =
        json!([null, 1, "x", [], {}, {"order_id": ""}, {"awbno": "a/b"}, {"order_id": {"a": 1}}]);
    let mut items = odd.as_array().unwrap().clone();
    items.insert(4, good.clone());
    items.insert(2, json!({"order_id": "99999999"}));
    let reports = reports_of(&feed(json!(items)));
    assert_eq!((reports.items, reports.skipped), (vec![report(&feed(json!([good])))], 8));
    let items = r#"{"order_id":"A","current_status":"\ud800"},{"\ud800":1},{"order_id":"\ud800"},{"order_id":"B"}"#;
    let broken = format!(r#"{{"status_feed":[{items}]}}"#);
    let Ok(Reading::Reports(reports)) = read_bytes(broken.as_bytes()) else { unreachable!() };
    assert_eq!((reports.items.len(), reports.skipped), (2, 2));
}

#[test]
fn reads_the_body_as_an_item_if_its_feed_is_empty() {
    let expected = report(&full());
    for nothing in [json!([]), json!({}), json!(null), json!("x"), json!({"order_id": "B"})] {
        assert_eq!(report(&with(json!({"status_feed": nothing}))), expected, "{nothing}");
    }
    let both = report(&with(json!({"status_feed": [{"order_id": "B", "current_status": "OOD"}]})));
    assert_eq!(both.order_id.map(String::from).as_deref(), Some("B"));
}

#[test]
fn keeps_all_digits_of_numbers() {
    for (value, expected) in [
        ("22600000000001", Some("22600000000001")),
        ("123456789012345678901234567890", Some("123456789012345678901234567890")),
        ("-1", Some("-1")),
        ("1.5", None),
        ("1e400", None),
        (r#""0022""#, Some("0022")),
    ] {
        let body = format!(r#"{{"awbno":{value},"order_id":"A"}}"#);
        let Ok(Reading::Reports(reports)) = read_bytes(body.as_bytes()) else {
            unreachable!("{body}")
        };
        assert_eq!(reports.items[0].awb.as_ref().map(Awb::as_str), expected, "{body}");
    }
}

#[test]
fn zero_is_not_a_tracking_number() {
    for zero in [json!(0), json!("0"), json!("0000")] {
        let report = report(&with(json!({"awbno": zero})));
        assert_eq!((report.awb, report.order_id.is_some()), (None, true), "{zero}");
    }
}

#[test]
fn ignores_fields_of_the_wrong_type() {
    for odd in unusual_values() {
        let changed = with(json!({
            "status_time": odd, "scans_current_status_time": odd, "expected_delivery_date": odd, "api_input": odd,
            "scans": odd, "carrier": odd, "order_id": odd, "reverse_tracking_number": null,
        }));
        let report = report(&changed);
        assert_eq!((report.occurred_at, report.eta, report.location), (None, None, None), "{odd}");
        assert_eq!((report.status, report.scans.len()), (Status::Delivered, 0), "{odd}");
    }
    let odd_scans = with_scans(
        json!({"0": null, "1": 1, "2": {}, "3": [], "x": {"status": "no"}, "4": {"status": "a"}}),
    );
    assert_eq!(report(&odd_scans).scans.len(), 1);
}

#[test]
fn parses_huge_bodies() {
    let text = "x".repeat(1_000_000);
    let clipped =
        report(&with(json!({"current_status": text, "awbno": text, "status_time": text})));
    assert_eq!((clipped.source_status.map(|text| text.len()), clipped.awb), (Some(128), None));
    let minute =
        |n: usize| format!("2026-01-{:02} {:02}:{:02}:00", 1 + n / 1440, n / 60 % 24, n % 60);
    let scan = |n: usize| {
        (
            n.to_string(),
            json!({"time": minute(9_999 - n), "status": 9_999 - n, "location": "x".repeat(200)}),
        )
    };
    let scans: serde_json::Map<_, _> = (0..10_000).map(scan).collect();
    let report = report(&with_scans(json!(scans)));
    let activities: Vec<_> = report.scans.iter().filter_map(|scan| scan.activity.clone()).collect();
    assert_eq!(activities, (9_950..10_000).map(|n: u32| n.to_string()).collect::<Vec<_>>());
    assert_eq!(report.location.map(|place| place.len()), Some(128));
    assert_eq!(read(&feed(json!(vec![0; 500]))), Ok(Reading::Ignored(IgnoreReason::NoOrderNamed)));
    assert_eq!(read(&feed(json!(vec![0; 100_000]))).unwrap_err().field(), Some("status_feed"));
}
