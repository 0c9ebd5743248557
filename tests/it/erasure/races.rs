//! Data in use while it is erased, and passes that are killed.

use std::time::Duration;

use aws::tables::deliveries::{ClaimOutcome, ErasedBody};
use aws::tables::inbound::ErasedEvent;
use aws::tables::orders::TracedDelivery;
use domain::core::id::{AccountCode, OrderId, OrderKey};
use domain::webhooks::delivery::Delivery;

use super::tables::row;
use super::*;
use crate::support::{
    Fault, TestEndpoint, inbound_event, insert_event, settings_to_expire, trace_delivery,
};

pub(super) fn key(account: &str, order: &str) -> OrderKey {
    let account = AccountCode::parse(account).unwrap();
    OrderKey { account, order: OrderId::parse(order).unwrap() }
}

fn traced(delivery: &Delivery, is_shared: bool) -> TracedDelivery {
    let (id, endpoint) = (delivery.id.clone(), delivery.endpoint.clone());
    TracedDelivery { id, endpoint, is_shared, is_old: false }
}

pub(super) async fn erase_delivery(
    delivery: &Delivery,
    is_shared: bool,
    order: &str,
) -> ErasedBody {
    let deliveries = stack().deliveries(&Calls::default());
    let (key, now) = (key("STORE001", order), aws::clock::now());
    deliveries.erase(&traced(delivery, is_shared), &key, now).await.unwrap()
}

pub(super) async fn handle(delivery: &Delivery) {
    let deadline = seconds_from_now(60);
    let outcome = stack().deliver().handle(&delivery.to_message(), deadline).await;
    assert_eq!(outcome, Ok(RecordOutcome::Ack));
}

fn batch(orders: &[&str]) -> String {
    let rows: Vec<Value> = orders
        .iter()
        .map(|it| json!({"order_id": it, "shipping_firstname": "canary-name"}))
        .collect();
    format!(r#"{{"timestamp":"t","event":"status_update","orders":{}}}"#, json!(rows))
}

#[tokio::test]
async fn a_queued_delivery_about_an_erased_order_is_not_sent() {
    let endpoint = TestEndpoint::new(json!({}), json!([])).await;
    let delivery = endpoint.delivery();
    assert_eq!(erase_delivery(&delivery, false, "O-1").await, ErasedBody::Erased);
    assert_eq!(erase_delivery(&delivery, false, "O-1").await, ErasedBody::Nothing);
    is_shown_as_erased(&delivery).await;
    handle(&delivery).await;
    // Neither does a redrive send it.
    handle(&Delivery { run: 2, ..delivery.clone() }).await;
    let row = row("deliveries", [&delivery.id, ""]).await;
    assert_eq!(row["state"].as_s().unwrap(), "dead");
    assert_eq!(row["reason"].as_s().unwrap(), "erased");
    assert_eq!(endpoint.received_so_far().await.len(), 0);
}

async fn is_shown_as_erased(delivery: &Delivery) {
    trace_delivery(delivery, &["O-1"]).await;
    let shown = async |path: &str| stack().user("admin", "GET", path, None).await;
    let one = shown(&format!("/api/deliveries/{}", delivery.id)).await;
    assert_eq!(one.status, 200, "{}", one.json);
    assert_eq!((&one.json["state"], &one.json["reason"]), (&json!("dead"), &json!("erased")));
    let own = format!("endpoint={}", delivery.endpoint);
    for query in ["state=dead", "reason=erased", "account_code=STORE001&order_id=O-1"] {
        eventually(&format!("{query} lists {}", delivery.id), async || {
            let list = shown(&format!("/api/deliveries?{own}&{query}")).await.json;
            (list["items"][0]["id"] == delivery.id.as_str()).then_some(())
        })
        .await;
    }
    // No redrive counts it.
    let body = json!({"endpoint": delivery.endpoint, "dry_run": true});
    let counted = stack().user("admin", "POST", "/api/dlq/deliveries/replay", Some(&body)).await;
    assert_eq!(counted.json, json!({"count": 0, "is_complete": true}));
}

/// A delivery that waits for its next attempt ends.
#[tokio::test]
async fn an_open_delivery_about_an_erased_order_is_listed_as_dead() {
    let settings = json!({"backoff": [600]});
    let endpoint = TestEndpoint::new(settings, json!([{"status": 500}])).await;
    let delivery = endpoint.delivery();
    handle(&delivery).await;
    assert_eq!(erase_delivery(&delivery, false, "O-1").await, ErasedBody::Erased);
    is_shown_as_erased(&delivery).await;
}

#[tokio::test]
async fn a_queued_batch_is_sent_without_the_erased_order() {
    let endpoint = TestEndpoint::new(json!({"format": "status_update"}), json!([])).await;
    let whole = Delivery { body: batch(&["O-1", "O-2"]), order_id: None, ..endpoint.delivery() };
    assert_eq!(erase_delivery(&whole, true, "O-1").await, ErasedBody::Erased);
    handle(&whole).await;
    assert_eq!(endpoint.received(1).await[0].body, batch(&["O-2"]));
    assert_eq!(erase_delivery(&whole, true, "O-1").await, ErasedBody::Nothing, "cut when sent");
    // The body is gone once its last order is erased.
    assert_eq!(erase_delivery(&whole, true, "O-2").await, ErasedBody::Erased);
    let row = row("deliveries", [&whole.id, ""]).await;
    assert_eq!(
        (row["state"].as_s().unwrap().as_str(), row.contains_key("body")),
        ("delivered", false)
    );
    let only = Delivery { body: batch(&["O-1"]), order_id: None, ..endpoint.delivery() };
    assert_eq!(erase_delivery(&only, true, "O-1").await, ErasedBody::Erased);
    handle(&only).await;
    assert_eq!(endpoint.received_so_far().await.len(), 1);
}

#[tokio::test]
async fn waits_for_a_delivery_that_is_being_posted() {
    let delivery = TestEndpoint::removed().delivery();
    let deliveries = stack().deliveries(&Calls::default());
    let (now, timeout) = (aws::clock::now(), Duration::from_secs(1));
    let claimed = deliveries.claim(&delivery, "worker", timeout, now).await.unwrap();
    assert!(matches!(claimed, ClaimOutcome::Leased(_)), "{claimed:?}");
    assert_eq!(erase_delivery(&delivery, false, "O-1").await, ErasedBody::Busy);
    let later = now.after(Duration::from_secs(30));
    let order = key("STORE001", "O-1");
    let erased = deliveries.erase(&traced(&delivery, false), &order, later).await.unwrap();
    assert_eq!(erased, ErasedBody::Erased);
}

/// The second pass finds the delivery in use, and nothing new.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ends_although_a_delivery_is_in_use_for_several_passes() {
    let (account, shopper) = (unique("ACC-"), Shopper::new());
    let settings = json!({"accounts": [account], "timeout_seconds": 20});
    let endpoint = TestEndpoint::new(settings, json!([{"status": 200, "delay_ms": 8000}])).await;
    settings_to_expire().await;
    let id = shopper.order(&account).await;
    let created_at = order(&account, &id).await.json["createdAt"].as_str().unwrap().to_owned();
    shopper.status(&account, &id, "in_progress").await;
    endpoint.received(1).await;

    assert_eq!(erase(&account, &id, "/customer").await.status, 202);
    let event = erasure_event(&account, &id, "customer", &created_at);
    let message = EventMessage::write(&event);
    for _ in 0..2 {
        let process = stack().process(&Calls::default());
        let outcome = process.handle(&message, seconds_from_now(60)).await;
        assert!(matches!(outcome, Ok(RecordOutcome::RetryAfter(_))), "{outcome:?}");
    }
    erased(&account, &id, "/customer").await;
    last_pass(&account, &id, "customer", &event).await;
    assert_eq!(rows_with(&shopper.canaries()).await, [""; 0]);
}

