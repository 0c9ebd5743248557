//! Raw bodies about an erased order, whichever way they reach it.

use aws::lambda::sqs_batch::DeadLetterReason;
use aws::tables::deliveries::ErasedBody;
use aws::tables::inbound::{Checkpoint, EventState, InboundEvent};

use super::races::{erase_delivery, handle, key};
use super::tables::row;
use super::*;
use crate::support::{
    Fault, TestEndpoint, detail, inbound_event, insert_event, revealed, settings_to_expire,
};

/// A feed with a report for each order; only the first has a canary.
fn feed(shopper: &Shopper, orders: &[&str]) -> String {
    let items = orders.iter().enumerate().map(|(place, order)| {
        let consignee = if place == 0 { shopper.name.as_str() } else { "someone" };
        json!({"order_id": order, "awbno": unique("19"), "current_status": "INT",
               "consignee": consignee})
    });
    json!({"hash": "x", "status_feed": items.collect::<Vec<_>>()}).to_string()
}

async fn insert(account: &str, source: &'static str, body: String) -> EventId {
    insert_event(&inbound_event(source, Some(account), body)).await
}

async fn state(event: &EventId) -> EventState {
    stack().events(&Calls::default()).row(event).await.unwrap().unwrap().state
}

/// Erases the shopper of an order for good. Returns the receipt.
async fn erase_customer(account: &str, id: &str) -> Value {
    let created_at = order(account, id).await.json["createdAt"].as_str().unwrap().to_owned();
    let receipt = erased(account, id, "/customer").await;
    let event = erasure_event(account, id, "customer", &created_at);
    last_pass(account, id, "customer", &event).await;
    receipt
}

async fn new_order(account: &str) -> String {
    let order = unique("OTHER-");
    stack().create_order_in(account, &json!({"orderId": order})).await;
    order
}

/// An order without a shopper.
async fn erased_order(account: &str) -> (Shopper, String) {
    let shopper = Shopper::new();
    let mut body = shopper.body(&unique("ERASE-"));
    body.as_object_mut().unwrap().remove("awb");
    let id = body["orderId"].as_str().unwrap().to_owned();
    stack().create_order_in(account, &body).await;
    erase_customer(account, &id).await;
    (shopper, id)
}

