//! The messages that shoppers get about their orders, and what they write themselves: recorded, and shown.

mod conversation;
mod list;
mod tracking;

use aws::clock::now;
use aws::lambda::auth::Callers;
use aws::lambda::http_api::{ApiError, request_id, respond, route_key};
use aws::settings::Settings;
use aws::tables::messages::Messages as MessagesTable;
use aws::tables::orders::Orders;
use domain::core::timestamp::Timestamp;
use lambda_http::{Body, Error, Request, Response};

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
        respond(&id, self.route(&request, now()).await)
    }

    async fn route(&self, request: &Request, now: Timestamp) -> Result<Response<Body>, ApiError> {
        let caller = self.callers.authenticate(request, now).await?;
        if !caller.may_use_messages() {
            return Err(ApiError::forbidden("this caller may not work on messages"));
        }
        match route_key(request) {
            "POST /api/orders/message-tracking" => self.track(request, &caller, now).await,
            "GET /api/orders/{order_id}/messages" => self.list(request, &caller).await,
            "GET /api/messages/whatsapp" => self.show_conversation(request, &caller).await,
            _ => Err(ApiError::not_found("no such route")),
        }
    }
}
