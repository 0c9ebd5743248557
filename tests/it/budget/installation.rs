//! An installation of one test, whose functions run in the test: tables with the indexes of the
//! template, queues, and settings with one endpoint.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use ::aws::lambda::auth::Callers;
use ::aws::lambda::sqs_batch::Worker;
use ::aws::settings::Settings;
use ::aws::sqs::Queue;
use ::aws::tables::audit::AuditLog;
use ::aws::tables::auth_failures::AuthFailures;
use ::aws::tables::connections::Connections;
use ::aws::tables::counters::Counters;
use ::aws::tables::deliveries::Deliveries;
use ::aws::tables::endpoint_health::EndpointHealth;
use ::aws::tables::inbound::InboundLog;
use ::aws::tables::messages::Messages;
use ::aws::tables::orders::Orders;
use ::aws::tables::runs::Runs;
use ::aws::tables::send_limits::SendLimits;
use ::aws::tracking_links::OrderLinks;
use ::messages::MessagesApi;
use ::orders::OrdersApi;
use ::poll::Poll;
use ::process::{Live, Process};
use ::sync::Sync;
use aws::clock::system_time;
use aws_sdk_dynamodb::types::{
    BillingMode, GlobalSecondaryIndex, GlobalSecondaryIndexDescription, KeySchemaElement,
    ProjectionType,
};
use data_encoding::HEXLOWER;
use deliver::{Deliver, HealthMonitor, MessageSender};
use egress::Http;
use inbound::Inbound;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::graph::NUMBER;
use crate::support::{
    Calls, Index, Meter, OURS, SIGNING_SECRET, put_secret, put_setting, remove_parameters, stack,
    unique,
};
use crate::sync::shipway_double;

const QUEUES: [&str; 6] = ["events", "deliveries", "dead_letters", "live", "shards", "batches"];
pub const USER: &str = "shop";
/// The user's password, Shiprocket's token, and the secret of WhatsApp's app.
pub const SECRET: &str = "canary-secret-of-the-budget";
/// A rule sends a message for it. No other operation reports it.
pub const RULE_STATUS: &str = "cancelled";

pub struct Installation {
    name: String,
    pub meter: Meter,
    queues: BTreeMap<&'static str, String>,
    pub inbound: Inbound,
    pub orders: OrdersApi,
    pub messages: MessagesApi,
    pub process: Process,
    pub deliver: Deliver,
    pub worker: Worker,
    pub counters: Counters,
    pub sync: Sync,
    pub poll: Poll,
}

impl Installation {
    pub async fn new() -> Self {
        let name = unique("budget-");
        let mut indexes = HashMap::new();
        for table in stack().tables.keys() {
            indexes.insert(format!("{name}-{table}"), create_table(&name, table).await);
        }
        let mut queues = BTreeMap::new();
        for queue in QUEUES {
            queues.insert(queue, create_queue(&format!("{name}-{queue}")).await);
        }
        put_settings(&name).await;
        let meter = Meter::new(indexes);
        let parts = Parts { name: &name, queues: &queues, calls: Calls::metered(&meter) };
        Self {
            inbound: Inbound::new(parts.events(), parts.queue("events"), parts.settings()),
            orders: OrdersApi::new(
                parts.orders(),
                parts.events(),
                parts.queue("events"),
                parts.callers(),
                AuditLog::new(parts.dynamodb(), parts.table("state")),
                OrderLinks::new(parts.settings()),
            ),
            messages: parts.messages_api(),
            process: parts.process(),
            deliver: parts.deliver(),
            worker: parts.worker(),
            counters: Counters::new(parts.dynamodb(), parts.table("state")),
            sync: Sync::new(
                parts.runs(),
                parts.orders(),
                parts.queue("shards"),
                parts.queue("batches"),
                parts.settings(),
            ),
            poll: parts.poll(),
            name,
            meter,
            queues,
        }
    }

    pub fn table(&self, table: &str) -> String {
        format!("{}-{table}", self.name)
    }

    pub fn queue_url(&self, queue: &str) -> &str {
        &self.queues[queue]
    }

    /// The path of its endpoint at the receiver.
    pub fn endpoint_path(&self) -> String {
        format!("/{}", self.name)
    }

