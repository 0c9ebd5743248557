//! `process` killed before and after each of its AWS calls: the redelivery ends in the same state
//! and sends no delivery twice.

use std::collections::BTreeSet;

use aws::tables::orders::CreateOutcome;
use domain::core::id::{AccountCode, EventId, OrderKey};
use domain::orders::api_event::{ApiEvent, Reconciliation};
use domain::orders::request::NewOrder;
use serde_json::{Value, json};

use crate::support::{
    Calls, Fault, OURS, Parcel, inbound_event, insert_event, process_event, process_until_done,
    stack, survives_kill_points,
};

async fn insert(body: &Value) -> EventId {
    insert_event(&inbound_event("shiprocket", Some(OURS), body.to_string())).await
}

/// The order and the deliveries about it, without the parts that differ between orders.
async fn outcome(parcel: &Parcel, deliveries: usize) -> Value {
    let mut order = stack().order(&parcel.order_id).await;
    for entry in order["timeline"].as_array_mut().unwrap() {
        entry.as_object_mut().unwrap().retain(|name, _| {
            ["status", "applied", "reason", "late", "version"].contains(&name.as_str())
        });
    }
    let received = stack().received_at_least(&parcel.order_id, deliveries).await;
    assert!(received.iter().all(|request| request.verified == Some(true)));
    let ids: BTreeSet<&str> = received.iter().map(|request| request.id()).collect();
    let count = (received.len(), ids.len());
    assert_eq!(count, (deliveries, deliveries), "each delivery arrives once: {ids:?}");
    json!({
        "status": order["status"], "previous": order["previousStatus"],
        "version": order["version"], "timeline": order["timeline"], "location": order["location"],
    })
}

/// Kills `process` at each call that the prepared event takes. Returns those calls.
async fn survives_all(deliveries: usize, prepare: impl AsyncFn(&Parcel) -> EventId) -> Vec<String> {
    survives_kill_points(async |fault| {
        let parcel = Parcel::new();
        let id = prepare(&parcel).await;
        process_until_done(&id, fault, async || outcome(&parcel, deliveries).await).await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn applies_a_report_once_after_a_kill_at_any_call() {
    let mut calls = survives_all(3, async |parcel| {
        stack().create_order(&parcel.order()).await;
        insert(&parcel.in_transit()).await
    })
    .await;
    // Settings come ten a page: the number of pages depends on the number of endpoints.
    calls.dedup_by(|next, last| next == last && next.starts_with("ssm:"));
    assert_eq!(
        calls,
        [
            "dynamodb:GetItem",
            "dynamodb:GetItem",
            "dynamodb:Query",
            "dynamodb:PutItem",
            "dynamodb:TransactWriteItems",
            "ssm:GetParametersByPath",
            "sqs:SendMessageBatch",
            "dynamodb:UpdateItem",
        ],
        "event, ref, order, checkpoints, commit, endpoints, fan-out, mark"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn applies_an_out_of_order_report_once_after_a_kill_at_any_call() {
    survives_all(6, async |parcel| {
        stack().create_order(&parcel.order()).await;
        let newer = insert(&parcel.in_transit()).await;
        assert!(process_event(&newer, None).await.0);
        insert(&parcel.report(7, "DELIVERED", "08:00:00")).await
    })
    .await;
}

/// The order is created afterwards, through the deployed functions.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parks_an_unmatched_report_after_a_kill_at_any_call() {
    survives_kill_points(async |fault| {
        let parcel = Parcel::new();
        let id = insert(&parcel.in_transit_by_awb()).await;
        let (done, calls) = process_event(&id, fault).await;
        assert_eq!(done, fault.is_none(), "{fault:?} of {calls:?}");
        if fault.is_some() {
            assert!(process_event(&id, None).await.0);
        }
        stack().create_order(&parcel.order()).await;
        stack().order_with_entries(&parcel.order_id, 1).await;
        let order = outcome(&parcel, 3).await;
        let applied = (&order["status"], &order["version"]);
        assert_eq!(applied, (&json!("in_transit"), &json!(2)), "{fault:?} of {calls:?}");
        ((), calls)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reconciles_a_parked_report_once_after_a_kill_at_any_call() {
    survives_all(3, parked_and_created).await;
}

/// A report is parked, then its order is created. The reconciliation applies the report and is
/// killed before its fan-out. The report's own event finds the report applied and must leave the
/// fan-out to the reconciliation.
#[tokio::test]
async fn leaves_the_fan_out_to_a_killed_reconciliation() {
    let parcel = Parcel::new();
    let report = insert(&parcel.in_transit_by_awb()).await;
    let (_, calls) = process_event(&insert(&Parcel::new().in_transit_by_awb()).await, None).await;
    let parking = calls.iter().position(|call| call == "dynamodb:TransactWriteItems").unwrap();
    assert!(!process_event(&report, Some(Fault::After(parking))).await.0);

    let reconciliation = create_order_unreconciled(&parcel).await;
    let (_, calls) = process_event(&parked_and_created(&Parcel::new()).await, None).await;
    let fan_out = calls.iter().position(|call| call == "sqs:SendMessageBatch").unwrap();
    assert!(!process_event(&reconciliation, Some(Fault::Before(fan_out))).await.0);
    assert!(process_event(&report, None).await.0);
    assert!(process_event(&reconciliation, None).await.0);
    let order = outcome(&parcel, 3).await;
    assert_eq!((&order["status"], &order["version"]), (&json!("in_transit"), &json!(2)));
}

/// A report is parked, and its order created. Returns the event that will reconcile the two.
async fn parked_and_created(parcel: &Parcel) -> EventId {
    let report = insert(&parcel.in_transit_by_awb()).await;
    assert!(process_event(&report, None).await.0);
    create_order_unreconciled(parcel).await
}

/// Creates the order as `orders` does, but queues no message for its reconciliation event.
async fn create_order_unreconciled(parcel: &Parcel) -> EventId {
    let new =
        NewOrder::read(parcel.order().to_string().as_bytes(), &sources::ref_sources()).unwrap();
    let account = AccountCode::parse(OURS).unwrap();
    let key = OrderKey { account, order: new.order_id.clone() };
    let order = new.to_order(&key, &[], aws::clock::now());
    let reconciliation =
        Reconciliation { is_new: true, ..Reconciliation::of(order.key.order.clone()) };
    let body = ApiEvent::Reconciliation(reconciliation).to_body();
    let event = inbound_event("api", Some(OURS), body);
    let calls = Calls::default();
    let (orders, events) = (stack().orders(&calls), stack().events(&calls));
    let created = orders.create(&order, &new.fingerprint, &events, &event, &[]).await.unwrap();
    assert_eq!(created, CreateOutcome::Created);
    event.id
}
