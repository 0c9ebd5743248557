//! WhatsApp's webhook. Every request with a valid signature is answered 200: Meta repeats any other
//! request for a week.

mod bodies;
mod handshake;
mod signatures;

use aws::tables::inbound::EventState::{Failed, Ignored, Processed};
use serde_json::{Value, json};

use super::mutations::{Mutation, Part, check_mutations};
use super::request::WebhookRequest;
use super::source_fixture::{Fields, SourceFixture};
use super::test_case::{Outcome, TestCase, accepted, check, rejected};
use super::test_order::TestOrder;
use crate::support::{hmac_signature, stack, unique};

/// The account of the demo's phone number.
const ACCOUNT: &str = "STORE001";
const PATH: &str = "/webhooks/whatsapp";

/// On the plain path: the phone number in a body names the account.
pub fn fixture() -> SourceFixture {
    SourceFixture {
        source: "whatsapp",
        account: ACCOUNT.to_owned(),
        path: PATH.to_owned(),
        valid_body,
        order,
        credentials: |body| vec![("x-hub-signature-256", hmac_signature(app_secret(), body))],
        headers: &[],
        fields: Fields {
            ids: &["/entry/0/changes/0/value/statuses/0/id"],
            status: "/entry/0/changes/0/value/statuses/0/status",
            time: "/entry/0/changes/0/value/statuses/0/timestamp",
            epoch_seconds: true,
            person: "/entry/0/changes/0/value/statuses/0/recipient_id",
            list: "/entry/0/changes/0/value/contacts",
        },
    }
}

fn app_secret() -> &'static str {
    &stack().sources["whatsapp"]["app_secret"]
}

fn valid_body(tag: &str) -> Value {
    envelope(&json!({"statuses": [status(&wamid(tag), "delivered", 1_768_882_530)]}))
}

fn wamid(tag: &str) -> String {
    format!("wamid.{tag}")
}

fn status(wamid: &str, status: &str, seconds: u64) -> Value {
    json!({"id": wamid, "status": status, "timestamp": seconds.to_string(),
           "recipient_id": "canary-phone-1"})
}

/// A body with one change of the demo's phone number.
fn envelope(fields: &Value) -> Value {
    let number = &stack().sources["whatsapp"]["phone_number_id"];
    let mut value = json!({
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550783881", "phone_number_id": number},
    });
    value.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    json!({"object": "whatsapp_business_account",
           "entry": [{"id": "102290129340398",
                      "changes": [{"value": value, "field": "messages"}]}]})
}

fn order(tag: &str) -> TestOrder {
    TestOrder {
        body: json!({"orderId": format!("ORD-{tag}"), "accountCode": ACCOUNT}),
        message_id: Some(wamid(tag)),
        changed_status: "delivered",
    }
}

/// Mutated ids that are still valid message ids.
const VALID_IDS: [&str; 5] = ["30 digits", "id with #", "../", "<script>", "duplicate keys"];

fn expected(mutation: &Mutation) -> Outcome {
    match (mutation.part, mutation.name) {
        (Part::Body, _) => accepted(Failed),
        (_, "10 MB") => rejected(413),
        (_, "base64 without its flag" | "signature of base64" | "signature \"a,b\"") => {
            rejected(401)
        }
        (Part::Id(_), name) if VALID_IDS.contains(&name) => accepted(Processed).without_change(),
        (_, "number for string") => accepted(Processed).without_change(),
        (Part::Id(_) | Part::Status, _) => accepted(Ignored).with_reason("1 of 1 not understood"),
        _ => accepted(Processed),
    }
}

#[tokio::test]
async fn handles_malformed_requests() {
    check_mutations(&fixture(), expected).await;
}
