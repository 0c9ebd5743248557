//! The AWS edge of a sandbox: the HTTP client of its SDK clients. Each call may be delayed, fail,
//! or lose its answer.

use std::time::Duration;

use aws::client::{CallTimeouts, Clients, Edge};
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region, SharedCredentialsProvider};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use aws_types::SdkConfig;
use tokio::sync::oneshot;
use tokio::time::sleep;

use crate::bugs::ignore_error;
use crate::call::{Answer, Call};
use crate::sandbox::{Moment, SandboxId};
use crate::world::{State, World};

/// Longer than every timeout of a call.
const HANG: Duration = Duration::from_secs(30);

/// Of the SDK.
const TRIES: u32 = 3;

/// The SDK clients of a sandbox.
pub(crate) fn clients(world: &World, sandbox: SandboxId, timeouts: CallTimeouts) -> Clients {
    let base = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static(doubles::names::REGION))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
            "id", "secret", None, None, "sim",
        )));
    let connector = Connector { world: world.clone(), sandbox };
    let client = http_client_fn(move |_, _| SharedHttpConnector::new(connector.clone()));
    let edge = Edge { http_client: Some(client), ..Edge::system() };
    Clients::new(base.build(), edge, timeouts)
}

#[derive(Debug, Clone)]
struct Connector {
    world: World,
    sandbox: SandboxId,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let call = Call::read(&request);
        let (sender, receiver) = oneshot::channel();
        // A task of its own: a call that has left arrives even if the sandbox dies.
        tokio::spawn(carry_out(self.world.clone(), self.sandbox, call, sender));
        HttpConnectorFuture::new(async move {
            let lost = || ConnectorError::io("connection reset".into());
            respond(receiver.await.map_err(|_| lost())?.ok_or_else(lost)?)
        })
    }
}

fn respond(answer: Answer) -> Result<HttpResponse, ConnectorError> {
    let status = answer.status.try_into();
    let status = status.map_err(|_| ConnectorError::other("invalid status".into(), None))?;
    let mut response = HttpResponse::new(status, SdkBody::from(answer.body.to_string()));
    if let Some(error) = answer.query_error {
        response.headers_mut().insert("x-amzn-query-error", error);
    }
    Ok(response)
}

/// How the network treats a call.
struct Passage {
    request_ms: u64,
    answer_ms: u64,
    fate: Fate,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Arrives,
    FailsBefore,
    Throttled,
    Conflicts,
    AnswerLost,
    /// No answer before the timeout. It may have an effect nevertheless, now or later.
    Hangs {
        has_effect: bool,
    },
}

impl State {
    fn passage(&mut self, sandbox: SandboxId, call: &Call) -> Passage {
        let faults = self.faults;
        let fate = if self.away == Some(call.service) {
            Fate::FailsBefore
        } else if self.strikes("throttle", faults.throttle) {
            Fate::Throttled
        } else if self.strikes("fail_before", faults.fail_before) {
            Fate::FailsBefore
        } else if self.strikes("lose_answer", faults.lose_answer) {
            Fate::AnswerLost
        } else if self.strikes("hang", faults.hang) {
            Fate::Hangs { has_effect: self.random.bool() }
        } else if call.is_write_of_dynamodb() && self.strikes("conflict", faults.conflict) {
            Fate::Conflicts
        } else {
            Fate::Arrives
        };
        if fate != Fate::Arrives {
            self.sandbox_mut(sandbox).trouble();
        }
        Passage { request_ms: self.latency(4), answer_ms: self.latency(4), fate }
    }

    /// Whether all tries of a call fail.
    pub(crate) fn fails(&mut self, sandbox: SandboxId, call: &Call) -> bool {
        (0..TRIES).all(|_| {
            let fate = self.passage(sandbox, call).fate;
            !matches!(fate, Fate::Arrives | Fate::AnswerLost)
        })
    }
}

/// Sends `None` if the connection breaks.
async fn carry_out(
    world: World,
    sandbox: SandboxId,
    call: Call,
    answer: oneshot::Sender<Option<Answer>>,
) {
    let is_kill_point = !call.is_of_further_shard();
    let (passage, name) = {
        let mut state = world.lock();
        let is_dead = state.sandbox(sandbox).is_dead;
        if !is_dead && is_kill_point {
            state.survey(sandbox, call.effect());
        }
        if is_dead || is_kill_point && state.dies(sandbox, Moment::Before) {
            return;
        }
        (state.passage(sandbox, &call), state.sandbox(sandbox).name.clone())
    };
    sleep(Duration::from_millis(passage.request_ms)).await;
    let result = arrive(&world, sandbox, &name, &call, passage.fate);
    let result = tear(&world, sandbox, &call, result).await;
    let result = ignore_error(world.lock().bug, &call, result);
    if is_kill_point && world.lock().dies(sandbox, Moment::After) {
        return;
    }
    match passage.fate {
        Fate::Hangs { .. } => sleep(HANG).await,
        _ => sleep(Duration::from_millis(passage.answer_ms)).await,
    }
    world.lock().release(sandbox, &call);
    // The receiver is gone if the sandbox was killed, or gave the call up.
    let _ = answer.send(result);
}

/// DynamoDB reads the rows of a query one after another: a transaction may fall in between.
async fn tear(
    world: &World,
    sandbox: SandboxId,
    call: &Call,
    first: Option<Answer>,
) -> Option<Answer> {
    let chance = world.lock().faults.torn_read;
    if call.operation != "Query" || !world.lock().strikes("torn_read", chance) {
        return first;
    }
    let mut first = first?;
    world.pause(30).await;
    let mut state = world.lock();
    let second = state.execute(sandbox, call);
    first.read_on_in(second, &mut state.random);
    Some(first)
}

/// The call arrives at the service, or does not.
fn arrive(
    world: &World,
    sandbox: SandboxId,
    name: &str,
    call: &Call,
    fate: Fate,
) -> Option<Answer> {
    let mut state = world.lock();
    match fate {
        Fate::Arrives => {
            let answer = state.execute(sandbox, call);
            state.tell(name, || format!("{call} -> {answer}"));
            Some(answer)
        }
        Fate::AnswerLost | Fate::Hangs { has_effect: true } => {
            let answer = state.execute(sandbox, call);
            state.tell(name, || format!("{call} -> {answer}, ANSWER LOST"));
            None
        }
        Fate::FailsBefore | Fate::Hangs { has_effect: false } => {
            state.tell(name, || format!("{call} FAILS"));
            None
        }
        Fate::Throttled => {
            state.tell(name, || format!("{call} THROTTLED"));
            Some(call.throttled())
        }
        Fate::Conflicts => {
            state.tell(name, || format!("{call} CONFLICTS"));
            Some(call.conflict())
        }
    }
}
