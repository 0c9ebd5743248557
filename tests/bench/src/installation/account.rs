//! An AWS account with the resources of template.yaml, and the servers of others: all of them in
//! this process, over TLS.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use doubles::dynamodb::DynamoDb;
use doubles::sqs::{Chances, Received, Sqs};
use doubles::ssm::Ssm;
use doubles::template::{Function, Template};
use doubles::websockets::WebSockets;
use serde_json::{Value, json};

use super::certificates::Certificates;
use super::internet::Internet;
use super::settings::{self, STAGE};
use crate::Error;
use crate::http::{Request, Response, serve_tls};
use crate::sync::usage::lock;

/// The service of a call of others than AWS.
pub(crate) const OTHERS: &str = "others";

pub(crate) struct Account {
    template: Template,
    services: Mutex<Services>,
    pub(crate) internet: Internet,
    /// Called after every message that is sent.
    on_send: Mutex<Option<Box<dyn Fn() + Send>>>,
}

struct Services {
    dynamodb: DynamoDb,
    sqs: Sqs,
    ssm: Ssm,
    sockets: WebSockets,
    random: fastrand::Rng,
    /// Present while calls are recorded.
    calls: Option<Vec<Call>>,
    /// The answers to the next calls, instead of those of the services.
    replay: VecDeque<Response>,
}

/// One request of a function, but to the Runtime API, and its answer.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) service: String,
    pub(crate) operation: String,
    pub(crate) body: String,
    /// Of a request to [`OTHERS`].
    pub(crate) headers: Vec<(String, String)>,
    /// In bytes, with heads and without TLS.
    pub(crate) sent: usize,
    pub(crate) received: usize,
    /// Capacity units: reads in halves.
    pub(crate) half_reads: u64,
    pub(crate) writes: u64,
    pub(crate) answer: Response,
}

impl Account {
    /// Reads the text of template.yaml.
    pub(super) fn new(template: &str) -> Result<Arc<Self>, Error> {
        let parameters = [
            ("Stage", STAGE),
            ("PushConcurrency", "2"),
            ("SlowDeliverConcurrency", "10"),
            ("DeliverConcurrency", "100"),
            ("ProcessConcurrency", "100"),
        ];
        let template = Template::read(template, &parameters)?;
        let services = Mutex::new(Services::new(&template));
        Ok(Arc::new(Self {
            template,
            services,
            internet: Internet::default(),
            on_send: Mutex::default(),
        }))
    }

    /// Serves the AWS services and the servers of others on one port.
    pub(super) fn serve(
        self: &Arc<Self>,
        certificates: &Certificates,
    ) -> Result<SocketAddr, Error> {
        let account = Arc::clone(self);
        let server = Arc::clone(&certificates.server);
        let address = serve_tls(server, move |request| account.answer(request))?;
        self.internet.set_url(format!("https://localhost:{}", address.port()));
        self.reset();
        Ok(address)
    }

    /// Empties the account, but for its settings.
    pub(crate) fn reset(&self) {
        let mut services = Services::new(&self.template);
        for (name, kind, value) in settings::all(&self.internet.url()) {
            services.ssm.put(&format!("/waypost/{STAGE}/{name}"), kind, &value, now());
        }
        *lock(&self.services) = services;
    }

    pub(crate) fn put_endpoint(&self, name: &str, url: &str, settings: &Value) {
        let mut services = lock(&self.services);
        for (name, kind, value) in settings::endpoint(name, url, settings) {
            services.ssm.put(&format!("/waypost/{STAGE}/{name}"), kind, &value, now());
        }
    }

    pub(crate) fn function(&self, name: &str) -> Result<&Function, Error> {
        self.template.function(name).ok_or_else(|| format!("no function {name}").into())
    }

    /// Receives up to `max` messages of a queue.
    pub(crate) fn receive(&self, queue: &str, max: usize) -> Vec<Received> {
        let mut services = lock(&self.services);
        let Services { sqs, random, .. } = &mut *services;
        sqs.receive(queue, max, now(), &Chances::default(), random)
    }

    pub(crate) fn send(&self, queue: &str, body: &str) {
        let mut services = lock(&self.services);
        let Services { sqs, random, .. } = &mut *services;
        let request = json!({ "QueueUrl": queue, "MessageBody": body });
        // Only a body that is too long is refused.
        let _ = sqs.call("SendMessage", &request, now(), &Chances::default(), random);
        drop(services);
        lock(&self.on_send).iter().for_each(|notify| notify());
    }

