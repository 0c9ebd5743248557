//! `process` killed at every call it makes, before AWS did it and after: the redelivery ends in the same state.

use aws::lambda::sqs_batch::RecordOutcome;
use aws::tables::inbound::{EventMessage, EventState, InboundEvent, Inserted};
use domain::core::hash::Fingerprint;
use domain::core::id::{AccountCode, EventId};
use domain::tracking::report::SourceName;
use serde_json::{Value, json};

use crate::main_way::Parcel;
use crate::support::{Calls, Fault, stack, unique};

/// Stores an event as `inbound` does, but sends it to nobody: this test is the queue.
async fn keep(body: &Value) -> EventId {
    keep_for("STORE001", body).await
}

pub async fn keep_for(account: &str, body: &Value) -> EventId {
    let body = body.to_string().into_bytes();
    let event = InboundEvent {
        id: Fingerprint::of("event").with(&body).into(),
        source: SourceName::new("shiprocket"),
        account: AccountCode::parse(account).ok(),
        received_at: aws::clock::now(),
        state: EventState::Received,
        reason: None,
        body,
    };
    assert_eq!(stack().events(&Calls::default()).insert(&event).await.unwrap(), Inserted::New);
    event.id
}

/// Works on an event once; whether it came through, and the calls it made.
pub async fn work(id: &EventId, fault: Option<Fault>) -> (bool, Vec<String>) {
    let calls = Calls::killed(fault);
    let ended = stack().process(&calls).handle(&EventMessage::write(id)).await;
    assert!(matches!(ended, Ok(RecordOutcome::Ack) | Err(_)), "{ended:?}");
    (ended.is_ok(), calls.names())
}

/// What must be the same however often it was killed: the order, and what its customers were told.
async fn end_state(parcel: &Parcel, deliveries: usize) -> Value {
    let mut order = stack().order(&parcel.order_id).await;
    for entry in order["timeline"].as_array_mut().unwrap() {
        entry.as_object_mut().unwrap().retain(|name, _| {
            ["status", "applied", "reason", "late", "version"].contains(&name.as_str())
        });
    }
    let received = stack().received_at_least(&parcel.order_id, deliveries).await;
    let mut told: Vec<(String, String)> =
        received.iter().map(|request| (request.path.clone(), request.id().to_owned())).collect();
    told.sort();
    assert!(received.iter().all(|request| request.verified == Some(true)));
    let ids: std::collections::BTreeSet<_> = told.iter().map(|(_, id)| id).collect();
    assert_eq!((told.len(), ids.len()), (deliveries, deliveries), "each delivery once: {told:?}");
    json!({"status": order["status"], "previous": order["previousStatus"], "version": order["version"],
           "timeline": order["timeline"], "location": order["location"]})
}

/// Each call in turn, before and after. Further pages of settings are no further kind of call.
pub fn faults(calls: &[String]) -> impl Iterator<Item = Fault> {
    let again =
        |call: usize| call > 0 && calls[call] == calls[call - 1] && calls[call].starts_with("ssm:");
    let kinds: Vec<usize> = (0..calls.len()).filter(|call| !again(*call)).collect();
    kinds.into_iter().flat_map(|call| [Fault::Before(call), Fault::After(call)])
}

