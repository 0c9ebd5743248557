//! Report ids and deduplication.

use super::*;

const LATER: &str = "2026-11-24T05:01:00Z";

fn id(body: &Value) -> ReportId {
    report(body).id
}

fn id_at(at: &str, body: &Value) -> ReportId {
    let Ok(Reading::Reports(reports)) = read_at(at, "STORE001", body.to_string().as_bytes()) else {
        unreachable!()
    };
    reports.items[0].id.clone()
}

#[test]
fn report_id_ignores_irrelevant_changes() {
    let expected = id(&full());
    for same in [
        json!({"order_id": "other"}),
        json!({"current_status": "del "}),
        json!({"current_status": "Delivered"}),
        json!({"awbno": 22600000000001_u64}),
        json!({"awbno": "0022600000000001"}),
        json!({"status_time": "2026-01-04 15:30:00"}),
        json!({"status_time": null, "scans_current_status_time": null}),
        json!({"expected_delivery_date": "2026-01-06", "reverse_tracking_number": 1}),
        json!({"carrier": "Other", "unheard_of": [1]}),
    ] {
        assert_eq!(id(&with(same.clone())), expected, "{same}");
    }
    let scans: Vec<Value> =
        full()["api_input"]["scans"].as_object().unwrap().values().rev().cloned().collect();
    assert_eq!(id(&with_scans(json!(scans))), expected);
    assert_eq!(id_at(LATER, &full()), expected);
    let item = json!({"order_id": "ORD1001", "awbno": "22600000000001", "current_status": "DEL",
        "scans": [{"time": "2026-01-04 15:00:00", "location": "Exampletown_Central_D (Bihar)"}]});
    assert_eq!(id(&feed(json!([item]))), expected);
}

#[test]
fn report_id_changes_with_every_relevant_field() {
    let mut ids = BTreeSet::from([id(&full())]);
    let at = |time: &str| {
        with(json!({"api_input": null, "status_time": time, "scans_current_status_time": null}))
    };
    let newest = |time: &str, place: &str| with_scans(json!([{"time": time, "location": place}]));
    let others = [
        with(json!({"awbno": "22600000000002"})),
        with(json!({"awbno": ""})),
        with(json!({"awbno": "", "order_id": "22600000000001"})),
        with(json!({"current_status": "OOD"})),
        with(json!({"current_status": null})),
        newest("2026-01-04 15:00:01", "Exampletown_Central_D (Bihar)"),
        newest("2026-01-04 15:00:00", "Hub A"),
        newest("2026-01-04 15:00:00", ""),
        at("2026-01-04 15:00:02"),
        at("at 9"),
        at("at 10"),
        at(""),
        with(
            json!({"api_input": null, "status_time": null, "scans_current_status_time": "2026-01-04 15:00:03"}),
        ),
    ];
    let count = others.len();
    ids.extend(others.iter().map(id));
    assert_eq!(ids.len(), count + 1);
    let Ok(Reading::Reports(foreign)) = read_at(NOW, "STORE002", full().to_string().as_bytes())
    else {
        unreachable!()
    };
    assert!(ids.insert(foreign.items[0].id.clone()));
}

/// Otherwise the first of them to arrive would decide when the report happened.
#[test]
fn reports_with_the_same_id_have_the_same_time() {
    let scan = |time: &str| json!({"time": time, "status": "x", "location": "Hub"});
    let (early, late) = ("2026-01-04 13:00:00", "2026-01-04 15:00:00");
    let mut times = std::collections::BTreeMap::new();
    for scans in
        [json!([scan(early)]), json!([scan(""), scan(early)]), json!([scan("")]), json!([])]
    {
        for status_time in [early, late, "", "soon"] {
            let body = json!({"order_id": "A", "current_status": "OOD", "status_time": status_time,
                "scans": scans});
            let report = report(&body);
            let at = *times.entry(report.id).or_insert(report.occurred_at);
            assert_eq!(report.occurred_at, at, "{body}");
        }
    }
}

#[test]
fn report_id_includes_the_minute_without_a_time() {
    let small = json!({"order_id": "ORD1001", "current_status": "INT"});
    assert_eq!(id_at(NOW, &small), id_at("2026-11-24T05:00:00Z", &small));
    assert_ne!(id_at(NOW, &small), id_at(LATER, &small));
    let placed =
        json!({"order_id": "A", "scans": [{"time": "1970-01-01 05:30:00", "location": "Hub"}]});
    assert_ne!(id_at(NOW, &placed), id_at(LATER, &placed));
    for timed in [
        json!({"order_id": "A", "status_time": "2026-01-04 15:00:00"}),
        json!({"order_id": "A", "status_time": "04.01.2026, 3 o'clock"}),
        json!({"order_id": "A", "scans": [{"status": "x"}, {"time": "2026-01-04 15:00:00"}]}),
    ] {
        assert_eq!(id_at(NOW, &timed), id_at(LATER, &timed), "{timed}");
    }
}

#[test]
fn feed_yields_each_report_once() {
    let item = |order: &str, code: &str| json!({"order_id": order, "current_status": code});
    let items = json!([
        item("A", "OOD"),
        item("A", "ood"),
        item("A", "DEL"),
        item("B", "OOD"),
        item("A", "OOD")
    ]);
    let reports = reports_of(&feed(items));
    let orders: Vec<_> = reports
        .items
        .iter()
        .filter_map(|report| report.order_id.as_ref().map(OrderId::as_str))
        .collect();
    assert_eq!((orders, reports.skipped), (vec!["A", "A", "B"], 0));
}

#[test]
fn dedup_key_includes_the_minute_without_a_time() {
    let timed = json!({"order_id": "A", "status_time": "2026-01-04 15:00:00"});
    let untimed =
        json!({"order_id": "A", "current_status": "DEL", "status_time": "0000-00-00 00:00:00"});
    let scanned =
        json!({"order_id": "A", "scans": [{"status": "x"}, {"date": "2026-01-04 15:00:00"}]});
    for (body, expected) in [
        (full(), DedupKey::Body),
        (timed.clone(), DedupKey::Body),
        (scanned, DedupKey::Body),
        (feed(json!([untimed, timed])), DedupKey::Body),
        (untimed.clone(), DedupKey::BodyAndMinute),
        (feed(json!([untimed, untimed])), DedupKey::BodyAndMinute),
        (feed(json!([])), DedupKey::BodyAndMinute),
        (json!({"order_id": "99999999", "current_status": "DEL"}), DedupKey::BodyAndMinute),
        (json!({"expected_delivery_date": "2026-01-04", "order_id": "A"}), DedupKey::BodyAndMinute),
    ] {
        let body = body.to_string();
        let request = Request::stored(None, body.as_bytes());
        let parsed = Shipway.parse(&request, Timestamp::EPOCH).unwrap();
        assert_eq!(parsed.dedup_key, expected, "{body}");
    }
}

#[test]
fn unreadable_bodies_have_no_dedup_key() {
    for body in [&b""[..], b"{", b"[]", b"\xff", b"{}"] {
        let request = Request::stored(None, body);
        assert!(Shipway.parse(&request, Timestamp::EPOCH).is_err(), "{body:?}");
    }
}
