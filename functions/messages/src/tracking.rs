//! `POST /api/orders/message-tracking`.

use aws::lambda::auth::authorize;
use aws::lambda::http_api::{ApiError, idempotency_key, json, json_body, request_id};
use aws::tables::contention::{Try, retry};
use aws::tables::messages::{Recorded, TrackingRow};
use domain::auth::Caller;
use domain::core::timestamp::Timestamp;
use domain::messaging::channel::ProviderMessageId;
use domain::messaging::linked::TrackedMessage;
use domain::messaging::message::{Message, MessageKey, MessageStatus, NewMessage};
use domain::messaging::message_status::ProviderMessageKey;
use lambda_http::{Body, Request, Response};
use serde::Serialize;

use crate::MessagesApi;

/// In bytes.
const BODY_LIMIT: usize = 256 * 1024;
/// Attempts to write an order under contention.
const TRIES: u32 = 5;

impl MessagesApi {
    pub(crate) async fn create(
        &self,
        request: &Request,
        caller: &Caller,
        now: Timestamp,
    ) -> Result<Response<Body>, ApiError> {
        let new_message = NewMessage::read(json_body(request, BODY_LIMIT)?)?;
        authorize(caller, Some(&new_message.account_code), "account_code")?;
        let request_id = request_id(request);
        let provider_id = new_message.message_id.clone();
        let key = message_key(idempotency_key(request)?, provider_id.as_ref(), &request_id);
        let message = self.record(&Message::new(new_message, &key, now), &key).await?;
        let (account, order_id) = (&message.account_code, &message.order_id);
        tracing::info!(%account, %order_id, message_id = message.id, "message.recorded");
        let body = serde_json::json!({
            "success": true,
            "message": "Message tracking record created",
            "data": Receipt::of(&message),
        });
        Ok(json(201, &body))
    }

    /// Stores the message, or returns the one stored by an earlier identical request.
    async fn record(&self, message: &Message, key: &MessageKey<'_>) -> Result<Message, ApiError> {
        let recorded = retry(TRIES, || self.record_once(message, key));
        recorded.await?.ok_or_else(ApiError::unavailable)
    }

    async fn record_once(
        &self,
        message: &Message,
        key: &MessageKey<'_>,
    ) -> Result<Try<Message>, ApiError> {
        let before = self
            .orders
            .load(&message.order())
            .await?
            .ok_or_else(|| ApiError::not_found("no such order"))?;
        let mut linked = self.load_linked(message).await?;
        if let Some(record) = linked.as_ref().and_then(|row| row.tracked.record.as_ref()) {
            return replay_or_conflict(message, record, key).map(Try::Done);
        }
        if let Some(row) = &mut linked {
            row.tracked.link(message);
        }
        let display_status = linked.as_ref().map_or_else(
            || TrackedMessage::default().display_status(message),
            |row| row.tracked.display_status(message),
        );
        let after = message.latest_on(&before, display_status, message.sent_at);
        match self.messages.record(message, linked.as_ref(), &self.orders, &before, &after).await? {
            Recorded::New => Ok(Try::Done(message.clone())),
            Recorded::Duplicate(first) => replay_or_conflict(message, &first, key).map(Try::Done),
            Recorded::RevMismatch => Ok(Try::Contended),
        }
    }

    /// The tracking row of the provider's message, if the request has a provider's message id.
    async fn load_linked(&self, message: &Message) -> Result<Option<TrackingRow>, ApiError> {
        let Some(provider) = message.message_id.clone() else { return Ok(None) };
        let key = ProviderMessageKey { account: message.account_code.clone(), message: provider };
        Ok(Some(self.messages.load_tracking(&key).await?))
    }
}

fn message_key<'a>(
    idempotency_key: Option<&'a str>,
    provider_id: Option<&'a ProviderMessageId>,
    request_id: &'a str,
) -> MessageKey<'a> {
    match (idempotency_key, provider_id) {
        (Some(key), _) => MessageKey::Idempotency(key),
        (None, Some(id)) => MessageKey::Provider(id.as_str()),
        (None, None) => MessageKey::Request(request_id),
    }
}

/// Returns the first record if this request is identical to the one that created it.
fn replay_or_conflict(
    message: &Message,
    first: &Message,
    key: &MessageKey<'_>,
) -> Result<Message, ApiError> {
    if message.repeats(first) {
        return Ok(first.clone());
    }
    Err(match key {
        _ if message.id != first.id => {
            ApiError::conflict("already in use by another record").with_field("message_id")
        }
        MessageKey::Provider(_) => {
            ApiError::conflict("this message was already recorded with a different status")
                .with_field("message_status")
        }
        _ => ApiError::conflict("this Idempotency-Key was already used with a different body"),
    })
}

#[derive(Serialize)]
struct Receipt<'a> {
    id: &'a str,
    order_id: &'a str,
    account_code: &'a str,
    message_status: &'a MessageStatus,
    sent_at: Timestamp,
}

impl<'a> Receipt<'a> {
    fn of(message: &'a Message) -> Self {
        Self {
            id: &message.id,
            order_id: message.order_id.as_str(),
            account_code: message.account_code.as_str(),
            message_status: &message.message_status,
            sent_at: message.sent_at,
        }
    }
}
