//! The messages API: sends messages to shoppers, records those that others sent, and lists them, the
//! WhatsApp conversations, and what WhatsApp says about numbers and templates. It shows how messages
//! perform.

mod conversation;
mod find;
mod list;
mod provider_states;
mod send;
mod stats;
mod tracking;

use aws::client::Clients;
use aws::clock::now;
use aws::env::{BadEnvironment, Environment};
use aws::lambda::HttpInvocation;
use aws::lambda::auth::Callers;
use aws::lambda::http_api::{ApiError, check_query, request_id, respond, route_key};
use aws::settings::{CachedSetting, Settings};
use aws::sqs::Queue;
use aws::tables::auth_failures::AuthFailures;
use aws::tables::deliveries::Deliveries;
use aws::tables::messages::Messages;
use aws::tables::orders::Orders;
use domain::auth::Caller;
use domain::core::timestamp::Timestamp;
use lambda_http::{Body, Request, Response};
use sources::whatsapp::Numbers;

pub struct MessagesApi {
    messages: Messages,
    orders: Orders,
    deliveries: Deliveries,
    queue: Queue,
    events_queue: Queue,
    numbers: CachedSetting<Numbers>,
    callers: Callers,
}

impl MessagesApi {
    pub fn from_environment(
        clients: &Clients,
        environment: &Environment,
    ) -> Result<Self, BadEnvironment> {
        let dynamodb = clients.dynamodb();
        let queue = |name| environment.variable(name).map(|url| Queue::new(clients.sqs(), url));
        let settings = Settings::from_environment(clients.ssm(), environment)?;
        let failures = AuthFailures::new(dynamodb.clone(), environment.variable("STATE_TABLE")?);
        Ok(Self::new(
            Messages::new(dynamodb.clone(), environment.variable("MESSAGES_TABLE")?),
            Orders::new(dynamodb.clone(), environment.variable("ORDERS_TABLE")?),
            Deliveries::new(dynamodb, environment.variable("DELIVERIES_TABLE")?),
            queue("DELIVERIES_QUEUE_URL")?,
            queue("EVENTS_QUEUE_URL")?,
            settings.clone(),
            Callers::new(settings, failures),
        ))
    }

    pub fn new(
        messages: Messages,
        orders: Orders,
        deliveries: Deliveries,
        queue: Queue,
        events_queue: Queue,
        settings: Settings,
        callers: Callers,
    ) -> Self {
        let numbers = CachedSetting::new(settings, Numbers::PARAMETER, Numbers::read);
        Self { messages, orders, deliveries, queue, events_queue, numbers, callers }
    }

    pub fn handle(&self, request: Request) -> HttpInvocation<'_> {
        Box::pin(async move {
            let id = request_id(&request);
            respond(&id, self.route(&request, now()).await)
        })
    }

    async fn route(&self, request: &Request, now: Timestamp) -> Result<Response<Body>, ApiError> {
        let caller = self.callers.authenticate(request, now).await?;
        let route = route_key(request);
        if !is_allowed(&caller, route) {
            return Err(ApiError::forbidden("these credentials do not allow access to messages"));
        }
        check_query(request, query_parameters(route))?;
        match route {
            "POST /api/orders/message-tracking" => self.create(request, &caller, now).await,
            "POST /api/messages/whatsapp" => self.send(request, &caller, now).await,
            "GET /api/orders/{order_id}/messages" => self.list(request, &caller, now).await,
            "GET /api/messages/whatsapp" => self.show_conversation(request, &caller).await,
            NUMBERS => self.list_senders(request, &caller, now).await,
            TEMPLATES => self.list_templates(request, &caller).await,
            "GET /api/messages" => self.find(request, &caller, now).await,
            "GET /api/messages/stats" => self.show_stats(request, &caller, now).await,
            _ => Err(ApiError::not_found("no such route")),
        }
    }
}

const NUMBERS: &str = "GET /api/messages/numbers";
const TEMPLATES: &str = "GET /api/messages/templates";

/// Numbers and templates are operators' business; messages are personal data.
fn is_allowed(caller: &Caller, route: &str) -> bool {
    match route {
        NUMBERS | TEMPLATES => caller.can_read_log(),
        _ => caller.can_use_messages(),
    }
}

fn query_parameters(route: &str) -> &'static [&'static str] {
    match route {
        "GET /api/orders/{order_id}/messages" | NUMBERS | TEMPLATES => {
            &["account_code", "accountCode", "limit", "page"]
        }
        "GET /api/messages/whatsapp" => {
            &["account_code", "accountCode", "phone", "user_id", "limit", "page"]
        }
        "GET /api/messages" => &[
            "account_code",
            "accountCode",
            "phone",
            "user_id",
            "order_id",
            "status",
            "template",
            "from",
            "to",
            "limit",
            "page",
        ],
        "GET /api/messages/stats" => &["account_code", "accountCode", "from", "to", "template"],
        _ => &[],
    }
}
