//! Message tracking of the demo account.

use serde_json::{Value, json};

use super::{Answer, OURS, http, stack};

pub const TRACK: &str = "/api/orders/message-tracking";
pub const CONVERSATION: &str = "/api/messages/whatsapp";

pub fn tracking_body(order_id: &str, status: &str) -> Value {
    json!({"order_id": order_id, "account_code": OURS, "message_status": status})
}

pub fn linked_body(order_id: &str, message_id: &Value, status: &str) -> Value {
    let mut body = tracking_body(order_id, status);
    body["message_id"] = message_id.clone();
    body
}

/// Records a message without a provider's id.
pub async fn track(order_id: &str, status: &str) -> Answer {
    post(&tracking_body(order_id, status)).await
}

/// Links a provider's message id to an order.
pub async fn link(order_id: &str, message_id: &str, status: &str) -> Answer {
    post(&linked_body(order_id, &json!(message_id), status)).await
}

pub async fn post(body: &Value) -> Answer {
    stack().user("partner", "POST", TRACK, Some(body)).await
}

pub async fn post_with_key(key: &str, body: &Value) -> Answer {
    let partner = &stack().users["partner"];
    let request = http::client().post(stack().url(TRACK));
    let request = request.basic_auth(&partner.name, Some(&partner.password));
    http::send(http::with_json(request.header("idempotency-key", key), Some(body))).await
}

/// A page of an order's messages.
pub async fn messages(order_id: &str, query: &str) -> Value {
    let path = format!("/api/orders/{order_id}/messages{query}");
    let answer = stack().user("partner", "GET", &path, None).await;
    assert_eq!(answer.status, 200, "{}", answer.json);
    answer.json
}

/// The `message_status` of each item of a page.
pub fn statuses(page: &Value) -> Vec<&str> {
    let items = page["items"].as_array().unwrap().iter();
    items.map(|item| item["message_status"].as_str().unwrap()).collect()
}
