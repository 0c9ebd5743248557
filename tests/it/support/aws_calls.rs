//! AWS clients against the stack, with every call counted, and one of them failing on demand.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use ::aws::lambda::sqs_batch::Worker;
use ::aws::settings::Settings;
use ::aws::sqs::Queue;
use ::aws::tables::deliveries::Deliveries;
use ::aws::tables::inbound::InboundLog;
use ::aws::tables::messages::Messages;
use ::aws::tables::orders::Orders;
use ::aws::tables::runs::Runs;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::Credentials;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeDeserializationInterceptorContextMut, BeforeTransmitInterceptorContextMut,
};
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::{ConfigBag, Storable, StoreReplace};
use deliver::Deliver;
use egress::Http;
use inbound::Inbound;
use process::Process;

use super::Stack;

/// Which call fails, counted from 0, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It never reaches AWS.
    Before(usize),
    /// AWS does it, but nobody hears of it.
    After(usize),
}

/// The calls made so far.
#[derive(Debug, Clone, Default)]
pub struct Calls {
    names: Arc<Mutex<Vec<String>>>,
    fault: Option<Fault>,
    /// Whether no call reaches AWS after the one that fails.
    deadly: bool,
}

/// How many calls began before this one.
#[derive(Debug, Clone, Copy)]
struct Place(usize);

impl Storable for Place {
    type Storer = StoreReplace<Self>;
}

impl Calls {
    pub fn failing(fault: Option<Fault>) -> Self {
        Self { fault, ..Self::default() }
    }

    /// As if whoever makes them were killed there.
    pub fn killed(fault: Option<Fault>) -> Self {
        Self { deadly: true, ..Self::failing(fault) }
    }

    /// `service:Operation`, in order.
    pub fn names(&self) -> Vec<String> {
        self.names.lock().unwrap().clone()
    }

    fn fails(&self, now: Fault) -> Result<(), BoxError> {
        let dead = match (self.fault, now) {
            (Some(Fault::Before(last) | Fault::After(last)), Fault::Before(call)) => {
                self.deadly && call > last
            }
            _ => false,
        };
        if dead || self.fault == Some(now) { Err("injected".into()) } else { Ok(()) }
    }
}

impl Intercept for Calls {
    fn name(&self) -> &'static str {
        "Calls"
    }

    fn modify_before_transmit(
        &self,
        _: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let call = config.load::<Metadata>().expect("every call has a name");
        let name = format!("{}:{}", call.service().to_lowercase(), call.name());
        let place = {
            let mut names = self.names.lock().unwrap();
            names.push(name);
            names.len() - 1
        };
        config.interceptor_state().store_put(Place(place));
        self.fails(Fault::Before(place))
    }

    fn modify_before_deserialization(
        &self,
        _: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Place(place) = *config.load::<Place>().expect("every call has a place");
        self.fails(Fault::After(place))
    }
}

impl Stack {
    pub fn sdk(&self) -> SdkConfig {
        let keys = &self.aws;
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(self.region.clone()))
            .endpoint_url(&self.endpoint_url)
            .credentials_provider(aws_sdk_dynamodb::config::SharedCredentialsProvider::new(
                Credentials::new(
                    &keys.access_key_id,
                    &keys.secret_access_key,
                    None,
                    None,
                    "stack.json",
                ),
            ))
            .build()
    }

    pub fn dynamodb(&self, calls: &Calls) -> aws_sdk_dynamodb::Client {
        let config = aws_sdk_dynamodb::config::Builder::from(&self.sdk());
        let config = config.retry_config(RetryConfig::disabled()).interceptor(calls.clone());
        aws_sdk_dynamodb::Client::from_conf(config.build())
    }

    pub fn sqs(&self, calls: &Calls) -> aws_sdk_sqs::Client {
        let config = aws_sdk_sqs::config::Builder::from(&self.sdk());
        let config = config.retry_config(RetryConfig::disabled()).interceptor(calls.clone());
        aws_sdk_sqs::Client::from_conf(config.build())
    }

    pub fn ssm(&self, calls: &Calls) -> aws_sdk_ssm::Client {
        let config = aws_sdk_ssm::config::Builder::from(&self.sdk());
        let config = config.retry_config(RetryConfig::disabled()).interceptor(calls.clone());
        aws_sdk_ssm::Client::from_conf(config.build())
    }

    pub fn events(&self, calls: &Calls) -> InboundLog {
        InboundLog::new(self.dynamodb(calls), self.tables["inbound"].clone())
    }

    pub fn orders(&self, calls: &Calls) -> Orders {
        Orders::new(self.dynamodb(calls), self.tables["orders"].clone())
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

    /// The function `inbound`, in this process.
    pub fn inbound(&self, queue: &Calls) -> Inbound {
        let calls = Calls::default();
        Inbound::new(self.events(&calls), self.queue("events", queue), self.settings(&calls))
    }

    /// The function `deliver`, in this process.
    pub fn deliver(&self) -> Deliver {
        let calls = Calls::default();
        let deliveries = Deliveries::new(self.dynamodb(&calls), self.tables["deliveries"].clone());
        Deliver::new(
            deliveries,
            self.queue("deliveries_dlq", &calls),
            self.settings(&calls),
            Http::new().unwrap(),
        )
    }

    /// The shell around it.
    pub fn worker(&self) -> Worker {
        let calls = Calls::default();
        Worker {
            queue: self.queue("deliveries", &calls),
            dead_letters: self.queue("deliveries_dlq", &calls),
        }
    }

    /// The function `process`, in this process, on the stack's tables and queues.
    pub fn process(&self, calls: &Calls) -> Process {
        let (events, orders, messages) =
            (self.events(calls), self.orders(calls), self.messages(calls));
        Process::new(
            events,
            orders,
            messages,
            self.queue("deliveries", calls),
            self.settings(calls),
        )
    }
}
