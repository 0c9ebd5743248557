//! What is told of orders that stand still.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Changed, FORMATS, endpoint, ids, said};
use crate::core::id::{AccountCode, EventId};
use crate::orders::order::Order;
use crate::testing::{FULL, MINIMAL, event_id, facts, minute, order, readable};
use crate::tracking::fold::{ReportFacts, StatusClaim};
use crate::tracking::status::Status;
use crate::webhooks::delivery::{Delivery, fan_out_stalled};
use crate::webhooks::endpoint::{Endpoint, EventType};
use crate::webhooks::notification::StalledOrder;

/// Of this format, for all accounts, and asking for nothing else.
fn asking(format: &str) -> Endpoint {
    endpoint(
        format,
        &format!(r#"{{"format":"{format}","accounts":["*"],"events":["order.stalled"]}}"#),
    )
}

fn told(event: &EventId, orders: &[Order], endpoints: &[Endpoint]) -> Vec<Delivery> {
    let stalled: Vec<_> =
        orders.iter().map(|order| StalledOrder { order, since: minute(20) }).collect();
    fan_out_stalled(event, &stalled, endpoints, minute(31))
}

/// An order of this name that moved once.
fn moved(account: &str, id: &str) -> Order {
    let order = order(account, &format!(r#"{{"orderId":"{id}"}}"#));
    after(order, &[facts("r1", minute(1), StatusClaim::Status(Status::InTransit))])
}

/// An order as its last change left it.
fn after(order: Order, entries: &[ReportFacts]) -> Order {
    let Changed { mut order, transition, .. } = Changed::by(order, entries);
    order.state.version = transition.version;
    order.state.previous_status = Some(transition.previous_status);
    order
}

fn full() -> Order {
    let mut order = order("STORE001", FULL);
    order.state.latest_message_status = Some("read".to_owned());
    let entries = [
        said("r1", 1, Status::Assigned, "order.assigned"),
        said("r2", 2, Status::InTransit, "Shipment in transit"),
    ];
    after(order, &entries)
}

/// Never moved since it was created.
fn minimal() -> Order {
    order("STORE001", MINIMAL)
}

#[test]
fn every_body() {
    for format in FORMATS {
        for (name, order) in [("full", full()), ("minimal", minimal())] {
            let told = told(&event_id("e"), &[order], &[asking(format)]);
            let body = &told[0].body;
            insta::assert_snapshot!(
                format!("{format}-{name}"),
                format!("{body}\n\n{}", readable(body))
            );
        }
    }
}

#[test]
fn a_delivery_says_which_event_it_is() {
    let deliveries = told(&event_id("e"), &[moved("STORE001", "A")], &FORMATS.map(asking));
    for (delivery, format) in deliveries.iter().zip(FORMATS) {
        assert_eq!((delivery.event, delivery.format.as_str()), (EventType::Stalled, format));
        assert_eq!((delivery.run, delivery.version), (1, Some(2)));
        assert_eq!(delivery.order_id.as_ref().map(ToString::to_string).as_deref(), Some("A"));
        assert_eq!(Delivery::from_message(&delivery.to_message()).as_ref(), Some(delivery));
    }
    assert_eq!(deliveries.len(), 3);
}

#[test]
fn only_who_asks_for_it_is_told() {
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
        let told = told(&event_id("e"), &orders, &[endpoint("shop", settings)]);
        let accounts: Vec<_> = told.iter().map(|delivery| delivery.account.as_str()).collect();
        assert_eq!(accounts, expected, "{settings}");
    }
}

#[test]
fn the_same_orders_give_the_same_deliveries() {
    let orders = [moved("STORE001", "A"), moved("STORE001", "B"), moved("STORE002", "A")];
    let mut reversed = orders.clone();
    reversed.reverse();
    let first = told(&event_id("e"), &orders, &FORMATS.map(asking));
    assert_eq!(told(&event_id("e"), &reversed, &FORMATS.map(asking)), first);
    let unique: BTreeSet<_> = ids(&first).into_iter().collect();
    assert_eq!(
        (first.len(), unique.len()),
        (8, 8),
        "two accounts' orders of one name are two deliveries"
    );
    let other = told(&event_id("f"), &orders, &FORMATS.map(asking));
    assert!(ids(&other).iter().all(|id| !unique.contains(id)));
}

#[test]
fn at_most_fifty_orders_of_one_account_in_a_status_update() {
    let orders = |account: &str, count: usize| {
        (0..count).map(|n| moved(account, &format!("O{n}"))).collect::<Vec<_>>()
    };
    let all = [orders("STORE002", 3), orders("STORE001", 51)].concat();
    let told = told(&event_id("e"), &all, &[asking("status_update")]);
    let sizes: Vec<_> = told
        .iter()
        .map(|delivery| {
            let body: Value = serde_json::from_str(&delivery.body).unwrap();
            assert_eq!(body["event"], "order_stalled");
            (AccountCode::as_str(&delivery.account), body["orders"].as_array().unwrap().len())
        })
        .collect();
    assert_eq!(sizes, [("STORE001", 50), ("STORE001", 1), ("STORE002", 3)]);
}
