//! HTTP requests, as API Gateway hands them to the functions.

use data_encoding::BASE64;
use lambda_http::Request;
use serde_json::{Map, Value, json};

use super::super::installation::{Installation, SECRET, USER};
use crate::support::{hmac_signature, unique};

/// Posts a webhook of Shiprocket.
pub async fn post_webhook(shop: &Installation, body: &Value) {
    let request = request("POST /webhooks/{source}", "/webhooks/carrier", &json!({}), Some(body));
    assert_eq!(shop.inbound.handle(request).await.unwrap().status(), 200);
}

/// Posts a webhook of WhatsApp.
pub async fn post_update(shop: &Installation, body: &Value) {
    let request = request("POST /webhooks/{source}", "/webhooks/whatsapp", &json!({}), Some(body));
    assert_eq!(shop.inbound.handle(request).await.unwrap().status(), 200);
}

/// Sends a message as the shop. Returns its id.
pub async fn send_message(shop: &Installation, body: &Value) -> String {
    let path = "/api/messages/whatsapp";
    let request = request(&format!("POST {path}"), path, &json!({}), Some(body));
    let response = Box::pin(shop.messages.handle(request)).await.unwrap();
    let answer: Value = serde_json::from_slice(response.body()).unwrap();
    assert_eq!(response.status(), 202, "{answer}");
    answer["id"].as_str().unwrap().to_owned()
}

/// Calls the orders API as the shop. `route` leaves out `/api/external/orders`, and `parameters`
/// are those of the path and of the query alike.
pub async fn call(
    shop: &Installation,
    route: &str,
    parameters: &Value,
    body: Option<&Value>,
) -> Value {
    let (method, path) = route.split_once(' ').unwrap();
    let route = format!("{method} /api/external/orders{path}");
    let request = request(&route, "/api/external/orders", parameters, body);
    let response = Box::pin(shop.orders.handle(request)).await.unwrap();
    let answer: Value = serde_json::from_slice(response.body()).unwrap();
    assert!(response.status().is_success(), "{route}: {answer}");
    answer
}

fn request(route: &str, path: &str, parameters: &Value, body: Option<&Value>) -> Request {
    let parameters = parameters.as_object().unwrap().clone();
    let (in_path, in_query): (Map<_, _>, Map<_, _>) =
        parameters.into_iter().partition(|(name, _)| route.contains(&format!("{{{name}}}")));
    let query: Vec<String> = in_query
        .iter()
        .map(|(name, value)| format!("{name}={}", value.as_str().unwrap()))
        .collect();
    let text = body.map(Value::to_string).unwrap_or_default();
    let signature = hmac_signature(SECRET, text.as_bytes());
    let basic = format!("Basic {}", BASE64.encode(format!("{USER}:{SECRET}").as_bytes()));
    let event = json!({
        "version": "2.0", "routeKey": route, "rawPath": path, "rawQueryString": query.join("&"),
        "pathParameters": in_path, "queryStringParameters": in_query,
        "headers": {"x-api-key": SECRET, "authorization": basic,
                    "x-hub-signature-256": signature,
                    "content-type": "application/json"},
        "body": body.map(|_| text), "isBase64Encoded": false,
        "requestContext": {
            "requestId": unique("it"), "routeKey": route,
            "http": {"method": route.split(' ').next(), "path": path, "protocol": "HTTP/1.1",
                     "sourceIp": "203.0.113.7", "userAgent": "test"},
        },
    });
    lambda_http::request::from_str(&event.to_string()).unwrap()
}
