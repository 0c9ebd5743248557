//! `status_update` tells of many orders at once.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Changed, Delivery, delivered, endpoint, ids, told};
use crate::testing::{MINIMAL, event_id};
use crate::tracking::status::Status;

const SETTINGS: &str = r#"{"format":"status_update","accounts":["*"]}"#;

/// First changes of so many orders of an account; report ids do not say whose they are.
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
fn at_most_fifty_orders_each() {
    for (count, expected) in [
        (0, &[][..]),
        (1, &[1]),
        (49, &[49]),
        (50, &[50]),
        (51, &[50, 1]),
        (100, &[50, 50]),
        (101, &[50, 50, 1]),
    ] {
        let told = told(&event_id("e"), &changes("STORE001", count), &[endpoint("shop", SETTINGS)]);
        assert_eq!(sizes(&told), expected, "{count} changes");
        assert_eq!(
            ids(&told).into_iter().collect::<BTreeSet<_>>().len(),
            expected.len(),
            "{count} changes: ids"
        );
    }
}

/// Whatever a redelivery finds first, the same order is told of under the same id.
#[test]
fn batches_do_not_depend_on_the_order_of_the_changes() {
    let settings = [endpoint("shop", SETTINGS)];
    let [mut forwards, mut backwards] =
        [(); 2].map(|()| [changes("STORE001", 60), changes("STORE002", 60)].concat());
    forwards.rotate_left(17);
    backwards.reverse();
    assert_eq!(
        told(&event_id("e"), &forwards, &settings),
        told(&event_id("e"), &backwards, &settings)
    );
}

/// A customer gets one `status_update` a batch and account.
#[test]
fn accounts_are_never_mixed_and_never_torn() {
    let all = [changes("STORE001", 51), changes("STORE002", 3), changes("STORE003", 50)].concat();
    let told = told(&event_id("e"), &all, &[endpoint("shop", SETTINGS)]);
    let mut seen: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for delivery in &told {
        let orders = orders(delivery);
        assert!(orders.iter().all(|order| order["account_code"] == delivery.account.as_str()));
        seen.entry(delivery.account.as_str()).or_default().push(orders.len());
    }
    let expected = [("STORE001", vec![50, 1]), ("STORE002", vec![3]), ("STORE003", vec![50])];
    assert_eq!(seen, BTreeMap::from(expected));
    assert_eq!(ids(&told).into_iter().collect::<BTreeSet<_>>().len(), 4);
}

#[test]
fn only_a_batch_of_one_names_its_order() {
    for (count, named) in [(1, true), (2, false)] {
        let told = told(&event_id("e"), &changes("STORE001", count), &[endpoint("shop", SETTINGS)]);
        assert_eq!(
            (told[0].order_id.is_some(), told[0].version.is_some()),
            (named, named),
            "{count}"
        );
    }
}

#[test]
fn what_is_not_wanted_takes_no_place_in_a_batch() {
    let mut all = changes("STORE001", 50);
    all.extend(
        (0..50).map(|n| Changed::first("STORE001", MINIMAL, &format!("{n}"), Status::InTransit)),
    );
    let wanted =
        endpoint("shop", r#"{"format":"status_update","accounts":["*"],"events":["delivered"]}"#);
    let told = told(&event_id("e"), &all, &[wanted]);
    assert_eq!(sizes(&told), [50]);
    assert!(orders(&told[0]).iter().all(|order| order["status"] == "delivered"));
}
