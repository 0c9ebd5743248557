//! Events of the inbound log: builders, and their view in the API.

use aws::tables::inbound::{EventState, InboundEvent, Inserted};
use aws::tables::orders::TracedDelivery;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::core::hash::Fingerprint;
use domain::core::id::{AccountCode, EventId, OrderId, OrderKey};
use domain::tracking::report::SourceName;
use domain::webhooks::delivery::Delivery;
use serde_json::Value;

use super::{Calls, OURS, eventually, stack, unique};

/// A new event in state `received`.
pub fn inbound_event(
    source: &'static str,
    account: Option<&str>,
    body: impl Into<Vec<u8>>,
) -> InboundEvent {
    InboundEvent {
        id: Fingerprint::of("test event").with(unique("")).into(),
        source: SourceName::new(source),
        account: account.map(|code| AccountCode::parse(code).unwrap()),
        received_at: aws::clock::now(),
        state: EventState::Received,
        reason: None,
        traceparent: None,
        body: body.into(),
    }
}

/// Stores an event as `inbound` does, but queues no message: the test calls `process` itself.
pub async fn insert_event(event: &InboundEvent) -> EventId {
    assert_eq!(stack().events(&Calls::default()).insert(event).await.unwrap(), Inserted::New);
    event.id.clone()
}

/// The event id of a body of the demo account whose source has no id of its own.
pub fn body_event_id(source: &str, body: impl AsRef<[u8]>) -> EventId {
    Fingerprint::of("event").with(source).with(OURS).with(body).into()
}

/// The event id of a quarantined body of the demo account.
pub fn quarantined_event_id(source: &str, body: impl AsRef<[u8]>) -> EventId {
    Fingerprint::of("quarantined event").with(source).with(OURS).with(body).into()
}

/// An event in the API, without its body.
pub async fn detail(id: &str) -> Value {
    show(&format!("/api/webhooks/logs/{id}")).await
}

/// An event in the API, with its body.
pub async fn revealed(id: &str) -> Value {
    show(&format!("/api/webhooks/logs/{id}?reveal=true")).await
}

async fn show(path: &str) -> Value {
    let answer = stack().user("viewer", "GET", path, None).await;
    assert_eq!(answer.status, 200, "{}", answer.json);
    answer.json
}

/// Waits until an event has this status.
pub async fn detail_in_status(id: &str, status: &str) -> Value {
    eventually(&format!("{id} to be {status}"), async || {
        Some(detail(id).await).filter(|event| event["status"] == status)
    })
    .await
}

/// Notes a delivery with its orders, as `process` does before it queues it.
pub async fn trace_delivery(delivery: &Delivery, orders: &[&str]) {
    let event = Fingerprint::of("test event").with(&delivery.id).into();
    for order in orders {
        let traced = [TracedDelivery::from(delivery)];
        let order = order_key(OURS, order);
        let orders = stack().orders(&Calls::default());
        orders.trace(&order, &event, traced, aws::clock::now()).await.unwrap();
    }
}

/// A run that is killed before its end leaves its event without this mark of its deliveries.
pub async fn forget_deliveries_of_events(order: &OrderKey) {
    let calls = Calls::default();
    let links = stack().orders(&calls).links(order, aws::clock::now()).await.unwrap();
    for event in links.events {
        eventually(&format!("{} to be settled", event.as_str()), async || {
            stack().events(&calls).row(&event).await.unwrap()?.settled_at
        })
        .await;
        let update = stack().dynamodb(&calls).update_item();
        let update =
            update.table_name(&stack().tables["inbound"]).update_expression("REMOVE deliveries");
        let key = [("pk", event.as_str()), ("sk", "event")];
        let key = key.map(|(name, value)| (name.to_owned(), AttributeValue::S(value.to_owned())));
        update.set_key(Some(key.into())).send().await.unwrap();
    }
}

pub fn order_key(account: &str, order: &str) -> OrderKey {
    OrderKey {
        account: AccountCode::parse(account).unwrap(),
        order: OrderId::parse(order).unwrap(),
    }
}
