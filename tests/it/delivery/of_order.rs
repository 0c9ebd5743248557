//! The list of an order's deliveries: no index has them, so traces and events name them.

use domain::core::id::OrderId;

use super::api::{admin, endpoint, lists};
use super::*;
use crate::support::{
    OURS, Parcel, THEIRS, forget_deliveries_of_events, order_key, settings_to_expire,
    trace_delivery, unique,
};

/// As `process` sends it.
pub async fn enqueue_about(delivery: &Delivery, orders: &[&str]) {
    trace_delivery(delivery, orders).await;
    enqueue(delivery).await;
}

fn about(endpoint: &TestEndpoint, order: Option<&str>) -> Delivery {
    let order_id = order.map(|id| OrderId::parse(id).unwrap());
    Delivery { order_id, ..endpoint.delivery() }
}

fn of(order: &str) -> String {
    format!("order_id={order}&account_code={OURS}")
}

#[tokio::test]
async fn finds_the_deliveries_of_an_order_by_each_filter() {
    let (first, second) =
        (endpoint(json!([{"status": 400}])).await, endpoint(json!([{"status": 400}])).await);
    let order = unique("O-");
    let dead = about(&first, Some(&order));
    let taken = Delivery { kind: stalled(), ..about(&first, Some(&order)) };
    let other = about(&second, Some(&order));
    for (delivery, state) in [(&dead, "dead"), (&taken, "delivered"), (&other, "dead")] {
        enqueue_about(delivery, &[&order]).await;
        row_in(&delivery.id, state).await;
    }
    lists(&of(&order), &[&other.id, &taken.id, &dead.id]).await;
    let (hour_ago, in_an_hour) = (seconds_from_now(-3600), seconds_from_now(3600));
    for (query, ids) in [
        ("state=dead", &[other.id.as_str(), &dead.id][..]),
        ("state=parked", &[]),
        (&format!("state=dead&endpoint={}", first.name()), &[&dead.id]),
        (&format!("endpoint={}", second.name()), &[&other.id]),
        ("reason=rejected", &[&other.id, &dead.id]),
        ("reason=exhausted", &[]),
        ("kind=order.stalled", &[&taken.id]),
        (&format!("from={hour_ago}&to={in_an_hour}"), &[&other.id, &taken.id, &dead.id]),
        (&format!("from={in_an_hour}"), &[]),
        (&format!("to={hour_ago}"), &[]),
    ] {
        lists(&format!("{}&{query}", of(&order)), ids).await;
    }
    lists(&of(&format!("{order}x")), &[]).await;
    lists(&format!("order_id={order}&account_code={THEIRS}"), &[]).await;
}

/// Only the body names the orders of such a delivery; a trace is of all that an event sent.
#[tokio::test]
async fn finds_a_delivery_about_several_orders_by_each() {
    let endpoint = endpoint(json!([])).await;
    let orders = [unique("O-"), unique("O-"), unique("O-")];
    let rows: Vec<Value> = orders.iter().take(2).map(|id| json!({ "order_id": id })).collect();
    let body = json!({"event": "status_update", "orders": rows}).to_string();
    let batch = Delivery { body, ..about(&endpoint, None) };
    let single = about(&endpoint, Some(&orders[1]));
    let all = orders.each_ref().map(String::as_str);
    for (delivery, orders) in [(&single, &all[1..2]), (&batch, &all[..])] {
        enqueue_about(delivery, orders).await;
        row_in(&delivery.id, "delivered").await;
    }
    for (order, ids) in
        [(all[0], &[&batch.id][..]), (all[1], &[&batch.id, &single.id]), (all[2], &[])]
    {
        let ids: Vec<&str> = ids.iter().map(|id| id.as_str()).collect();
        lists(&format!("{}&from={}", of(order), seconds_from_now(-600)), &ids).await;
    }
}

/// The mark of an event follows its deliveries: a run may be killed in between. In an account of its
/// own: no other test counts its deliveries.
#[tokio::test]
async fn finds_deliveries_whose_event_does_not_name_them() {
    let (parcel, account) = (Parcel::new(), unique("ACC-"));
    let mut endpoints = Vec::new();
    for (format, count) in [("standard", 2), ("order.status_changed", 1), ("status_update", 1)] {
        let events = match format {
            "standard" => json!(["order.status_changed", "shipment.status_changed"]),
            _ => json!(["order.status_changed"]),
        };
        let settings = json!({"format": format, "accounts": [account], "events": events});
        endpoints.push((TestEndpoint::new(settings, json!([])).await, count));
    }
    settings_to_expire().await;
    stack().create_order_in(&account, &parcel.order()).await;
    let path = format!("/api/external/orders/{}/status?accountCode={account}", parcel.order_id);
    let status = json!({"status": "delivered", "awb": parcel.awb});
    assert_eq!(stack().user("admin", "POST", &path, Some(&status)).await.status, 202);
    let of_order = format!("order_id={}&account_code={account}", parcel.order_id);
    let list = async |endpoint: &TestEndpoint, count: usize| {
        let path = format!("/api/deliveries?{of_order}&endpoint={}", endpoint.name());
        eventually(&format!("{count} deliveries about the order"), async || {
            let items = admin("GET", &path).await.json["items"].as_array().unwrap().clone();
            (items.len() == count).then_some(items)
        })
        .await
    };
    let mut before = Vec::new();
    for (endpoint, count) in &endpoints {
        endpoint.received(*count).await;
        before.push(list(endpoint, *count).await);
    }
    forget_deliveries_of_events(&order_key(&account, &parcel.order_id)).await;
    for ((endpoint, count), before) in endpoints.iter().zip(before) {
        let ids = |items: &[Value]| items.iter().map(|it| it["id"].clone()).collect::<Vec<_>>();
        assert_eq!(ids(&list(endpoint, *count).await), ids(&before));
    }
}