    pub(crate) fn delete(&self, queue: &str, receipt: &str) {
        lock(&self.services).sqs.delete(queue, receipt, now());
    }

    /// Takes up to `max` messages of a queue for good, as records of an event.
    pub(crate) fn take(&self, queue: &str, max: usize) -> Vec<Value> {
        let received = self.receive(queue, max);
        received.iter().for_each(|message| self.delete(queue, &message.receipt));
        received.iter().map(|message| message.to_record(queue)).collect()
    }

    pub(crate) fn on_send(&self, notify: impl Fn() + Send + 'static) {
        *lock(&self.on_send) = Some(Box::new(notify));
    }

    /// Begins the handshake of a socket, which is open at once. Returns its connection id.
    pub(crate) fn open_socket(&self) -> String {
        let mut services = lock(&self.services);
        let id = services.sockets.begin(now());
        services.sockets.open(&id, now());
        id
    }

    /// Records calls from now on.
    pub(crate) fn record(&self) {
        lock(&self.services).calls = Some(Vec::new());
    }

    /// The calls since the recording began, which ends.
    pub(crate) fn recorded(&self) -> Vec<Call> {
        lock(&self.services).calls.take().unwrap_or_default()
    }

    /// Answers the next calls as these were answered.
    pub(crate) fn replay(&self, calls: &[Call]) {
        lock(&self.services).replay = calls.iter().map(|call| call.answer.clone()).collect();
    }

    /// Recorded answers that no call has got. None are left.
    pub(crate) fn unused_answers(&self) -> usize {
        std::mem::take(&mut lock(&self.services).replay).len()
    }

    fn answer(&self, request: &Request) -> Response {
        let target = request.header("x-amz-target");
        let (service, operation) = target.split_once('.').unwrap_or((OTHERS, &request.path));
        if request.path == "/ping" {
            return Response::new(200, "{}");
        }
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let mut services = lock(&self.services);
        services.dynamodb.take_usage();
        let answer = match services.replay.pop_front() {
            Some(answer) => answer,
            None if service == OTHERS && !request.path.contains("/@connections/") => {
                drop(services);
                let answer = self.internet.answer(request);
                services = lock(&self.services);
                answer
            }
            None => services.answer(service, operation, request, &body),
        };
        let usage = services.dynamodb.take_usage();
        let call = || Call {
            service: service.to_owned(),
            operation: operation.to_owned(),
            body: String::from_utf8_lossy(&request.body).into_owned(),
            headers: headers_of(request),
            sent: request.bytes,
            received: answer.to_bytes().len(),
            half_reads: usage.half_reads,
            writes: usage.writes,
            answer: answer.clone(),
        };
        if let Some(calls) = &mut services.calls {
            calls.push(call());
        }
        drop(services);
        if operation.starts_with("SendMessage") || operation == "ChangeMessageVisibility" {
            lock(&self.on_send).iter().for_each(|notify| notify());
        }
        answer
    }
}

fn headers_of(request: &Request) -> Vec<(String, String)> {
    let own = |name: &str| !["host", "content-length", "accept"].contains(&name);
    let headers = request.headers().filter(|(name, _)| own(name));
    headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

impl Services {
    fn new(template: &Template) -> Self {
        Self {
            dynamodb: DynamoDb::new(template.tables.clone()),
            sqs: Sqs::new(template.queues.clone()),
            ssm: Ssm::default().with_calls_per_second(usize::MAX),
            sockets: WebSockets::default(),
            random: fastrand::Rng::with_seed(0),
            calls: None,
            replay: VecDeque::new(),
        }
    }

    fn answer(
        &mut self,
        service: &str,
        operation: &str,
        request: &Request,
        body: &Value,
    ) -> Response {
        let Self { dynamodb, sqs, ssm, sockets, random, .. } = self;
        let result = match service {
            "DynamoDB_20120810" => dynamodb.call(operation, body, now(), 0).map_err(of_dynamodb),
            "AmazonSQS" => {
                sqs.call(operation, body, now(), &Chances::default(), random).map_err(refused)
            }
            "AmazonSSM" => ssm.call(operation, body, now(), random).map_err(refused),
            _ => {
                let id = request.path.rsplit('/').next().unwrap_or_default().replace("%3D", "=");
                let frame = String::from_utf8_lossy(&request.body);
                sockets.post(&id, &frame, now()).map(|()| json!({})).map_err(refused)
            }
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
