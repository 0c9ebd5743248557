//! An AWS account with the resources of template.yaml, and the server of a customer: all of them in
//! this process, over TLS.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use doubles::dynamodb::DynamoDb;
use doubles::sqs::{Chances, Sqs};
use doubles::ssm::Ssm;
use doubles::template::{Function, Template};
use serde_json::{Value, json};

use super::certificates::Certificates;
use super::settings::{self, STAGE};
use crate::Error;
use crate::http::{Request, Response, serve_tls};
use crate::sync::usage::lock;

pub(super) struct Account {
    template: Template,
    services: Mutex<Services>,
}

struct Services {
    dynamodb: DynamoDb,
    sqs: Sqs,
    ssm: Ssm,
    random: fastrand::Rng,
    calls: BTreeMap<String, u64>,
}

impl Account {
    /// Reads the text of template.yaml.
    pub(super) fn new(template: &str) -> Result<Arc<Self>, Error> {
        let template = Template::read(template, &[("Stage", STAGE), ("PushConcurrency", "2")])?;
        let services = Services {
            dynamodb: DynamoDb::new(template.tables.clone()),
            sqs: Sqs::new(template.queues.clone()),
            ssm: Ssm::default().with_calls_per_second(usize::MAX),
            random: fastrand::Rng::with_seed(0),
            calls: BTreeMap::new(),
        };
        Ok(Arc::new(Self { template, services: Mutex::new(services) }))
    }

    /// Serves the AWS services and a customer's server on one port.
    pub(super) fn serve(
        self: &Arc<Self>,
        certificates: &Certificates,
    ) -> Result<SocketAddr, Error> {
        let account = Arc::clone(self);
        let server = Arc::clone(&certificates.server);
        let address = serve_tls(server, move |request| account.answer(request))?;
        let mut services = lock(&self.services);
        for (name, kind, value) in settings::all(address) {
            services.ssm.put(&format!("/waypost/{STAGE}/{name}"), kind, &value, now());
        }
        Ok(address)
    }

    pub(super) fn function(&self, name: &str) -> Result<&Function, Error> {
        self.template.function(name).ok_or_else(|| format!("no function {name}").into())
    }

    /// Takes up to `max` messages of a queue, as the event of a function.
    pub(super) fn receive(&self, queue: &str, max: usize) -> Vec<Value> {
        let mut services = lock(&self.services);
        let Services { sqs, random, .. } = &mut *services;
        let received = sqs.receive(queue, max, now(), &Chances::default(), random);
        for message in &received {
            sqs.delete(queue, &message.receipt, now());
        }
        received.iter().map(|message| message.to_record(queue)).collect()
    }

    /// The number of calls since the last time, by operation.
    pub(super) fn take_calls(&self) -> BTreeMap<String, u64> {
        std::mem::take(&mut lock(&self.services).calls)
    }

    fn answer(&self, request: &Request) -> Response {
        let target = request.header("x-amz-target");
        let (service, operation) = target.split_once('.').unwrap_or_default();
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let mut services = lock(&self.services);
        if !service.is_empty() {
            *services.calls.entry(operation.to_owned()).or_default() += 1;
        }
        let Services { dynamodb, sqs, ssm, random, .. } = &mut *services;
        let result = match service {
            "DynamoDB_20120810" => dynamodb.call(operation, &body, now(), 0).map_err(of_dynamodb),
            "AmazonSQS" => {
                sqs.call(operation, &body, now(), &Chances::default(), random).map_err(refused)
            }
            "AmazonSSM" => ssm.call(operation, &body, now(), random).map_err(refused),
            // The customer's server, and AWS's answer to `GET /ping`.
            _ => Ok(json!({})),
        };
        result.map_or_else(|refusal| refusal, |answer| Response::new(200, answer.to_string()))
    }
}

fn of_dynamodb(failure: doubles::dynamodb::Failure) -> Response {
    Response::new(failure.status, failure.body().to_string())
}

fn refused(failure: doubles::failure::Failure) -> Response {
    let mut response = Response::new(doubles::failure::Failure::STATUS, failure.body().to_string());
    response.headers.extend(failure.query_error.map(|it| ("x-amzn-query-error", it)));
    response
}

/// Milliseconds since the epoch.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
