//! The operators' API: the inbound log, deliveries, retries, replays, redrives and triggers,
//! endpoints, stale orders, polling runs and the audit log; and the console, which uses it.

mod audit;
mod console;
mod deliveries;
mod denied;
mod endpoints;
mod event;
mod event_view;
mod jobs;
mod list;
mod metrics;
mod problems;
mod queues;
mod redrive;
mod retry;
mod runs;
mod sealed;
mod session;
mod stale;
mod trigger;

use aws::client::Clients;
use aws::clock::now;
use aws::endpoints::Endpoints;
use aws::env::{BadEnvironment, Environment};
use aws::lambda::HttpInvocation;
use aws::lambda::auth::Callers;
use aws::lambda::http_api::{ApiError, check_query, request_id, respond, route_key};
use aws::settings::{CachedSetting, Settings};
use aws::sqs::Queue;
use aws::tables::audit::AuditLog;
use aws::tables::auth_failures::AuthFailures;
use aws::tables::counters::Counters;
use aws::tables::deliveries::Deliveries;
use aws::tables::endpoint_health::EndpointHealth;
use aws::tables::inbound::{InboundLog, LogRow};
use aws::tables::jobs::Jobs;
use aws::tables::orders::Orders;
use aws::tables::runs::Runs;
use aws::tracking_links::OrderLinks;
use domain::auth::Caller;
use domain::core::id::EventId;
use domain::core::timestamp::Timestamp;
use domain::redrive::RedriveKind;
use lambda_http::http::HeaderValue;
use lambda_http::{Body, Request, RequestExt, Response};
use sources::whatsapp::Numbers;

use endpoints::EndpointAction;
pub use queues::CountedQueues;

pub struct Ops {
    tables: Tables,
    queues: Queues,
    callers: Callers,
    endpoints: Endpoints,
    numbers: CachedSetting<Numbers>,
    links: OrderLinks,
    policy: HeaderValue,
}

pub struct Tables {
    pub events: InboundLog,
    pub orders: Orders,
    pub deliveries: Deliveries,
    pub runs: Runs,
    pub endpoint_health: EndpointHealth,
    pub counters: Counters,
    pub jobs: Jobs,
    pub audit: AuditLog,
}

pub struct Queues {
    pub events: Queue,
    pub deliveries: Queue,
    pub counted: CountedQueues,
}

impl Ops {
    pub fn from_environment(
        clients: &Clients,
        environment: &Environment,
    ) -> Result<Self, BadEnvironment> {
        let (dynamodb, sqs) = (clients.dynamodb(), clients.sqs());
        let table = |name| environment.variable(name);
        let queue = |name| environment.variable(name).map(|url| Queue::new(sqs.clone(), url));
        let tables = Tables {
            events: InboundLog::new(dynamodb.clone(), table("INBOUND_TABLE")?),
            orders: Orders::new(dynamodb.clone(), table("ORDERS_TABLE")?),
            deliveries: Deliveries::new(dynamodb.clone(), table("DELIVERIES_TABLE")?),
            runs: Runs::new(dynamodb.clone(), table("STATE_TABLE")?),
            endpoint_health: EndpointHealth::new(dynamodb.clone(), table("STATE_TABLE")?),
            counters: Counters::new(dynamodb.clone(), table("STATE_TABLE")?),
            jobs: Jobs::new(dynamodb.clone(), table("STATE_TABLE")?),
            audit: AuditLog::new(dynamodb.clone(), table("STATE_TABLE")?),
        };
        let queues = Queues {
            events: queue("EVENTS_QUEUE_URL")?,
            deliveries: queue("DELIVERIES_QUEUE_URL")?,
            counted: CountedQueues {
                events_dlq: queue("EVENTS_DLQ_URL")?,
                slow_deliveries: queue("SLOW_DELIVERIES_QUEUE_URL")?,
                deliveries_dlq: queue("DELIVERIES_DLQ_URL")?,
                shards: queue("SHARDS_QUEUE_URL")?,
                shards_dlq: queue("SHARDS_DLQ_URL")?,
                batches: queue("BATCHES_QUEUE_URL")?,
                batches_dlq: queue("BATCHES_DLQ_URL")?,
                failed_invocations_dlq: queue("FAILED_INVOCATIONS_DLQ_URL")?,
            },
        };
        let failures = AuthFailures::new(dynamodb, table("STATE_TABLE")?);
        let settings = Settings::from_environment(clients.ssm(), environment)?;
        let policy = console::policy(environment.optional("SOCKETS_CLIENT_URL").as_deref());
        let callers = Callers::new(settings.clone(), failures);
        Ok(Self { policy, ..Self::new(tables, queues, callers, settings) })
    }

    pub fn new(tables: Tables, queues: Queues, callers: Callers, settings: Settings) -> Self {
        let endpoints = Endpoints::new(settings.clone());
        let numbers = CachedSetting::new(settings.clone(), Numbers::PARAMETER, Numbers::read);
        let links = OrderLinks::new(settings);
        let policy = console::policy(None);
        Self { tables, queues, callers, endpoints, numbers, links, policy }
    }