#[tokio::test]
async fn an_event_keeps_its_body_until_it_is_processed() {
    let now = aws::clock::now();
    let log = stack().events(&Calls::default());
    // Larger than a row, once compressed.
    let noise: Vec<u8> = (0_u32..)
        .flat_map(|it| Fingerprint::of("noise").with(it.to_be_bytes()).finish().into_bytes())
        .take(900_000)
        .collect();
    let large = insert_event(&inbound_event("shiprocket", Some("STORE001"), noise)).await;
    assert_eq!(log.erase(&large, now).await.unwrap(), ErasedEvent::Noted);
    assert_eq!(log.erase(&large, now).await.unwrap(), ErasedEvent::Unsettled);
    assert!(process_event(&large, None).await.0);
    assert_eq!(log.erase(&large, now).await.unwrap(), ErasedEvent::Nothing);
    let header = row("inbound", [large.as_str(), "event"]).await;
    let part = format!("body:{}:1", header["fingerprint"].as_s().unwrap());
    let part = row("inbound", [large.as_str(), &part]).await;
    assert!(!part.is_empty() && !part.contains_key("body"), "{part:?}");
}

/// Whichever call a pass is killed at, the next passes end the erasure.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_pass_is_repeated() {
    for part in ["/customer", ""] {
        let mut call = 0;
        loop {
            let (account, shopper) = (unique("ACC-"), Shopper::new());
            let id = shopper.order(&account).await;
            let event = shopper.report(&account, &id).await;
            assert!(process_event(&event, None).await.0);
            let created_at = order(&account, &id).await.json["createdAt"].clone();
            let scope = if part.is_empty() { "order" } else { "customer" };
            let event = erasure_event(&account, &id, scope, created_at.as_str().unwrap());
            let calls = Calls::killed(Some(Fault::After(call)));
            assert_eq!(erase(&account, &id, part).await.status, 202);
            let handled = {
                let process = stack().process(&calls);
                process.handle(&EventMessage::write(&event), seconds_from_now(60)).await
            };
            erased_after_kill(&account, &id, part).await;
            last_pass(&account, &id, scope, &event).await;
            assert_eq!(rows_with(&shopper.canaries()).await, [""; 0], "{:?}", calls.names());
            if handled.is_ok() {
                break;
            }
            call += 3;
        }
        assert!(call > 9, "{call}");
    }
}

async fn erased_after_kill(account: &str, order: &str, part: &str) {
    eventually(&format!("{order} to be erased"), async || {
        (erase(account, order, part).await.status == 200).then_some(())
    })
    .await;
}
