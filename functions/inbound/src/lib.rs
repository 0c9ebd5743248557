//! Takes webhooks: proves who sent them, keeps them, queues them. What they mean is decided later, by `process`.

mod authenticators;
mod event;

use std::sync::Arc;
use std::time::Duration;

use aws::clock::now;
use aws::error::IoError;
use aws::lambda::http_api::{ApiError, body, json, request_id, respond, source_ip};
use aws::settings::{Cached, Settings};
use aws::sqs::Queue;
use aws::tables::inbound::{EventMessage, EventState, InboundEvent, InboundLog, Inserted};
use domain::core::id::{AccountCode, EventId};
use domain::core::timestamp::Timestamp;
use lambda_http::http::{HeaderValue, Method};
use lambda_http::{Body, Error, Request, RequestExt, Response};
use sources::{AuthError, DedupKey, Handshake, Owner, Received, Source, Unreadable};
use tokio::time::timeout;

use authenticators::Authenticators;
use event::{event, quarantined};

/// Senders wait a few seconds for their answer. What the queue does not take by then is sent by `sweep`.
const SEND_LIMIT: Duration = Duration::from_millis(1500);

/// The function.
pub struct Inbound {
    events: InboundLog,
    queue: Queue,
    settings: Settings,
    authenticators: Cached<Authenticators>,
}

impl Inbound {
    /// With its table, its queue and its settings.
    pub fn new(events: InboundLog, queue: Queue, settings: Settings) -> Self {
        Self { events, queue, settings, authenticators: Cached::default() }
    }

    /// Answers one request.
    ///
    /// # Errors
    /// None; the type is what the runtime asks for.
    pub async fn handle(&self, request: Request) -> Result<Response<Body>, Error> {
        let id = request_id(&request);
        respond(&id, self.route(&request, now()).await)
    }

    async fn route(&self, request: &Request, now: Timestamp) -> Result<Response<Body>, ApiError> {
        let path = request.raw_http_path().trim_matches('/');
        if (request.method(), path) == (&Method::GET, "webhooks/health") {
            return Ok(health(now));
        }
        let (source, hook) = addressee(path).ok_or_else(|| ApiError::not_found("no such route"))?;
        let source =
            sources::by_path(source).ok_or_else(|| ApiError::not_found("no such source"))?;
        match *request.method() {
            Method::GET => self.verify_endpoint(source, hook, request, now).await,
            Method::POST => self.receive(source, hook, request, now).await,
            _ => Err(ApiError::not_found("no such route")),
        }
    }

