//! `POST /api/external/orders/{order_id}/status`: a partner's report, stored and processed like a
//! carrier's event.

use aws::lambda::auth::{authorize_order, query_account};
use aws::lambda::http_api::{ApiError, idempotency_key, json, json_body, request_id, traceparent};
use aws::tables::inbound::{EventState, InboundEvent, Inserted};
use domain::auth::Caller;
use domain::core::hash::Fingerprint;
use domain::core::id::{Awb, EventId, OrderId, OrderKey};
use domain::core::timestamp::Timestamp;
use domain::orders::api_event::{ApiEvent, StatusReport};
use domain::orders::request::read_status;
use domain::tracking::report::SourceName;
use lambda_http::{Body, Request, Response};

use crate::{BODY_LIMIT, OrdersApi};

impl OrdersApi {
    pub(crate) async fn report_status(
        &self,
        request: &Request,
        caller: &Caller,
        order: &str,
        now: Timestamp,
    ) -> Result<Response<Body>, ApiError> {
        let order_id = OrderId::parse(order).map_err(|_| ApiError::not_found("no such order"))?;
        let (report, body_account) = read_status(order_id, json_body(request, BODY_LIMIT)?)?;
        let query_account = query_account(request)?;
        let account = body_account.as_ref().or(query_account.as_ref());
        let key = authorize_order(caller, account, order, "accountCode")?;
        if self.orders.load(&key).await?.is_none() {
            return Err(ApiError::not_found("no such order"));
        }
        self.check_parcel(&key, report.awb.as_ref()).await?;
        let event = InboundEvent {
            id: event_id(&key, &report, request)?,
            source: SourceName::API,
            account: Some(key.account.clone()),
            received_at: now,
            state: EventState::Received,
            reason: None,
            traceparent: traceparent(request),
            body: ApiEvent::Status(report.clone()).to_body(),
        };
        self.insert_and_queue(&key, &event, now).await?;
        let OrderKey { account, order } = &key;
        tracing::info!(%account, order_id = %order, event_id = %event.id, "order.reported");
        let body = serde_json::json!({
            "reportId": event.id,
            "orderId": order,
            "accountCode": account,
            "status": report.status,
        });
        Ok(json(202, &body))
    }

    /// Any other AWB would be a mistake: the report is about the order of the path.
    async fn check_parcel(&self, key: &OrderKey, awb: Option<&Awb>) -> Result<(), ApiError> {
        let Some(awb) = awb else { return Ok(()) };
        let problem = match self.order_of_awb(&key.account, awb).await? {
            Some(order) if order == key.order => return Ok(()),
            Some(_) => "is a parcel of another order of this account",
            None => "is no parcel of this order: name it by a patch, or add it to the shipments",
        };
        Err(ApiError::invalid("awb", problem))
    }

    pub(crate) async fn insert_and_queue(
        &self,
        key: &OrderKey,
        event: &InboundEvent,
        now: Timestamp,
    ) -> Result<(), ApiError> {
        match self.events.insert(event).await? {
            Inserted::Conflict => {
                let message = "this Idempotency-Key was already used with a different body";
                return Err(ApiError::conflict(message));
            }
            Inserted::Duplicate(state) if state.is_settled() => return Ok(()),
            Inserted::Duplicate(_) | Inserted::New => {}
        }
        if !self.queue_event(key, &event.id).await {
            self.events.mark_pending(&event.id, now).await?;
        }
        Ok(())
    }
}

/// The Idempotency-Key identifies the report; without one, its content does, if that has a time.
/// Any other request is a report of its own.
fn event_id(key: &OrderKey, report: &StatusReport, request: &Request) -> Result<EventId, ApiError> {
    let fingerprint = Fingerprint::of("status").with(&key.account).with(&key.order);
    Ok(match (idempotency_key(request)?, report.occurred_at) {
        (Some(given), _) => fingerprint.with("key").with(given).into(),
        (None, Some(at)) => {
            let fingerprint = fingerprint
                .with("body")
                .with(report.status.as_str())
                .with(at.millis().to_be_bytes())
                .with_option(report.note.as_ref());
            // Reports without an AWB keep the ids they had before there was one.
            report.awb.iter().fold(fingerprint, |hash, awb| hash.with("awb").with(awb)).into()
        }
        (None, None) => fingerprint.with("request").with(request_id(request)).into(),
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use domain::core::id::AccountCode;

    use super::*;

    fn id(order: &str, body: &str, idempotency_key: Option<&str>) -> EventId {
        let order = OrderId::parse(order).unwrap();
        let account = AccountCode::parse("STORE001").unwrap();
        let (report, _) = read_status(order.clone(), body.as_bytes()).unwrap();
        let mut request = Request::default();
        if let Some(key) = idempotency_key {
            request.headers_mut().insert("idempotency-key", key.parse().unwrap());
        }
        event_id(&OrderKey { account, order }, &report, &request).unwrap()
    }

    #[test]
    fn a_body_with_a_time_identifies_its_report() {
        let body = r#"{"status":"lost","occurredAt":"2026-01-20T10:15:30+05:30"}"#;
        let same = r#"{ "occurred_at" : "2026-01-20T04:45:30.000Z", "status" : "lost" }"#;
        assert_eq!(id("A", body, None), id("A", same, None));
        for (order, other) in [
            ("B", body),
            ("A", r#"{"status":"delivered","occurredAt":"2026-01-20T10:15:30+05:30"}"#),
            ("A", r#"{"status":"lost","occurredAt":"2026-01-20T10:15:31+05:30"}"#),
            ("A", r#"{"status":"lost","occurredAt":"2026-01-20T10:15:30+05:30","note":""}"#),
            ("A", r#"{"status":"lost","occurredAt":"2026-01-20T10:15:30+05:30","awb":"19"}"#),
            ("A", r#"{"status":"lost"}"#),
        ] {
            assert_ne!(id("A", body, None), id(order, other, None), "{order} {other}");
        }
    }

    /// A release must not change the ids of the one before.
    #[test]
    fn the_id_of_a_body_never_changes() {
        let id_with = |field: &str| {
            let time = r#""occurredAt":"2026-01-20T10:15:30+05:30""#;
            String::from(id("A", &format!(r#"{{"status":"lost",{time}{field}}}"#), None))
        };
        assert_eq!(id_with(""), "a2ukzukjf56entfshyaakczvsti2gpqn");
        assert_eq!(id_with(r#","awb":null"#), id_with(""));
        assert_eq!(id_with(r#","note":"x""#), "6ftpaapnb52g747qj5seyzmahvxiimtt");
        assert_eq!(id_with(r#","note":"x","awb":19"#), "6ndv456zfgoctklsqxooaakuv5edgoby");
        assert_eq!(id_with(r#","note":"x","awb":"19""#), "6ndv456zfgoctklsqxooaakuv5edgoby");
    }

    #[test]
    fn an_idempotency_key_identifies_the_report_whatever_its_body() {
        let timed = r#"{"status":"lost","occurredAt":"2026-01-20T10:15:30+05:30"}"#;
        let first = id("A", timed, Some("1"));
        assert_eq!(first, id("A", r#"{"status":"delivered"}"#, Some("1")));
        assert_ne!(first, id("A", timed, Some("2")));
        assert_ne!(first, id("A", timed, None));
    }
}
