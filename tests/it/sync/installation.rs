//! An installation of a test's own, worked in this process: a table, queues and settings that no deployed function
//! sees. The test is its queues and its Scheduler.

use std::collections::BTreeMap;
use std::time::Duration;

use ::aws::error::IoError;
use ::aws::lambda::sqs_batch::RecordOutcome;
use ::aws::settings::Settings;
use ::aws::sqs::Queue;
use ::aws::tables::inbound::{EventMessage, EventState, InboundEvent, InboundLog, Inserted};
use ::aws::tables::messages::Messages;
use ::aws::tables::orders::{ActiveOrder, CreateOutcome, Orders};
use ::aws::tables::runs::Runs;
use ::poll::Poll;
use ::process::Process;
use ::sync::Sync;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType,
};
use domain::core::hash::Fingerprint;
use domain::core::id::{AccountCode, OrderId, OrderKey};
use domain::core::timestamp::Timestamp;
use domain::orders::api_event::{ApiEvent, Reconciliation};
use domain::orders::order::Order;
use domain::orders::request::NewOrder;
use domain::polling::{Run, SHARDS, ShardMessage, Totals, shard};
use domain::tracking::report::SourceName;
use domain::tracking::timeline::State;
use domain::webhooks::delivery::Delivery;
use egress::Http;
use serde_json::{Value, json};

use super::shipway;
use crate::support::{Calls, Fault, stack, unique};

/// An account that asks with the source's credentials,
pub const OURS: &str = "STORE001";
/// and one that has its own.
pub const THEIRS: &str = "STORE002";

const QUEUES: [&str; 4] = ["shards", "batches", "events", "deliveries"];
const EVENTS: [&str; 2] = ["order.status_changed", "order.stalled"];
const ENDPOINT_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// Its one table has what the deployed ones have: their keys share no partition.
pub struct Installation {
    name: String,
    queues: BTreeMap<&'static str, String>,
}

impl Installation {
    /// Asks as fast as may be. `settings` are the source's further ones.
    pub async fn new(settings: &Value) -> Self {
        let name = unique("it-");
        create_table(&name).await;
        let mut queues = BTreeMap::new();
        for queue in QUEUES {
            let create =
                stack().sqs(&Calls::default()).create_queue().queue_name(format!("{name}-{queue}"));
            queues.insert(queue, create.send().await.unwrap().queue_url.unwrap());
        }
        let new = Self { name, queues };
        let mut source = json!({"base_url": stack().shipway_url, "calls_per_second": 1000});
        source.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
        let endpoint = json!({"format": "status_update", "accounts": ["*"], "events": EVENTS});
        let [ours, theirs] = new.users();
        for (parameter, value) in [
            ("sources/shipway/settings".to_owned(), source.to_string()),
            ("sources/shipway/secret".to_owned(), shipway::lets_in(&ours).await.to_string()),
            (format!("accounts/{THEIRS}/shipway"), shipway::lets_in(&theirs).await.to_string()),
        ] {
            new.set(&parameter, &value).await;
        }
        new.tell("shop", &endpoint).await;
        new
    }

    /// An endpoint of this name. Nothing is posted: its deliveries stay in their queue.
    pub async fn tell(&self, name: &str, settings: &Value) {
        self.set(&format!("endpoints/{name}/secret"), ENDPOINT_SECRET).await;
        self.set(&format!("endpoints/{name}/settings"), &settings.to_string()).await;
        self.set(
            &format!("endpoints/{name}/url"),
            &format!("{}/{}", stack().receiver_url, self.name),
        )
        .await;
    }

    /// Takes it all away.
    pub async fn remove(self) {
        let calls = Calls::default();
        stack().dynamodb(&calls).delete_table().table_name(&self.name).send().await.unwrap();
        for url in self.queues.values() {
            stack().sqs(&calls).delete_queue().queue_url(url).send().await.unwrap();
        }
        let ssm = stack().ssm(&calls);
        let mut pages = ssm
            .get_parameters_by_path()
            .path(self.prefix())
            .recursive(true)
            .into_paginator()
            .send();
        while let Some(page) = pages.next().await {
            let page = page.unwrap();
            let names = page
                .parameters()
                .iter()
                .filter_map(|found| found.name().map(str::to_owned))
                .collect();
            ssm.delete_parameters().set_names(Some(names)).send().await.unwrap();
        }
    }

    fn prefix(&self) -> String {
        format!("/waypost/{}", self.name)
    }

    pub async fn set(&self, parameter: &str, value: &str) {
        let put = stack()
            .ssm(&Calls::default())
            .put_parameter()
            .name(format!("{}/{parameter}", self.prefix()));
        let secret = parameter.ends_with("secret") || parameter.ends_with("shipway");
        let put = put.r#type(if secret { "SecureString" } else { "String" }.into());
        put.value(value).overwrite(true).send().await.unwrap();
    }

    /// Who asks for [`OURS`], and who for [`THEIRS`].
    pub fn users(&self) -> [String; 2] {
        ["ours", "theirs"].map(|whose| format!("{whose}-{}@example.invalid", self.name))
    }

