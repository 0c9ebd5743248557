//! A `status_update` body has several orders.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Changed, Delivery, delivered, endpoint, fan_out_changes, ids};
use crate::testing::{MINIMAL, event_id, minute, order, report};
use crate::tracking::report::Report;
use crate::tracking::status::Status;

const SETTINGS: &str = r#"{"format":"status_update","accounts":["*"]}"#;

/// First changes of `count` orders. The order of the report ids differs from that of the orders.
fn changes(account: &str, count: usize) -> Vec<Changed> {
    let reports = (0..count).map(|n| format!("{:x}-{n}-{account}", (n * 7) % 16));
    reports.map(|report| delivered(account, &report)).collect()
}

fn orders(delivery: &Delivery) -> Vec<Value> {
    let body: Value = serde_json::from_str(&delivery.body).unwrap();
    body["orders"].as_array().unwrap().clone()
}

fn sizes(deliveries: &[Delivery]) -> Vec<usize> {
    deliveries.iter().map(|delivery| orders(delivery).len()).collect()
}

#[test]
fn a_body_has_at_most_50_orders() {
    for (count, expected) in [
        (0, &[][..]),
        (1, &[1]),
        (49, &[49]),
        (50, &[50]),
        (51, &[50, 1]),
        (100, &[50, 50]),
        (101, &[50, 50, 1]),
    ] {
        let deliveries = fan_out_changes(
            &event_id("e"),
            &changes("STORE001", count),
            &[endpoint("shop", SETTINGS)],
        );
        assert_eq!(sizes(&deliveries), expected, "{count} changes");
        assert_eq!(
            ids(&deliveries).into_iter().collect::<BTreeSet<_>>().len(),
            expected.len(),
            "{count} changes: ids"
        );
    }
}

/// A redelivered event may list its changes in another order.
#[test]
fn batches_do_not_depend_on_the_order_of_the_changes() {
    let settings = [endpoint("shop", SETTINGS)];
    let [mut forwards, mut backwards] =
        [(); 2].map(|()| [changes("STORE001", 60), changes("STORE002", 60)].concat());
    forwards.rotate_left(17);
    backwards.reverse();
    assert_eq!(
        fan_out_changes(&event_id("e"), &forwards, &settings),
        fan_out_changes(&event_id("e"), &backwards, &settings)
    );
}

#[test]
fn a_batch_has_orders_of_one_account() {
    let all = [changes("STORE001", 51), changes("STORE002", 3), changes("STORE003", 50)].concat();
    let deliveries = fan_out_changes(&event_id("e"), &all, &[endpoint("shop", SETTINGS)]);
    let mut sizes_by_account: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for delivery in &deliveries {
        let orders = orders(delivery);
        assert!(
            orders
                .iter()
                .all(|order| order["account_code"] == delivery.account.as_ref().unwrap().as_str())
        );
        sizes_by_account
            .entry(delivery.account.as_ref().unwrap().as_str())
            .or_default()
            .push(orders.len());
    }
    let expected = [("STORE001", vec![50, 1]), ("STORE002", vec![3]), ("STORE003", vec![50])];
    assert_eq!(sizes_by_account, BTreeMap::from(expected));
    assert_eq!(ids(&deliveries).into_iter().collect::<BTreeSet<_>>().len(), 4);
}

/// Its endpoint would drop it as a repeat.
#[test]
fn a_batch_that_grew_is_another_delivery() {
    let settings = [endpoint("shop", SETTINGS)];
    let fan_out = |count| {
        let deliveries = fan_out_changes(&event_id("e"), &changes("STORE001", count), &settings);
        deliveries[0].id.clone()
    };
    assert_eq!(fan_out(2), fan_out(2));
    assert_ne!(fan_out(1), fan_out(2));
}

#[test]
fn changes_of_one_order_stand_by_version() {
    let reports: Vec<Report> = [
        ("z", Status::InTransit),
        ("a", Status::OutForDelivery),
        ("m", Status::Undelivered),
        ("b", Status::Delivered),
    ]
    .iter()
    .zip(1..)
    .map(|((id, status), at)| report(id, *status, Some(minute(at))))
    .collect();
    let mut all: Vec<Changed> = (1..=reports.len())
        .map(|count| Changed::by_reports(order("STORE001", MINIMAL), &reports[..count]))
        .collect();
    all.swap(0, 2);
    for format in ["status_update", "standard"] {
        let settings = format!(r#"{{"format":"{format}","accounts":["*"]}}"#);
        let deliveries = fan_out_changes(&event_id("e"), &all, &[endpoint("shop", &settings)]);
        let versions: Vec<u64> = match format {
            "status_update" => orders(&deliveries[0])
                .iter()
                .map(|order| order["sequence"].as_u64().unwrap())
                .collect(),
            _ => deliveries.iter().map(|delivery| delivery.version.unwrap()).collect(),
        };
        assert_eq!(versions, [2, 3, 4, 5], "{format}");
    }
}

#[test]
fn only_a_batch_with_one_order_has_its_id_and_version() {
    for (count, expected) in [(1, true), (2, false)] {
        let deliveries = fan_out_changes(
            &event_id("e"),
            &changes("STORE001", count),
            &[endpoint("shop", SETTINGS)],
        );
        assert_eq!(
            (deliveries[0].order_id.is_some(), deliveries[0].version.is_some()),
            (expected, expected),
            "{count}"
        );
    }
}

#[test]
fn unsubscribed_changes_do_not_count_for_the_size() {
    let mut all = changes("STORE001", 50);
    all.extend(
        (0..50).map(|n| Changed::first("STORE001", MINIMAL, &format!("{n}"), Status::InTransit)),
    );
    let subscribed =
        endpoint("shop", r#"{"format":"status_update","accounts":["*"],"events":["delivered"]}"#);
    let deliveries = fan_out_changes(&event_id("e"), &all, &[subscribed]);
    assert_eq!(sizes(&deliveries), [50]);
    assert!(orders(&deliveries[0]).iter().all(|order| order["status"] == "delivered"));
}
