//! AWS clients, tables, queues and in-process functions on the stack.
//!
//! Clients make no retries, so that a test sees every call.

use std::time::Duration;

use ::aws::client::http_client;
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
use ::aws::tables::jobs::Jobs;
use ::aws::tables::messages::Messages;
use ::aws::tables::orders::Orders;
use ::aws::tables::runs::Runs;
use aws::clock::system_time;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region, SharedCredentialsProvider};
use aws_types::SdkConfig;
use deliver::{Deliver, HEALTH_TTL, HealthMonitor};
use egress::Http;
use inbound::Inbound;
use ops::{CountedQueues, Ops};
use process::Process;
use sweep::{DueDeliveries, ParkedDeliveries, PendingEvents, Redrives};

use super::{Calls, Keys, Stack};

impl Keys {
    pub fn credentials(&self) -> Credentials {
        let (id, secret) = (&self.access_key_id, &self.secret_access_key);
        Credentials::new(id, secret, None, None, "stack.json")
    }
}

impl Stack {
    pub fn sdk(&self) -> SdkConfig {
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(self.region.clone()))
            .endpoint_url(&self.endpoint_url)
            .http_client(http_client().unwrap())
            .credentials_provider(SharedCredentialsProvider::new(self.aws.credentials()))
            .build()
    }

    fn sdk_of(&self, calls: &Calls) -> SdkConfig {
        let sdk = self.sdk();
        match calls.http_client() {
            Some(client) => sdk.to_builder().http_client(client).build(),
            None => sdk,
        }
    }

    pub fn dynamodb(&self, calls: &Calls) -> aws_sdk_dynamodb::Client {
        let config = aws_sdk_dynamodb::config::Builder::from(&self.sdk_of(calls));
        let config = config.retry_config(RetryConfig::disabled()).interceptor(calls.clone());
        aws_sdk_dynamodb::Client::from_conf(config.build())
    }

    pub fn sqs(&self, calls: &Calls) -> aws_sdk_sqs::Client {
        let config = aws_sdk_sqs::config::Builder::from(&self.sdk_of(calls));
        let config = config.retry_config(RetryConfig::disabled()).interceptor(calls.clone());
        aws_sdk_sqs::Client::from_conf(config.build())
    }

    pub fn ssm(&self, calls: &Calls) -> aws_sdk_ssm::Client {
        let config = aws_sdk_ssm::config::Builder::from(&self.sdk_of(calls));
        let config = config.retry_config(RetryConfig::disabled()).interceptor(calls.clone());
        aws_sdk_ssm::Client::from_conf(config.build())
    }

    pub fn events(&self, calls: &Calls) -> InboundLog {
        InboundLog::new(self.dynamodb(calls), self.tables["inbound"].clone())
    }

    pub fn orders(&self, calls: &Calls) -> Orders {
        Orders::new(self.dynamodb(calls), self.tables["orders"].clone())
    }

    pub fn connections(&self, calls: &Calls) -> Connections {
        Connections::new(self.dynamodb(calls), self.tables["connections"].clone())
    }

    pub fn messages(&self, calls: &Calls) -> Messages {
        Messages::new(self.dynamodb(calls), self.tables["messages"].clone())
    }

    pub fn runs(&self, calls: &Calls) -> Runs {
        Runs::new(self.dynamodb(calls), self.tables["state"].clone())
    }

    pub fn queue(&self, name: &str, calls: &Calls) -> Queue {
        Queue::new(self.sqs(calls), self.queues[name].clone())
    }

    pub fn settings(&self, calls: &Calls) -> Settings {
        Settings::new(self.ssm(calls), "/waypost/local".to_owned(), Duration::from_secs(1))
    }

    pub fn callers(&self, calls: &Calls) -> Callers {
        let failures = AuthFailures::new(self.dynamodb(calls), self.tables["state"].clone());
        Callers::new(self.settings(calls), failures)
    }

    pub fn deliveries(&self, calls: &Calls) -> Deliveries {
        Deliveries::new(self.dynamodb(calls), self.tables["deliveries"].clone())
    }

    /// The function `inbound`; only its queue makes the calls given.
    pub fn inbound(&self, queue: &Calls) -> Inbound {
        let calls = Calls::default();
        Inbound::new(self.events(&calls), self.queue("events", queue), self.settings(&calls))
    }

    pub fn deliver(&self) -> Deliver {
        let calls = Calls::default();
        let dead_letters = self.queue("deliveries_dlq", &calls);
        let http = Http::new(system_time).unwrap();
        let health = HealthMonitor::new(self.health(), HEALTH_TTL);
        Deliver::new(
            self.deliveries(&calls),
            health,
            dead_letters,
            None,
            None,
            self.settings(&calls),
            http,
        )
    }

    /// The SQS worker of `deliver`.
    pub fn worker(&self) -> Worker {
        let calls = Calls::default();
        Worker {
            queue: self.queue("deliveries", &calls),
            dead_letters: self.queue("deliveries_dlq", &calls),
        }
    }

    /// The function `process` with this table of orders.
    pub fn process_with(&self, orders: Orders) -> Process {
        let calls = &Calls::default();
        let (own, deliveries) = (self.queue("events", calls), self.queue("deliveries", calls));
        let (events, messages) = (self.events(calls), self.messages(calls));
        let rows = self.deliveries(calls);
        Process::new(events, own, orders, messages, deliveries, rows, self.settings(calls))
    }

    /// The function `ops`; only its queues make the calls given.
    pub fn ops(&self, queues: &Calls) -> Ops {
        let calls = Calls::default();
        let tables = ops::Tables {
            events: self.events(&calls),
            orders: self.orders(&calls),
            deliveries: self.deliveries(&calls),
            runs: self.runs(&calls),
            endpoint_health: self.health(),
            counters: self.counters(),
            jobs: self.jobs(),
            audit: self.audit(),
        };
        let queues = ops::Queues {
            events: self.queue("events", queues),
            deliveries: self.queue("deliveries", queues),
            counted: CountedQueues {
                events_dlq: self.queue("events_dlq", queues),
                slow_deliveries: self.queue("slow_deliveries", queues),
                deliveries_dlq: self.queue("deliveries_dlq", queues),
                shards: self.queue("shards", queues),
                shards_dlq: self.queue("shards_dlq", queues),
                batches: self.queue("batches", queues),
                batches_dlq: self.queue("batches_dlq", queues),
                failed_invocations_dlq: self.queue("failed_invocations_dlq", queues),
            },
        };
        Ops::new(tables, queues, self.callers(&calls), self.settings(&calls))
    }

    pub fn process(&self, calls: &Calls) -> Process {
        let (own, deliveries) = (self.queue("events", calls), self.queue("deliveries", calls));
        let (events, orders) = (self.events(calls), self.orders(calls));
        let (messages, rows) = (self.messages(calls), self.deliveries(calls));
        Process::new(events, own, orders, messages, deliveries, rows, self.settings(calls))
    }

    pub fn audit(&self) -> AuditLog {
        AuditLog::new(self.dynamodb(&Calls::default()), self.tables["state"].clone())
    }

    pub fn counters(&self) -> Counters {
        Counters::new(self.dynamodb(&Calls::default()), self.tables["state"].clone())
    }

    pub fn health(&self) -> EndpointHealth {
        let calls = Calls::default();
        EndpointHealth::new(self.dynamodb(&calls), self.tables["state"].clone())
    }

    pub fn jobs(&self) -> Jobs {
        Jobs::new(self.dynamodb(&Calls::default()), self.tables["state"].clone())
    }

    pub fn redrives(&self) -> Redrives {
        let calls = Calls::default();
        Redrives::new(self.jobs(), self.deliveries(&calls), self.events(&calls))
    }

    pub fn parked_deliveries(&self) -> ParkedDeliveries {
        let calls = Calls::default();
        let queue = self.queue("deliveries", &calls);
        let settings = self.settings(&calls);
        ParkedDeliveries::new(self.health(), self.deliveries(&calls), queue, settings)
    }

    pub fn due_deliveries(&self) -> DueDeliveries {
        let calls = Calls::default();
        DueDeliveries::new(self.deliveries(&calls), self.queue("deliveries", &calls))
    }

    pub fn sweep(&self) -> PendingEvents {
        let calls = Calls::default();
        PendingEvents::new(self.events(&calls), self.queue("events", &calls))
    }
}
