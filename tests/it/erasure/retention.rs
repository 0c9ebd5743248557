//! Orders expire some time after their end.

use aws::tables::orders::Orders;
use domain::core::id::OrderKey;
use domain::orders::erasure::Scope;
use sweep::ExpiredOrders;

use super::races::key;
use super::*;
use crate::support::{inbound_event, insert_event};

const DAY: i64 = 24 * 60 * 60;

fn kept_for(days: u32) -> Orders {
    stack().orders(&Calls::default()).kept_for(days)
}

/// Reports a status, processed where orders are kept for so many days.
async fn report(key: &OrderKey, days: u32, status: u32, time: &str) {
    let body = json!({
        "awb": unique("19"), "order_id": key.order, "shipment_status_id": status,
        "shipment_status": "X", "current_timestamp": format!("23 05 2023 {time}"), "scans": [],
    });
    let event = inbound_event("shiprocket", Some(key.account.as_str()), body.to_string());
    let id = insert_event(&event).await;
    let process = stack().process_with(kept_for(days));
    let handled = process.handle(&EventMessage::write(&id), seconds_from_now(60)).await;
    assert_eq!(handled, Ok(RecordOutcome::Ack));
}

async fn sweep_in(days: i64) {
    let events = stack().events(&Calls::default());
    let expired = ExpiredOrders::new(kept_for(0), events);
    let now = seconds_from_now(days * DAY);
    expired.run(now, seconds_from_now(60)).await.unwrap();
}

/// True if the order is being erased.
async fn is_expired(key: &OrderKey) -> bool {
    kept_for(0).receipt(key, Scope::Order).await.unwrap().is_some()
}

async fn new_order(status: &str) -> OrderKey {
    let (account, order) = (unique("ACC-"), unique("KEPT-"));
    let body = json!({"orderId": order, "status": status});
    stack().create_order_in(&account, &body).await;
    key(&account, &order)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_expires_after_its_end_unless_it_is_reopened() {
    let [kept, moving, ended, reopened] = [
        new_order("processing").await,
        new_order("processing").await,
        new_order("processing").await,
        new_order("processing").await,
    ];
    report(&kept, 0, 7, "09:00:00").await;
    report(&moving, 3, 18, "09:00:00").await;
    report(&ended, 3, 7, "09:00:00").await;
    report(&reopened, 3, 7, "09:00:00").await;
    // The carrier brings it back.
    report(&reopened, 3, 9, "10:00:00").await;
    sweep_in(2).await;
    assert!(!is_expired(&ended).await);
    sweep_in(4).await;
    for (order, expected) in [(&kept, false), (&moving, false), (&ended, true), (&reopened, false)]
    {
        assert_eq!(is_expired(order).await, expected, "{order:?}");
    }
    // The event of the expiry erases it like one of a request.
    let stored = kept_for(0).receipt(&ended, Scope::Order).await.unwrap().unwrap();
    let message = EventMessage::write(&stored.event);
    let handled = stack().process(&Calls::default()).handle(&message, seconds_from_now(60)).await;
    assert!(
        matches!(handled, Ok(RecordOutcome::RetryAfter(_))),
        "a last pass follows: {handled:?}"
    );
    assert_eq!(order(ended.account.as_str(), ended.order.as_str()).await.status, 404);
    assert_eq!(order(reopened.account.as_str(), reopened.order.as_str()).await.status, 200);
}
