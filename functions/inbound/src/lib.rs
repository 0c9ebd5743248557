//! Receives webhooks: authenticates them, stores them in the inbound log and queues them for
//! `process`.

mod authenticators;
mod denials;
mod event;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use aws::client::Clients;
use aws::clock::now;
use aws::env::{BadEnvironment, Environment};
use aws::error::IoError;
use aws::lambda::HttpInvocation;
use aws::lambda::http_api::{ApiError, body, json, request_id, respond, source_ip};
use aws::settings::{Cached, Settings, SettingsError};
use aws::sqs::Queue;
use aws::tables::inbound::{
    Denial, DeniedPath, EventMessage, EventState, InboundEvent, InboundLog, Inserted,
};
use domain::core::id::{AccountCode, EventId};
use domain::core::timestamp::Timestamp;
use lambda_http::http::{HeaderValue, Method};
use lambda_http::{Body, Request, RequestExt, Response};
use sources::{AuthError, Authenticator, DedupKey, Handshake, Source, Tenant, Unreadable};
use tokio::time::timeout;

use authenticators::{Authenticators, Gate, masked};
use denials::Denials;
use event::{Intake, quarantined};

/// Senders wait only a few seconds for an answer. `sweep` sends events that the queue did not
/// accept in time.
const SEND_LIMIT: Duration = Duration::from_millis(1500);

pub struct Inbound {
    events: InboundLog,
    queue: Queue,
    settings: Settings,
    authenticators: Cached<Authenticators>,
    denials: Denials,
}

impl Inbound {
    pub fn from_environment(
        clients: &Clients,
        environment: &Environment,
    ) -> Result<Self, BadEnvironment> {
        Ok(Self::new(
            InboundLog::new(clients.dynamodb(), environment.variable("INBOUND_TABLE")?),
            Queue::new(clients.sqs(), environment.variable("EVENTS_QUEUE_URL")?),
            Settings::from_environment(clients.ssm(), environment)?,
        ))
    }

    pub fn new(events: InboundLog, queue: Queue, settings: Settings) -> Self {
        Self {
            events,
            queue,
            settings,
            authenticators: Cached::default(),
            denials: Denials::default(),
        }
    }