    /// A provider asks whether this is the right address.
    async fn verify_endpoint(
        &self,
        source: &dyn Source,
        hook: Option<&str>,
        request: &Request,
        now: Timestamp,
    ) -> Result<Response<Body>, ApiError> {
        let query = request.query_string_parameters();
        let query: Vec<(&str, &str)> = query.iter().collect();
        match self.authenticators(source, now).await?.handshake(hook, &query) {
            Handshake::Echo(challenge) => Ok(plain_text(challenge)),
            Handshake::Refused => Err(ApiError::forbidden("this is not what we agreed on")),
            Handshake::Unknown => Err(ApiError::not_found("no such route")),
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
        let headers: Vec<(&str, &str)> = request
            .headers()
            .iter()
            .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
            .collect();
        let asked = sources::Request { headers: &headers, source_ip: source_ip(request), body };
        let account = self.authenticate(source, hook, &asked, now).await?;
        let received = Received { account: account.as_ref(), at: now, body };
        let unreadable = source.read(&received).err();
        // What cannot be read must not take the place of what its sender may mean by it.
        let dedup_key =
            if unreadable.is_some() { DedupKey::Body } else { source.dedup_key(&asked) };
        let event = event(source, &received, &dedup_key, unreadable.as_ref());
        if let Some(attempt) = source.attempt(&asked).filter(|name| is_plain(name)) {
            tracing::info!(event_id = %event.id, attempt, "event.attempt");
        }
        self.take(&event, now).await?;
        match unreadable {
            Some(error) if !source.retries_on_error() => Err(refused(&error)),
            _ => Ok(taken(&event.id, dedup_key, now)),
        }
    }

    /// Whose request this is, checked over the bytes as they were sent.
    async fn authenticate(
        &self,
        source: &dyn Source,
        hook: Option<&str>,
        asked: &sources::Request<'_>,
        now: Timestamp,
    ) -> Result<Option<AccountCode>, ApiError> {
        let owner = self.authenticators(source, now).await?.authenticate(hook, asked).map_err(
            |denied| {
                tracing::warn!(source = source.name().as_str(), ?denied, "event.denied");
                match denied {
                    AuthError::Address => ApiError::forbidden("this address may not send webhooks"),
                    AuthError::Credentials => ApiError::unauthorized(),
                }
            },
        )?;
        match owner {
            Owner::Account(account) => Ok(Some(account)),
            Owner::Several => Ok(None),
            Owner::Nobody => {
                tracing::warn!(source = source.name().as_str(), "event.ownerless");
                Err(ApiError::forbidden("this source has no account: use a path of your own"))
            }
        }
    }

    /// Keeps an event, and queues it if it is to be worked on.
    async fn take(&self, event: &InboundEvent, now: Timestamp) -> Result<(), ApiError> {
        let mut kept = self.keep(event).await?;
        if kept == Inserted::Conflict {
            kept = self.keep(&quarantined(event)).await?;
        }
        match (event.state, kept) {
            (EventState::Received, Inserted::New) => self.send(&event.id, now).await,
            // Its first message may never have been sent.
            (EventState::Received, Inserted::Duplicate(state)) if !state.is_settled() => {
                self.send(&event.id, now).await
            }
            _ => Ok(()),
        }
    }

    async fn keep(&self, event: &InboundEvent) -> Result<Inserted, IoError> {
        let kept = self.events.insert(event).await?;
        let (source, state, reason) =
            (event.source.as_str(), event.state.as_str(), event.reason.as_deref());
        match event.state {
            EventState::Quarantined => {
                tracing::warn!(source, event_id = %event.id, state, reason, ?kept, "event.quarantined");
            }
            EventState::Failed => {
                tracing::error!(source, event_id = %event.id, state, reason, ?kept, "event.failed");
            }
            _ => tracing::info!(source, event_id = %event.id, state, ?kept, "event.kept"),
        }
        Ok(kept)
    }

    async fn authenticators(
        &self,
        source: &dyn Source,
        now: Timestamp,
    ) -> Result<Arc<Authenticators>, ApiError> {
        let name = source.name();
        // All of a source at once: hook ids are the caller's to choose, and must not cost a call each.
        let load = |last: Option<Arc<Authenticators>>| async move {
            let folder = format!("sources/{}", source.name().as_str());
            let values = self.settings.read_below(&folder, true).await?;
            Authenticators::read(source, &folder, &values, last.as_deref())
        };
        self.authenticators.get(&self.settings, name.as_str(), now, load).await.map_err(|error| {
            tracing::error!(%error, "source.not_configured");
            ApiError::unavailable()
        })
    }

    /// The event is kept: whether it reaches its queue now or a minute later, the sender is done.
    async fn send(&self, id: &EventId, now: Timestamp) -> Result<(), ApiError> {
        let sent = timeout(SEND_LIMIT, self.queue.send(EventMessage::write(id))).await;
        let late =
            |_| Err(IoError::Transient { call: "sqs:SendMessage", code: "timeout".to_owned() });
        if let Err(error) = sent.unwrap_or_else(late) {
            tracing::warn!(event_id = %id, %error, "event.send_failed");
            self.events.mark_pending(id, now).await?;
        }
        Ok(())
    }
}

/// The source and the hook that a path is about.
fn addressee(path: &str) -> Option<(&str, Option<&str>)> {
    match path {
        "api/webhooks/shiprocket" => Some(("carrier", None)),
        "college/whatsapp/webhook" => Some(("whatsapp", None)),
        path => {
            let rest = path.strip_prefix("webhooks/")?;
            Some(rest.split_once('/').map_or((rest, None), |(source, hook)| (source, Some(hook))))
        }
    }
}

/// What a sender names itself goes into our logs only if it can hide nothing there.
fn is_plain(name: &str) -> bool {
    name.len() <= 128
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
}

fn taken(id: &EventId, dedup_key: DedupKey, now: Timestamp) -> Response<Body> {
    let id = match dedup_key {
        DedupKey::ProviderId(id) => id,
        _ => id.as_str().to_owned(),
    };
    json(200, &serde_json::json!({"received": true, "event_id": id, "processed_at": now}))
}

/// The body is kept all the same, for us to look at.
fn refused(error: &Unreadable) -> ApiError {
    let refused = ApiError::malformed(error.to_string());
    match error.field() {
        Some(field) => refused.with_field(field),
        None => refused,
    }
}

/// What came from outside goes back as nothing but text.
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