    /// Deletes the tables, the queues and the parameters.
    pub async fn remove(self) {
        let calls = Calls::default();
        remove_parameters(&format!("/waypost/{}", self.name)).await;
        for table in stack().tables.keys() {
            let delete = stack().dynamodb(&calls).delete_table().table_name(self.table(table));
            delete.send().await.unwrap();
        }
        for url in self.queues.values() {
            stack().sqs(&calls).delete_queue().queue_url(url).send().await.unwrap();
        }
    }
}

/// What the functions are made of.
struct Parts<'a> {
    name: &'a str,
    queues: &'a BTreeMap<&'static str, String>,
    calls: Calls,
}

impl Parts<'_> {
    fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        stack().dynamodb(&self.calls)
    }

    fn table(&self, table: &str) -> String {
        format!("{}-{table}", self.name)
    }

    fn queue(&self, queue: &str) -> Queue {
        Queue::new(stack().sqs(&self.calls), self.queues[queue].clone())
    }

    /// The cache outlives the test: a warm function reads no settings.
    fn settings(&self) -> Settings {
        let prefix = format!("/waypost/{}", self.name);
        Settings::new(stack().ssm(&self.calls), prefix, Duration::from_secs(3600))
    }

    fn callers(&self) -> Callers {
        let failures = AuthFailures::new(self.dynamodb(), self.table("state"));
        Callers::new(self.settings(), failures)
    }

    fn events(&self) -> InboundLog {
        InboundLog::new(self.dynamodb(), self.table("inbound"))
    }

    fn orders(&self) -> Orders {
        Orders::new(self.dynamodb(), self.table("orders"))
    }

    fn runs(&self) -> Runs {
        Runs::new(self.dynamodb(), self.table("state"))
    }

    fn messages(&self) -> Messages {
        Messages::new(self.dynamodb(), self.table("messages"))
    }

    fn deliveries(&self) -> Deliveries {
        Deliveries::new(self.dynamodb(), self.table("deliveries"))
    }

    fn messages_api(&self) -> MessagesApi {
        let (rows, queue) = (self.deliveries(), self.queue("deliveries"));
        let (messages, orders, events) = (self.messages(), self.orders(), self.queue("events"));
        MessagesApi::new(messages, orders, rows, queue, events, self.settings(), self.callers())
    }

    fn process(&self) -> Process {
        let (rows, queue) = (self.deliveries(), self.queue("deliveries"));
        let (events, own, orders) = (self.events(), self.queue("events"), self.orders());
        let settings = self.settings();
        let process = Process::new(events, own, orders, self.messages(), queue, rows, settings);
        let connections = Connections::new(self.dynamodb(), self.table("connections"));
        // As for the settings: a busy function asks for no account.
        let live = Live::new(self.queue("live"), connections, Duration::from_secs(3600));
        process.with_live(Some(live))
    }

    fn sender(&self) -> MessageSender {
        let limits = SendLimits::new(self.dynamodb(), self.table("state"));
        let (messages, orders) = (self.messages(), self.orders());
        MessageSender::new(self.queue("events"), limits, messages, orders, self.settings())
    }

    fn deliver(&self) -> Deliver {
        let health = EndpointHealth::new(self.dynamodb(), self.table("state"));
        // As for the settings: a busy function reads no health.
        let health = HealthMonitor::new(health, Duration::from_secs(3600));
        let dead_letters = self.queue("dead_letters");
        let http = Http::new(system_time).unwrap();
        let (rows, sender) = (self.deliveries(), Some(self.sender()));
        Deliver::new(rows, health, dead_letters, None, sender, self.settings(), http)
    }

    fn worker(&self) -> Worker {
        Worker { queue: self.queue("deliveries"), dead_letters: self.queue("dead_letters") }
    }

    fn poll(&self) -> Poll {
        let http = Http::new(system_time).unwrap();
        Poll::new(self.runs(), self.orders(), self.queue("events"), self.settings(), http)
    }
}

