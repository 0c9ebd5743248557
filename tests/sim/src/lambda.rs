//! Lambda: warm sandboxes, invocations, queue pollers and the scheduler.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use aws::client::CallTimeouts;
use aws::env::Environment;
use egress::Http;
use futures::future::LocalBoxFuture;
use lambda_runtime::{Context, LambdaEvent};
use serde_json::Value;

use crate::bugs::Bug;
use crate::clock;
use crate::edge::clients;
use crate::internet::Internet;
use crate::sandbox::{self, SandboxId, SandboxState};
use crate::world::{State, World};
use doubles::template::Function as Spec;

mod http;
mod queue;
mod schedule;
mod sockets;

pub(crate) use http::{ApiRequest, Response};

/// Five seconds, and the time of the call.
const FAILURE_CACHED_MS: u64 = 20_000;

/// The program of a function, in the memory of a sandbox.
enum Program {
    Inbound(Box<inbound::Inbound>),
    Orders(Box<orders::OrdersApi>),
    Messages(Box<messages::MessagesApi>),
    Ops(Box<ops::Ops>),
    Process(Box<process::Function>),
    Deliver(Box<deliver::Function>),
    Poll(Box<poll::Function>),
    Sync(Box<sync::Function>),
    Sweep(Box<sweep::Function>),
    Realtime(Box<realtime::Realtime>),
    Push(Box<push::Push>),
}

struct Sandbox {
    id: SandboxId,
    program: Program,
}

pub(crate) struct Lambda {
    world: World,
    /// By function: sandboxes that wait for an invocation.
    idle: RefCell<BTreeMap<String, Vec<Sandbox>>>,
}

impl Lambda {
    pub(crate) fn new(world: World) -> Rc<Self> {
        Rc::new(Self { world, idle: RefCell::default() })
    }

    /// Takes a warm sandbox, or starts one.
    fn acquire(&self, function: &str) -> Result<Sandbox, aws::env::BadEnvironment> {
        let mut idle = self.idle.borrow_mut();
        let warm = idle.entry(function.to_owned()).or_default();
        let chosen = {
            let mut state = self.world.lock();
            // Each new one reads its settings: a crowd of them would meet the limit of SSM first.
            let is_new = warm.is_empty() || !state.flows.crowd && state.random.u8(..8) == 0;
            (!is_new).then(|| state.random.usize(..warm.len()))
        };
        match chosen {
            Some(index) => Ok(warm.swap_remove(index)),
            None => self.start(function),
        }
    }

    fn start(&self, function: &str) -> Result<Sandbox, aws::env::BadEnvironment> {
        let (id, topology) = {
            let mut state = self.world.lock();
            let chance = state.faults.skew;
            let skew =
                if state.strikes("skew", chance) { state.random.i64(-2000..=2000) } else { 0 };
            let skew = skew + state.bug.map_or(0, |bug| bug.skew(function));
            let id = SandboxId(state.sandboxes.len());
            state.sandboxes.push(SandboxState::new(id.0, function, skew));
            (id, Arc::clone(&state.topology))
        };
        let environment = topology.function(function).map(|spec| spec.environment.clone());
        let environment: Environment = environment.unwrap_or_default().into_iter().collect();
        let program = self.program(function, id, &environment)?;
        Ok(Sandbox { id, program })
    }

    fn program(
        &self,
        function: &str,
        id: SandboxId,
        environment: &Environment,
    ) -> Result<Program, aws::env::BadEnvironment> {
        let api = || clients(&self.world, id, CallTimeouts::Http);
        let queue = || clients(&self.world, id, CallTimeouts::Queue);
        let http = || Http::simulated(Arc::new(Internet::new(self.world.clone(), id)));
        Ok(match function {
            "inbound" => {
                Program::Inbound(Box::new(inbound::Inbound::from_environment(&api(), environment)?))
            }
            "orders" => {
                Program::Orders(Box::new(orders::OrdersApi::from_environment(&api(), environment)?))
            }
            "messages" => Program::Messages(Box::new(messages::MessagesApi::from_environment(
                &api(),
                environment,
            )?)),
            "ops" => Program::Ops(Box::new(ops::Ops::from_environment(&api(), environment)?)),
            "process" => Program::Process(Box::new(process::Function::from_environment(
                &queue(),
                environment,
            )?)),
            "deliver" | "deliver-slow" => Program::Deliver(Box::new(
                deliver::Function::from_environment(&queue(), environment, http())?,
            )),
            "poll" => Program::Poll(Box::new(poll::Function::from_environment(
                &queue(),
                environment,
                http(),
            )?)),
            "sync" => {
                Program::Sync(Box::new(sync::Function::from_environment(&queue(), environment)?))
            }
            "sweep" => {
                Program::Sweep(Box::new(sweep::Function::from_environment(&queue(), environment)?))
            }
            "realtime" => Program::Realtime(Box::new(realtime::Realtime::from_environment(
                &api(),
                environment,
            )?)),
            "push" => {
                Program::Push(Box::new(push::Push::from_environment(&api(), environment, http())?))
            }
            _ => return Err(aws::env::BadEnvironment("function")),
        })
    }

