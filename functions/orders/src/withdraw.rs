//! `DELETE /api/external/orders/{order_id}/timeline/{report_id}`: takes a mistaken report back.

use aws::lambda::auth::{authorize_order, query_account};
use aws::lambda::http_api::{ApiError, json, traceparent};
use aws::tables::inbound::{EventState, InboundEvent};
use domain::auth::Caller;
use domain::core::hash::Fingerprint;
use domain::core::id::{OrderKey, ReportId};
use domain::core::timestamp::Timestamp;
use domain::orders::api_event::{ApiEvent, Withdrawal};
use domain::orders::order::is_withdrawn;
use domain::tracking::entry::TimelineEntry;
use domain::tracking::report::SourceName;
use lambda_http::{Body, Request, Response};

use crate::OrdersApi;

impl OrdersApi {
    /// Answers 202, and 200 once the report is withdrawn.
    pub(crate) async fn withdraw(
        &self,
        request: &Request,
        caller: &Caller,
        (order, report): (&str, &str),
        now: Timestamp,
    ) -> Result<Response<Body>, ApiError> {
        if !caller.can_withdraw_reports() {
            return Err(forbidden());
        }
        let account = query_account(request)?;
        let key = authorize_order(caller, account.as_ref(), order, "accountCode")?;
        let loaded = self.orders.load_with_timeline(&key).await?;
        let (_, entries) = loaded.ok_or_else(|| ApiError::not_found("no such order"))?;
        let entry = entries.iter().find(|entry| entry.id.as_str() == report);
        let entry = entry.ok_or_else(|| ApiError::not_found("no such report"))?;
        check_permission(caller, entry)?;
        if is_withdrawn(&entry.id, &entries) {
            return Ok(answer(200, &key, &entry.id, "withdrawn"));
        }
        let event = withdrawal_event(&key, &entry.id, now);
        let event = InboundEvent { traceparent: traceparent(request), ..event };
        self.insert_and_queue(&key, &event, now).await?;
        let OrderKey { account, order } = &key;
        tracing::info!(%account, order_id = %order, report_id = %entry.id, "report.withdrawal");
        Ok(answer(202, &key, &entry.id, "accepted"))
    }
}

/// Partners take back what was reported through the API. Only an admin takes back the report of a
/// carrier.
fn check_permission(caller: &Caller, entry: &TimelineEntry) -> Result<(), ApiError> {
    let Some(report) = entry.report() else {
        let message = "is no report: a parcel is corrected by a patch of the order";
        return Err(ApiError::invalid("report_id", message));
    };
    let is_allowed = report.source == SourceName::API || caller.can_operate();
    is_allowed.then_some(()).ok_or_else(forbidden)
}

fn forbidden() -> ApiError {
    ApiError::forbidden("these credentials do not allow withdrawing this report")
}

/// One withdrawal of a report, however often it is requested.
fn withdrawal_event(key: &OrderKey, report: &ReportId, now: Timestamp) -> InboundEvent {
    let withdrawal = Withdrawal { order_id: key.order.clone(), report_id: report.clone() };
    let id = Fingerprint::of("withdrawal").with(&key.account).with(&key.order).with(report);
    InboundEvent {
        id: id.into(),
        source: SourceName::API,
        account: Some(key.account.clone()),
        received_at: now,
        state: EventState::Received,
        reason: None,
        traceparent: None,
        body: ApiEvent::Withdrawal(withdrawal).to_body(),
    }
}

fn answer(status: u16, key: &OrderKey, report: &ReportId, state: &str) -> Response<Body> {
    let body = serde_json::json!({
        "orderId": key.order,
        "accountCode": key.account,
        "reportId": report,
        "state": state,
    });
    json(status, &body)
}
