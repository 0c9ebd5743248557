//! An isolated environment of one test: a table, queues and settings that no deployed function
//! uses. The test calls the functions itself and plays the parts of SQS and EventBridge Scheduler.

mod records;
mod steps;

use std::collections::BTreeMap;
use std::time::Duration;

use ::aws::settings::Settings;
use ::aws::sqs::Queue;
use ::aws::tables::inbound::InboundLog;
use ::aws::tables::messages::Messages;
use ::aws::tables::orders::Orders;
use ::aws::tables::runs::Runs;
use ::poll::Poll;
use ::process::Process;
use ::sync::Sync;
use aws::clock::system_time;
use aws::tables::deliveries::Deliveries;
use aws_sdk_dynamodb::types::{AttributeDefinition, BillingMode, KeySchemaElement, KeyType};
use egress::Http;
use serde_json::{Value, json};

use super::shipway_double;
use crate::support::{
    Calls, OURS, SIGNING_SECRET, THEIRS, put_secret, put_setting, remove_parameters, stack, unique,
};

pub use records::{keys_in_shard, order_key};

const QUEUES: [&str; 4] = ["shards", "batches", "events", "deliveries"];
const EVENTS: [&str; 2] = ["order.status_changed", "order.stalled"];

/// One table stands for all deployed ones: their keys share no partition. Account `OURS` polls
/// with the credentials of the source, `THEIRS` with its own, others not at all.
pub struct Environment {
    name: String,
    queues: BTreeMap<&'static str, String>,
}

impl Environment {
    /// `settings` are added to those of the source. The rate limit does not slow down tests.
    pub async fn new(settings: &Value) -> Self {
        let name = unique("it-");
        create_table(&name).await;
        let mut queues = BTreeMap::new();
        for queue in QUEUES {
            let create =
                stack().sqs(&Calls::default()).create_queue().queue_name(format!("{name}-{queue}"));
            queues.insert(queue, create.send().await.unwrap().queue_url.unwrap());
        }
        let env = Self { name, queues };
        let mut source = json!({
            "base_url": stack().shipway_url, "calls_per_second": 1000, "shared_with": [OURS],
        });
        source.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
        env.put_setting("sources/shipway/settings", &source.to_string()).await;
        let [ours, theirs] = env.shipway_users();
        let secret = async |user: &str| shipway_double::add_credentials(user).await.to_string();
        env.put_secret("sources/shipway/secret", &secret(&ours).await).await;
        env.put_secret(&format!("accounts/{THEIRS}/shipway"), &secret(&theirs).await).await;
        let endpoint = json!({"format": "status_update", "accounts": ["*"], "events": EVENTS});
        env.add_endpoint("shop", &endpoint).await;
        env
    }

    /// Adds or replaces an endpoint. Its deliveries stay in the queue.
    pub async fn add_endpoint(&self, name: &str, settings: &Value) {
        let url = format!("{}/{}", stack().receiver_url, self.name);
        self.put_secret(&format!("endpoints/{name}/secret"), SIGNING_SECRET).await;
        self.put_setting(&format!("endpoints/{name}/settings"), &settings.to_string()).await;
        self.put_setting(&format!("endpoints/{name}/url"), &url).await;
    }

    /// Deletes the table, the queues and the parameters.
    pub async fn remove(self) {
        let calls = Calls::default();
        stack().dynamodb(&calls).delete_table().table_name(&self.name).send().await.unwrap();
        for url in self.queues.values() {
            stack().sqs(&calls).delete_queue().queue_url(url).send().await.unwrap();
        }
        remove_parameters(&self.prefix()).await;
    }

    fn prefix(&self) -> String {
        format!("/waypost/{}", self.name)
    }

    async fn put_setting(&self, parameter: &str, value: &str) {
        put_setting(&format!("{}/{parameter}", self.name), value).await;
    }

    pub async fn put_secret(&self, parameter: &str, value: &str) {
        put_secret(&format!("{}/{parameter}", self.name), value).await;
    }

    /// The users of Shipway's API for `OURS` and `THEIRS`.
    pub fn shipway_users(&self) -> [String; 2] {
        ["ours", "theirs"].map(|user| format!("{user}-{}@example.invalid", self.name))
    }

    pub async fn carrier_calls(&self) -> Vec<shipway_double::Call> {
        let [ours, theirs] = self.shipway_users();
        shipway_double::calls(&[&ours, &theirs]).await
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
        let (runs, orders) = (self.runs(calls), self.orders(calls));
        let events = self.queue("events", calls);
        Poll::new(runs, orders, events, self.settings(calls), Http::new(system_time).unwrap())
    }

    fn process(&self, calls: &Calls) -> Process {
        let messages = Messages::new(stack().dynamodb(calls), self.name.clone());
        let (own, deliveries) = (self.queue("events", calls), self.queue("deliveries", calls));
        let (events, orders) = (self.events(calls), self.orders(calls));
        let rows = Deliveries::new(stack().dynamodb(calls), self.name.clone());
        Process::new(events, own, orders, messages, deliveries, rows, self.settings(calls))
    }
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