    /// Keeps a sandbox warm, unless it is dead or replaced.
    fn release(&self, sandbox: Sandbox, function: &str) {
        let keeps = {
            let mut state = self.world.lock();
            let chance = state.faults.recycle;
            !state.sandbox(sandbox.id).is_dead && !state.strikes("recycle", chance)
        };
        if keeps {
            self.idle.borrow_mut().entry(function.to_owned()).or_default().push(sandbox);
        }
    }

    /// Invokes a function with an event. `None` if it was killed or ran out of time.
    async fn invoke(
        &self,
        spec: &Spec,
        event: Value,
    ) -> Option<Result<Value, lambda_runtime::Error>> {
        let sandbox = match self.acquire(&spec.name) {
            Ok(sandbox) => sandbox,
            Err(error) => return Some(Err(error.into())),
        };
        let context = self.context(sandbox.id, spec.timeout);
        if self.world.lock().bug == Some(Bug::LogsEvents) {
            tracing::info!(%event, "event");
        }
        let event = LambdaEvent::new(event, context);
        let began = clock::now_ms();
        // Boxed: otherwise the nested futures exceed the compiler's recursion limit.
        let run: LocalBoxFuture<'_, _> = Box::pin(sandbox.program.run(event));
        let result =
            sandbox::run(&self.world, sandbox.id, Duration::from_millis(spec.timeout), run).await;
        if let Some(Ok(answer)) = &result {
            self.world.lock().check_answer(sandbox.id, began, answer);
        }
        self.release(sandbox, &spec.name);
        result
    }

    fn context(&self, id: SandboxId, timeout_ms: u64) -> Context {
        let mut context = Context::default();
        // The runtime computes the deadline from the clock of its host, as the function does.
        let skew = self.world.lock().sandbox(id).skew_ms;
        context.deadline = clock::now_ms().saturating_add_signed(skew) + timeout_ms;
        context
    }
}

impl State {
    /// A 500 of a function is a bug, whatever happened. Any other server error needs a fault in the
    /// sandbox: during the invocation, or shortly before, as failed reads of settings are cached.
    fn check_answer(&mut self, id: SandboxId, began: u64, answer: &Value) {
        let status = answer["status"].as_u64().unwrap_or_default();
        let excused = self.sandbox(id).had_trouble_since(began.saturating_sub(FAILURE_CACHED_MS));
        if status == 500 || status > 500 && !excused {
            let function = self.sandbox(id).function.clone();
            self.ledger.violation(format!("{function} answers {status}: {}", answer["body"]));
        }
    }
}

impl Program {
    async fn run(&self, event: LambdaEvent<Value>) -> Result<Value, lambda_runtime::Error> {
        let LambdaEvent { payload, context, .. } = event;
        match self {
            Self::Inbound(_) | Self::Orders(_) | Self::Messages(_) | Self::Ops(_) => {
                self.respond(&payload).await
            }
            Self::Process(it) => {
                let event = LambdaEvent::new(serde_json::from_value(payload)?, context);
                Ok(serde_json::to_value(it.invoke(event).await?)?)
            }
            Self::Deliver(it) => {
                let event = LambdaEvent::new(serde_json::from_value(payload)?, context);
                Ok(serde_json::to_value(it.invoke(event).await?)?)
            }
            Self::Poll(it) => {
                let event = LambdaEvent::new(serde_json::from_value(payload)?, context);
                Ok(serde_json::to_value(it.invoke(event).await?)?)
            }
            Self::Push(it) => {
                let event = LambdaEvent::new(serde_json::from_value(payload)?, context);
                Ok(serde_json::to_value(it.invoke(event).await?)?)
            }
            Self::Realtime(it) => {
                let answer = it.invoke(LambdaEvent::new(payload, context)).await?;
                let body = answer["body"].as_str().and_then(|it| serde_json::from_str(it).ok());
                let body: Value = body.unwrap_or_default();
                Ok(serde_json::json!({ "status": answer["statusCode"], "body": body }))
            }
            Self::Sync(it) => it.invoke(LambdaEvent::new(payload, context)).await,
            Self::Sweep(it) => {
                it.invoke(LambdaEvent::new(payload, context)).await.map(|()| Value::Null)
            }
        }
    }

    async fn respond(&self, event: &Value) -> Result<Value, lambda_runtime::Error> {
        let request = lambda_http::request::from_str(&event.to_string())?;
        let response = match self {
            Self::Inbound(it) => it.handle(request).await?,
            Self::Orders(it) => it.handle(request).await?,
            Self::Messages(it) => it.handle(request).await?,
            Self::Ops(it) => it.handle(request).await?,
            _ => return Err("not a function of the API".into()),
        };
        let text = std::str::from_utf8(response.body())?;
        let body: Value = serde_json::from_str(text).unwrap_or_else(|_| text.into());
        Ok(serde_json::json!({ "status": response.status().as_u16(), "body": body }))
    }
}
