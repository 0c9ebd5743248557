//! What became of the messages that shoppers get about their orders: recorded, and shown by order.

use aws::callers::{Callers, account_of, order_key, query_account};
use aws::clock::now;
use aws::contention::pause;
use aws::messages::{Messages as MessagesTable, Recorded, sort_key};
use aws::orders::Orders;
use aws::settings::Settings;
use aws::web::{ApiError, answer, idempotency_key, json, json_body, page, request_id};
use domain::access::Caller;
use domain::id::OrderKey;
use domain::message::{Message, MessageKey, NewMessage};
use domain::order::Order;
use domain::page::{Page, cursor};
use domain::timestamp::Timestamp;
use lambda_http::http::Method;
use lambda_http::{Body, Error, Request, RequestExt, Response};

/// The largest body, in bytes.
const BODY_LIMIT: usize = 256 * 1024;
/// How often a write is tried because others write the same order.
const TRIES: u32 = 5;

/// The function.
pub struct Messages {
    messages: MessagesTable,
    orders: Orders,
    callers: Callers,
}

impl Messages {
    /// With its tables and its settings.
    pub fn new(messages: MessagesTable, orders: Orders, settings: Settings) -> Self {
        Self { messages, orders, callers: Callers::new(settings) }
    }

    /// Answers one request.
    ///
    /// # Errors
    /// None; the type is what the runtime asks for.
    pub async fn handle(&self, request: Request) -> Result<Response<Body>, Error> {
        let id = request_id(&request);
        answer(&id, self.route(&request, now()).await)
    }

    async fn route(&self, request: &Request, now: Timestamp) -> Result<Response<Body>, ApiError> {
        let caller = self.callers.identify(request, now).await?;
        if !caller.may_use_messages() {
            return Err(ApiError::forbidden("this caller may not work on messages"));
        }
        let named = request.path_parameters_ref().and_then(|parameters| parameters.first("order_id"));
        match (request.method(), named) {
            (&Method::POST, None) => self.track(request, &caller, now).await,
            (&Method::GET, Some(order)) => self.list(request, &caller, order).await,
            _ => Err(ApiError::not_found("no such route")),
        }
    }

    async fn track(&self, request: &Request, caller: &Caller, now: Timestamp) -> Result<Response<Body>, ApiError> {
        let asked = NewMessage::read(json_body(request, BODY_LIMIT)?)?;
        let account = account_of(caller, Some(&asked.account_code), "account_code")?;
        let key = OrderKey { account, order: asked.order_id };
        let request_id = request_id(request);
        let named = idempotency_key(request)?.map_or(MessageKey::Request(&request_id), MessageKey::Idempotency);
        let message = Message::new(&key, asked.message_status, &named, now);
        let recorded = self.record(&key, message).await?;
        tracing::info!(account = %key.account, order_id = %key.order, message_id = recorded.id, "message.recorded");
        let body = serde_json::json!({
            "success": true, "message": "Message tracking record created", "data": recorded,
        });
        Ok(json(201, &body))
    }

    /// Stores the message; or finds the one that the same request stored before.
    async fn record(&self, key: &OrderKey, message: Message) -> Result<Message, ApiError> {
        for attempt in 0..TRIES {
            let before = self.orders.load(key).await?.ok_or_else(|| ApiError::not_found("no such order"))?;
            match self.messages.record(&message, &self.orders, &before, &after(&before, &message)).await? {
                Recorded::Done => return Ok(message),
                Recorded::Before(first) if first.message_status == message.message_status => return Ok(first),
                Recorded::Before(_) => {
                    return Err(ApiError::conflict("this Idempotency-Key came with another body"));
                }
                Recorded::Stale => pause(attempt).await,
            }
        }
        Err(ApiError::unavailable())
    }

    async fn list(&self, request: &Request, caller: &Caller, order: &str) -> Result<Response<Body>, ApiError> {
        let key = order_key(caller, query_account(request)?.as_ref(), order, "account_code")?;
        let page = page(request)?;
        if self.orders.load(&key).await?.is_none() {
            return Err(ApiError::not_found("no such order"));
        }
        let items = self.messages.of_order(&key, &page).await?;
        let full = items.len() == page.limit;
        let next_page = items.last().filter(|_| full).map(|last| cursor(&sort_key(last)));
        Ok(json(200, &Page { items, next_page }))
    }
}

/// The order with the message, if none is newer. Its version stays: nothing about the parcel has changed.
fn after(before: &Order, message: &Message) -> Order {
    let mut state = before.state.clone();
    state.rev += 1;
    if state.latest_message_at.is_none_or(|latest| latest <= message.sent_at) {
        state.latest_message_at = Some(message.sent_at);
        state.latest_message_status = Some(message.message_status.as_str().to_owned());
        state.updated_at = state.updated_at.max(message.sent_at);
    }
    Order { state, ..before.clone() }
}
