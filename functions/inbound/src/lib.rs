//! Takes webhooks: proves who sent them, keeps them, queues them. What they mean is decided later, by `process`.

mod gates;

use std::sync::Arc;
use std::time::Duration;

use aws::clock::now;
use aws::error::IoError;
use aws::events::{Event, EventMessage, EventState, Events, Kept};
use aws::queue::Queue;
use aws::settings::{Cached, Settings, SettingsError};
use aws::web::{ApiError, answer, body, json, request_id, source_ip};
use domain::hash::Fingerprint;
use domain::id::{AccountCode, EventId};
use domain::timestamp::Timestamp;
use lambda_http::http::Method;
use lambda_http::{Body, Error, Request, RequestExt, Response};
use sources::{Denied, Source};
use tokio::time::timeout;

use gates::Gates;

/// The largest body of a webhook, in bytes.
const BODY_LIMIT: usize = 1024 * 1024;

/// Senders wait a few seconds for their answer. What the queue does not take by then is sent by `sweep`.
const SEND_LIMIT: Duration = Duration::from_millis(1500);

/// The function.
pub struct Inbound {
    events: Events,
    queue: Queue,
    settings: Settings,
    gates: Cached<Gates>,
}

impl Inbound {
    /// With its table, its queue and its settings.
    pub fn new(events: Events, queue: Queue, settings: Settings) -> Self {
        Self { events, queue, settings, gates: Cached::default() }
    }

    /// Answers one request.
    ///
    /// # Errors
    /// None; the type is what the runtime asks for.
    pub async fn handle(&self, request: Request) -> Result<Response<Body>, Error> {
        let id = request_id(&request);
        answer(&id, self.route(&request, now()).await)
    }

    async fn route(&self, request: &Request, now: Timestamp) -> Result<Response<Body>, ApiError> {
        let path = request.raw_http_path().trim_matches('/');
        match (request.method(), path) {
            (&Method::GET, "webhooks/health") => Ok(health(now)),
            (&Method::POST, "api/webhooks/shiprocket") => self.receive("carrier", request, now).await,
            (&Method::POST, path) => match path.strip_prefix("webhooks/") {
                Some(source) => self.receive(source, request, now).await,
                None => Err(ApiError::not_found("no such route")),
            },
            _ => Err(ApiError::not_found("no such route")),
        }
    }

    async fn receive(&self, path: &str, request: &Request, now: Timestamp) -> Result<Response<Body>, ApiError> {
        let (path, hook) = path.split_once('/').map_or((path, None), |(path, hook)| (path, Some(hook)));
        let source = sources::by_path(path).ok_or_else(|| ApiError::not_found("no such source"))?;
        let body = body(request, BODY_LIMIT)?;
        let account = self.admit(source, hook, request, body, now).await?;
        let unreadable = source.read(&account, body).err();
        let event = Event {
            id: event_id(source, &account, body),
            source: source.name(),
            account,
            received_at: now,
            state: if unreadable.is_some() { EventState::Failed } else { EventState::Received },
            reason: unreadable.as_ref().map(ToString::to_string),
            body: body.to_vec(),
        };
        let kept = self.events.keep(&event).await?;
        tracing::info!(source = event.source.as_str(), event_id = %event.id, state = event.state.as_str(), ?kept, "event.kept");
        if let Some(reason) = unreadable {
            return Err(ApiError::malformed(reason.to_string()));
        }
        if needs_sending(kept) {
            self.send(&event.id, now).await?;
        }
        Ok(json(200, &serde_json::json!({"received": true, "event_id": event.id})))
    }

    /// Whose request this is, checked over the bytes as they were sent.
    async fn admit(
        &self,
        source: &dyn Source,
        hook: Option<&str>,
        request: &Request,
        body: &[u8],
        now: Timestamp,
    ) -> Result<AccountCode, ApiError> {
        let gates = self.gates(source, now).await.map_err(|error| {
            tracing::error!(%error, "source.not_configured");
            ApiError::unavailable()
        })?;
        let headers: Vec<(&str, &str)> =
            request.headers().iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?))).collect();
        let asked = sources::Request { headers: &headers, source_ip: source_ip(request), body };
        gates.admit(hook, &asked).map_err(|denied| {
            tracing::warn!(source = source.name().as_str(), ?denied, "event.denied");
            match denied {
                Denied::Address => ApiError::forbidden("this address may not send webhooks"),
                Denied::Credentials => ApiError::unauthorized(),
            }
        })
    }

    async fn gates(&self, source: &dyn Source, now: Timestamp) -> Result<Arc<Gates>, SettingsError> {
        let name = source.name();
        // All of a source at once: hook ids are the caller's to choose, and must not cost a call each.
        let load = |last: Option<Arc<Gates>>| async move {
            let folder = format!("sources/{}", source.name().as_str());
            let values = self.settings.read_below(&folder, true).await?;
            Gates::read(source, &folder, &values, last.as_deref())
        };
        self.gates.get(&self.settings, name.as_str(), now, load).await
    }

    /// The event is kept: whether it reaches its queue now or a minute later, the sender is done.
    async fn send(&self, id: &EventId, now: Timestamp) -> Result<(), ApiError> {
        let sent = timeout(SEND_LIMIT, self.queue.send(EventMessage::write(id))).await;
        let late = |_| Err(IoError::Transient { call: "sqs:SendMessage", code: "timeout".to_owned() });
        if let Err(error) = sent.unwrap_or_else(late) {
            tracing::warn!(event_id = %id, %error, "event.send_failed");
            self.events.mark_pending(id, now).await?;
        }
        Ok(())
    }
}

/// A duplicate of an event that nobody has worked on yet is sent again: its first message may never have been.
fn needs_sending(kept: Kept) -> bool {
    match kept {
        Kept::New => true,
        Kept::Before(state) => !state.is_settled(),
    }
}

fn event_id(source: &dyn Source, account: &AccountCode, body: &[u8]) -> EventId {
    Fingerprint::of("event").with(source.name().as_str()).with(account).with(body).into()
}

fn health(now: Timestamp) -> Response<Body> {
    let version = env!("CARGO_PKG_VERSION");
    json(200, &serde_json::json!({"status": "healthy", "timestamp": now, "server": "waypost", "version": version}))
}
