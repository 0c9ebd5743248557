//! Deliveries of stalled orders.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Changed, FORMATS, endpoint, ids, worded};
use crate::core::id::{AccountCode, EventId};
use crate::orders::order::Order;
use crate::testing::{FULL, MINIMAL, event_id, minute, order, readable, report};
use crate::tracking::report::Report;
use crate::tracking::status::Status;
use crate::webhooks::delivery::{Delivery, fan_out_stalled};
use crate::webhooks::endpoint::{Endpoint, EventType};
use crate::webhooks::notification::StalledOrder;

/// Subscribed to stalled orders only.
fn subscribed(format: &str) -> Endpoint {
    endpoint(
        format,
        &format!(r#"{{"format":"{format}","accounts":["*"],"events":["order.stalled"]}}"#),
    )
}

fn fan_out_orders(event: &EventId, orders: &[Order], endpoints: &[Endpoint]) -> Vec<Delivery> {
    let stalled = |order| StalledOrder { order, awb: None, since: minute(20) };
    let stalled: Vec<_> = orders.iter().map(stalled).collect();
    fan_out_stalled(event, &stalled, endpoints, minute(31))
}

/// An order with one status change.
fn moved(account: &str, id: &str) -> Order {
    let order = order(account, &format!(r#"{{"orderId":"{id}"}}"#));
    after(order, &[report("r1", Status::InTransit, Some(minute(1)))])
}

fn after(order: Order, reports: &[Report]) -> Order {
    Changed::by_reports(order, reports).order
}

fn full() -> Order {
    let mut order = order("STORE001", FULL);
    order.state.latest_message_status = Some("read".to_owned());
    let reports = [
        worded("r1", 1, Status::Assigned, "order.assigned"),
        worded("r2", 2, Status::InTransit, "Shipment in transit"),
    ];
    after(order, &reports)
}

/// An order without a status change.
fn minimal() -> Order {
    order("STORE001", MINIMAL)
}

#[test]
fn every_format_has_its_stalled_body() {
    for format in FORMATS {
        for (name, order) in [("full", full()), ("minimal", minimal())] {
            let deliveries = fan_out_orders(&event_id("e"), &[order], &[subscribed(format)]);
            let body = &deliveries[0].body;
            insta::assert_snapshot!(
                format!("{format}-{name}"),
                format!("{body}\n\n{}", readable(body))
            );
        }
    }
}

#[test]
fn a_delivery_has_the_event_type_stalled() {
    let deliveries =
        fan_out_orders(&event_id("e"), &[moved("STORE001", "A")], &FORMATS.map(subscribed));
    for (delivery, format) in deliveries.iter().zip(FORMATS) {
        assert_eq!(
            (delivery.kind.event(), delivery.kind.format()),
            (Some(EventType::Stalled), format)
        );
        assert_eq!((delivery.run, delivery.version), (1, Some(2)));
        assert_eq!(delivery.order_id.as_ref().map(ToString::to_string).as_deref(), Some("A"));
        assert_eq!(Delivery::from_message(&delivery.to_message()).as_ref(), Some(delivery));
    }
    assert_eq!(deliveries.len(), 3);
}

#[test]
fn fans_out_to_subscribed_endpoints_only() {
    let orders = [moved("STORE001", "A"), moved("STORE002", "B")];
    for (settings, expected) in [
        (r#"{"accounts":["*"]}"#, &[][..]),
        (r#"{"accounts":["*"],"events":["order.status_changed","in_transit"]}"#, &[]),
        (r#"{"accounts":["*"],"events":[]}"#, &[]),
        (r#"{"events":["order.stalled"]}"#, &[]),
        (r#"{"accounts":["STORE003"],"events":["order.stalled"]}"#, &[]),
        (r#"{"accounts":["STORE002"],"events":["delivered","order.stalled"]}"#, &["STORE002"]),
        (r#"{"accounts":["*"],"events":["order.stalled"]}"#, &["STORE001", "STORE002"]),
    ] {
        let deliveries = fan_out_orders(&event_id("e"), &orders, &[endpoint("shop", settings)]);
        let accounts: Vec<_> =
            deliveries.iter().map(|delivery| delivery.account.as_ref().unwrap().as_str()).collect();
        assert_eq!(accounts, expected, "{settings}");
    }
}

#[test]
fn the_same_orders_give_the_same_deliveries() {
    let orders = [moved("STORE001", "A"), moved("STORE001", "B"), moved("STORE002", "A")];
    let mut reversed = orders.clone();
    reversed.reverse();
    let first = fan_out_orders(&event_id("e"), &orders, &FORMATS.map(subscribed));
    assert_eq!(fan_out_orders(&event_id("e"), &reversed, &FORMATS.map(subscribed)), first);
    let unique: BTreeSet<_> = ids(&first).into_iter().collect();
    assert_eq!(
        (first.len(), unique.len()),
        (8, 8),
        "equal order ids of two accounts are two deliveries"
    );
    let other = fan_out_orders(&event_id("f"), &orders, &FORMATS.map(subscribed));
    assert!(ids(&other).iter().all(|id| !unique.contains(id)));
}

#[test]
fn a_stalled_body_has_at_most_50_orders_of_one_account() {
    let orders = |account: &str, count: usize| {
        (0..count).map(|n| moved(account, &format!("O{n}"))).collect::<Vec<_>>()
    };
    let all = [orders("STORE002", 3), orders("STORE001", 51)].concat();
    let deliveries = fan_out_orders(&event_id("e"), &all, &[subscribed("status_update")]);
    let sizes: Vec<_> = deliveries
        .iter()
        .map(|delivery| {
            let body: Value = serde_json::from_str(&delivery.body).unwrap();
            assert_eq!(body["event"], "order_stalled");
            (
                AccountCode::as_str(delivery.account.as_ref().unwrap()),
                body["orders"].as_array().unwrap().len(),
            )
        })
        .collect();
    assert_eq!(sizes, [("STORE001", 50), ("STORE001", 1), ("STORE002", 3)]);
}
