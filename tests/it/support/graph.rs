//! Control of the double of WhatsApp's Cloud API: `tools/local/graph.py` describes its routes.

use reqwest::RequestBuilder;
use serde_json::{Value, json};

use super::{http, stack, unique};

/// Meta's id of the phone number of the account STORE001.
pub const NUMBER: &str = "106540352242922";

/// The digits of a phone number that no other test has used: WhatsApp takes at most 15.
pub fn phone() -> String {
    let digits = unique("");
    format!("1{}", &digits[digits.len().saturating_sub(14)..])
}

/// A request to send the template `order_update`.
pub fn template_request(to: &str, callback_data: &str) -> Value {
    let parameter = |text: &str| json!({"type": "text", "text": text});
    let parameters = ["Asha", "ORD1001", "today"].map(parameter);
    let components = json!([{"type": "body", "parameters": parameters}]);
    json!({
        "messaging_product": "whatsapp", "recipient_type": "individual", "to": to,
        "type": "template", "biz_opaque_callback_data": callback_data,
        "template": {
            "name": "order_update", "language": {"code": "en"}, "components": components,
        },
    })
}

/// Sends a message as Waypost would. Returns HTTP status and answer.
pub async fn send(request: &Value) -> (u16, Value) {
    let token = &stack().sources["whatsapp"]["access_token"];
    let post = http::client().post(url(&format!("v26.0/{NUMBER}/messages")));
    exchange(http::with_json(post.bearer_auth(token), Some(request))).await
}

/// Sets what happens to messages: `{"to" or "template" or "number", …}`.
pub async fn set_rule(rule: &Value) {
    post("_control", &json!({ "rule": rule })).await;
}

/// Decides what happens to messages to a recipient.
pub async fn rule(to: &str, mut rule: Value) {
    rule["to"] = json!(to);
    set_rule(&rule).await;
}

/// Sends statuses of the message with this callback data.
pub async fn report(callback_data: &str, statuses: &Value) {
    post("_statuses", &json!({"callback_data": callback_data, "statuses": statuses})).await;
}

/// Answers as a shopper. Returns the id of the answer.
pub async fn reply(reply: &Value) -> String {
    post("_reply", reply).await["id"].as_str().unwrap().to_owned()
}

/// The messages that the double accepted with this callback data.
pub async fn accepted(callback_data: &str) -> Vec<Value> {
    list("messages", callback_data).await
}

/// The requests to send that the double got with this callback data.
pub async fn calls(callback_data: &str) -> Vec<Value> {
    list("calls", callback_data).await
}

async fn list(what: &str, callback_data: &str) -> Vec<Value> {
    let list = http::client().get(url(&format!("_{what}?callback_data={callback_data}")));
    exchange(list).await.1[what].as_array().unwrap().clone()
}

async fn post(route: &str, command: &Value) -> Value {
    let post = http::with_json(http::client().post(url(route)), Some(command));
    let (status, answer) = exchange(post).await;
    assert_eq!(status, 200, "{command}: {answer}");
    answer
}

fn url(path: &str) -> String {
    format!("{}/{path}", stack().graph_url)
}

async fn exchange(request: RequestBuilder) -> (u16, Value) {
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    (status, serde_json::from_str(&answer.text().await.unwrap()).unwrap())
}