    /// Never fails; the runtime requires the type.
    pub fn handle(&self, request: Request) -> HttpInvocation<'_> {
        Box::pin(async move {
            let id = request_id(&request);
            respond(&id, self.route(&request, now()).await)
        })
    }

    async fn route(&self, request: &Request, now: Timestamp) -> Result<Response<Body>, ApiError> {
        let path = request.raw_http_path().trim_matches('/');
        if (request.method(), path) == (&Method::GET, "webhooks/health") {
            return Ok(health(now));
        }
        let (source, hook) =
            source_and_hook(path).ok_or_else(|| ApiError::not_found("no such route"))?;
        let source =
            sources::by_path(source).ok_or_else(|| ApiError::not_found("no such source"))?;
        match *request.method() {
            Method::GET | Method::HEAD if source.answers_probes() => Ok(probed()),
            Method::GET => self.verify_endpoint(source, hook, request, now).await,
            Method::POST => self.receive(source, hook, request, now).await,
            _ => Err(ApiError::not_found("no such route")),
        }
    }

    async fn verify_endpoint(
        &self,
        source: &dyn Source,
        hook: Option<&str>,
        request: &Request,
        now: Timestamp,
    ) -> Result<Response<Body>, ApiError> {
        let query = request.query_string_parameters();
        let query: Vec<(&str, &str)> = query.iter().collect();
        let authenticators = self.authenticators(source, now).await?;
        let gate = authenticators.gate(hook).map_err(unavailable)?;
        let handshake = gate.map(|(_, authenticator)| authenticator.handshake(&query));
        match handshake.unwrap_or(Handshake::Unsupported) {
            Handshake::Echo(challenge) => Ok(plain_text(challenge)),
            Handshake::Refused => Err(ApiError::forbidden("verification failed")),
            Handshake::Unsupported => Err(ApiError::not_found("no such route")),
        }
    }

    async fn receive(
        &self,
        source: &dyn Source,
        hook: Option<&str>,
        request: &Request,
        now: Timestamp,
    ) -> Result<Response<Body>, ApiError> {
        let body = body(request, source.body_limit())?;
        if body.is_empty() && source.answers_probes() {
            return Ok(probed());
        }
        let headers: Vec<(&str, &str)> = request
            .headers()
            .iter()
            .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
            .collect();
        let source_ip = source_ip(request);
        let request = sources::Request { account: None, headers: &headers, source_ip, body };
        let authenticators = self.authenticators(source, now).await?;
        let gate = authenticators.gate(hook).map_err(unavailable)?;
        let path = denied_path(source, hook, gate.as_ref());
        let (account, authenticator) = match authenticate(gate, hook, &request) {
            Ok(passed) => passed,
            Err(refusal) => {
                log_denied(source, hook, source_ip, &refusal);
                let denial = Denial { at: now, address: source_ip, reason: refusal.reason() };
                self.denials.record(&self.events, path, denial).await;
                return Err(refusal.into());
            }
        };
        let body = source.without_credentials(body);
        let request = sources::Request { account: account.as_ref(), body: &body, ..request };
        let intake = Intake::parse(source, authenticator, &request, now);
        let event = &intake.event;
        if let Some(attempt) = source.attempt_id(&request).filter(|id| is_plain(id)) {
            tracing::info!(event_id = %event.id, attempt, "event.attempt");
        }
        self.store(event, now).await?;
        match &intake.unreadable {
            Some(error) if !source.retries_on_error() => Err(malformed(error)),
            _ => Ok(accepted(&event.id, &intake.dedup_key, now)),
        }
    }

    /// Stores an event, and queues it if it has to be processed.
    async fn store(&self, event: &InboundEvent, now: Timestamp) -> Result<(), ApiError> {
        let mut inserted = self.insert(event).await?;
        if inserted == Inserted::Conflict {
            inserted = self.insert(&quarantined(event)).await?;
        }
        match (event.state, inserted) {
            (EventState::Received, Inserted::New) => self.send(event, now).await,
            // The first request may have ended before it sent the message.
            (EventState::Received, Inserted::Duplicate(state)) if !state.is_settled() => {
                self.send(event, now).await
            }
            _ => Ok(()),
        }
    }

    async fn insert(&self, event: &InboundEvent) -> Result<Inserted, IoError> {
        let inserted = self.events.insert(event).await?;
        let (source, state, reason) =
            (event.source.as_str(), event.state.as_str(), event.reason.as_deref());
        match event.state {
            EventState::Quarantined => {
                tracing::warn!(source, event_id = %event.id, state, reason, kept = ?inserted, "event.quarantined");
            }
            EventState::Failed => {
                tracing::error!(source, event_id = %event.id, state, reason, kept = ?inserted, "event.failed");
            }
            _ => {
                let trace_id = event.trace().trace_id();
                tracing::info!(source, event_id = %event.id, trace_id, state, kept = ?inserted, "event.kept");
            }
        }
        Ok(inserted)
    }

    async fn authenticators(
        &self,
        source: &dyn Source,
        now: Timestamp,
    ) -> Result<Arc<Authenticators>, ApiError> {
        let name = source.name();
        // Reads all parameters of a source at once: callers choose hook ids, so a lookup per id
        // would let them cause calls.
        let load = |last: Option<Arc<Authenticators>>| async move {
            let folder = format!("sources/{}", source.name().as_str());
            let values = self.settings.read_below(&folder, true).await?;
            Ok(Authenticators::read(source, &folder, &values, last.as_deref(), now))
        };
        self.authenticators
            .get(&self.settings, name.as_str(), now, load)
            .await
            .map_err(|error| unavailable(&error))
    }

    /// The event is stored, so a failure to queue it only delays it: `sweep` sends it later.
    async fn send(&self, event: &InboundEvent, now: Timestamp) -> Result<(), ApiError> {
        let id = &event.id;
        let message = EventMessage::outgoing(id, event.account.as_ref(), &event.source);
        let sent = timeout(SEND_LIMIT, self.queue.send(message)).await;
        let timed_out =
            |_| Err(IoError::Transient { call: "sqs:SendMessage", code: "timeout".to_owned() });
        if let Err(error) = sent.unwrap_or_else(timed_out) {
            tracing::warn!(event_id = %id, %error, "event.send_failed");
            self.events.mark_pending(id, now).await?;
        }
        Ok(())
    }
}

