//! Updates of WhatsApp, and the webhooks that carry them.

use data_encoding::HEXLOWER;
use fastrand::Rng;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::clock;
use crate::lambda::ApiRequest;
use crate::setup::PHONE;
use crate::setup::messages::{APP_SECRETS, FOREIGN_NUMBER};

const STATUSES: [&str; 8] =
    ["sent", "delivered", "read", "failed", "played", "deleted", "warning", "accepted"];

/// One update about a phone number.
#[derive(Debug, Clone)]
pub(crate) struct Update {
    number: String,
    list: &'static str,
    value: Value,
    contact: Option<Value>,
}

impl Update {
    /// The status of a message, now and then with odd values.
    pub(super) fn status(number: &str, message: &str, random: &mut Rng) -> Self {
        let mut value = json!({
            "id": message, "status": STATUSES[random.usize(..STATUSES.len())],
            "timestamp": timestamp(random), "recipient_id": format!("91{PHONE}210"),
        });
        if value["status"] == "failed" || random.u8(..12) == 0 {
            value["errors"] = json!([{
                "code": 131_000 + random.u32(..4), "title": "canary-title",
                "error_data": {"details": "canary-details"},
            }]);
        }
        spoil(&mut value, random);
        Self { number: number.to_owned(), list: "statuses", value, contact: None }
    }

    /// A message of a shopper, or of the business to one.
    pub(super) fn message(number: &str, id: &str, random: &mut Rng) -> Self {
        let shopper = random.usize(..3);
        let (phone, user) = (format!("91{PHONE}00{shopper}"), format!("IN.1000{shopper}"));
        // Shopper 2 has two ids; some messages name one of them only.
        let has_user = shopper == 2 && random.bool();
        let is_echo = random.u8(..5) == 0;
        let mut value = json!({
            "id": id, "timestamp": plain_timestamp(random), "type": "text",
            "text": {"body": format!("canary-text of {id}")},
        });
        if is_echo {
            value["to"] = phone.as_str().into();
            value["from"] = format!("91{PHONE}999").into();
        } else {
            value["from"] = phone.as_str().into();
        }
        let mut contact = json!({"profile": {"name": "canary-name"}, "wa_id": phone});
        if has_user {
            contact["user_id"] = user.into();
        }
        let list = if is_echo { "message_echoes" } else { "messages" };
        Self { number: number.to_owned(), list, value, contact: Some(contact) }
    }

    /// The status of a message that Waypost sent, with its id as callback data.
    pub(crate) fn of_send(
        number: &str,
        message: &str,
        callback_data: Option<&str>,
        status: &str,
        seconds: u64,
    ) -> Self {
        let mut value = json!({
            "id": message, "status": status, "timestamp": seconds.to_string(),
            "recipient_id": format!("91{PHONE}210"),
        });
        if let Some(data) = callback_data {
            value["biz_opaque_callback_data"] = data.into();
        }
        if status == "failed" {
            value["errors"] = json!([{ "code": 131_026, "title": "canary-title" }]);
        }
        Self { number: number.to_owned(), list: "statuses", value, contact: None }
    }

    fn change(&self) -> Value {
        let field = if self.list == "message_echoes" { "smb_message_echoes" } else { "messages" };
        let mut value = json!({
            "messaging_product": "whatsapp",
            "metadata": {"display_phone_number": format!("91{PHONE}999"),
                         "phone_number_id": self.number},
            self.list: [self.value],
        });
        if let Some(contact) = &self.contact {
            value["contacts"] = json!([contact]);
        }
        json!({"field": field, "value": value})
    }
}

/// Seconds, as text or number.
fn plain_timestamp(random: &mut Rng) -> Value {
    let seconds = clock::now_ms() / 1000 - random.u64(..3600);
    if random.bool() { seconds.to_string().into() } else { seconds.into() }
}

fn timestamp(random: &mut Rng) -> Value {
    match random.u8(..16) {
        0 => json!("abc"),
        1 => json!(0),
        2 => Value::Null,
        // Milliseconds, and the far future.
        3 => clock::now_ms().into(),
        4 => json!("4102444800"),
        _ => plain_timestamp(random),
    }
}

/// Statuses of other things than a message, and other odd values.
fn spoil(value: &mut Value, random: &mut Rng) {
    match random.u8(..24) {
        0 => value["type"] = "payment".into(),
        1 => value["recipient_id"] = format!("+91{PHONE}210").into(),
        2 => {
            value["recipient_type"] = "group".into();
            value["recipient_participant_id"] = format!("91{PHONE}211").into();
        }
        3 => value["status"] = Value::Null,
        4 => value["id"] = json!({}),
        5 => value["type"] = "unheard_of".into(),
        _ => {}
    }
}

/// The body of a webhook.
pub(crate) fn body(updates: &[Update], random: &mut Rng) -> String {
    let mut changes: Vec<Value> = updates.iter().map(Update::change).collect();
    match random.u8(..16) {
        0 => changes.push(json!({"field": "account_update", "value": {}})),
        1 => changes.push(json!({"field": "messages", "value": 7})),
        2 => changes.push(Update::status(FOREIGN_NUMBER, "wamid.FOREIGN", random).change()),
        3 => changes.push(Value::Null),
        _ => {}
    }
    // Entries have one or more changes.
    let entries: Vec<Value> = if random.bool() {
        vec![json!({"id": "1", "changes": changes})]
    } else {
        changes.into_iter().map(|change| json!({"id": "1", "changes": [change]})).collect()
    };
    json!({"object": "whatsapp_business_account", "entry": entries}).to_string()
}

/// A webhook as Meta signs it, with either secret.
pub(crate) fn webhook(body: String, random: &mut Rng) -> ApiRequest {
    let secret = APP_SECRETS[random.usize(..APP_SECRETS.len())];
    signed(body, secret)
}

pub(super) fn forged(body: String) -> ApiRequest {
    signed(body, "another secret")
}

fn signed(body: String, secret: &str) -> ApiRequest {
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes());
    let tag = mac.map(|mac| mac.chain_update(body.as_bytes()).finalize().into_bytes());
    let tag = tag.map(|tag| HEXLOWER.encode(&tag)).unwrap_or_default();
    let headers = [
        ("content-type".to_owned(), "application/json".to_owned()),
        ("x-hub-signature-256".to_owned(), format!("sha256={tag}")),
    ];
    ApiRequest {
        method: "POST",
        path: "/webhooks/whatsapp".to_owned(),
        headers: headers.into(),
        body,
        ..ApiRequest::default()
    }
}
