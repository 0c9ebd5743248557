//! Operators, who may act at any time: they retry events, trigger and replay deliveries, start
//! redrives, and send dead letters back, each also twice.

use std::time::Duration;

use aws::tables::inbound::EventMessage;
use domain::core::id::{AccountCode, EventId};
use domain::webhooks::delivery::Delivery;
use doubles::names::queue_url;
use doubles::sqs::{Chances, Received};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::Actors;
use super::request::user;
use crate::clock;
use crate::judge::orders::stored_orders;
use crate::ledger::Trigger;
use crate::setup::{ACCOUNTS, ADMIN};
use crate::world::State;

/// Operators act within so many seconds.
const SPAN: u64 = 300;
const MOST_ACTIONS: usize = 5;

/// Each dead-letter queue with the queue that its messages belong to.
const REDRIVES: [(&str, &str); 4] = [
    ("DeliveriesDlq", "DeliveriesQueue"),
    ("EventsDlq", "EventsQueue"),
    ("ShardsDlq", "ShardsQueue"),
    ("BatchesDlq", "BatchesQueue"),
];

impl Actors {
    /// Does a few things if there are operators in this run.
    pub(super) async fn operate(&self) {
        let chance = self.world.lock().faults.operator;
        if !self.world.lock().strikes("operator", chance) {
            return;
        }
        let actions = self.world.lock().random.usize(1..=MOST_ACTIONS);
        for _ in 0..actions {
            self.wait_up_to(SPAN / MOST_ACTIONS as u64).await;
            let action = self.world.lock().random.u8(..12);
            match action {
                0..=1 => self.retry_any().await,
                2..=3 => self.trigger().await,
                4 => self.queue_any_event_again(),
                5..=7 => self.redrive_slowly().await,
                8..=9 => self.replay_any().await,
                _ => self.start_redrive().await,
            }
        }
    }

    /// Retries an event, whatever its state.
    async fn retry_any(&self) {
        let Some(id) = self.world.lock().any_event() else { return };
        self.maybe_twice(async || self.retry(&id).await).await;
    }

    /// Does it twice at once if somebody clicks twice.
    pub(super) async fn maybe_twice(&self, act: impl AsyncFn()) {
        let is_double = self.world.lock().random.bool();
        let again = async {
            if is_double {
                self.world.pause(200).await;
                act().await;
            }
        };
        tokio::join!(act(), again);
    }

    /// Has a delivery sent again, whatever its state.
    async fn replay_any(&self) {
        let Some(id) = self.world.lock().any_delivery() else { return };
        self.maybe_twice(async || self.replay(&id).await).await;
    }

    pub(super) async fn replay(&self, id: &str) {
        let path = format!("/api/deliveries/{id}/replay");
        let asked = self.ask(&user(ADMIN, "POST", &path, &Value::Null)).await;
        self.expect(&asked, &[202, 409], "a replay");
        let run = asked.answer.as_ref().and_then(|answer| answer.body["run"].as_u64());
        let run = run.and_then(|run| u32::try_from(run).ok());
        let replay = run.map(|run| (id.to_owned(), run));
        self.world.lock().ledger.replayed.extend(replay);
    }

    /// Starts a job that restarts dead deliveries or failed events.
    async fn start_redrive(&self) {
        let (kind, account) = {
            let random = &mut self.world.lock().random;
            let kind = if random.bool() { "deliveries" } else { "events" };
            (kind, random.bool().then(|| ACCOUNTS[random.usize(..ACCOUNTS.len())]))
        };
        let path = format!("/api/dlq/{kind}/replay");
        let body = account.map_or(json!({}), |account| json!({ "account_code": account }));
        self.maybe_twice(async || {
            let asked = self.ask(&user(ADMIN, "POST", &path, &body)).await;
            self.expect(&asked, &[202], "a redrive");
        })
        .await;
    }

    async fn retry(&self, event: &EventId) {
        let path = format!("/api/webhooks/retry/{event}");
        let asked = self.ask(&user(ADMIN, "POST", &path, &Value::Null)).await;
        self.expect(&asked, &[200, 202], "a retry");
    }

    /// Retries the events that failed because an endpoint's settings could not be used. Returns
    /// whether there were any.
    pub(crate) async fn retry_failed(&self) -> bool {
        let failed = self.world.lock().events_without_settings();
        for event in &failed {
            self.retry(event).await;
        }
        !failed.is_empty()
    }

    async fn trigger(&self) {
        let (account, orders) = self.world.lock().any_orders();
        let body = json!({ "order_ids": orders, "account_code": account });
        let asked = self.ask(&user(ADMIN, "POST", "/api/orders/trigger-webhook", &body)).await;
        self.expect(&asked, &[200, 404], "a trigger");
        let Ok(account) = AccountCode::parse(account) else { return };
        let results =
            asked.answer.as_ref().map(|answer| answer.body["data"]["webhookResult"].clone());
        let deliveries = results.as_ref().and_then(Value::as_array).into_iter().flatten();
        let deliveries = deliveries.filter_map(|it| Some(it["delivery_id"].as_str()?.to_owned()));
        let (promise, from, until) = (asked.promise(), asked.from, asked.until);
        let deliveries = deliveries.collect();
        let trigger = Trigger { account, orders, promise, from, until, deliveries };
        self.world.lock().ledger.triggers.push(trigger);
    }

