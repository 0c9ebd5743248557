//! WhatsApp's webhooks: message statuses and inbound messages of shoppers.

mod answers;
mod cloud_api;
mod conversations;
mod fields;
mod figures;
mod large_requests;
mod statuses;

use aws::tables::inbound::{EventState, InboundEvent};
use aws::tables::messages::TrackingRow;
use domain::core::id::{AccountCode, EventId};
use domain::core::timestamp::Timestamp;
use domain::messaging::channel::ProviderMessageId;
use domain::messaging::message_status::{ProviderMessageKey, ProviderStatus};
use serde_json::{Value, json};

use crate::support::messages::messages;
use crate::support::{Answer, Calls, eventually, hmac_signature, http, stack, unique};

/// Account code and phone number id of two accounts.
const OURS: (&str, &str) = ("STORE001", "106540352242922");
const THEIRS: (&str, &str) = ("STORE002", "106540352242933");
/// The id of a phone number that belongs to no account.
const FOREIGN_NUMBER: &str = "106540352242999";

/// The time of the first update, in seconds since 1970.
const START: i64 = 1_750_030_000;

fn time(seconds: i64) -> String {
    Timestamp::from_millis((START + seconds) * 1000).unwrap().to_string()
}

fn wamid() -> String {
    unique("wamid.it")
}

fn status(message_id: &str, status: &str, seconds: i64) -> Value {
    json!({
        "id": message_id, "status": status, "timestamp": (START + seconds).to_string(),
        "recipient_id": "16505551234",
    })
}

fn failed(message_id: &str, seconds: i64, code: u32) -> Value {
    let mut failed = status(message_id, "failed", seconds);
    failed["errors"] = json!([{
        "code": code, "title": "Undeliverable", "message": "Message undeliverable",
        "error_data": {"details": "canary-body"}, "href": "https://example.invalid",
    }]);
    failed
}

fn text(message_id: &str, from: &str, seconds: i64, body: &str) -> Value {
    let at = (START + seconds).to_string();
    json!({"from": from, "id": message_id, "timestamp": at, "type": "text", "text": {"body": body}})
}

/// The updates of one phone number: `{"statuses": […]}`, `{"messages": […]}`, or both.
fn change(number: &str, updates: &Value) -> Value {
    let mut value = updates.clone();
    value["messaging_product"] = json!("whatsapp");
    value["metadata"] = json!({"display_phone_number": "15550783881", "phone_number_id": number});
    json!({"value": value, "field": "messages"})
}

fn envelope(changes: &[Value]) -> Value {
    let entry = json!({"id": "102290129340398", "changes": changes});
    json!({"object": "whatsapp_business_account", "entry": [entry]})
}

fn statuses(number: &str, statuses: &[Value]) -> Value {
    envelope(&[change(number, &json!({ "statuses": statuses }))])
}

fn signature(body: &[u8]) -> String {
    hmac_signature(&stack().sources["whatsapp"]["app_secret"], body)
}

async fn send(body: &Value) -> Answer {
    let body = body.to_string().into_bytes();
    let request = http::client().post(stack().url("/webhooks/whatsapp"));
    let request = request
        .header("x-hub-signature-256", signature(&body))
        .header("content-type", "application/json");
    let answer = http::send(request.body(body)).await;
    assert_eq!(answer.status, 200, "{}", answer.json);
    answer
}

/// Sends a status of a message.
pub(crate) async fn post_status(message_id: &str, reported: &str) {
    send(&statuses(OURS.1, &[status(message_id, reported, 5)])).await;
}

async fn load_event(answer: &Answer) -> InboundEvent {
    let id = EventId::parse(answer.json["event_id"].as_str().unwrap()).unwrap();
    stack().events(&Calls::default()).load(&id).await.unwrap().unwrap()
}

/// The event of a webhook, once it has a final state.
async fn settled_event(answer: &Answer) -> InboundEvent {
    eventually("a settled event", async || {
        Some(load_event(answer).await).filter(|event| event.state.is_settled())
    })
    .await
}

/// Sends a webhook. Returns the final state and reason of its event.
async fn process(body: &Value) -> (EventState, Option<String>) {
    let event = settled_event(&send(body).await).await;
    (event.state, event.reason)
}

pub(crate) async fn load_trackings(account: &str, ids: &[String]) -> Vec<TrackingRow> {
    let key = |id: &String| ProviderMessageKey {
        account: AccountCode::parse(account).unwrap(),
        message: ProviderMessageId::parse(id).unwrap(),
    };
    let keys: Vec<ProviderMessageKey> = ids.iter().map(key).collect();
    let rows = stack().messages(&Calls::default()).load_trackings(&keys).await.unwrap();
    rows.into_iter().map(Result::unwrap).collect()
}

/// The statuses of messages, linked to an order or not.
async fn tracked_statuses(account: &str, ids: &[String]) -> Vec<Option<ProviderStatus>> {
    load_trackings(account, ids).await.iter().map(|row| row.tracked.tracking.status()).collect()
}

/// The only message of an order, once it has this status.
async fn message_in_status(order_id: &str, status: &str) -> Value {
    eventually(&format!("{status} of {order_id}"), async || {
        let page = messages(order_id, "").await;
        assert_eq!(page["items"].as_array().unwrap().len(), 1);
        Some(page["items"][0].clone()).filter(|item| item["message_status"] == status)
    })
    .await
}
