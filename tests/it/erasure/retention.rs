//! Orders expire some time after their end.

use aws::tables::orders::Orders;
use domain::core::id::OrderKey;
use domain::orders::erasure::Scope;
use sweep::ExpiredOrders;
use tokio::sync::Mutex;

use super::races::key;
use super::*;
use crate::support::{inbound_event, insert_event};

const DAY: i64 = 24 * 60 * 60;

/// Held by each test: a sweep looks at the orders of all.
static SWEEPS: Mutex<()> = Mutex::const_new(());

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

/// Sweeps so many days later, where orders are then kept for so long.
async fn sweep_in(days: i64, kept: u32) {
    let events = stack().events(&Calls::default());
    let expired = ExpiredOrders::new(kept_for(kept), events);
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
    let _alone = SWEEPS.lock().await;
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
    sweep_in(2, 3).await;
    assert!(!is_expired(&ended).await);
    sweep_in(4, 3).await;
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_is_kept_as_long_as_the_setting_says_when_it_would_expire() {
    let _alone = SWEEPS.lock().await;
    let order = new_order("processing").await;
    report(&order, 300, 7, "09:00:00").await;
    sweep_in(301, 400).await;
    assert!(!is_expired(&order).await, "the retention became longer");
    sweep_in(399, 400).await;
    assert!(!is_expired(&order).await);
    sweep_in(401, 400).await;
    assert!(is_expired(&order).await, "it expires later");

    let order = new_order("processing").await;
    report(&order, 300, 7, "09:00:00").await;
    sweep_in(301, 0).await;
    sweep_in(9000, 400).await;
    assert!(!is_expired(&order).await, "the retention was unset when its time came");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_of_an_earlier_order_does_not_expire_a_later_one_of_its_id() {
    let _alone = SWEEPS.lock().await;
    let first = new_order("processing").await;
    report(&first, 3, 7, "09:00:00").await;
    let (account, id) = (first.account.as_str(), first.order.as_str());
    erased(account, id, "").await;
    let body = json!({"orderId": id, "status": "processing"});
    stack().create_order_in(account, &body).await;
    let before = order(account, id).await.json;
    report(&first, 0, 7, "09:00:00").await;
    let ended = order(account, id).await.json;
    assert_eq!((&before["version"], &ended["version"]), (&json!(1), &json!(2)), "as the first");
    sweep_in(4, 3).await;
    let receipt = kept_for(0).receipt(&first, Scope::Order).await.unwrap().unwrap();
    assert_ne!(receipt.created_at.to_string(), ended["createdAt"].as_str().unwrap());
    assert_eq!(order(account, id).await.status, 200);
}
