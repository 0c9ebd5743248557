//! The orders API for partners: create, list, show and patch orders, and report their statuses.
//! Only `process` writes an order's status.

mod create;
mod erase;
mod list;
mod names;
mod patch;
mod shipments;
mod status;
mod withdraw;

use aws::client::Clients;
use aws::clock::now;
use aws::env::{BadEnvironment, Environment};
use aws::lambda::HttpInvocation;
use aws::lambda::auth::{Callers, authorize_order, query_account};
use aws::lambda::http_api::{
    ApiError, check_query, json, page_request, request_id, respond, route_key,
};
use aws::settings::Settings;
use aws::sqs::Queue;
use aws::tables::audit::AuditLog;
use aws::tables::auth_failures::AuthFailures;
use aws::tables::inbound::{EventMessage, InboundLog};
use aws::tables::orders::Orders;
use aws::tracking_links::OrderLinks;
use domain::core::id::{EventId, OrderKey};
use domain::core::timestamp::Timestamp;
use domain::orders::erasure::Scope;
use domain::orders::view::OrderView;
use domain::pagination::{MAX_LIMIT, PageRequest};
use domain::tracking::report::{Ref, SourceName};
use lambda_http::http::Method;
use lambda_http::{Body, Request, RequestExt, Response};

/// In bytes.
const BODY_LIMIT: usize = 64 * 1024;

/// The newest entries of a timeline.
const FIRST_PAGE: PageRequest = PageRequest { limit: MAX_LIMIT, after: None };

/// Attempts to write an order under contention.
const TRIES: u32 = 5;

pub struct OrdersApi {
    orders: Orders,
    events: InboundLog,
    queue: Queue,
    callers: Callers,
    audit: AuditLog,
    links: OrderLinks,
}

impl OrdersApi {
    pub fn from_environment(
        clients: &Clients,
        environment: &Environment,
    ) -> Result<Self, BadEnvironment> {
        let dynamodb = clients.dynamodb();
        let settings = Settings::from_environment(clients.ssm(), environment)?;
        let state = environment.variable("STATE_TABLE")?;
        let failures = AuthFailures::new(dynamodb.clone(), state.clone());
        let audit = AuditLog::new(dynamodb.clone(), state);
        Ok(Self::new(
            Orders::new(dynamodb.clone(), environment.variable("ORDERS_TABLE")?)
                .with_retention(environment)?,
            InboundLog::new(dynamodb, environment.variable("INBOUND_TABLE")?),
            Queue::new(clients.sqs(), environment.variable("EVENTS_QUEUE_URL")?),
            Callers::new(settings.clone(), failures),
            audit,
            OrderLinks::new(settings),
        ))
    }

    pub fn new(
        orders: Orders,
        events: InboundLog,
        queue: Queue,
        callers: Callers,
        audit: AuditLog,
        links: OrderLinks,
    ) -> Self {
        Self { orders, events, queue, callers, audit, links }
    }