    pub fn handle(&self, request: Request) -> HttpInvocation<'_> {
        Box::pin(async move {
            let id = request_id(&request);
            respond(&id, self.route(&request, now()).await)
        })
    }

    async fn route(&self, request: &Request, now: Timestamp) -> Result<Response<Body>, ApiError> {
        let route = route_key(request);
        if let Some(answer) = console::answer(request, route, &self.policy) {
            return answer;
        }
        let caller = self.callers.authenticate(request, now).await?;
        if route != SESSION {
            require_permission(&caller, route)?;
        }
        check_query(request, query_parameters(route))?;
        let parameters = request.path_parameters_ref();
        let id = parameters.and_then(|all| all.first("id").or_else(|| all.first("name")));
        match (route, id) {
            (SESSION, None) => self.open_session(request, &caller, now).await,
            ("GET /api/webhooks/logs", None) => self.list_events(request, caller, now).await,
            ("GET /api/webhooks/logs/{id}", Some(id)) => {
                self.show_event(request, &caller, id, now).await
            }
            ("GET /api/webhooks/denied", None) => self.list_denied(request, &caller, now).await,
            ("POST /api/webhooks/retry/{id}", Some(id)) => self.retry_event(&caller, id, now).await,
            ("POST /api/orders/trigger-webhook", None) => self.trigger(request, &caller, now).await,
            ("GET /api/orders/stale", None) => self.list_stale(request, &caller).await,
            ("GET /api/sync/runs", None) => self.list_runs(request, &caller).await,
            ("GET /metrics", None) => self.show_metrics(request, &caller, now).await,
            ("GET /api/endpoints", None) => self.list_endpoints(request, &caller, now).await,
            ("GET /api/deliveries", None) => self.list_deliveries(request, &caller, now).await,
            ("GET /api/deliveries/{id}", Some(id)) => self.show_delivery(&caller, id).await,
            ("POST /api/deliveries/{id}/replay", Some(id)) => {
                self.replay_delivery(&caller, id, now).await
            }
            ("POST /api/dlq/deliveries/replay", None) => {
                self.redrive(RedriveKind::Deliveries, request, &caller, now).await
            }
            ("POST /api/dlq/events/replay", None) => {
                self.redrive(RedriveKind::Events, request, &caller, now).await
            }
            ("GET /api/jobs", None) => self.list_jobs(request, &caller).await,
            ("GET /api/jobs/{id}", Some(id)) => self.show_job(&caller, id).await,
            ("DELETE /api/jobs/{id}", Some(id)) => self.stop_job(&caller, id, now).await,
            ("GET /api/settings/problems", None) => self.list_problems(&caller, now).await,
            ("GET /api/queues", None) => self.list_queues(&caller, now).await,
            ("GET /api/audit", None) => self.list_audit(request, &caller, now).await,
            ("POST /api/endpoints/{name}/enable", Some(name)) => {
                self.change_endpoint(EndpointAction::Enable, name, &caller, now).await
            }
            ("POST /api/endpoints/{name}/pause", Some(name)) => {
                self.change_endpoint(EndpointAction::Pause, name, &caller, now).await
            }
            _ => Err(ApiError::not_found("no such route")),
        }
    }

    /// Returns the event if the caller has access to its account.
    async fn find_event(&self, caller: &Caller, id: &str) -> Result<LogRow, ApiError> {
        let id = EventId::parse(id).map_err(|_| no_such_event())?;
        let row = self.tables.events.row(&id).await?;
        row.filter(|row| caller.can_see(row.account.as_ref())).ok_or_else(no_such_event)
    }
}

const SESSION: &str = "POST /api/session";

/// Viewers read the log, the denied webhooks, deliveries and metrics only.
fn require_permission(caller: &Caller, route: &str) -> Result<(), ApiError> {
    const READABLE: [&str; 4] = [
        "GET /api/webhooks/logs",
        "GET /api/webhooks/denied",
        "GET /api/deliveries",
        "GET /metrics",
    ];
    let is_for_viewers = READABLE.iter().any(|readable| route.starts_with(readable));
    if caller.can_operate() || (caller.can_read_log() && is_for_viewers) {
        return Ok(());
    }
    Err(ApiError::forbidden("these credentials do not allow this operation"))
}

fn query_parameters(route: &str) -> &'static [&'static str] {
    match route {
        "GET /api/webhooks/logs" => &[
            "account_code",
            "accountCode",
            "order_id",
            "status",
            "source",
            "from",
            "to",
            "limit",
            "page",
        ],
        "GET /api/webhooks/logs/{id}" => &["reveal"],
        "GET /metrics" => &["from", "to", "endpoint"],
        "GET /api/deliveries" => &[
            "state",
            "endpoint",
            "order_id",
            "account_code",
            "accountCode",
            "kind",
            "reason",
            "from",
            "to",
            "limit",
            "page",
        ],
        "GET /api/orders/stale" => &["account_code", "accountCode", "limit", "page"],
        "GET /api/sync/runs"
        | "GET /api/endpoints"
        | "GET /api/webhooks/denied"
        | "GET /api/jobs"
        | "GET /api/audit" => &["limit", "page"],
        _ => &[],
    }
}

/// Also the answer for an event of another tenant's account.
fn no_such_event() -> ApiError {
    ApiError::not_found("no such event")
}
