//! Messages to and from shoppers: WhatsApp reports their statuses in any order, often twice, while
//! partners record which order they are about.

use std::time::Duration;

use domain::core::id::{AccountCode, OrderId, OrderKey};
use fastrand::Rng;
use futures::future::join_all;
use serde_json::json;
use tokio::sync::watch;
use tokio::time::sleep;

use super::Actors;
use super::request::{user, vendor};
use crate::lambda::ApiRequest;
use crate::ledger::messages::{Record, Updates};
use crate::setup::messages::{NUMBERS, VERIFY_TOKEN, partner};
use crate::setup::{ACCOUNTS, ADMIN};

mod reads;
mod records;
pub(crate) mod updates;

use updates::{Update, body, forged, webhook};

/// Everything begins within so many milliseconds, in bursts: then requests meet.
const SPAN: u64 = 120_000;
const BURST: u64 = 1500;
const TRACKING: &str = "/api/orders/message-tracking";

/// An order that messages are about.
#[derive(Debug, Clone)]
pub(super) struct Order {
    pub(super) account: &'static str,
    pub(super) key: OrderKey,
}

/// What the seed has in store.
struct Plan {
    orders: Vec<Order>,
    webhooks: Vec<(u64, ApiRequest)>,
    records: Vec<(u64, records::Plan)>,
    /// No update in it has an effect.
    forged: ApiRequest,
}

impl Order {
    pub(super) fn draw(prefix: &str, number: usize, random: &mut Rng) -> Option<Self> {
        let account = ACCOUNTS[random.usize(..ACCOUNTS.len())];
        let order = OrderId::parse(&format!("{prefix}-{number}")).ok()?;
        Some(Self { account, key: OrderKey { account: AccountCode::parse(account).ok()?, order } })
    }
}

impl Plan {
    fn draw(is_small: bool, random: &mut Rng) -> Self {
        let count = if is_small { 1 } else { random.usize(1..4) };
        let orders: Vec<Order> =
            (0..count).filter_map(|number| Order::draw("MSG", number, random)).collect();
        // Both accounts may have a message with the same id.
        let messages: Vec<String> =
            (0..random.usize(1..5)).map(|number| format!("wamid.{number}")).collect();
        let bursts: Vec<u64> = (0..random.usize(1..4)).map(|_| random.u64(..SPAN)).collect();
        let forged = forged(body(&[Update::status(NUMBERS[0].0, &messages[0], random)], random));
        let mut webhooks = webhooks(&messages, &bursts, random);
        let mut records = records(&orders, &messages, &bursts, random);
        if is_small {
            webhooks.truncate(2);
            records.truncate(2);
        }
        Self { orders, webhooks, records, forged }
    }
}

fn time(bursts: &[u64], random: &mut Rng) -> u64 {
    bursts[random.usize(..bursts.len())] + random.u64(..BURST)
}

fn webhooks(messages: &[String], bursts: &[u64], random: &mut Rng) -> Vec<(u64, ApiRequest)> {
    let mut pool: Vec<Update> = Vec::new();
    for number in 0..random.usize(2..16) {
        let (phone, _) = NUMBERS[random.usize(..NUMBERS.len())];
        pool.push(if random.u8(..4) == 0 {
            Update::message(phone, &format!("wamid.IN{number}"), random)
        } else {
            Update::status(phone, &messages[random.usize(..messages.len())], random)
        });
    }
    let count = random.usize(1..7);
    let webhooks = (0..count).map(|_| {
        let updates: Vec<Update> =
            (0..random.usize(1..6)).map(|_| pool[random.usize(..pool.len())].clone()).collect();
        (time(bursts, random), webhook(body(&updates, random), random))
    });
    webhooks.collect()
}

/// A message is about one order of its account; now and then somebody names another one.
fn records(
    orders: &[Order],
    messages: &[String],
    bursts: &[u64],
    random: &mut Rng,
) -> Vec<(u64, records::Plan)> {
    let mut plans = Vec::new();
    for number in 0..random.usize(..7) {
        let order = &orders[random.usize(..orders.len())];
        let message = messages[random.usize(..messages.len())].as_str();
        let message = (random.u8(..6) > 0).then_some(message);
        plans.push((time(bursts, random), records::Plan::draw(order, message, number, random)));
    }
    plans
}

