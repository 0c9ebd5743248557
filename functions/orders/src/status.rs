//! `POST /api/external/orders/{order_id}/status`: a partner reports. It is an event like any carrier's.

use aws::lambda::auth::{authorize_order, query_account};
use aws::lambda::http_api::{ApiError, idempotency_key, json, json_body, request_id};
use aws::tables::inbound::{EventState, InboundEvent, Inserted};
use domain::auth::Caller;
use domain::core::hash::Fingerprint;
use domain::core::id::{EventId, OrderId, OrderKey};
use domain::core::timestamp::Timestamp;
use domain::orders::api_event::ApiEvent;
use domain::orders::request::read_status;
use domain::tracking::report::SourceName;
use lambda_http::{Body, Request, Response};

use crate::{BODY_LIMIT, Orders};

impl Orders {
    pub(crate) async fn report(
        &self,
        request: &Request,
        caller: &Caller,
        order: &str,
        now: Timestamp,
    ) -> Result<Response<Body>, ApiError> {
        let order_id = OrderId::parse(order).map_err(|_| ApiError::not_found("no such order"))?;
        let (report, in_body) = read_status(order_id, json_body(request, BODY_LIMIT)?)?;
        let in_query = query_account(request)?;
        let key =
            authorize_order(caller, in_body.as_ref().or(in_query.as_ref()), order, "accountCode")?;
        if self.orders.load(&key).await?.is_none() {
            return Err(ApiError::not_found("no such order"));
        }
        let event = InboundEvent {
            id: event_id(&key, request)?,
            source: SourceName::API,
            account: Some(key.account.clone()),
            received_at: now,
            state: EventState::Received,
            reason: None,
            body: ApiEvent::Status(report.clone()).to_body(),
        };
        self.keep_and_send(&event, now).await?;
        tracing::info!(account = %key.account, order_id = %key.order, event_id = %event.id, "order.reported");
        let answer = serde_json::json!({
            "reportId": event.id, "orderId": key.order, "accountCode": key.account, "status": report.status,
        });
        Ok(json(202, &answer))
    }

    async fn keep_and_send(&self, event: &InboundEvent, now: Timestamp) -> Result<(), ApiError> {
        match self.events.insert(event).await? {
            Inserted::Conflict => {
                return Err(ApiError::conflict("this Idempotency-Key came with another body"));
            }
            Inserted::Duplicate(state) if state.is_settled() => return Ok(()),
            Inserted::Duplicate(_) | Inserted::New => {}
        }
        if !self.send(&event.id).await {
            self.events.mark_pending(&event.id, now).await?;
        }
        Ok(())
    }
}

/// The key names the report. Without one, each request is a report of its own.
fn event_id(key: &OrderKey, request: &Request) -> Result<EventId, ApiError> {
    let fingerprint = Fingerprint::of("status").with(&key.account).with(&key.order);
    Ok(match idempotency_key(request)? {
        Some(given) => fingerprint.with("key").with(given).into(),
        None => fingerprint.with("request").with(request_id(request)).into(),
    })
}
