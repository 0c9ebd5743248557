//! Partners' orders: created, shown, patched. The status is not theirs to write here; `process` alone moves it.

mod create;
mod patch;

use aws::callers::Callers;
use aws::clock::now;
use aws::events::{EventMessage, Events};
use aws::orders::Orders as OrdersTable;
use aws::queue::Queue;
use aws::settings::Settings;
use aws::web::{ApiError, answer, json, request_id};
use domain::access::{Caller, NoAccount};
use domain::id::{AccountCode, EventId, OrderId, OrderKey};
use domain::report::Ref;
use domain::timestamp::Timestamp;
use domain::view::OrderView;
use lambda_http::http::{Method, header};
use lambda_http::{Body, Error, Request, RequestExt, Response};

/// The largest body of an order, in bytes.
const BODY_LIMIT: usize = 64 * 1024;

/// How often a write is tried because others write the same order.
const TRIES: usize = 5;

/// The function.
pub struct Orders {
    orders: OrdersTable,
    events: Events,
    queue: Queue,
    callers: Callers,
}

impl Orders {
    /// With its tables, the events queue, and its settings.
    pub fn new(orders: OrdersTable, events: Events, queue: Queue, settings: Settings) -> Self {
        Self { orders, events, queue, callers: Callers::new(settings) }
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
        if !caller.may_use_orders() {
            return Err(ApiError::forbidden("this user may not work on orders"));
        }
        let named = request.path_parameters_ref().and_then(|parameters| parameters.first("order_id"));
        match (request.method(), named) {
            (&Method::POST, None) => self.create(request, &caller, now).await,
            (&Method::GET, Some(order)) => {
                self.show(&key(&caller, query_account(request)?.as_ref(), order)?, 200).await
            }
            (&Method::PATCH, Some(order)) => self.patch(request, &caller, order, now).await,
            _ => Err(ApiError::not_found("no such route")),
        }
    }

    async fn show(&self, key: &OrderKey, status: u16) -> Result<Response<Body>, ApiError> {
        let found = self.orders.load_with_timeline(key).await?;
        let (order, mut entries) = found.ok_or_else(|| ApiError::not_found("no such order"))?;
        Ok(json(status, &OrderView::new(&order, &mut entries)))
    }

    /// The event is stored with the order and pending: if it cannot be sent now, it is sent a minute later.
    async fn send(&self, adoption: &EventId) {
        if let Err(error) = self.queue.send(EventMessage::write(adoption)).await {
            tracing::warn!(event_id = %adoption, %error, "event.send_failed");
        }
    }
}

/// Which order of which account a request is about.
fn key(caller: &Caller, named: Option<&AccountCode>, order: &str) -> Result<OrderKey, ApiError> {
    let account = account(caller, named)?;
    // What can be no id names no order.
    let order = OrderId::parse(order).map_err(|_| ApiError::not_found("no such order"))?;
    Ok(OrderKey { account, order })
}

fn account(caller: &Caller, named: Option<&AccountCode>) -> Result<AccountCode, ApiError> {
    caller.account(named).map_err(|error| match error {
        NoAccount::NotYours => ApiError::forbidden(error.to_string()).about("accountCode"),
        NoAccount::NotNamed => ApiError::invalid("accountCode", error.to_string()),
    })
}

fn query_account(request: &Request) -> Result<Option<AccountCode>, ApiError> {
    let Some(query) = request.query_string_parameters_ref() else { return Ok(None) };
    let named = query.first("accountCode").or_else(|| query.first("account_code"));
    let parsed = named.map(AccountCode::parse).transpose();
    parsed.map_err(|error| ApiError::invalid("accountCode", error.to_string()))
}

/// A body that says it is something else than JSON is not guessed at.
fn body(request: &Request) -> Result<&[u8], ApiError> {
    let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = content_type.map(|value| value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase());
    match media_type {
        Some(media_type) if media_type != "application/json" && !media_type.ends_with("+json") => {
            Err(ApiError::unsupported_media_type())
        }
        _ => aws::web::body(request, BODY_LIMIT),
    }
}

fn name_taken(name: &Ref) -> ApiError {
    let field = match name {
        Ref::Awb(_) => "awb".to_owned(),
        Ref::Provider { source, .. } => format!("refs.{}", source.as_str()),
        Ref::Order(_) => "orderId".to_owned(),
    };
    ApiError::conflict("another order of the account has it").about(field)
}