async fn entries(account: &str, id: &str) -> usize {
    order(account, id).await.json["timeline"].as_array().unwrap().len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_report_that_waited_loses_its_body_when_its_order_is_erased_already() {
    let account = unique("ACC-");
    let (shopper, id) = erased_order(&account).await;
    let report = json!({
        "awb": shopper.awb, "shipment_status": "IN TRANSIT", "shipment_status_id": 18,
        "current_timestamp": "23 05 2023 09:00:00", "scans": [], "consignee": shopper.name,
    });
    let event = insert(&account, "shiprocket", report.to_string()).await;
    assert!(process_event(&event, None).await.0);
    assert_eq!(state(&event).await, EventState::Unmatched);
    let path = format!("{ORDERS}/{id}?accountCode={account}");
    let patch = json!({"awb": shopper.awb});
    assert_eq!(stack().user("admin", "PATCH", &path, Some(&patch)).await.status, 200);
    eventually("the report that waited", async || {
        let is_processed = state(&event).await == EventState::Processed;
        let status = order(&account, &id).await.json["status"].clone();
        (is_processed && status == "in_transit").then_some(())
    })
    .await;
    assert_eq!(rows_with(&shopper.canaries()).await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_with_an_unknown_order_loses_its_body() {
    let account = unique("ACC-");
    let ((shopper, id), unknown) = (erased_order(&account).await, unique("LATER-"));
    let event = insert(&account, "shipway", feed(&shopper, &[&id, &unknown])).await;
    assert!(process_event(&event, None).await.0);
    assert_eq!(state(&event).await, EventState::Unmatched);
    assert_eq!(rows_with(&shopper.canaries()).await, [""; 0]);
    // The report about the other order still waits for it.
    stack().create_order_in(&account, &json!({"orderId": unknown})).await;
    eventually("the report of the other order", async || {
        (entries(&account, &unknown).await == 1).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_loses_its_body_after_a_run_that_stopped_behind_the_erased_order() {
    let account = unique("ACC-");
    let ((shopper, id), other) = (erased_order(&account).await, new_order(&account).await);
    // Whether the second run ends the event, or its message is dead-lettered.
    for is_dead in [false, true] {
        let event = insert(&account, "shipway", feed(&shopper, &[&id, &other])).await;
        let before = entries(&account, &id).await;
        let mut call = 0;
        while entries(&account, &id).await == before {
            process_event(&event, Some(Fault::After(call))).await;
            call += 1;
        }
        assert_eq!(state(&event).await, EventState::Received);
        assert_ne!(rows_with(&shopper.canaries()).await, [""; 0]);
        let done = Checkpoint { done: 1, ..Checkpoint::default() };
        let log = stack().events(&Calls::default());
        log.save_checkpoint(&event, &done, 2).await.unwrap();
        if is_dead {
            let process = stack().process(&Calls::default());
            let message = EventMessage::write(&event);
            process.record_dead_letter(&message, DeadLetterReason::Bug).await.unwrap();
        } else {
            assert!(process_event(&event, None).await.0);
        }
        assert_eq!(rows_with(&shopper.canaries()).await, [""; 0], "dead: {is_dead}");
    }
}

/// A run was killed between the reports of two orders, and its message was dead-lettered.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_batch_is_processed_once_more_before_it_loses_its_body() {
    let (account, shopper) = (unique("ACC-"), Shopper::new());
    let (id, other) = (shopper.order(&account).await, new_order(&account).await);
    let event = insert(&account, "shipway", feed(&shopper, &[&id, &other])).await;
    let mut call = 0;
    while entries(&account, &id).await == 0 {
        process_event(&event, Some(Fault::After(call))).await;
        call += 1;
    }
    let process = stack().process(&Calls::default());
    let message = EventMessage::write(&event);
    process.record_dead_letter(&message, DeadLetterReason::Bug).await.unwrap();
    assert_eq!((state(&event).await, entries(&account, &other).await), (EventState::Failed, 0));

    let receipt = erase_customer(&account, &id).await;
    assert_eq!(receipt["erased"]["events"], 1, "{receipt}");
    assert_eq!((state(&event).await, entries(&account, &other).await), (EventState::Processed, 1));
    assert!(detail(event.as_str()).await["erased_at"].is_string());
    assert_eq!(rows_with(&shopper.canaries()).await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_that_fails_again_loses_its_body() {
    let (account, shopper) = (unique("ACC-"), Shopper::new());
    let (id, other) = (shopper.order(&account).await, new_order(&account).await);
    let unusable = json!({"accounts": [account], "format": "fax"});
    let endpoint = TestEndpoint::new(unusable, json!([])).await;
    settings_to_expire().await;
    let event = insert(&account, "shipway", feed(&shopper, &[&id, &other])).await;
    assert!(process_event(&event, None).await.0);
    assert_eq!(state(&event).await, EventState::Failed);
    erase_customer(&account, &id).await;
    assert_eq!(rows_with(&shopper.canaries()).await, [""; 0]);
    let failed = revealed(event.as_str()).await;
    assert_eq!((&failed["status"], &failed["body"]), (&json!("failed"), &json!(null)));
    // Neither does a later one keep its body.
    let event = insert(&account, "shipway", feed(&shopper, &[&id, &other])).await;
    assert!(process_event(&event, None).await.0);
    assert_eq!(state(&event).await, EventState::Failed);
    assert_eq!(rows_with(&shopper.canaries()).await, [""; 0]);
    endpoint.set("settings", &json!({"accounts": [account]}).to_string()).await;
}

/// The request is stored, and its event not processed yet.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn finds_the_conversation_of_a_number_that_came_after_the_request() {
    use domain::orders::erasure::{Erasure, Scope};

    let (account, before, after) = (unique("ACC-"), Shopper::new(), Shopper::new());
    let id = before.order(&account).await;
    let stored = stack().orders(&Calls::default());
    let now = aws::clock::now();
    let order_key = key(&account, &id);
    let order = stored.load(&order_key).await.unwrap().unwrap();
    let erasure = Erasure {
        order_id: order_key.order.clone(),
        scope: Scope::Customer,
        created_at: order.state.created_at,
        phone: order.profile.customer.phone.clone(),
        with_conversation: true,
    };
    // `sweep` leaves a young event alone.
    let event = InboundEvent::erasure(&order_key, &erasure, now.after(Duration::from_secs(30)));
    let log = stack().events(&Calls::default());
    assert!(stored.request_erasure(&order_key, &erasure, &log, &event).await.unwrap());
    let path = format!("{ORDERS}/{id}?accountCode={account}");
    let (_, customer) = after.personal_fields().swap_remove(1);
    let patch = json!({"customer": customer});
    assert_eq!(stack().user("admin", "PATCH", &path, Some(&patch)).await.status, 200);
    after.writes(&account).await;
    before.writes(&account).await;
    assert!(!rows_with(&after.canaries()).await.is_empty());

    // The first pass is killed once the order has lost the number.
    let mut call = 0;
    while stored.load(&order_key).await.unwrap().unwrap().profile.customer.phone.is_some() {
        let calls = Calls::killed(Some(Fault::After(call)));
        let process = stack().process(&calls);
        let message = EventMessage::write(&event.id);
        let _ = process.handle(&message, seconds_from_now(60)).await;
        call += 1;
    }
    eventually("the receipt", async || {
        let _ = stack()
            .process(&Calls::default())
            .handle(&EventMessage::write(&event.id), seconds_from_now(60))
            .await;
        let receipt = stored.receipt(&order_key, Scope::Customer).await.unwrap().unwrap();
        receipt.receipt.erased_at
    })
    .await;
    last_pass(&account, &id, "customer", &event.id).await;
    let canaries = [before.canaries(), after.canaries()].concat();
    assert_eq!(rows_with(&canaries).await, [""; 0]);
    assert!(!row("inbound", [event.id.as_str(), "event"]).await.contains_key("phones"));
}

#[tokio::test]
async fn a_redrive_counts_no_row_without_a_body() {
    let counts = async |kind: &str, body: &Value, expected: u32| {
        let path = format!("/api/dlq/{kind}/replay");
        eventually(&format!("{body} to count {expected}"), async || {
            let found = stack().user("admin", "POST", &path, Some(body)).await.json;
            (found["count"] == expected).then_some(())
        })
        .await;
    };
    let account = unique("ACC-");
    let mut failed = inbound_event("shiprocket", Some(&account), "{}");
    failed.state = EventState::Failed;
    let failed = insert_event(&failed).await;
    let body = json!({"account_code": account, "dry_run": true});
    counts("events", &body, 1).await;
    let now = seconds_from_now(0).to_string();
    set_text("inbound", [failed.as_str(), "event"], "erased_at", &now).await;
    counts("events", &body, 0).await;

    let settings = json!({"backoff": [1], "retry_4xx": false});
    let endpoint = TestEndpoint::new(settings, json!([{"status": 400}])).await;
    let delivery = endpoint.delivery();
    handle(&delivery).await;
    let body = json!({"endpoint": endpoint.name(), "dry_run": true});
    counts("deliveries", &body, 1).await;
    assert_eq!(erase_delivery(&delivery, false, "O-1").await, ErasedBody::Erased);
    counts("deliveries", &body, 0).await;
}