/// The two fixed paths are aliases for callbacks that were registered before `/webhooks/`.
fn source_and_hook(path: &str) -> Option<(&str, Option<&str>)> {
    match path {
        "api/webhooks/shiprocket" => Some(("carrier", None)),
        "college/whatsapp/webhook" => Some(("whatsapp", None)),
        path => {
            let rest = path.strip_prefix("webhooks/")?;
            Some(rest.split_once('/').map_or((rest, None), |(source, hook)| (source, Some(hook))))
        }
    }
}

/// Keeps control characters and long texts of senders out of the log.
fn is_plain(id: &str) -> bool {
    id.len() <= 128 && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
}

fn unavailable(error: &SettingsError) -> ApiError {
    tracing::error!(%error, "source.not_configured");
    ApiError::unavailable()
}

/// Why a webhook is denied.
#[derive(Debug)]
enum Refusal {
    NoSuchHook,
    NotSetUp,
    /// The settings name no account for the plain path.
    NoAccount,
    Proof(AuthError),
}

impl Refusal {
    /// Never contains anything of the request.
    fn reason(&self) -> String {
        match self {
            Self::NoSuchHook => "no such hook".to_owned(),
            Self::NotSetUp => "the source is not set up".to_owned(),
            Self::NoAccount => "this source has no account: use a hook".to_owned(),
            Self::Proof(error) => error.to_string(),
        }
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NoSuchHook | Refusal::NotSetUp | Refusal::Proof(AuthError::Credentials) => {
                Self::unauthorized()
            }
            Refusal::Proof(AuthError::Address) => {
                Self::forbidden("this address may not send webhooks")
            }
            Refusal::Proof(AuthError::Path) => Self::forbidden("this path is closed: use a hook"),
            Refusal::NoAccount => Self::forbidden(refusal.reason()),
        }
    }
}

/// Returns the account of the path. `None`: each update names its own.
fn authenticate<'a>(
    gate: Option<Gate<'a>>,
    hook: Option<&str>,
    request: &sources::Request<'_>,
) -> Result<(Option<AccountCode>, &'a dyn Authenticator), Refusal> {
    let closed = if hook.is_some() { Refusal::NoSuchHook } else { Refusal::NotSetUp };
    let (tenant, authenticator) = gate.ok_or(closed)?;
    authenticator.authenticate(request).map_err(Refusal::Proof)?;
    match tenant {
        Tenant::Account(account) => Ok((Some(account), authenticator)),
        Tenant::PerUpdate => Ok((None, authenticator)),
        Tenant::Unassigned => Err(Refusal::NoAccount),
    }
}

/// Has the beginning of a known hook's id, which may be a secret, and no unknown id.
fn denied_path(source: &dyn Source, hook: Option<&str>, gate: Option<&Gate<'_>>) -> DeniedPath {
    let account = match gate {
        Some((Tenant::Account(account), _)) => Some(account.clone()),
        _ => None,
    };
    let hook = hook.map(|id| if gate.is_some() { masked(id) } else { "unknown".to_owned() });
    DeniedPath { source: source.name().as_str().to_owned(), hook, account }
}

/// Of a hook's id, which may be a secret, only that there is one.
fn log_denied(
    source: &dyn Source,
    hook: Option<&str>,
    source_ip: Option<IpAddr>,
    refusal: &Refusal,
) {
    tracing::warn!(
        source = source.name().as_str(),
        hook = hook.is_some(),
        address = source_ip.map(tracing::field::display),
        reason = refusal.reason(),
        "event.denied"
    );
}

fn probed() -> Response<Body> {
    plain_text(String::new())
}

fn accepted(id: &EventId, dedup_key: &DedupKey, now: Timestamp) -> Response<Body> {
    let id = match dedup_key {
        DedupKey::ProviderId(id) => id,
        _ => id.as_str(),
    };
    json(200, &serde_json::json!({"received": true, "event_id": id, "processed_at": now}))
}

fn malformed(error: &Unreadable) -> ApiError {
    let malformed = ApiError::malformed(error.to_string());
    match error.field() {
        Some(field) => malformed.with_field(field),
        None => malformed,
    }
}

/// Echoed input must not be interpreted as HTML.
fn plain_text(text: String) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    let headers = response.headers_mut();
    headers.insert("content-type", HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    response
}

fn health(now: Timestamp) -> Response<Body> {
    let version = env!("CARGO_PKG_VERSION");
    json(
        200,
        &serde_json::json!({"status": "healthy", "timestamp": now, "server": "waypost", "version": version}),
    )
}

#[cfg(test)]
mod tests;