/// Runs a scenario undisturbed, then once for each call it makes and each way to be killed there.
async fn killed_at_every_call(
    deliveries: usize,
    scenario: impl AsyncFn(&Parcel) -> EventId,
) -> Vec<String> {
    let parcel = Parcel::new();
    let id = scenario(&parcel).await;
    let (done, calls) = work(&id, None).await;
    assert!(done);
    let expected = end_state(&parcel, deliveries).await;
    for fault in faults(&calls) {
        let parcel = Parcel::new();
        let id = scenario(&parcel).await;
        let (survived, _) = work(&id, Some(fault)).await;
        assert!(!survived, "{fault:?} of {calls:?} was not noticed");
        let (done, _) = work(&id, None).await;
        assert!(done, "{fault:?} of {calls:?}");
        assert_eq!(end_state(&parcel, deliveries).await, expected, "{fault:?} of {calls:?}");
        // Once more: a message may come again after all is done.
        assert!(work(&id, None).await.0);
        assert_eq!(
            end_state(&parcel, deliveries).await,
            expected,
            "twice after {fault:?} of {calls:?}"
        );
    }
    calls
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_report_of_a_known_order() {
    let mut calls = killed_at_every_call(3, async |parcel| {
        stack().create_order(&parcel.order()).await;
        keep(&parcel.report(18, "IN TRANSIT", "09:00:00")).await
    })
    .await;
    // Settings come ten a page, however many endpoints there are.
    calls.dedup_by(|next, last| next == last && next.starts_with("ssm:"));
    // What one report costs: the event, its name, its order, one transaction, the endpoints, one send, one mark.
    assert_eq!(
        calls,
        [
            "dynamodb:GetItem",
            "dynamodb:GetItem",
            "dynamodb:Query",
            "dynamodb:TransactWriteItems",
            "ssm:GetParametersByPath",
            "sqs:SendMessageBatch",
            "dynamodb:UpdateItem",
        ]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_late_report_that_changes_the_status() {
    killed_at_every_call(6, async |parcel| {
        stack().create_order(&parcel.order()).await;
        let later = keep(&parcel.report(18, "IN TRANSIT", "09:00:00")).await;
        assert!(work(&later, None).await.0);
        keep(&parcel.report(12, "LOST", "08:00:00")).await
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_report_that_has_to_wait_and_is_adopted() {
    // Its own event ends unmatched; the order is created afterwards, through the deployed functions.
    let scenario = async |parcel: &Parcel| {
        let mut body = parcel.report(18, "IN TRANSIT", "09:00:00");
        body["order_id"] = json!(unique("not-ours-"));
        keep(&body).await
    };
    let probe = scenario(&Parcel::new()).await;
    let (_, calls) = work(&probe, None).await;
    for fault in faults(&calls) {
        let parcel = Parcel::new();
        let id = scenario(&parcel).await;
        assert!(!work(&id, Some(fault)).await.0);
        assert!(work(&id, None).await.0);
        stack().create_order(&parcel.order()).await;
        stack().order_with_entries(&parcel.order_id, 1).await;
        let seen = end_state(&parcel, 3).await;
        assert_eq!(
            (&seen["status"], &seen["version"]),
            (&json!("in_transit"), &json!(2)),
            "{fault:?} of {calls:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_adoption() {
    killed_at_every_call(3, async |parcel| {
        let mut body = parcel.report(18, "IN TRANSIT", "09:00:00");
        body["order_id"] = json!(unique("not-ours-"));
        let waiting = keep(&body).await;
        assert!(work(&waiting, None).await.0);
        adoption_of(parcel).await
    })
    .await;
}

/// The report was put to wait, then its order was created. The reconciliation applies it and dies before it told anybody;
/// the report's own event looks once more, finds it applied, and must leave the telling to the reconciliation.
#[tokio::test]
async fn an_adoption_killed_beside_the_report_it_adopts() {
    let parcel = Parcel::new();
    let mut body = parcel.report(18, "IN TRANSIT", "09:00:00");
    body["order_id"] = json!(unique("not-ours-"));
    let waiting = keep(&body).await;
    // Killed right after the waiting row was written.
    let (_, undisturbed) = work(&keep(&probe()).await, None).await;
    let held = undisturbed.iter().position(|call| call == "dynamodb:TransactWriteItems").unwrap();
    assert!(!work(&waiting, Some(Fault::After(held))).await.0);

    let reconciliation = adoption_of(&parcel).await;
    let (_, adopting) = work(&adoption_probe().await, None).await;
    let told = adopting.iter().position(|call| call == "sqs:SendMessageBatch").unwrap();
    assert!(!work(&reconciliation, Some(Fault::Before(told))).await.0);
    assert!(work(&waiting, None).await.0);
    assert!(work(&reconciliation, None).await.0);
    let seen = end_state(&parcel, 3).await;
    assert_eq!((&seen["status"], &seen["version"]), (&json!("in_transit"), &json!(2)));
}

/// A report of an order that nobody knows.
fn probe() -> Value {
    let mut body = Parcel::new().report(18, "IN TRANSIT", "09:00:00");
    body["order_id"] = json!(unique("not-ours-"));
    body
}

/// An reconciliation with one report to adopt, to learn which calls that takes.
async fn adoption_probe() -> EventId {
    let parcel = Parcel::new();
    let mut body = parcel.report(18, "IN TRANSIT", "09:00:00");
    body["order_id"] = json!(unique("not-ours-"));
    assert!(work(&keep(&body).await, None).await.0);
    adoption_of(&parcel).await
}

/// Creates the order as `orders` does, but leaves its reconciliation event to the test.
async fn adoption_of(parcel: &Parcel) -> EventId {
    use domain::core::id::OrderKey;
    use domain::orders::api_event::{ApiEvent, Reconciliation};
    use domain::orders::order::Order;
    use domain::orders::request::NewOrder;
    use domain::tracking::timeline::State;

    let asked =
        NewOrder::read(parcel.order().to_string().as_bytes(), &sources::with_order_refs()).unwrap();
    let key = OrderKey { account: AccountCode::parse("STORE001").unwrap(), order: asked.order_id };
    let now = aws::clock::now();
    let order = Order { key, profile: asked.profile, state: State::at_creation(asked.status, now) };
    let reconciliation = Reconciliation { order_id: order.key.order.clone(), reshipped: None };
    let body = ApiEvent::Reconciliation(reconciliation).to_body();
    let event = InboundEvent {
        id: Fingerprint::of("test-adoption").with(&order.key.order).into(),
        source: SourceName::API,
        account: Some(order.key.account.clone()),
        received_at: now,
        state: EventState::Received,
        reason: None,
        body,
    };
    let calls = Calls::default();
    let (orders, events) = (stack().orders(&calls), stack().events(&calls));
    let created = orders.create(&order, &asked.fingerprint, &events, &event).await.unwrap();
    assert_eq!(created, aws::tables::orders::Created::Done);
    event.id
}
