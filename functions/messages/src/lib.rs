//! The messages API: records messages sent to shoppers, and lists them and the WhatsApp
//! conversations.

mod conversation;
mod list;
mod tracking;

use aws::clock::now;
use aws::lambda::auth::Callers;
use aws::lambda::http_api::{ApiError, check_query, request_id, respond, route_key};
use aws::settings::Settings;
use aws::tables::messages::Messages;
use aws::tables::orders::Orders;
use domain::core::timestamp::Timestamp;
use lambda_http::{Body, Error, Request, Response};

pub struct MessagesApi {
    messages: Messages,
    orders: Orders,
    callers: Callers,
}

impl MessagesApi {
    pub fn new(messages: Messages, orders: Orders, settings: Settings) -> Self {
        Self { messages, orders, callers: Callers::new(settings) }
    }

    pub async fn handle(&self, request: Request) -> Result<Response<Body>, Error> {
        let id = request_id(&request);
        respond(&id, self.route(&request, now()).await)
    }

    async fn route(&self, request: &Request, now: Timestamp) -> Result<Response<Body>, ApiError> {
        let caller = self.callers.authenticate(request, now).await?;
        if !caller.can_use_messages() {
            return Err(ApiError::forbidden("these credentials do not allow access to messages"));
        }
        let route = route_key(request);
        check_query(request, query_parameters(route))?;
        match route {
            "POST /api/orders/message-tracking" => self.create(request, &caller, now).await,
            "GET /api/orders/{order_id}/messages" => self.list(request, &caller).await,
            "GET /api/messages/whatsapp" => self.show_conversation(request, &caller).await,
            _ => Err(ApiError::not_found("no such route")),
        }
    }
}

fn query_parameters(route: &str) -> &'static [&'static str] {
    match route {
        "GET /api/orders/{order_id}/messages" => &["account_code", "accountCode", "limit", "page"],
        "GET /api/messages/whatsapp" => {
            &["account_code", "accountCode", "phone", "user_id", "limit", "page"]
        }
        _ => &[],
    }
}
