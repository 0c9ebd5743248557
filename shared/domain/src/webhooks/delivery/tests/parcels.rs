//! Changes of parcels: split orders, returns, attempts.

use serde_json::Value;

use super::{Changed, FORMATS, endpoint, fact, fan_out_changes, ids};
use crate::orders::order::Order;
use crate::testing::{awb, event_id, minute, order, readable, report, report_id};
use crate::tracking::entry::{Direction, Fact, ParcelChange, ParcelFact};
use crate::tracking::report::Report;
use crate::tracking::status::{Leg, Status};
use crate::tracking::timeline::NewFact;
use crate::webhooks::delivery::{Delivery, fan_out_current, fan_out_stalled};
use crate::webhooks::notification::{CurrentOrder, StalledOrder};

const SHOP: &str = r#"{"orderId":"ORD-1","awb":"190001","carrierId":7,"carrierName":"Blue Dart",
    "customer":{"phone":"919876543210","firstName":"Asha","lastName":"Rao"},
    "items":[{"title":"Shirt","sku":"S-1","qty":2,"price":499}]}"#;

/// Every event type.
fn asks_for_all(format: &str) -> String {
    let events = r#"["order.status_changed","shipment.status_changed"]"#;
    format!(r#"{{"format":"{format}","accounts":["*"],"events":{events}}}"#)
}

fn of_parcel(number: &str, id: &str, minutes: i64, status: Status) -> Report {
    Report {
        awb: Some(awb(number)),
        source_status: Some(status.title().to_uppercase()),
        location: Some(format!("Hub of {number}")),
        note: Some(format!("note {id}")),
        eta: Some(minute(1000 + minutes)),
        ..report(id, status, Some(minute(minutes)))
    }
}

fn named(direction: Direction, number: &str, minutes: i64) -> NewFact {
    let change = ParcelChange::Named { direction, awb: Some(awb(number)) };
    of_shop(change, minutes)
}

fn added(number: &str, minutes: i64) -> NewFact {
    let carrier_name = Some("Delhivery".to_owned());
    let change = ParcelChange::Added { awb: awb(number), carrier_id: None, carrier_name };
    of_shop(change, minutes)
}

fn of_shop(change: ParcelChange, minutes: i64) -> NewFact {
    let rev = u64::try_from(minutes + 2).unwrap();
    let fact = Fact::Parcel(ParcelFact { rev, change, recycled: false });
    NewFact { id: report_id(&format!("shop-{minutes}")), occurred_at: minute(minutes), fact }
}

/// A shop's order after these facts, of which the last is the change.
fn shop(facts: impl FnOnce(&Order) -> Vec<NewFact>) -> Changed {
    let order = order("STORE001", SHOP);
    let facts = facts(&order);
    Changed::by(order, facts)
}

/// Two parcels: the second one changes, the order does not.
fn split() -> Changed {
    shop(|order| {
        vec![
            added("190002", 1),
            fact(order, &of_parcel("190001", "r1", 2, Status::InTransit)),
            fact(order, &of_parcel("190002", "r2", 3, Status::InTransit)),
            fact(order, &of_parcel("190002", "r3", 4, Status::OutForDelivery)),
        ]
    })
}

/// The last of two parcels arrives, and with it the order.
fn split_delivered() -> Changed {
    shop(|order| {
        vec![
            added("190002", 1),
            fact(order, &of_parcel("190001", "r1", 2, Status::InTransit)),
            fact(order, &of_parcel("190002", "r2", 4, Status::Delivered)),
            fact(order, &of_parcel("190001", "r3", 3, Status::Delivered)),
        ]
    })
}

fn returned() -> Changed {
    shop(|order| {
        let back = of_parcel("290001", "r2", 20, Status::InTransit);
        vec![
            fact(order, &of_parcel("190001", "r1", 2, Status::Delivered)),
            named(Direction::Return, "290001", 10),
            fact(order, &Report { leg: Leg::Return, ..back }),
        ]
    })
}

/// A second failed attempt: the status stays.
fn attempted() -> Changed {
    shop(|order| {
        let failed = of_parcel("190001", "r2", 3, Status::Undelivered);
        vec![
            fact(order, &of_parcel("190001", "r1", 2, Status::Undelivered)),
            fact(order, &Report { attempts: Some(2), ..failed }),
        ]
    })
}

fn bodies(changed: &Changed, format: &str) -> Vec<String> {
    let settings = asks_for_all(format);
    let changed = [changed.clone()];
    let deliveries = fan_out_changes(&event_id("e"), &changed, &[endpoint("shop", &settings)]);
    deliveries.into_iter().map(|delivery| delivery.body).collect()
}

fn value(body: &str) -> Value {
    serde_json::from_str(body).unwrap()
}

fn snapshot(name: String, bodies: &[String]) {
    let texts: Vec<String> =
        bodies.iter().map(|body| format!("{body}\n\n{}", readable(body))).collect();
    insta::assert_snapshot!(name, texts.join("\n\n----\n\n"));
}

#[test]
fn every_format_has_its_bodies_of_parcels() {
    for format in FORMATS {
        for (name, changed) in [
            ("split", split()),
            ("split-delivered", split_delivered()),
            ("return", returned()),
            ("attempt", attempted()),
        ] {
            snapshot(format!("{format}-{name}"), &bodies(&changed, format));
        }
    }
}

#[test]
fn only_who_asks_is_told_of_parcels() {
    let types = |changed: &Changed, settings: &str| -> Vec<String> {
        let endpoints = [endpoint("shop", settings)];
        let deliveries = fan_out_changes(&event_id("e"), std::slice::from_ref(changed), &endpoints);
        deliveries
            .iter()
            .filter_map(|delivery| Some(delivery.kind.event()?.as_str().to_owned()))
            .collect()
    };
    let [order, parcel] = ["order.status_changed", "shipment.status_changed"];
    for (settings, split, attempted) in [
        (r#"{"accounts":["*"]}"#, vec![], vec![order]),
        (r#"{"accounts":["*"],"events":["undelivered"]}"#, vec![], vec![order]),
        (r#"{"accounts":["*"],"events":["shipment.status_changed"]}"#, vec![parcel], vec![parcel]),
        (&*asks_for_all("standard"), vec![parcel], vec![order, parcel]),
        (&*asks_for_all("order.status_changed"), vec![], vec![order]),
        (r#"{"format":"status_update","accounts":["*"]}"#, vec![order], vec![order]),
    ] {
        assert_eq!(types(&self::split(), settings), split, "split, {settings}");
        assert_eq!(types(&self::attempted(), settings), attempted, "attempt, {settings}");
    }
}

/// A subscription to a status means the status of an order or of a parcel.
#[test]
fn status_update_selects_by_the_status_of_the_order_or_the_parcel() {
    for (events, expected) in [
        (r#"["out_for_delivery"]"#, 1),
        (r#"["shipment.status_changed"]"#, 1),
        (r#"["in_transit"]"#, 0),
        (r#"["delivered"]"#, 0),
    ] {
        let settings =
            format!(r#"{{"format":"status_update","accounts":["*"],"events":{events}}}"#);
        let deliveries =
            fan_out_changes(&event_id("e"), &[split()], &[endpoint("shop", &settings)]);
        assert_eq!(deliveries.len(), expected, "{events}");
    }
}

/// The first parcel arrives last to be heard of: the order's time is that of the second.
#[test]
fn words_time_and_eta_are_of_the_parcel_that_was_reported() {
    let body = value(&bodies(&split_delivered(), "order.status_changed")[0]);
    assert_eq!(body["status"], "delivered");
    assert_eq!(body["awb"], "190001");
    assert_eq!(body["occurredAt"], minute(3).to_string());
    assert_eq!(body["location"], "Hub of 190001");
    assert_eq!(body["note"], "note r3");
    let waiting = shop(|order| {
        vec![
            added("190002", 1),
            fact(order, &of_parcel("190001", "r1", 2, Status::InTransit)),
            fact(order, &of_parcel("190002", "r2", 3, Status::InTransit)),
            fact(order, &of_parcel("190002", "r3", 4, Status::Undelivered)),
        ]
    });
    let body = value(&bodies(&waiting, "order.status_changed")[0]);
    assert_eq!(body["status"], "in_transit", "only its attempts changed");
    assert_eq!(body["deliveryAttempts"], 1);
    assert_eq!(
        (&body["awb"], &body["currentShipmentStatus"]),
        (&"190002".into(), &"UNDELIVERED".into())
    );
}

#[test]
fn an_attempt_has_the_time_of_its_report_unless_it_is_late() {
    let body = value(&bodies(&attempted(), "order.status_changed")[0]);
    assert_eq!(body["occurredAt"], minute(3).to_string());
    let late = shop(|order| {
        vec![
            fact(order, &of_parcel("190001", "r1", 5, Status::OutForDelivery)),
            fact(order, &of_parcel("190001", "r2", 3, Status::Undelivered)),
        ]
    });
    let body = value(&bodies(&late, "order.status_changed")[0]);
    assert_eq!(
        (&body["status"], &body["deliveryAttempts"]),
        (&"out_for_delivery".into(), &1.into())
    );
    assert_eq!(body["currentShipmentStatus"], "OUT FOR DELIVERY");
    assert_eq!(body["occurredAt"], minute(5).to_string());
    assert_eq!(body["note"], "note r2");
}

#[test]
fn an_awb_has_the_spelling_of_the_shop() {
    let changed =
        shop(|order| vec![fact(order, &of_parcel("00190001", "r1", 2, Status::InTransit))]);
    for format in FORMATS {
        for body in bodies(&changed, format) {
            assert!(
                body.contains(r#""awb":"190001""#) && !body.contains(r#""00190001""#),
                "{body}"
            );
        }
    }
}

/// A report without AWB changes both parcels: two rows, one delivery.
#[test]
fn a_change_of_two_parcels_has_two_rows_of_one_version() {
    let changed = shop(|order| {
        let all = Report { awb: None, ..of_parcel("190001", "r1", 5, Status::InTransit) };
        vec![added("190002", 1), fact(order, &all)]
    });
    let bodies = bodies(&changed, "status_update");
    assert_eq!(bodies.len(), 1);
    let body = value(&bodies[0]);
    let rows: Vec<_> = body["orders"].as_array().unwrap().iter().collect();
    let row = |row: &Value| (row["awb"].clone(), row["sequence"].clone(), row["status"].clone());
    let expected = ["190001", "190002"].map(|awb| (awb.into(), 2.into(), "in_transit".into()));
    assert_eq!(rows.into_iter().map(row).collect::<Vec<_>>(), expected);
    let settings = asks_for_all("standard");
    let deliveries = fan_out_changes(&event_id("e"), &[changed], &[endpoint("shop", &settings)]);
    let unique: std::collections::BTreeSet<_> = ids(&deliveries).into_iter().collect();
    assert_eq!((deliveries.len(), unique.len()), (3, 3), "the order and two parcels");
}

/// Withdrawals name a report and no parcel.
#[test]
fn a_withdrawn_report_is_told_with_the_parcel_that_changed() {
    let changed = shop(|order| {
        let fact_of_withdrawal = NewFact {
            id: report_id("w"),
            occurred_at: minute(9),
            fact: Fact::Withdrawal { report_id: report_id("r2") },
        };
        vec![
            fact(order, &of_parcel("190001", "r1", 2, Status::InTransit)),
            fact(order, &of_parcel("190001", "r2", 3, Status::Delivered)),
            fact_of_withdrawal,
        ]
    });
    let body = value(&bodies(&changed, "order.status_changed")[0]);
    assert_eq!(
        (&body["status"], &body["previousStatus"]),
        (&"in_transit".into(), &"delivered".into())
    );
    assert_eq!((&body["awb"], &body["note"]), (&"190001".into(), &Value::Null));
    assert_eq!(body["occurredAt"], minute(2).to_string());
}

fn current(changed: &Changed) -> Vec<Delivery> {
    let orders = [CurrentOrder { order: &changed.order, last: Some(changed.transition()) }];
    let settings = r#"{"format":"status_update","accounts":["*"]}"#;
    fan_out_current(&event_id("e"), &orders, &[endpoint("shop", settings)], minute(31))
}

#[test]
fn the_current_state_has_a_row_for_each_parcel_that_counts() {
    let deliveries = current(&split());
    snapshot("current-split".to_owned(), &[deliveries[0].body.clone()]);
    let replaced = shop(|order| {
        vec![
            named(Direction::Forward, "190003", 1),
            fact(order, &of_parcel("190003", "r1", 2, Status::InTransit)),
        ]
    });
    let body = value(&current(&replaced)[0].body);
    let awbs: Vec<_> =
        body["orders"].as_array().unwrap().iter().map(|row| row["awb"].clone()).collect();
    assert_eq!(awbs, ["190003"]);
}

#[test]
fn a_stalled_body_is_about_the_parcel_that_stands_still() {
    let changed = split();
    let still = awb("190001");
    let stalled = [StalledOrder { order: &changed.order, awb: Some(&still), since: minute(20) }];
    for format in FORMATS {
        let settings =
            format!(r#"{{"format":"{format}","accounts":["*"],"events":["order.stalled"]}}"#);
        let deliveries =
            fan_out_stalled(&event_id("e"), &stalled, &[endpoint("shop", &settings)], minute(31));
        snapshot(format!("{format}-stalled"), &[deliveries[0].body.clone()]);
    }
}
