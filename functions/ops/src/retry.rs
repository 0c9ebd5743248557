//! `POST /api/webhooks/retry/{id}`: queues a stored event for processing again.

use aws::lambda::http_api::{ApiError, json};
use aws::tables::audit::AuditAction;
use aws::tables::contention::{Try, retry};
use aws::tables::inbound::{EventMessage, EventState, LogRow, Pending, Stage};
use domain::auth::Caller;
use domain::core::id::EventId;
use domain::core::timestamp::Timestamp;
use lambda_http::{Body, Response};

use crate::Ops;
use crate::audit::{Act, only};

/// Attempts to reopen an event under contention.
const TRIES: u32 = 5;

impl Ops {
    pub(crate) async fn retry_event(
        &self,
        caller: &Caller,
        id: &str,
        now: Timestamp,
    ) -> Result<Response<Body>, ApiError> {
        let response = retry(TRIES, || self.reopen_event(caller, id, now));
        response.await?.ok_or_else(ApiError::unavailable)
    }

    async fn reopen_event(
        &self,
        caller: &Caller,
        id: &str,
        now: Timestamp,
    ) -> Result<Try<Response<Body>>, ApiError> {
        let row = self.find_event(caller, id).await?;
        if row.erased_at.is_some() {
            return Err(ApiError::erased("the body of this event was erased"));
        }
        // A reason means that part of the event was not applied; a retry may apply it now.
        if row.state == EventState::Processed && row.reason.is_none() {
            return Ok(Try::Done(status(200, &row.id, "already_applied")));
        }
        let act = Act::new(AuditAction::RetryEvent, id, only(row.account.as_ref()));
        self.record(caller, act, now).await?;
        if !self.tables.events.reopen(&row.id, row.state, now).await? {
            return Ok(Try::Contended);
        }
        tracing::info!(event_id = %row.id, state = row.state.as_str(), "event.reopened");
        self.queue_event(&row, now).await;
        Ok(Try::Done(status(202, &row.id, "queued")))
    }

    /// The row is already pending: if the send or its record fails, `sweep` queues the event within
    /// two minutes. It stays pending as sent until it is processed.
    async fn queue_event(&self, row: &LogRow, now: Timestamp) {
        let pending = Pending { id: row.id.clone(), since: now };
        let message = EventMessage::outgoing(&row.id, row.account.as_ref(), &row.source);
        let sent = match self.queues.events.send(message).await {
            Ok(()) => self.tables.events.mark_sent(&pending, Stage::ToSend, now).await,
            Err(error) => Err(error),
        };
        if let Err(error) = sent {
            tracing::warn!(event_id = %pending.id, %error, "event.send_failed");
        }
    }
}

fn status(code: u16, id: &EventId, status: &str) -> Response<Body> {
    json(code, &serde_json::json!({"id": id, "status": status}))
}
