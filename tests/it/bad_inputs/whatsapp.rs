//! WhatsApp's webhook. What is signed is answered 200, whatever it is: Meta would send it again for a week.

mod handshake;
mod signatures;
mod updates;

use aws::tables::inbound::EventState::{Failed, Ignored, Processed};
use serde_json::{Value, json};

use super::case::{Case, Outcome, Subject, check, refused, taken};
use super::common::{Odd, Place, check_all};
use super::post::{Post, signature};
use super::repeats::{a_replay_after_31_days_counts_no_more, copies_at_once_count_once};
use super::surface::{Fields, Surface};
use crate::support::{stack, unique};

/// Whose the demo's number is.
const ACCOUNT: &str = "STORE001";

/// The plain path: a number's id says whose a status is.
pub fn surface() -> Surface {
    let (account, path) = (ACCOUNT.to_owned(), "/webhooks/whatsapp".to_owned());
    let fields = Fields {
        ids: &["/entry/0/changes/0/value/statuses/0/id"],
        words: "/entry/0/changes/0/value/statuses/0/status",
        time: "/entry/0/changes/0/value/statuses/0/timestamp",
        seconds: true,
        person: "/entry/0/changes/0/value/statuses/0/recipient_id",
        list: "/entry/0/changes/0/value/contacts",
    };
    Surface { source: "whatsapp", account, path, good, subject, credentials, headers: &[], fields }
}

fn credentials(body: &[u8]) -> Vec<(&'static str, String)> {
    vec![("x-hub-signature-256", signature(&stack().sources["whatsapp"]["app_secret"], body))]
}

fn good(tag: &str) -> Value {
    envelope(&json!({"statuses": [status(&wamid(tag), "delivered", 1_768_882_530)]}))
}

fn wamid(tag: &str) -> String {
    format!("wamid.{tag}")
}

fn status(wamid: &str, word: &str, seconds: u64) -> Value {
    json!({"id": wamid, "status": word, "timestamp": seconds.to_string(), "recipient_id": "canary-phone-1"})
}

/// One change of one number of ours.
fn envelope(news: &Value) -> Value {
    let number = &stack().sources["whatsapp"]["phone_number_id"];
    let mut value = json!({"messaging_product": "whatsapp",
                           "metadata": {"display_phone_number": "15550783881", "phone_number_id": number}});
    value.as_object_mut().unwrap().extend(news.as_object().unwrap().clone());
    json!({"object": "whatsapp_business_account",
           "entry": [{"id": "102290129340398", "changes": [{"value": value, "field": "messages"}]}]})
}

fn subject(tag: &str) -> Subject {
    let order = json!({"orderId": format!("ORD-{tag}"), "accountCode": ACCOUNT});
    Subject { order, message: Some(wamid(tag)), moved: "delivered" }
}

/// Odd texts that a message's id may be all the same.
const IDS: [&str; 5] = ["30 digits", "id with #", "../", "<script>", "duplicate keys"];

fn expected(odd: &Odd) -> Outcome {
    match (odd.place, odd.name) {
        (Place::Body, _) => taken(Failed),
        (_, "10 MB") => refused(413),
        (_, "base64 without its flag" | "signature of base64" | "signature \"a,b\"") => {
            refused(401)
        }
        (Place::Id(_), name) if IDS.contains(&name) => taken(Processed).moving_nothing(),
        (_, "number for string") => taken(Processed).moving_nothing(),
        (Place::Id(_) | Place::Words, _) => taken(Ignored).because("1 of 1 not understood"),
        _ => taken(Processed),
    }
}

#[tokio::test]
async fn what_is_odd_in_any_request() {
    check_all(&surface(), expected).await;
}

#[tokio::test]
async fn the_same_again() {
    copies_at_once_count_once(&surface()).await;
    a_replay_after_31_days_counts_no_more(&surface()).await;
}