    pub async fn asked(&self) -> Vec<shipway::Call> {
        let [ours, theirs] = self.users();
        shipway::calls(&[&ours, &theirs]).await
    }

    fn queue(&self, name: &str, calls: &Calls) -> Queue {
        Queue::new(stack().sqs(calls), self.queues[name].clone())
    }

    fn settings(&self, calls: &Calls) -> Settings {
        Settings::new(stack().ssm(calls), self.prefix(), Duration::from_secs(600))
    }

    pub fn orders(&self, calls: &Calls) -> Orders {
        Orders::new(stack().dynamodb(calls), self.name.clone())
    }

    pub fn runs(&self, calls: &Calls) -> Runs {
        Runs::new(stack().dynamodb(calls), self.name.clone())
    }

    fn events(&self, calls: &Calls) -> InboundLog {
        InboundLog::new(stack().dynamodb(calls), self.name.clone())
    }

    fn sync(&self, calls: &Calls) -> Sync {
        let (shards, batches) = (self.queue("shards", calls), self.queue("batches", calls));
        Sync::new(self.runs(calls), self.orders(calls), shards, batches, self.settings(calls))
    }

    fn poll(&self, calls: &Calls) -> Poll {
        let (runs, orders, events) =
            (self.runs(calls), self.orders(calls), self.queue("events", calls));
        Poll::new(runs, orders, events, self.settings(calls), Http::new().unwrap())
    }

    fn process(&self, calls: &Calls) -> Process {
        let messages = Messages::new(stack().dynamodb(calls), self.name.clone());
        let deliveries = self.queue("deliveries", calls);
        Process::new(
            self.events(calls),
            self.orders(calls),
            messages,
            deliveries,
            self.settings(calls),
        )
    }

    /// The schedule fires: what comes of that, and the calls it takes.
    pub async fn fire(
        &self,
        event: &Value,
        fault: Option<Fault>,
    ) -> (Result<Value, IoError>, Vec<String>) {
        let calls = Calls::killed(fault);
        let opened = self.sync(&calls).open_run(event).await;
        (opened, calls.names())
    }

    /// What becomes of a message of a queue, and the calls it takes.
    pub async fn work(
        &self,
        queue: &str,
        message: &str,
        fault: Option<Fault>,
    ) -> (Result<RecordOutcome, IoError>, Vec<String>) {
        let (calls, deadline) =
            (Calls::killed(fault), ::aws::clock::now().after(Duration::from_secs(60)));
        let ended = match queue {
            "shards" => self.sync(&calls).plan_shard(message, deadline).await,
            "batches" => self.poll(&calls).handle(message, deadline).await,
            _ => self.process(&calls).handle(message).await,
        };
        (ended, calls.names())
    }

    /// Works on all there is, whatever comes of it; what did not end well.
    pub async fn work_on_all(&self) -> Vec<(String, RecordOutcome)> {
        let mut others = Vec::new();
        for queue in ["shards", "batches", "events"] {
            for message in self.take(queue).await {
                match self.work(queue, &message, None).await.0.unwrap() {
                    RecordOutcome::Ack => {}
                    ending => others.push((message, ending)),
                }
            }
        }
        others
    }

    /// Plans a shard of a run, of which nothing else is left to do.
    pub async fn plan(&self, run: &Run, shard: u8) {
        self.open_last_shard(run, shard).await;
        for message in self.take("shards").await {
            assert_eq!(self.work("shards", &message, None).await.0.unwrap(), RecordOutcome::Ack);
        }
    }

    /// What has come of a run so far.
    pub async fn totals(&self, run: &Run) -> Totals {
        self.runs(&Calls::default()).totals(&run.id).await.unwrap()
    }

    /// Takes everything out of a queue.
    pub async fn take(&self, queue: &str) -> Vec<String> {
        let (sqs, url) = (stack().sqs(&Calls::default()), &self.queues[queue]);
        let mut bodies = Vec::new();
        loop {
            let batch = sqs
                .receive_message()
                .queue_url(url)
                .max_number_of_messages(10)
                .send()
                .await
                .unwrap();
            if batch.messages().is_empty() {
                return bodies;
            }
            bodies
                .extend(batch.messages().iter().map(|message| message.body().unwrap().to_owned()));
        }
    }

    /// What customers would be told, as often as it was queued.
    pub async fn told(&self) -> Vec<Delivery> {
        let bodies = self.take("deliveries").await;
        bodies.iter().map(|body| Delivery::from_message(body).unwrap()).collect()
    }

    /// Works on an event that a source sent.
    pub async fn report(
        &self,
        source: SourceName,
        account: &AccountCode,
        at: Timestamp,
        body: &Value,
    ) {
        let message = self.keep(source, account, at, body).await;
        assert_eq!(self.work("events", &message, None).await.0.unwrap(), RecordOutcome::Ack);
    }

