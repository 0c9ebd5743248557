//! Live updates: makes tickets, serves the routes of the WebSocket API, and admits clients to channels of
//! Pusher.
//!
//! A socket opens with a ticket only. The ticket fixes its scope; no frame of the client widens it. `push` posts the updates.

mod admission;
mod catch_up;
mod cross_origin;
mod event;
mod socket;
mod ticket;

use aws::client::Clients;
use aws::clock::now;
use aws::env::{BadEnvironment, Environment};
use aws::lambda::Invocation;
use aws::lambda::auth::Callers;
use aws::lambda::cross_origin::allow;
use aws::lambda::http_api::{request_id, respond, route_key};
use aws::pusher::PusherApp;
use aws::settings::Settings;
use aws::sockets::Sockets;
use aws::tables::auth_failures::AuthFailures;
use aws::tables::connections::Connections;
use aws::tables::orders::Orders;
use aws::tables::tickets::Tickets;
use aws::tracking_links::OrderLinks;
use lambda_http::{Body, Request, Response};
use lambda_runtime::LambdaEvent;
use serde_json::{Value, json};

use cross_origin::Granted;
use event::SocketEvent;

pub struct Realtime {
    callers: Callers,
    links: OrderLinks,
    pusher: PusherApp,
    tickets: Tickets,
    connections: Connections,
    orders: Orders,
    /// The way to open sockets; none in a stage that tells no sockets.
    sockets: Option<OpenSockets>,
}

struct OpenSockets {
    /// As clients connect to it.
    url: String,
    sockets: Sockets,
}

impl Realtime {
    pub fn from_environment(
        clients: &Clients,
        environment: &Environment,
    ) -> Result<Self, BadEnvironment> {
        let dynamodb = clients.dynamodb();
        let settings = Settings::from_environment(clients.ssm(), environment)?;
        let state = environment.variable("STATE_TABLE")?;
        let failures = AuthFailures::new(dynamodb.clone(), state.clone());
        let connections = environment.variable("CONNECTIONS_TABLE")?;
        let sockets = environment.optional("SOCKETS_URL").map(|posted| {
            let url = environment.optional("SOCKETS_CLIENT_URL").unwrap_or_default();
            OpenSockets { url, sockets: Sockets::new(clients.sockets(&posted)) }
        });
        Ok(Self {
            callers: Callers::new(settings.clone(), failures),
            links: OrderLinks::new(settings.clone()),
            pusher: PusherApp::new(settings),
            tickets: Tickets::new(dynamodb.clone(), state),
            connections: Connections::new(dynamodb.clone(), connections),
            orders: Orders::new(dynamodb, environment.variable("ORDERS_TABLE")?),
            sockets,
        })
    }

    /// Takes the events of the HTTP API and of the WebSocket API.
    pub fn invoke(&self, event: LambdaEvent<Value>) -> Invocation<'_, Value> {
        Box::pin(async move {
            let event = event.payload;
            if event["requestContext"]["connectionId"].is_string() {
                let event: SocketEvent = serde_json::from_value(event)?;
                return Ok(self.serve(&event, now()).await.into());
            }
            let request = lambda_http::request::from_str(&event.to_string())?;
            let response = self.respond(&request).await?;
            to_gateway(&response)
        })
    }

    async fn respond(&self, request: &Request) -> Result<Response<Body>, lambda_http::Error> {
        let now = now();
        let granted = match route_key(request) {
            cross_origin::PREFLIGHT => {
                return respond(&request_id(request), self.preflight(request, now).await);
            }
            "POST /api/realtime/pusher-auth" => self.admit(request, now).await,
            _ => self.make_ticket(request, now).await,
        };
        let site = self.reader(request, granted.as_ref().ok(), now).await;
        let response = granted.map(|Granted { response, .. }| response);
        let mut response = respond(&request_id(request), response)?;
        allow(response.headers_mut(), site);
        Ok(response)
    }
}

/// The response of an HTTP API's function, payload format 2.0.
fn to_gateway(response: &Response<Body>) -> Result<Value, lambda_runtime::Error> {
    let mut headers = serde_json::Map::new();
    for (name, value) in response.headers() {
        headers.insert(name.to_string(), value.to_str()?.into());
    }
    let body = std::str::from_utf8(response.body())?;
    Ok(json!({ "statusCode": response.status().as_u16(), "headers": headers, "body": body }))
}
