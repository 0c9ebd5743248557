//! Deliveries that an operator triggers.

use super::{Changed, endpoint, ids, worded};
use crate::orders::order::Order;
use crate::testing::{MINIMAL, event_id, minute, order, readable};
use crate::tracking::status::Status;
use crate::webhooks::delivery::{Delivery, fan_out_current};
use crate::webhooks::endpoint::{Endpoint, EventType};
use crate::webhooks::notification::CurrentOrder;

const SETTINGS: &str = r#"{"format":"status_update","accounts":["*"]}"#;

/// An order in transit with its last change.
fn moved() -> Changed {
    let reports = [
        worded("r1", 1, Status::PickedUp, "PICKED UP"),
        worded("r2", 2, Status::InTransit, "IN TRANSIT"),
    ];
    Changed::by_reports(order("STORE001", MINIMAL), &reports)
}

fn fan_out_orders(
    event: &str,
    orders: &[CurrentOrder<'_>],
    endpoints: &[Endpoint],
) -> Vec<Delivery> {
    fan_out_current(&event_id(event), orders, endpoints, minute(31))
}

fn unmoved(order: &Order) -> CurrentOrder<'_> {
    CurrentOrder { order, last: None }
}

#[test]
fn writes_the_current_state() {
    let (moved, new) = (moved(), order("STORE001", r#"{"orderId":"NEW"}"#));
    let orders =
        [CurrentOrder { order: &moved.order, last: Some(moved.transition()) }, unmoved(&new)];
    let deliveries = fan_out_orders("e", &orders, &[endpoint("shop", SETTINGS)]);
    assert_eq!(deliveries.len(), 1);
    let delivery = &deliveries[0];
    assert_eq!(
        (delivery.kind.event(), delivery.version, &delivery.order_id),
        (Some(EventType::StatusChanged), None, &None)
    );
    insta::assert_snapshot!(format!("{}\n\n{}", delivery.body, readable(&delivery.body)));
}

#[test]
fn goes_to_enabled_status_update_endpoints_without_regard_to_subscriptions() {
    let order = order("STORE001", MINIMAL);
    for (settings, expected) in [
        (SETTINGS, 1),
        (r#"{"format":"status_update","accounts":["STORE001"],"events":["delivered"]}"#, 1),
        (r#"{"format":"status_update","accounts":["STORE001"],"events":["order.stalled"]}"#, 1),
        (r#"{"format":"status_update","accounts":["STORE002"]}"#, 0),
        (r#"{"format":"status_update"}"#, 0),
        (r#"{"format":"status_update","accounts":["*"],"enabled":false}"#, 0),
        (r#"{"format":"standard","accounts":["*"]}"#, 0),
        (r#"{"format":"order.status_changed","accounts":["*"]}"#, 0),
    ] {
        assert_eq!(
            fan_out_orders("e", &[unmoved(&order)], &[endpoint("shop", settings)]).len(),
            expected,
            "{settings}"
        );
    }
}

#[test]
fn every_trigger_event_has_its_own_deliveries() {
    let orders: Vec<Order> =
        (0..51).map(|n| order("STORE001", &format!(r#"{{"orderId":"ORD-{n:02}"}}"#))).collect();
    let orders: Vec<CurrentOrder<'_>> = orders.iter().map(unmoved).collect();
    let settings = [endpoint("shop", SETTINGS)];
    let (one, two) =
        (fan_out_orders("one", &orders, &settings), fan_out_orders("two", &orders, &settings));
    assert_eq!([one.len(), two.len()], [2, 2]);
    assert!(ids(&one).iter().all(|id| !ids(&two).contains(id)));
    let last = serde_json::from_str::<serde_json::Value>(&one[1].body).unwrap();
    assert_eq!(last["orders"][0]["order_id"], "ORD-50");
    assert_eq!(
        (&one[1].order_id, one[1].version),
        (&Some(orders[50].order.key.order.clone()), Some(1))
    );
}