    /// A message of the events queue that was redriven before, or is delivered late.
    fn queue_any_event_again(&self) {
        let mut state = self.world.lock();
        let Some(id) = state.any_event() else { return };
        state.send("EventsQueue", &EventMessage::write(&id), None);
    }

    /// Sends dead letters back one by one. Two operators may do so at once, and one may stop between
    /// sending a letter and deleting it.
    async fn redrive_slowly(&self) {
        self.maybe_twice(async || self.redrive_once().await).await;
    }

    async fn redrive_once(&self) {
        for (letters, queue) in REDRIVES {
            loop {
                let batch = self.world.lock().receive_letters(letters);
                if batch.is_empty() {
                    break;
                }
                for letter in batch {
                    self.world.lock().redrive(queue, &letter);
                    self.world.pause(100).await;
                    let stops = self.world.lock().random.u8(..16) == 0;
                    if stops {
                        return;
                    }
                    self.world.lock().sqs.delete(letters, &letter.receipt, clock::now_ms());
                }
                sleep(Duration::from_millis(50)).await;
            }
        }
    }

    /// Sends everything in the dead-letter queues back.
    pub(crate) fn redrive(&self) {
        let mut state = self.world.lock();
        for (letters, queue) in REDRIVES {
            loop {
                let batch = state.receive_letters(letters);
                for letter in &batch {
                    state.redrive(queue, letter);
                    state.sqs.delete(letters, &letter.receipt, clock::now_ms());
                }
                if batch.is_empty() {
                    break;
                }
            }
        }
    }
}

impl State {
    fn events(&self) -> impl Iterator<Item = (EventId, &doubles::dynamodb::Item)> {
        let rows = self.dynamodb.rows("InboundTable");
        let rows = rows.filter(|row| row.get("sk").is_some_and(|sk| sk["S"] == "event"));
        rows.filter_map(|row| Some((EventId::parse(row.get("pk")?["S"].as_str()?).ok()?, row)))
    }

    fn any_event(&mut self) -> Option<EventId> {
        let events: Vec<EventId> = self.events().map(|(id, _)| id).collect();
        let index = self.random.usize(..events.len().max(1));
        events.get(index).cloned()
    }

    fn any_delivery(&mut self) -> Option<String> {
        let rows = self.dynamodb.rows("DeliveriesTable").filter(|row| row.contains_key("state"));
        let ids = rows.filter_map(|row| Some(row.get("pk")?["S"].as_str()?.to_owned()));
        let ids: Vec<String> = ids.collect();
        let index = self.random.usize(..ids.len().max(1));
        ids.get(index).cloned()
    }

    fn events_without_settings(&self) -> Vec<EventId> {
        let text = |row: &doubles::dynamodb::Item, name: &str| {
            row.get(name).and_then(|value| value["S"].as_str()).unwrap_or_default().to_owned()
        };
        let failed = self.events().filter(|(_, row)| {
            text(row, "state") == "failed" && text(row, "reason").starts_with("setting endpoints/")
        });
        failed.map(|(id, _)| id).collect()
    }

    /// Up to three orders of an account, of which one may not exist.
    fn any_orders(&mut self) -> (&'static str, Vec<String>) {
        let account = ACCOUNTS[self.random.usize(..ACCOUNTS.len())];
        let orders = stored_orders(self).into_keys();
        let own = orders.filter(|key| key.account.as_str() == account);
        let mut orders: Vec<String> = own.map(|key| key.order.to_string()).collect();
        orders.push("S0-9".to_owned());
        self.random.shuffle(&mut orders);
        orders.truncate(self.random.usize(1..=3));
        (account, orders)
    }

    fn receive_letters(&mut self, letters: &str) -> Vec<Received> {
        let (now, chances) = (clock::now_ms(), Chances::default());
        self.sqs.receive(letters, 10, now, &chances, &mut self.random)
    }

    fn redrive(&mut self, queue: &str, letter: &Received) {
        if let Some(delivery) = Delivery::from_message(&letter.body) {
            self.ledger.redriven.push((delivery.id, delivery.run));
        }
        self.send(queue, &letter.body, letter.group.as_deref());
        self.tell("operator", || format!("sends a letter back to {queue}"));
    }

    fn send(&mut self, queue: &str, body: &str, group: Option<&str>) {
        let (now, chances) = (clock::now_ms(), Chances::default());
        let mut message = json!({ "QueueUrl": queue_url(queue), "MessageBody": body });
        if let Some(group) = group {
            message["MessageGroupId"] = group.into();
        }
        let sent = self.sqs.call("SendMessage", &message, now, &chances, &mut self.random);
        if let Err(error) = sent {
            self.ledger.violation(format!("nothing can be sent to {queue}: {}", error.code()));
        }
        self.announce(queue);
    }
}
