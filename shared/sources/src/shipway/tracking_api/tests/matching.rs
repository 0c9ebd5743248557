//! Matching of items and orders.

use super::*;

const A: Order = ("STORE001", "ORD-A", "A1");
const B: Order = ("STORE001", "ORD-B", "B2");
const C: Order = ("STORE001", "ORD-C", "C3");
const AT: &str = "2026-01-14 15:11:34";

/// The statuses found; `None` for unknown parcels.
fn statuses(orders: &[Order], body: &Value) -> Vec<Option<Status>> {
    let status = |found| match found {
        ParcelAnswer::Known(report) => Some(report.status),
        ParcelAnswer::Unknown => None,
    };
    read(orders, body).into_iter().map(status).collect()
}

#[test]
fn ignores_the_order_of_the_response() {
    let (a, b, c) = (item("A1", "DEL", AT), item("B2", "INT", AT), item("C3", "UND", AT));
    let expected = [Some(Status::Delivered), Some(Status::InTransit), Some(Status::Undelivered)];
    for body in [json!([a, b, c]), json!([c, b, a]), json!([b, c, a])] {
        assert_eq!(statuses(&[A, B, C], &body), expected, "{body}");
    }
    let expected = [Some(Status::Undelivered), Some(Status::Delivered), Some(Status::InTransit)];
    assert_eq!(statuses(&[C, A, B], &json!([a, b, c])), expected);
}

#[test]
fn missing_or_invalid_items_do_not_affect_others() {
    let (a, c, foreign) = (item("A1", "DEL", AT), item("C3", "UND", AT), item("Z9", "LOST", AT));
    let expected = [Some(Status::Delivered), None, Some(Status::Undelivered)];
    let nothing = json!({"awb": "B2"});
    for body in [
        json!([a, c]),
        json!([foreign, a, foreign, c]),
        json!([a, nothing, c]),
        json!([a, {"tracking_details": {"shipment_status": "LOST"}}, c]),
        json!([a, null, 1, "x", [], true, {}, c]),
        json!([a, {"awb": {"a": 1}}, {"awb": null}, {"awb": ""}, {"awb": "a/b"}, c]),
    ] {
        assert_eq!(statuses(&[A, B, C], &body), expected, "{body}");
    }
    let torn =
        br#"[{"awb":"B2","\ud800":1},{"awb":"\ud800"},{"awb":"A1","tracking_details":{"shipment_status":"DEL"}}]"#;
    assert!(matches!(
        &read_bytes(&[A, B], torn).unwrap()[..],
        [ParcelAnswer::Known(_), ParcelAnswer::Unknown]
    ));
}

#[test]
fn handles_missing_extra_and_no_items() {
    let numbers: Vec<&'static str> =
        (0..51_u32).map(|n| &*Box::leak(format!("N{n}").into_boxed_str())).collect();
    let orders: Vec<Order> = numbers.iter().map(|awb| ("STORE001", *awb, *awb)).collect();
    let items: Vec<Value> = numbers.iter().map(|awb| item(awb, "INT", AT)).collect();
    let known = |orders: &[Order], items: &[Value]| {
        let found = statuses(orders, &json!(items));
        (found.len(), found.iter().flatten().count())
    };
    assert_eq!(known(&orders[..50], &items[..49]), (50, 49));
    assert_eq!(known(&orders[..50], &items), (50, 50));
    assert_eq!(known(&orders, &items), (51, 51));
    assert_eq!(known(&orders[..1], &items), (1, 1));
    assert_eq!(known(&orders[..50], &[]), (50, 0));
    assert_eq!(known(&[], &items), (0, 0));
}

#[test]
fn matches_awbs_without_leading_zeros() {
    let status = |awb: &'static str, answered: &str| {
        let body =
            format!(r#"[{{"awb":{answered},"tracking_details":{{"shipment_status":"DEL"}}}}]"#);
        matches!(
            read_bytes(&[("STORE001", "O", awb)], body.as_bytes()).unwrap()[0],
            ParcelAnswer::Known(_)
        )
    };
    for (awb, answered, expected) in [
        ("22600000000001", "22600000000001", true),
        ("22600000000001", r#""22600000000001""#, true),
        ("22600000000001", r#"" 22600000000001 ""#, true),
        ("0022600000000001", "22600000000001", true),
        ("0022600000000001", r#""0022600000000001""#, true),
        ("22600000000001", r#""0022600000000001""#, true),
        ("123456789012345678901234567890", "123456789012345678901234567890", true),
        ("22600000000001", "226000000000010", false),
        ("22600000000001", "2.2600000000001e13", false),
        ("1", "1.0", false),
        ("0012A", r#""12A""#, false),
        ("000", "0", false),
    ] {
        assert_eq!(status(awb, answered), expected, "{awb} {answered}");
    }
}

#[test]
fn prefers_the_closest_spelling() {
    let of = |awb: &'static str, answered: &[(&str, &str)]| {
        let items: Vec<Value> = answered.iter().map(|(awb, code)| item(awb, code, AT)).collect();
        statuses(&[("STORE001", "O", awb)], &json!(items))[0]
    };
    assert_eq!(of("ab1", &[("AB1", "DEL")]), Some(Status::Delivered));
    assert_eq!(of("AB1", &[("aB1", "DEL")]), Some(Status::Delivered));
    assert_eq!(of("\u{e9}1", &[("\u{c9}1", "DEL")]), None);
    let both = [("AB1", "DEL"), ("ab1", "INT")];
    assert_eq!(
        (of("AB1", &both), of("ab1", &both)),
        (Some(Status::Delivered), Some(Status::InTransit))
    );
    let zeros = [("12", "DEL"), ("0012", "INT")];
    assert_eq!(
        (of("12", &zeros), of("0012", &zeros)),
        (Some(Status::Delivered), Some(Status::InTransit))
    );
    assert_eq!(of("0012", &[("12", "DEL"), ("0013", "INT")]), Some(Status::Delivered));
    let later = json!([item("AB1", "DEL", "2026-01-15 10:00:00"), item("ab1", "INT", AT)]);
    assert_eq!(statuses(&[("STORE001", "O", "ab1")], &later), [Some(Status::InTransit)]);
}

#[test]
fn prefers_the_newer_of_two_items() {
    let (old, new) = (item("A1", "INT", "2026-01-13 10:00:00"), item("A1", "OOD", AT));
    let (undated, empty) = (item("A1", "LOST", ""), json!({"awb": "A1", "tracking_details": {}}));
    for body in [
        json!([old, new]),
        json!([new, old]),
        json!([undated, new]),
        json!([new, undated]),
        json!([new, empty]),
        json!([empty, new, old, undated]),
    ] {
        assert_eq!(statuses(&[A], &body), [Some(Status::OutForDelivery)], "{body}");
    }
}

#[test]
fn same_parcel_of_two_accounts_gives_two_reports() {
    let (mine, theirs) = (("STORE001", "ORD-1", "A1"), ("STORE002", "ORD-2", "A1"));
    let found = read(&[mine, theirs], &json!([item("A1", "DEL", AT)]));
    let [ParcelAnswer::Known(mine), ParcelAnswer::Known(theirs)] = &found[..] else {
        unreachable!("{found:?}")
    };
    assert_ne!(mine.id, theirs.id);
    assert_eq!(mine.order_id.as_ref().map(OrderId::as_str), Some("ORD-1"));
    let same = Report { id: mine.id.clone(), order_id: mine.order_id.clone(), ..*theirs.clone() };
    assert_eq!(same, **mine);
}