    pub fn handle(&self, request: Request) -> HttpInvocation<'_> {
        Box::pin(async move {
            let id = request_id(&request);
            respond(&id, self.route(&request, now()).await)
        })
    }

    async fn route(&self, request: &Request, now: Timestamp) -> Result<Response<Body>, ApiError> {
        let caller = self.callers.authenticate(request, now).await?;
        if !caller.can_use_orders() {
            return Err(ApiError::forbidden("these credentials do not allow access to orders"));
        }
        let order_id =
            request.path_parameters_ref().and_then(|parameters| parameters.first("order_id"));
        let report_id =
            request.path_parameters_ref().and_then(|parameters| parameters.first("report_id"));
        // From the route, not the path: an order id may itself end in `/status`.
        let last = route_key(request).rsplit('/').next().unwrap_or_default();
        check_query(request, query_parameters(request.method(), order_id))?;
        match (request.method(), order_id) {
            (&Method::POST, Some(order)) if last == "status" => {
                self.report_status(request, &caller, order, now).await
            }
            (&Method::POST, Some(order)) if last == "shipments" => {
                self.add_shipment(request, &caller, order, now).await
            }
            (&Method::DELETE, Some(order)) if let Some(report) = report_id => {
                self.withdraw(request, &caller, (order, report), now).await
            }
            (&Method::DELETE, Some(order)) if last == "customer" => {
                self.erase(request, &caller, order, Scope::Customer, now).await
            }
            (&Method::DELETE, Some(order)) => {
                self.erase(request, &caller, order, Scope::Order, now).await
            }
            (&Method::GET, None) => self.list(request, &caller).await,
            (&Method::POST, None) => self.create(request, &caller, now).await,
            (&Method::GET, Some(order)) => {
                let account = query_account(request)?;
                let key = authorize_order(&caller, account.as_ref(), order, "accountCode")?;
                self.show(&key, &timeline_page(request)?, 200).await
            }
            (&Method::PATCH, Some(order)) => self.patch(request, &caller, order, now).await,
            _ => Err(ApiError::not_found("no such route")),
        }
    }

    async fn show(
        &self,
        key: &OrderKey,
        page: &PageRequest,
        status: u16,
    ) -> Result<Response<Body>, ApiError> {
        let found = self.orders.load_all_of(key).await?;
        let (order, entries, checkpoints) =
            found.ok_or_else(|| ApiError::not_found("no such order"))?;
        let links = self.links.get(now()).await?;
        let links = links.as_ref().as_ref();
        Ok(json(status, &OrderView::new(&order, &entries, &checkpoints, page, links)))
    }

    /// Returns false if the event could not be queued. Reconciliation events are stored as pending,
    /// so `sweep` queues them within a minute.
    async fn queue_event(&self, key: &OrderKey, event: &EventId) -> bool {
        let message = EventMessage::outgoing(event, Some(&key.account), &SourceName::API);
        let sent = self.queue.send(message).await;
        sent.inspect_err(|error| tracing::warn!(event_id = %event, %error, "event.send_failed"))
            .is_ok()
    }
}

/// Without a limit, a page of a timeline is as long as possible.
fn timeline_page(request: &Request) -> Result<PageRequest, ApiError> {
    let page = page_request(request)?;
    let query = request.query_string_parameters_ref();
    let has_limit = query.is_some_and(|query| query.first("limit").is_some());
    Ok(if has_limit { page } else { PageRequest { limit: MAX_LIMIT, ..page } })
}

fn query_parameters(method: &Method, order_id: Option<&str>) -> &'static [&'static str] {
    match (method, order_id) {
        (&Method::GET, Some(_)) => &["accountCode", "account_code", "limit", "page"],
        (_, Some(_)) => &["accountCode", "account_code"],
        (&Method::GET, None) => {
            &["accountCode", "account_code", "status", "awb", "phone", "limit", "page"]
        }
        _ => &[],
    }
}

fn name_taken(name: &Ref) -> ApiError {
    let field = match name {
        Ref::Awb(_) => "awb".to_owned(),
        Ref::Provider { source, .. } => format!("refs.{}", source.as_str()),
        Ref::Order(_) => "orderId".to_owned(),
    };
    ApiError::conflict("already in use by another order of this account").with_field(field)
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn a_timeline_page_is_as_long_as_possible_unless_it_is_limited() {
        let limit = |query: &[(&str, &str)]| {
            let query: HashMap<String, String> = query
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect();
            let request = Request::default().with_query_string_parameters(query);
            timeline_page(&request).map(|page| page.limit)
        };
        assert_eq!(limit(&[]).unwrap(), 100);
        assert_eq!(limit(&[("accountCode", "STORE001")]).unwrap(), 100);
        assert_eq!(limit(&[("limit", "7")]).unwrap(), 7);
        assert!(limit(&[("limit", "101")]).is_err());
    }
}