impl Actors {
    /// Webhooks, orders and records, until faults end.
    pub(crate) async fn exchange_messages(&self) {
        let is_small = self.world.lock().flows.is_small;
        let plan = Plan::draw(is_small, &mut self.world.lock().random);
        let (created, exists) = watch::channel(false);
        let creating = async {
            join_all(plan.orders.iter().map(|order| self.create_plain(order))).await;
            created.send_replace(true);
        };
        let webhooks = plan.webhooks.iter().map(|(at, webhook)| self.report(*at, webhook));
        let records = plan.records.iter().map(|(at, record)| {
            let mut exists = exists.clone();
            async move {
                sleep(Duration::from_millis(*at)).await;
                // The sender is gone only at the end of the run.
                let _ = exists.wait_for(|exists| *exists).await;
                self.record(record).await;
            }
        });
        let forging = self.forge(&plan.forged);
        tokio::join!(creating, join_all(webhooks), join_all(records), forging, self.shake_hands());
    }

    pub(super) async fn create_plain(&self, order: &Order) {
        self.wait_up_to(60).await;
        let body = json!({"orderId": order.key.order, "customer": {"firstName": "canary-name"}});
        let request = vendor(order.account, "POST", "/api/external/orders", &body);
        let asked = self.ask(&request).await;
        self.repeat(&request);
        self.expect(&asked, &[200, 201], "the creation of an order of its own");
        self.world.lock().ledger.order(order.key.clone(), asked.promise());
    }

    pub(super) async fn report(&self, at: u64, webhook: &ApiRequest) {
        sleep(Duration::from_millis(at)).await;
        let asked = self.ask(webhook).await;
        self.repeat(webhook);
        self.expect(&asked, &[200], "a webhook of WhatsApp");
        let answer = asked.answer.map(|answer| answer.body).unwrap_or_default();
        let event_id = answer["event_id"].as_str().unwrap_or_default().to_owned();
        let updates = Updates { event_id, body: webhook.body.clone() };
        self.world.lock().ledger.messages.webhooks.push(updates);
    }

    async fn record(&self, plan: &records::Plan) {
        let order = &plan.order;
        let name = if plan.by_admin { ADMIN.to_owned() } else { partner(order.account) };
        let mut request = user(&name, "POST", TRACKING, &plan.body);
        if let Some(key) = &plan.idempotency_key {
            request.headers.insert("idempotency-key".to_owned(), key.clone());
        }
        let asked = self.ask(&request).await;
        self.repeat(&request);
        // Another record may have the message already.
        self.expect(&asked, &[201, 409], "the record of a message");
        let (order, body) = (order.key.clone(), plan.body.clone());
        let record = Record { order, body, idempotency_key: plan.idempotency_key.clone() };
        let ledger = &mut self.world.lock().ledger.messages;
        match asked.status() {
            201 => ledger.records.push(record),
            409 => ledger.refused.push(record),
            _ => {}
        }
    }

    async fn forge(&self, webhook: &ApiRequest) {
        self.wait_up_to(60).await;
        let asked = self.ask(webhook).await;
        self.expect(&asked, &[401], "a webhook with a wrong signature");
    }

    /// Meta verifies the endpoint.
    async fn shake_hands(&self) {
        let query = [
            ("hub.mode", "subscribe"),
            ("hub.verify_token", VERIFY_TOKEN),
            ("hub.challenge", "1158201444"),
        ];
        let request = ApiRequest {
            method: "GET",
            path: "/webhooks/whatsapp".to_owned(),
            query: query.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            ..ApiRequest::default()
        };
        let asked = self.ask(&request).await;
        self.expect(&asked, &[200], "the handshake with Meta");
        let answer = asked.answer.map(|answer| answer.body).unwrap_or_default();
        if answer != "1158201444" && answer != 1_158_201_444 {
            self.world.lock().ledger.violation(format!("Meta's challenge is answered {answer}"));
        }
    }
}
