//! What operators see of what came in and of what the carrier was asked, and have done again.

mod list;
mod retry;
mod runs;
mod stale;
mod trigger;
mod view;

use aws::clock::now;
use aws::endpoints::Endpoints;
use aws::lambda::auth::Callers;
use aws::lambda::http_api::{ApiError, json, request_id, respond, route_key};
use aws::settings::Settings;
use aws::sqs::Queue;
use aws::tables::deliveries::Deliveries;
use aws::tables::inbound::{InboundLog, LogRow};
use aws::tables::orders::Orders;
use aws::tables::runs::Runs;
use domain::auth::Caller;
use domain::core::id::EventId;
use domain::core::timestamp::Timestamp;
use lambda_http::{Body, Error, Request, RequestExt, Response};

use view::{Detail, Item};

/// The function.
pub struct Ops {
    tables: Tables,
    queues: Queues,
    callers: Callers,
    endpoints: Endpoints,
}

/// What it reads and writes.
pub struct Tables {
    /// What came in.
    pub events: InboundLog,
    /// The orders.
    pub orders: Orders,
    /// What became of what customers are told.
    pub deliveries: Deliveries,
    /// What came of asking the carrier.
    pub runs: Runs,
}

/// What it has done again.
pub struct Queues {
    /// What came in.
    pub events: Queue,
    /// What customers are told.
    pub deliveries: Queue,
}

impl Ops {
    /// With its tables, the queues it writes to, and its settings.
    pub fn new(tables: Tables, queues: Queues, settings: Settings) -> Self {
        Self {
            tables,
            queues,
            callers: Callers::new(settings.clone()),
            endpoints: Endpoints::new(settings),
        }
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
        let caller = self.callers.authenticate(request, now).await?;
        let route = route_key(request);
        authorize(&caller, route)?;
        let named = request.path_parameters_ref().and_then(|parameters| parameters.first("id"));
        match (route, named) {
            ("GET /api/webhooks/logs", None) => self.list(request, caller, now).await,
            ("GET /api/webhooks/logs/{id}", Some(id)) => self.show(&caller, id).await,
            ("POST /api/webhooks/retry/{id}", Some(id)) => self.retry(&caller, id, now).await,
            ("POST /api/orders/trigger-webhook", None) => self.trigger(request, &caller, now).await,
            ("GET /api/orders/stale", None) => self.stale(request, &caller).await,
            ("GET /api/sync/runs", None) => self.runs(request, &caller).await,
            _ => Err(ApiError::not_found("no such route")),
        }
    }

    async fn show(&self, caller: &Caller, id: &str) -> Result<Response<Body>, ApiError> {
        let row = self.find(caller, id).await?;
        let event = self.tables.events.load(&row.id).await?.ok_or_else(no_such_event)?;
        Ok(json(200, &Detail::new(Item::of(&row), &event.body)))
    }

    /// The event of this id, if the caller may see it.
    async fn find(&self, caller: &Caller, id: &str) -> Result<LogRow, ApiError> {
        let id = EventId::parse(id).map_err(|_| no_such_event())?;
        let row = self.tables.events.row(&id).await?;
        row.filter(|row| caller.sees(row.account.as_ref())).ok_or_else(no_such_event)
    }
}

/// Viewers see the log and nothing else.
fn authorize(caller: &Caller, route: &str) -> Result<(), ApiError> {
    if caller.may_operate() || (caller.may_see_log() && route.starts_with("GET /api/webhooks/logs"))
    {
        return Ok(());
    }
    Err(ApiError::forbidden("this caller may not do this"))
}

/// One that is not there, or not theirs.
fn no_such_event() -> ApiError {
    ApiError::not_found("no such event")
}
