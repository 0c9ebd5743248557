//! The network outside AWS: customers' servers, the carrier's API and WhatsApp's Cloud API.

use std::fmt;
use std::time::Duration;

use egress::SendError;
use egress::simulation::{Network, Request, Response};
use futures::future::BoxFuture;
use tokio::time::sleep;

use crate::sandbox::{Moment, SandboxId};
use crate::setup::messages::CLOUD_API;
use crate::setup::polling::CARRIER;
use crate::survey::Effect;
use crate::world::{State, World};

mod body;
pub(crate) mod carrier;
pub(crate) mod cloud_api;
pub(crate) mod receiver;

use body::BodyFate;

/// Longer than every timeout of a request.
const HANG: Duration = Duration::from_secs(90);

/// The network as one sandbox sees it.
#[derive(Debug)]
pub(crate) struct Internet {
    world: World,
    sandbox: SandboxId,
}

/// What happens to a request.
pub(crate) struct Reply {
    /// The time until the answer, or the failure.
    pub(crate) after: Duration,
    pub(crate) result: Result<Answer, SendError>,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
    fate: BodyFate,
}

impl Internet {
    pub(crate) fn new(world: World, sandbox: SandboxId) -> Self {
        Self { world, sandbox }
    }
}

impl Network for Internet {
    fn send(&self, request: Request) -> BoxFuture<'static, Result<Response, SendError>> {
        let (world, sandbox) = (self.world.clone(), self.sandbox);
        Box::pin(async move {
            let request = world.lock().buggy_post(request);
            world.lock().survey(sandbox, Effect::Posts);
            if world.lock().dies(sandbox, Moment::Before) {
                return std::future::pending().await;
            }
            let travel = world.lock().latency(20);
            let _call = CarrierCall::begin(&world, sandbox, &request);
            sleep(Duration::from_millis(travel)).await;
            let mut reply = world.lock().reply(sandbox, &request);
            if world.lock().repeats_post(&request, &reply) {
                reply = world.lock().reply(sandbox, &request);
            }
            if world.lock().dies(sandbox, Moment::After) {
                return std::future::pending().await;
            }
            let reply = world.lock().misread_reply(&request, reply);
            sleep(reply.after).await;
            let answer =
                reply.result.inspect_err(|_| world.lock().sandbox_mut(sandbox).trouble())?;
            response(answer)
        })
    }
}

/// A call to the carrier, until it is answered or given up.
struct CarrierCall {
    world: World,
    sandbox: SandboxId,
}

impl CarrierCall {
    fn begin(world: &World, sandbox: SandboxId, request: &Request) -> Option<Self> {
        (request.url().host_str() == Some(CARRIER)).then(|| {
            world.lock().begin_call(sandbox);
            Self { world: world.clone(), sandbox }
        })
    }
}

impl Drop for CarrierCall {
    fn drop(&mut self) {
        self.world.lock().ledger.polling.end_call(self.sandbox);
    }
}

impl State {
    fn reply(&mut self, sandbox: SandboxId, request: &Request) -> Reply {
        let host = request.url().host_str().unwrap_or_default().to_owned();
        if host == CLOUD_API {
            return self.reply_of_cloud_api(sandbox, request);
        }
        match host.strip_suffix(".hooks.example") {
            Some(endpoint) => self.reply_of_receiver(sandbox, endpoint, request),
            None => self.reply_of_carrier(sandbox, request),
        }
    }
}

fn response(answer: Answer) -> Result<Response, SendError> {
    let mut response = lambda_http::http::Response::builder().status(answer.status);
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    let body = answer.fate.body(answer.body);
    let response = response.body(body).map_err(|_| SendError::Protocol)?;
    Ok(response.into())
}

impl Reply {
    pub(crate) fn after_ms(ms: u64, result: Result<Answer, SendError>) -> Self {
        Self { after: Duration::from_millis(ms), result }
    }

    pub(crate) fn never() -> Self {
        Self { after: HANG, result: Err(SendError::Timeout) }
    }

    pub(crate) fn breaking_off(self) -> Self {
        self.with(BodyFate::BreaksOff)
    }

    pub(crate) fn stalling(self) -> Self {
        self.with(BodyFate::Stalls)
    }

    fn with(self, fate: BodyFate) -> Self {
        Self { result: self.result.map(|answer| Answer { fate, ..answer }), ..self }
    }

    /// Whether an answer or a failure comes before the longest timeout.
    pub(crate) fn is_in_time(&self) -> bool {
        self.after < HANG
    }

    /// Whether an answer arrives with its whole body.
    pub(crate) fn is_whole(&self) -> bool {
        self.after < HANG && self.result.as_ref().is_ok_and(|answer| answer.fate == BodyFate::Whole)
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = self.after.as_millis();
        match &self.result {
            Ok(Answer { status, fate: BodyFate::Whole, .. }) => write!(f, "{status} in {ms} ms"),
            Ok(Answer { status, fate, .. }) => write!(f, "{status} {fate:?} in {ms} ms"),
            Err(error) => write!(f, "{error} in {ms} ms"),
        }
    }
}

impl Answer {
    pub(crate) fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: Vec::new(), body: body.into(), fate: BodyFate::Whole }
    }

    pub(crate) fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}
