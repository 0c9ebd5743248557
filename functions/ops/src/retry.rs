//! `POST /api/webhooks/retry/{id}`: an event goes the way that it went when it came in.

use aws::lambda::http_api::{ApiError, json};
use aws::tables::contention::{Try, retry};
use aws::tables::inbound::{EventMessage, EventState, Pending};
use domain::auth::Caller;
use domain::core::id::EventId;
use domain::core::timestamp::Timestamp;
use lambda_http::{Body, Response};

use crate::Ops;

/// How often an event is reopened because others work on it.
const TRIES: u32 = 5;

impl Ops {
    pub(crate) async fn retry(
        &self,
        caller: &Caller,
        id: &str,
        now: Timestamp,
    ) -> Result<Response<Body>, ApiError> {
        let response = retry(TRIES, || self.retry_once(caller, id, now));
        response.await?.ok_or_else(ApiError::unavailable)
    }

    async fn retry_once(
        &self,
        caller: &Caller,
        id: &str,
        now: Timestamp,
    ) -> Result<Try<Response<Body>>, ApiError> {
        let row = self.find(caller, id).await?;
        // A processed event with a reason was applied in part: the rest may be readable by now.
        if row.state == EventState::Processed && row.reason.is_none() {
            return Ok(Try::Done(outcome(200, &row.id, "already_applied")));
        }
        if !self.tables.events.reopen(&row.id, row.state, now).await? {
            return Ok(Try::Contended);
        }
        tracing::info!(event_id = %row.id, state = row.state.as_str(), "event.reopened");
        self.send(Pending { id: row.id.clone(), since: now }).await;
        Ok(Try::Done(outcome(202, &row.id, "queued")))
    }

    /// The event is pending: what cannot be sent now, or noted as sent, is sent within a minute or two.
    async fn send(&self, pending: Pending) {
        let sent = match self.queues.events.send(EventMessage::write(&pending.id)).await {
            Ok(()) => self.tables.events.clear_pending(&pending).await,
            Err(error) => Err(error),
        };
        if let Err(error) = sent {
            tracing::warn!(event_id = %pending.id, %error, "event.send_failed");
        }
    }
}

fn outcome(status: u16, id: &EventId, word: &str) -> Response<Body> {
    json(status, &serde_json::json!({"id": id, "status": word}))
}
