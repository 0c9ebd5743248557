//! `POST /api/orders/message-tracking`.

use aws::lambda::auth::authorize;
use aws::lambda::http_api::{ApiError, idempotency_key, json, json_body, request_id};
use aws::tables::contention::{Try, retry};
use aws::tables::messages::{Recorded, SeenRequest, TrackingRow};
use domain::auth::Caller;
use domain::core::id::OrderId;
use domain::core::timestamp::Timestamp;
use domain::messaging::channel::ProviderMessageId;
use domain::messaging::linked::TrackedMessage;
use domain::messaging::message::{Message, MessageKey, MessageStatus, NewMessage};
use domain::messaging::message_status::ProviderMessageKey;
use domain::messaging::send::SendId;
use domain::orders::order::Order;
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
        check_status(&new_message)?;
        let request_id = request_id(request);
        let provider_id = new_message.message_id.clone();
        let key = message_key(idempotency_key(request)?, provider_id.as_ref(), &request_id);
        let message = self.track(&Message::new(new_message, &key, now), &key, now).await?;
        let (account, order_id) = (&message.account_code, message.order_id.as_ref());
        let order_id = order_id.map(OrderId::as_str);
        tracing::info!(%account, order_id, message_id = message.id, "message.recorded");
        let body = serde_json::json!({
            "success": true,
            "message": "Message tracking record created",
            "data": Receipt::of(&message),
        });
        Ok(json(201, &body))
    }

    /// Stores the message, or moves the status of the known message that it names. A repeated
    /// request gets the message of the first one.
    async fn track(
        &self,
        message: &Message,
        key: &MessageKey<'_>,
        now: Timestamp,
    ) -> Result<Message, ApiError> {
        let tracked = retry(TRIES, || self.track_once(message, key, now));
        tracked.await?.ok_or_else(ApiError::unavailable)
    }

    async fn track_once(
        &self,
        message: &Message,
        key: &MessageKey<'_>,
        now: Timestamp,
    ) -> Result<Try<Message>, ApiError> {
        let no_order = || ApiError::not_found("no such order");
        let order = message.order().ok_or_else(no_order)?;
        let order = self.orders.load(&order).await?.ok_or_else(no_order)?;
        let linked = self.load_linked(message).await?;
        let record = linked.as_ref().and_then(|row| row.tracked.record.clone());
        match (linked, record) {
            (Some(row), Some(record)) if moves(message, &record, key) => {
                self.move_once(message, key, row, record, now).await
            }
            (_, Some(record)) => replay_or_conflict(message, &record).map(Try::Done),
            (linked, None) => self.record_once(message, key, &order, linked, now).await,
        }
    }

    async fn record_once(
        &self,
        message: &Message,
        key: &MessageKey<'_>,
        before: &Order,
        mut linked: Option<TrackingRow>,
        now: Timestamp,
    ) -> Result<Try<Message>, ApiError> {
        if let Some(row) = &mut linked {
            row.tracked.link(message);
        }
        let display_status = linked.as_ref().map_or_else(
            || TrackedMessage::default().display_status(message),
            |row| row.tracked.display_status(message),
        );
        let after = message.latest_on(before, display_status, now);
        let states = [before, &after];
        match self.messages.record(message, linked.as_ref(), &self.orders, states, now).await? {
            Recorded::New => {
                if let Some(row) = linked {
                    self.repeat_early_answers(row, now).await;
                }
                Ok(Try::Done(message.clone()))
            }
            // Recorded since the tracking row was read: the row names it now.
            Recorded::Duplicate(first) if moves(message, &first, key) => Ok(Try::Contended),
            Recorded::Duplicate(first) => replay_or_conflict(message, &first).map(Try::Done),
            Recorded::RevMismatch => Ok(Try::Contended),
        }
    }

    /// If this fails, the next status of the message repeats it.
    async fn repeat_early_answers(&self, row: TrackingRow, now: Timestamp) {
        let TrackingRow { key, tracked, .. } = row;
        let (early, queue) = (tracked.early_answers, &self.events_queue);
        if let Err(error) = self.messages.repeat_early_answers(&key, &early, queue, now).await {
            tracing::warn!(%error, "message.early_answers_failed");
        }
    }

    /// Moves the status of a known message by rank, like a report of its provider. With an
    /// idempotency key the move is made once.
    async fn move_once(
        &self,
        message: &Message,
        key: &MessageKey<'_>,
        mut row: TrackingRow,
        record: Message,
        now: Timestamp,
    ) -> Result<Try<Message>, ApiError> {
        let is_keyed = matches!(key, MessageKey::Idempotency(_));
        if is_keyed && let Some(request) = self.messages.request(message).await? {
            replay_or_conflict(message, &request.message)?;
            return Ok(Try::Done(request.answer));
        }
        let before = row.tracked.tracking.status();
        let has_moved = row.tracked.move_to(message, now);
        let status = MessageStatus::parse(&row.tracked.display_status(&record));
        let message_status = status.unwrap_or_else(|| record.message_status.clone());
        let answer = Message { message_status, ..record };
        let saved = if is_keyed {
            let request = SeenRequest { message: message.clone(), answer: answer.clone() };
            self.messages.save_move(&row, before, &self.orders, &request, now).await?
        } else {
            let save = self.messages.save_tracking(&row, before, &self.orders, now);
            !has_moved || save.await?.is_some()
        };
        Ok(if saved { Try::Done(answer) } else { Try::Contended })
    }

    /// The tracking row of the provider's message, if the request has a provider's message id.
    async fn load_linked(&self, message: &Message) -> Result<Option<TrackingRow>, ApiError> {
        let Some(provider) = message.message_id.clone() else { return Ok(None) };
        let key = ProviderMessageKey { account: message.account_code.clone(), message: provider };
        Ok(Some(self.messages.load_tracking(&key).await?))
    }
}

