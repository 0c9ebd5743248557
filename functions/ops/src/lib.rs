//! What operators see of what came in, and have worked on again.

mod list;
mod retry;
mod view;

use aws::callers::Callers;
use aws::clock::now;
use aws::events::{Events, LogRow};
use aws::queue::Queue;
use aws::settings::Settings;
use aws::web::{ApiError, answer, json, request_id, route_key};
use domain::access::Caller;
use domain::id::EventId;
use domain::timestamp::Timestamp;
use lambda_http::{Body, Error, Request, RequestExt, Response};

use view::{Detail, Item};

/// The function.
pub struct Ops {
    events: Events,
    queue: Queue,
    callers: Callers,
}

impl Ops {
    /// With the inbound table, the events queue, and its settings.
    pub fn new(events: Events, queue: Queue, settings: Settings) -> Self {
        Self { events, queue, callers: Callers::new(settings) }
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
        let caller = self.callers.identify(request, now).await?;
        if !caller.may_see_log() {
            return Err(ApiError::forbidden("this caller may not see the log"));
        }
        let named = request.path_parameters_ref().and_then(|parameters| parameters.first("id"));
        match (route_key(request), named) {
            ("GET /api/webhooks/logs", None) => self.list(request, caller, now).await,
            ("GET /api/webhooks/logs/{id}", Some(id)) => self.show(&caller, id).await,
            ("POST /api/webhooks/retry/{id}", Some(id)) => self.retry(&caller, id, now).await,
            _ => Err(ApiError::not_found("no such route")),
        }
    }

    async fn show(&self, caller: &Caller, id: &str) -> Result<Response<Body>, ApiError> {
        let row = self.find(caller, id).await?;
        let event = self.events.load(&row.id).await?.ok_or_else(no_such_event)?;
        Ok(json(200, &Detail::new(Item::of(&row), &event.body)))
    }

    /// The event of this id, if the caller may see it.
    async fn find(&self, caller: &Caller, id: &str) -> Result<LogRow, ApiError> {
        let id = EventId::parse(id).map_err(|_| no_such_event())?;
        let row = self.events.row(&id).await?;
        row.filter(|row| caller.sees(row.account.as_ref())).ok_or_else(no_such_event)
    }
}

/// One that is not there, or not theirs.
fn no_such_event() -> ApiError {
    ApiError::not_found("no such event")
}
