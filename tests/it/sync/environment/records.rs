//! Orders and inbound events of an environment.

use aws::lambda::sqs_batch::RecordOutcome;
use aws::tables::inbound::{EventMessage, InboundEvent, Inserted};
use aws::tables::orders::{ActiveOrder, CreateOutcome, PatchOutcome, PatchedNames};
use domain::core::id::{AccountCode, OrderId, OrderKey};
use domain::core::timestamp::Timestamp;
use domain::orders::api_event::{ApiEvent, Reconciliation};
use domain::orders::order::Order;
use domain::orders::request::{NewOrder, OrderPatch};
use domain::polling::shard;
use serde_json::{Value, json};

use super::Environment;
use crate::support::{Calls, inbound_event};

impl Environment {
    /// Creates a polled order.
    pub async fn create_order(&self, key: &OrderKey, awb: &str, at: Timestamp) {
        let body = json!({
            "orderId": key.order, "accountCode": key.account, "awb": awb, "poll": "shipway",
        });
        let new = NewOrder::read(body.to_string().as_bytes(), &sources::ref_sources()).unwrap();
        let order = new.to_order(key, &[], at);
        let reconciliation =
            Reconciliation { is_new: true, ..Reconciliation::of(key.order.clone()) };
        let body = ApiEvent::Reconciliation(reconciliation).to_body();
        let event = InboundEvent {
            received_at: at,
            ..inbound_event("api", Some(key.account.as_str()), body)
        };
        let calls = Calls::default();
        let (orders, events) = (self.orders(&calls), self.events(&calls));
        let created = orders.create(&order, &new.fingerprint, &events, &event, &[]).await;
        assert_eq!(created.unwrap(), CreateOutcome::Created);
    }

    /// Ends the polling of an order, as a patch does.
    pub async fn end_polling(&self, key: &OrderKey) {
        let before = self.order(key).await;
        let patch = OrderPatch::read(br#"{"poll": null}"#).unwrap();
        let profile = patch.apply(&before.profile, &sources::ref_sources()).unwrap();
        let mut after = Order { profile, ..before.clone() };
        after.state.rev += 1;
        after.state.profile_rev = after.state.rev;
        let (calls, names) = (Calls::default(), PatchedNames::default());
        let (orders, events) = (self.orders(&calls), self.events(&calls));
        let patched = orders.patch(&before, &after, &names, &events, None).await.unwrap();
        assert_eq!(patched, PatchOutcome::Patched);
    }

    pub async fn order(&self, key: &OrderKey) -> Order {
        self.orders(&Calls::default()).load(key).await.unwrap().unwrap()
    }

    /// The tracking status of an order in JSON.
    pub async fn status(&self, key: &OrderKey) -> Value {
        json!(self.order(key).await.state.tracking.status)
    }

    /// The polling state of an order.
    pub async fn active_order(&self, key: &OrderKey) -> Option<ActiveOrder> {
        let page = self.orders(&Calls::default()).active(shard(key), None, 500).await.unwrap();
        page.orders.into_iter().flatten().find(|order| order.key == *key)
    }

    /// Stores an event. Returns its message for the events queue.
    pub async fn insert_event(
        &self,
        source: &'static str,
        account: &AccountCode,
        at: Timestamp,
        body: &Value,
    ) -> String {
        let event = InboundEvent {
            received_at: at,
            ..inbound_event(source, Some(account.as_str()), body.to_string())
        };
        assert_eq!(self.events(&Calls::default()).insert(&event).await.unwrap(), Inserted::New);
        EventMessage::write(&event.id)
    }

    /// Stores an event and processes it.
    pub async fn process_event(
        &self,
        source: &'static str,
        account: &AccountCode,
        at: Timestamp,
        body: &Value,
    ) {
        let message = self.insert_event(source, account, at, body).await;
        assert_eq!(self.handle_without_fault("events", &message).await, RecordOutcome::Ack);
    }
}

pub fn order_key(account: &str, order: &str) -> OrderKey {
    OrderKey {
        account: AccountCode::parse(account).unwrap(),
        order: OrderId::parse(order).unwrap(),
    }
}

/// The first `count` order keys of an account in a shard, in key order.
pub fn keys_in_shard(account: &str, shard_number: u8, count: usize) -> Vec<OrderKey> {
    let keys = (0..10_000).map(|n| order_key(account, &format!("ORD{n:04}")));
    keys.filter(|key| shard(key) == shard_number).take(count).collect()
}
