//! `POST /api/deliveries/{id}/replay`: sends a delivery that has ended once more.

use std::time::Duration;

use aws::lambda::http_api::{ApiError, json};
use aws::sqs::Outgoing;
use aws::tables::audit::AuditAction;
use aws::tables::contention::{Try, retry};
use domain::auth::Caller;
use domain::core::timestamp::Timestamp;
use domain::webhooks::replay::ReplayDecision;
use lambda_http::{Body, Response};

use crate::Ops;
use crate::audit::{Act, only};

/// Attempts to begin a run under contention.
const TRIES: u32 = 5;
/// `sweep` queues the delivery this long after it could not be queued here.
const SWEPT_AFTER: Duration = Duration::from_secs(60);

impl Ops {
    pub(crate) async fn replay_delivery(
        &self,
        caller: &Caller,
        id: &str,
        now: Timestamp,
    ) -> Result<Response<Body>, ApiError> {
        let response = retry(TRIES, || self.begin_run(caller, id, now));
        response.await?.ok_or_else(ApiError::unavailable)
    }

    async fn begin_run(
        &self,
        caller: &Caller,
        id: &str,
        now: Timestamp,
    ) -> Result<Try<Response<Body>>, ApiError> {
        let (row, body) = self.find_delivery(caller, id).await?;
        match ReplayDecision::new(row.kind, row.state, row.replayed_at, now) {
            ReplayDecision::Begun => return Ok(Try::Done(queued(id, row.run))),
            ReplayDecision::DeadAgain => {
                let message = "the replay of less than a minute ago is dead: replay it later";
                return Err(ApiError::conflict(message));
            }
            ReplayDecision::Unfinished => {
                let message = format!("the delivery is {}: it has not ended", row.state.as_str());
                return Err(ApiError::conflict(message));
            }
            ReplayDecision::Sent => {
                let message = "the shopper has the message, or may have it";
                return Err(ApiError::conflict(message));
            }
            ReplayDecision::Begin if body.is_none() => {
                return Err(ApiError::erased("the delivery's body was erased"));
            }
            ReplayDecision::Begin => {}
        }
        let act = Act::new(AuditAction::ReplayDelivery, id, only(row.account.as_ref()));
        self.record(caller, act, now).await?;
        let deliveries = &self.tables.deliveries;
        let due = now.after(SWEPT_AFTER);
        let Some(delivery) = deliveries.restart(&row, due, false, now).await? else {
            return Ok(Try::Contended);
        };
        tracing::info!(delivery_id = delivery.id, run = delivery.run, "delivery.replayed");
        let message =
            Outgoing { body: delivery.to_message(), group: delivery.endpoint.as_str().to_owned() };
        if let Err(error) = self.queues.deliveries.send(message).await {
            tracing::warn!(delivery_id = delivery.id, %error, "delivery.send_failed");
        }
        Ok(Try::Done(queued(id, delivery.run)))
    }
}

fn queued(id: &str, run: u32) -> Response<Body> {
    json(202, &serde_json::json!({"id": id, "run": run, "status": "queued"}))
}
