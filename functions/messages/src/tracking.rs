//! `POST /api/orders/message-tracking`.

use aws::lambda::auth::authorize;
use aws::lambda::http_api::{ApiError, idempotency_key, json, json_body, request_id};
use aws::tables::contention::pause;
use aws::tables::messages::{Recorded, TrackingRow};
use domain::auth::Caller;
use domain::core::timestamp::Timestamp;
use domain::messaging::channel::ProviderMessageId;
use domain::messaging::linked::TrackedMessage;
use domain::messaging::message::{Message, MessageKey, MessageStatus, NewMessage};
use domain::messaging::message_status::ProviderMessageKey;
use lambda_http::{Body, Request, Response};
use serde::Serialize;

use crate::Messages;

/// The largest body, in bytes.
const BODY_LIMIT: usize = 256 * 1024;
/// How often a write is tried because others write the same order.
const TRIES: u32 = 5;

impl Messages {
    pub(crate) async fn track(
        &self,
        request: &Request,
        caller: &Caller,
        now: Timestamp,
    ) -> Result<Response<Body>, ApiError> {
        let asked = NewMessage::read(json_body(request, BODY_LIMIT)?)?;
        authorize(caller, Some(&asked.account_code), "account_code")?;
        let request_id = request_id(request);
        let provider = asked.message_id.clone();
        let key = key(idempotency_key(request)?, provider.as_ref(), &request_id);
        let message = self.record(&Message::new(asked, &key, now), &key).await?;
        let (account, order_id) = (&message.account_code, &message.order_id);
        tracing::info!(%account, %order_id, message_id = message.id, "message.recorded");
        let data = Receipt::of(&message);
        let body = serde_json::json!({"success": true, "message": "Message tracking record created", "data": data});
        Ok(json(201, &body))
    }

    /// Stores the message; or finds the one that the same request stored before.
    async fn record(&self, message: &Message, key: &MessageKey<'_>) -> Result<Message, ApiError> {
        let order = message.order();
        for attempt in 0..TRIES {
            let before = self
                .orders
                .load(&order)
                .await?
                .ok_or_else(|| ApiError::not_found("no such order"))?;
            let mut linked = self.linked(message).await?;
            if let Some(record) = linked.as_ref().and_then(|row| row.tracked.record.as_ref()) {
                return again(message, record, key);
            }
            if let Some(row) = &mut linked {
                row.tracked.link(message);
            }
            let shown = linked.as_ref().map_or_else(
                || TrackedMessage::default().shown(message),
                |row| row.tracked.shown(message),
            );
            let after = message.noted_on(&before, shown, message.sent_at);
            match self
                .messages
                .record(message, linked.as_ref(), &self.orders, &before, &after)
                .await?
            {
                Recorded::Done => return Ok(message.clone()),
                Recorded::Before(first) => return again(message, &first, key),
                Recorded::Stale => pause(attempt).await,
            }
        }
        Err(ApiError::unavailable())
    }

    /// What is known of the provider's message, if the request names one.
    async fn linked(&self, message: &Message) -> Result<Option<TrackingRow>, ApiError> {
        let Some(provider) = message.message_id.clone() else { return Ok(None) };
        let key = ProviderMessageKey { account: message.account_code.clone(), message: provider };
        Ok(Some(self.messages.load_tracking(&key).await?))
    }
}

fn key<'a>(
    idempotency: Option<&'a str>,
    provider: Option<&'a ProviderMessageId>,
    request: &'a str,
) -> MessageKey<'a> {
    match (idempotency, provider) {
        (Some(key), _) => MessageKey::Idempotency(key),
        (None, Some(id)) => MessageKey::Provider(id.as_str()),
        (None, None) => MessageKey::Request(request),
    }
}

/// The first record, if this request repeats the one that made it.
fn again(message: &Message, first: &Message, key: &MessageKey<'_>) -> Result<Message, ApiError> {
    if message.repeats(first) {
        return Ok(first.clone());
    }
    Err(match key {
        _ if message.id != first.id => {
            ApiError::conflict("another record has it").with_field("message_id")
        }
        MessageKey::Provider(_) => {
            ApiError::conflict("the message was recorded with another status")
                .with_field("message_status")
        }
        _ => ApiError::conflict("this Idempotency-Key came with another body"),
    })
}

/// What the caller is told of its record.
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
