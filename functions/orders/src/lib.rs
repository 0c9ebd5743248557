//! Partners' orders: created, shown, patched. The status is not theirs to write here; `process` alone moves it.

mod create;
mod list;
mod patch;
mod status;

use aws::clock::now;
use aws::lambda::auth::{Callers, authorize_order, query_account};
use aws::lambda::http_api::{ApiError, json, request_id, respond, route_key};
use aws::settings::Settings;
use aws::sqs::Queue;
use aws::tables::inbound::{EventMessage, InboundLog};
use aws::tables::orders::Orders as OrdersTable;
use domain::core::id::{EventId, OrderKey};
use domain::core::timestamp::Timestamp;
use domain::orders::view::OrderView;
use domain::tracking::report::Ref;
use lambda_http::http::Method;
use lambda_http::{Body, Error, Request, RequestExt, Response};

/// The largest body of an order, in bytes.
const BODY_LIMIT: usize = 64 * 1024;

/// How often a write is tried because others write the same order.
const TRIES: u32 = 5;

/// The function.
pub struct Orders {
    orders: OrdersTable,
    events: InboundLog,
    queue: Queue,
    callers: Callers,
}

impl Orders {
    /// With its tables, the events queue, and its settings.
    pub fn new(orders: OrdersTable, events: InboundLog, queue: Queue, settings: Settings) -> Self {
        Self { orders, events, queue, callers: Callers::new(settings) }
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
        if !caller.may_use_orders() {
            return Err(ApiError::forbidden("this user may not work on orders"));
        }
        let named =
            request.path_parameters_ref().and_then(|parameters| parameters.first("order_id"));
        // Not by the path: an order's id may end in it too.
        let reports = route_key(request).ends_with("/status");
        match (request.method(), named) {
            (&Method::POST, Some(order)) if reports => {
                self.report(request, &caller, order, now).await
            }
            (&Method::GET, None) => self.list(request, &caller).await,
            (&Method::POST, None) => self.create(request, &caller, now).await,
            (&Method::GET, Some(order)) => {
                self.show(
                    &authorize_order(
                        &caller,
                        query_account(request)?.as_ref(),
                        order,
                        "accountCode",
                    )?,
                    200,
                )
                .await
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

    /// Whether the event could be sent. An reconciliation is stored as pending: what cannot be sent now is sent within a
    /// minute.
    async fn send(&self, event: &EventId) -> bool {
        let sent = self.queue.send(EventMessage::write(event)).await;
        sent.inspect_err(|error| tracing::warn!(event_id = %event, %error, "event.send_failed"))
            .is_ok()
    }
}

fn name_taken(name: &Ref) -> ApiError {
    let field = match name {
        Ref::Awb(_) => "awb".to_owned(),
        Ref::Provider { source, .. } => format!("refs.{}", source.as_str()),
        Ref::Order(_) => "orderId".to_owned(),
    };
    ApiError::conflict("another order of the account has it").with_field(field)
}