/// Creates a table as the template has it. Returns its indexes.
async fn create_table(name: &str, table: &str) -> Vec<Index> {
    let dynamodb = stack().dynamodb(&Calls::default());
    let describe = dynamodb.describe_table().table_name(&stack().tables[table]);
    let template = describe.send().await.unwrap().table.unwrap();
    let indexes = template.global_secondary_indexes();
    let create = dynamodb.create_table().table_name(format!("{name}-{table}"));
    let copies: Vec<_> = indexes.iter().map(copy).collect();
    let create = create
        .set_attribute_definitions(template.attribute_definitions.clone())
        .set_key_schema(template.key_schema.clone())
        .set_global_secondary_indexes(Some(copies).filter(|copies| !copies.is_empty()))
        .billing_mode(BillingMode::PayPerRequest);
    create.send().await.unwrap();
    let keys = |schema: &[KeySchemaElement]| -> Vec<String> {
        schema.iter().map(|key| key.attribute_name().to_owned()).collect()
    };
    let of_table = keys(template.key_schema());
    let index = |index: &GlobalSecondaryIndexDescription| Index {
        keys: [keys(index.key_schema()), of_table.clone()].concat(),
    };
    indexes.iter().map(index).collect()
}

fn copy(index: &GlobalSecondaryIndexDescription) -> GlobalSecondaryIndex {
    let projection = index.projection().unwrap();
    assert_eq!(projection.projection_type(), Some(&ProjectionType::KeysOnly));
    GlobalSecondaryIndex::builder()
        .set_index_name(index.index_name.clone())
        .set_key_schema(index.key_schema.clone())
        .projection(projection.clone())
        .build()
        .unwrap()
}

async fn create_queue(name: &str) -> String {
    let sqs = stack().sqs(&Calls::default());
    sqs.create_queue().queue_name(name).send().await.unwrap().queue_url.unwrap()
}

async fn put_settings(name: &str) {
    let shipway_user = format!("{name}@example.invalid");
    let shipway_secret = shipway_double::add_credentials(&shipway_user).await;
    let shipway = json!({
        "base_url": stack().shipway_url, "calls_per_second": 1000, "shared_with": [OURS],
    });
    let endpoint = json!({"format": "standard", "accounts": [OURS], "backoff": [1]});
    let hash = HEXLOWER.encode(&Sha256::digest(SECRET));
    let user = json!({"password_sha256": hash, "role": "partner", "accounts": [OURS]});
    let whatsapp = json!({
        "phone_numbers": {NUMBER: OURS}, "graph_url": stack().graph_url, "graph_version": "v26.0",
    });
    let token = &stack().sources["whatsapp"]["access_token"];
    let whatsapp_secret =
        json!({"app_secret": SECRET, "verify_token": SECRET, "access_token": token});
    let rule = json!({
        "on": RULE_STATUS, "template": "order_update", "language": "en",
        "components": template_components(),
    });
    let rules = json!({"phone_number_id": NUMBER, "rules": [rule], "daily_cap": 10});
    let settings = [
        ("sources/shiprocket/settings", json!({"mode": "token", "account": OURS}).to_string()),
        ("sources/shipway/settings", shipway.to_string()),
        ("sources/whatsapp/settings", whatsapp.to_string()),
        (&format!("accounts/{OURS}/messages"), rules.to_string()),
        ("endpoints/shop/settings", endpoint.to_string()),
        ("endpoints/shop/url", format!("{}/{name}", stack().receiver_url)),
    ];
    for (parameter, value) in settings {
        put_setting(&format!("{name}/{parameter}"), &value).await;
    }
    let secrets = [
        ("sources/shiprocket/secret", SECRET.to_owned()),
        ("sources/shipway/secret", shipway_secret.to_string()),
        ("sources/whatsapp/secret", whatsapp_secret.to_string()),
        ("endpoints/shop/secret", SIGNING_SECRET.to_owned()),
        (&format!("users/{USER}"), user.to_string()),
    ];
    for (parameter, value) in secrets {
        put_secret(&format!("{name}/{parameter}"), &value).await;
    }
}

/// Of the template `order_update`.
pub fn template_components() -> Value {
    let texts = ["{first_name}", "{order_id}", "{status}"];
    let parameters = texts.map(|text| json!({"type": "text", "text": text}));
    json!([{"type": "body", "parameters": parameters}])
}
