//! The HTTP API in front of the functions.

use std::collections::BTreeMap;
use std::rc::Rc;

use data_encoding::BASE64;
use doubles::template::RoutedPath;
use serde_json::{Value, json};

use super::Lambda;
use crate::clock;

/// A request to the API.
#[derive(Debug, Clone, Default)]
pub(crate) struct ApiRequest {
    pub(crate) method: &'static str,
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Response {
    pub(crate) status: u16,
    /// A string if the body is not JSON.
    pub(crate) body: Value,
}

impl Response {
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

impl Lambda {
    /// Sends a request. `None` if the answer is lost on its way back: the caller does not know
    /// whether the request had an effect.
    pub(crate) async fn request(self: &Rc<Self>, request: &ApiRequest) -> Option<Response> {
        let (chances, topology) = {
            let state = self.world.lock();
            (state.faults, std::sync::Arc::clone(&state.topology))
        };
        self.world.pause(30).await;
        let Some((spec, route)) = topology.route(request.method, &request.path) else {
            return Some(Response { status: 404, body: json!({ "message": "Not Found" }) });
        };
        if self.world.lock().strikes("invoke", chances.invoke) {
            return Some(Response {
                status: 503,
                body: json!({ "message": "Service Unavailable" }),
            });
        }
        let id = self.world.lock().next_request_id();
        let response = match self.invoke(&spec, event(request, &route, &id)).await {
            Some(Ok(answer)) => Response {
                status: answer["status"]
                    .as_u64()
                    .and_then(|it| u16::try_from(it).ok())
                    .unwrap_or(500),
                body: answer["body"].clone(),
            },
            // API Gateway's own answer for a function that fails.
            _ => Response { status: 500, body: json!({ "message": "Internal Server Error" }) },
        };
        let response = match self.world.lock().bug {
            Some(bug) => bug.response(request, response),
            None => response,
        };
        (!self.world.lock().strikes("lose_response", chances.lose_response)).then_some(response)
    }
}

/// The variables of the path. The simulation escapes no other character.
fn decoded(route: &RoutedPath<'_>) -> BTreeMap<String, String> {
    let variables = route.variables.iter();
    variables.map(|(name, value)| (name.clone(), value.replace("%23", "#"))).collect()
}

/// The payload of format 2.0.
fn event(request: &ApiRequest, route: &RoutedPath<'_>, id: &str) -> Value {
    let query: Vec<String> =
        request.query.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let parameters: BTreeMap<&String, &String> =
        request.query.iter().map(|(name, value)| (name, value)).collect();
    let ms = clock::now_ms();
    let key = format!("{} {}", route.route.method, route.route.path);
    json!({
        "version": "2.0",
        "routeKey": key,
        "rawPath": request.path,
        "rawQueryString": query.join("&"),
        "headers": request.headers,
        "queryStringParameters": parameters,
        "pathParameters": decoded(route),
        "requestContext": {
            "accountId": doubles::names::ACCOUNT,
            "apiId": "api",
            "domainName": "api.invalid",
            "domainPrefix": "api",
            "http": {
                "method": request.method,
                "path": request.path,
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.7",
                "userAgent": "sim",
            },
            "requestId": id,
            "routeKey": key,
            "stage": "$default",
            "time": "02/Mar/2026:06:00:00 +0000",
            "timeEpoch": ms,
        },
        "body": BASE64.encode(request.body.as_bytes()),
        "isBase64Encoded": true,
    })
}
