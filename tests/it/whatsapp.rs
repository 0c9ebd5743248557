//! WhatsApp's webhooks: statuses of messages, and what shoppers write.

mod killed;
mod many;
mod statuses;
mod talks;

use aws::tables::inbound::{EventState, InboundEvent};
use aws::tables::messages::TrackingRow;
use data_encoding::HEXLOWER;
use domain::core::id::{AccountCode, EventId};
use domain::core::timestamp::Timestamp;
use domain::messaging::channel::ProviderMessageId;
use domain::messaging::message_status::{ProviderMessageKey, ProviderStatus};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::support::messages::messages;
use crate::support::{Answer, Calls, eventually, http, stack, unique};

/// Numbers of two accounts.
const OURS: (&str, &str) = ("STORE001", "106540352242922");
const THEIRS: (&str, &str) = ("STORE002", "106540352242933");
/// A number that is nobody's.
const NOBODYS: &str = "106540352242999";

/// The time at which all of this happens, in seconds since 1970.
const START: i64 = 1_750_030_000;

fn time(after: i64) -> String {
    Timestamp::from_millis((START + after) * 1000).unwrap().to_string()
}

fn wamid() -> String {
    unique("wamid.it")
}

fn status(message: &str, word: &str, after: i64) -> Value {
    json!({"id": message, "status": word, "timestamp": (START + after).to_string(), "recipient_id": "16505551234"})
}

fn failed(message: &str, after: i64, code: u32) -> Value {
    let mut failed = status(message, "failed", after);
    failed["errors"] = json!([{"code": code, "title": "Undeliverable", "message": "Message undeliverable",
                               "error_data": {"details": "canary-body"}, "href": "https://example.invalid"}]);
    failed
}

fn text(message: &str, from: &str, after: i64, words: &str) -> Value {
    let at = (START + after).to_string();
    json!({"from": from, "id": message, "timestamp": at, "type": "text", "text": {"body": words}})
}

/// What is new of one number: `{"statuses": […]}`, `{"messages": […]}`, or several of them.
fn change(number: &str, news: &Value) -> Value {
    let mut value = news.clone();
    value["messaging_product"] = json!("whatsapp");
    value["metadata"] = json!({"display_phone_number": "15550783881", "phone_number_id": number});
    json!({"value": value, "field": "messages"})
}

fn envelope(changes: &[Value]) -> Value {
    json!({"object": "whatsapp_business_account", "entry": [{"id": "102290129340398", "changes": changes}]})
}

fn statuses(number: &str, statuses: &[Value]) -> Value {
    envelope(&[change(number, &json!({ "statuses": statuses }))])
}

fn signature(body: &[u8]) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(stack().sources["whatsapp"]["app_secret"].as_bytes())
        .unwrap();
    format!("sha256={}", HEXLOWER.encode(&mac.chain_update(body).finalize().into_bytes()))
}

async fn webhook(body: &Value) -> Answer {
    let body = body.to_string().into_bytes();
    let request = http::client().post(stack().url("/webhooks/whatsapp"));
    let request = request
        .header("x-hub-signature-256", signature(&body))
        .header("content-type", "application/json");
    let answer = http::send(request.body(body)).await;
    assert_eq!(answer.status, 200, "{}", answer.json);
    answer
}

async fn event(answer: &Answer) -> InboundEvent {
    let id = EventId::parse(answer.json["event_id"].as_str().unwrap()).unwrap();
    stack().events(&Calls::default()).load(&id).await.unwrap().unwrap()
}

/// The event of a webhook, once all it says is applied.
async fn settled(answer: &Answer) -> InboundEvent {
    eventually("a settled event", async || {
        Some(event(answer).await).filter(|event| event.state.is_settled())
    })
    .await
}

/// Sends a webhook and waits until it is worked on: how that ended, and why.
async fn applied(body: &Value) -> (EventState, Option<String>) {
    let event = settled(&webhook(body).await).await;
    (event.state, event.reason)
}

async fn load_trackings(account: &str, ids: &[String]) -> Vec<TrackingRow> {
    let key = |id: &String| ProviderMessageKey {
        account: AccountCode::parse(account).unwrap(),
        message: ProviderMessageId::parse(id).unwrap(),
    };
    let keys: Vec<ProviderMessageKey> = ids.iter().map(key).collect();
    let rows = stack().messages(&Calls::default()).load_trackings(&keys).await.unwrap();
    rows.into_iter().map(Result::unwrap).collect()
}

/// How messages fare that may be linked to no order.
async fn fares(account: &str, ids: &[String]) -> Vec<Option<ProviderStatus>> {
    load_trackings(account, ids).await.iter().map(|row| row.tracked.tracking.status()).collect()
}

/// The only message of an order, once it shows this status.
async fn shown(order_id: &str, status: &str) -> Value {
    eventually(&format!("{status} of {order_id}"), async || {
        let page = messages(order_id, "").await;
        assert_eq!(page["items"].as_array().unwrap().len(), 1);
        Some(page["items"][0].clone()).filter(|item| item["message_status"] == status)
    })
    .await
}