/// Only Waypost knows the result of its own request.
fn check_status(new: &NewMessage) -> Result<(), ApiError> {
    let is_ours = new.message_id.as_ref().is_some_and(|id| SendId::parse(id.as_str()).is_some());
    if is_ours && ["sending", "not_sent", "unknown"].contains(&new.message_status.as_str()) {
        let problem = "is said by Waypost alone, of a message that it sends";
        return Err(ApiError::invalid("message_status", problem));
    }
    Ok(())
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

/// True if the request is another report about the recorded message: about the same order, and no
/// repeat of the request that created the record, which the same idempotency key shows.
fn moves(message: &Message, record: &Message, key: &MessageKey<'_>) -> bool {
    let is_same_request = matches!(key, MessageKey::Idempotency(_)) && message.id == record.id;
    message.order() == record.order() && !message.repeats(record) && !is_same_request
}

/// Returns the first record if this request is identical to the one that created it.
fn replay_or_conflict(message: &Message, first: &Message) -> Result<Message, ApiError> {
    if message.repeats(first) {
        return Ok(first.clone());
    }
    Err(if message.id == first.id {
        ApiError::conflict("this Idempotency-Key was already used with a different body")
    } else {
        ApiError::conflict("already in use by another record").with_field("message_id")
    })
}

#[derive(Serialize)]
struct Receipt<'a> {
    id: &'a str,
    order_id: Option<&'a OrderId>,
    account_code: &'a str,
    message_status: &'a MessageStatus,
    sent_at: Timestamp,
}

impl<'a> Receipt<'a> {
    fn of(message: &'a Message) -> Self {
        Self {
            id: &message.id,
            order_id: message.order_id.as_ref(),
            account_code: message.account_code.as_str(),
            message_status: &message.message_status,
            sent_at: message.sent_at,
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn message(order: &str, status: &str, key: &MessageKey<'_>) -> Message {
        let body = serde_json::json!({
            "order_id": order, "account_code": "A", "message_status": status, "message_id": "wamid.1",
        });
        let new = NewMessage::read(body.to_string().as_bytes()).unwrap();
        Message::new(new, key, Timestamp::EPOCH)
    }

    #[test]
    fn what_came_of_our_own_request_is_not_for_others_to_say() {
        let ours = format!("wa_{}", "0a".repeat(16));
        let check = |id: &str, status: &str| {
            let body = serde_json::json!({
                "order_id": "O", "account_code": "A", "message_status": status, "message_id": id,
            });
            check_status(&NewMessage::read(body.to_string().as_bytes()).unwrap()).is_ok()
        };
        for status in ["sending", "not_sent", "unknown"] {
            assert!(!check(&ours, status) && check("wamid.1", status), "{status}");
        }
        assert!(check(&ours, "read"));
    }

    #[test]
    fn only_another_report_about_a_recorded_message_moves_its_status() {
        use MessageKey::{Idempotency, Provider};
        let first = Provider("wamid.1");
        let keyed = Idempotency("one");
        for (created_by, order, status, key, expected) in [
            (first, "O", "read", first, true),
            (first, "O", "sent", first, false),
            (first, "O", "sent", keyed, true),
            (first, "P", "read", first, false),
            (keyed, "O", "read", keyed, false),
            (keyed, "O", "sent", keyed, false),
            (keyed, "O", "read", Idempotency("two"), true),
            (keyed, "O", "read", first, true),
        ] {
            let record = message("O", "sent", &created_by);
            let message = message(order, status, &key);
            assert_eq!(moves(&message, &record, &key), expected, "{order} {status} {key:?}");
        }
    }
}