    /// Keeps an event that a source sent; the message that tells of it.
    pub async fn keep(
        &self,
        source: SourceName,
        account: &AccountCode,
        at: Timestamp,
        body: &Value,
    ) -> String {
        let body = body.to_string().into_bytes();
        let id = Fingerprint::of("event").with(account).with(&body).into();
        let (account, state) = (Some(account.clone()), EventState::Received);
        let event =
            InboundEvent { id, source, account, received_at: at, state, reason: None, body };
        assert_eq!(self.events(&Calls::default()).insert(&event).await.unwrap(), Inserted::New);
        EventMessage::write(&event.id)
    }

    /// An order that the carrier is asked about.
    pub async fn create(&self, key: &OrderKey, awb: &str, at: Timestamp) {
        let body = json!({"orderId": key.order, "accountCode": key.account, "awb": awb, "poll": "shipway"});
        let asked =
            NewOrder::read(body.to_string().as_bytes(), &sources::with_order_refs()).unwrap();
        let order = Order {
            key: key.clone(),
            profile: asked.profile,
            state: State::at_creation(asked.status, at),
        };
        let reconciliation = Reconciliation { order_id: order.key.order.clone(), reshipped: None };
        let event = InboundEvent {
            id: Fingerprint::of("test-adoption").with(&key.account).with(&key.order).into(),
            source: SourceName::API,
            account: Some(key.account.clone()),
            received_at: at,
            state: EventState::Received,
            reason: None,
            body: ApiEvent::Reconciliation(reconciliation).to_body(),
        };
        let calls = Calls::default();
        let created = self
            .orders(&calls)
            .create(&order, &asked.fingerprint, &self.events(&calls), &event)
            .await;
        assert_eq!(created.unwrap(), CreateOutcome::Created);
    }

    /// What is kept of an order for the next time that the carrier is asked about it.
    pub async fn active(&self, key: &OrderKey) -> Option<ActiveOrder> {
        let page = self.orders(&Calls::default()).active(shard(key), None, 500).await.unwrap();
        page.orders.into_iter().flatten().find(|order| order.key == *key)
    }

    pub async fn order(&self, key: &OrderKey) -> Order {
        self.orders(&Calls::default()).load(key).await.unwrap().unwrap()
    }

    /// A run of which all shards but this one have come to their end. Its message is queued.
    pub async fn open_last_shard(&self, run: &Run, last: u8) {
        let others = (0..SHARDS).filter(|shard| *shard != last).map(|shard| format!("{shard:02}"));
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let put = stack().dynamodb(&Calls::default()).put_item().table_name(&self.name);
        let put = put
            .item("pk", text("runs"))
            .item("sk", text(&format!("{}/{}", run.started_at, run.id)));
        let put = put
            .item("id", text(&run.id))
            .item("kind", text("hourly"))
            .item("calls_per_second", text("1000"));
        let put = put.item("started_at", text(&run.started_at.to_string()));
        put.item("finished", AttributeValue::Ss(others.collect())).send().await.unwrap();
        let message = ShardMessage::new(run.clone(), last, 1000.0).write();
        self.queue("shards", &Calls::default()).send(message).await.unwrap();
    }

    /// As if whoever held a shard had been killed long ago.
    pub async fn forget_lease(&self, run: &str, shard: u8) {
        let update = stack().dynamodb(&Calls::default()).update_item().table_name(&self.name);
        let update = update.key("pk", AttributeValue::S(format!("run:{run}")));
        let update = update.key("sk", AttributeValue::S(format!("shard:{shard:02}")));
        let update = update.update_expression("SET lease_until = :past");
        let update = update.expression_attribute_values(":past", AttributeValue::N("0".to_owned()));
        let forgotten = update.condition_expression("attribute_exists(lease_until)").send().await;
        // It may be held by nobody.
        assert!(forgotten.is_ok() || forgotten.unwrap_err().as_service_error().is_some());
    }
}

pub fn key(account: &str, order: &str) -> OrderKey {
    OrderKey {
        account: AccountCode::parse(account).unwrap(),
        order: OrderId::parse(order).unwrap(),
    }
}

/// The first so many orders of an account that a shard has, as they stand there.
pub fn in_shard(account: &str, wanted: u8, count: usize) -> Vec<OrderKey> {
    let keys = (0..10_000).map(|n| key(account, &format!("ORD{n:04}")));
    keys.filter(|key| shard(key) == wanted).take(count).collect()
}

async fn create_table(name: &str) {
    let mut create = stack().dynamodb(&Calls::default()).create_table().table_name(name);
    for (attribute, kind) in [("pk", KeyType::Hash), ("sk", KeyType::Range)] {
        let definition =
            AttributeDefinition::builder().attribute_name(attribute).attribute_type("S".into());
        let key = KeySchemaElement::builder().attribute_name(attribute).key_type(kind);
        create = create
            .attribute_definitions(definition.build().unwrap())
            .key_schema(key.build().unwrap());
    }
    create.billing_mode(BillingMode::PayPerRequest).send().await.unwrap();
}
