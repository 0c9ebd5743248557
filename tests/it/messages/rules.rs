//! Messages that rules of an account send. Each test has an account of its own, with a phone number.

use std::time::Duration;

use aws::clock::now;
use domain::core::timestamp::Timestamp;
use futures::future::join_all;
use serde_json::{Value, json};

use crate::support::graph::{accepted, phone, reply};
use crate::support::{TestEndpoint, eventually, put_setting, settings_to_expire, stack, unique};

/// The account of the demo's rules.
const DEMO: &str = "STORE003";

fn number(account: &str) -> String {
    let digit = account.chars().last().unwrap();
    format!("10654035224296{digit}")
}

/// Rules that tell of `out_for_delivery`, changed by `settings`.
pub(super) async fn set_rules(account: &str, settings: Value) {
    let parameters = ["{first_name}", "{order_id}", "{status}"];
    let parameters = parameters.map(|text| json!({"type": "text", "text": text}));
    let mut rules = json!({
        "phone_number_id": number(account),
        "rules": [{
            "on": "out_for_delivery", "template": "order_update", "language": "en",
            "components": [{"type": "body", "parameters": parameters}],
        }],
    });
    for (name, value) in settings.as_object().unwrap() {
        rules[name] = value.clone();
    }
    put_setting(&format!("local/accounts/{account}/messages"), &rules.to_string()).await;
    settings_to_expire().await;
}

/// Creates an order of a shopper.
pub(super) async fn order(account: &str, customer: &Value) -> String {
    let id = unique("R-");
    stack().create_order_in(account, &json!({"orderId": id, "customer": customer})).await;
    id
}

pub(super) async fn report(account: &str, order: &str, status: &str, at: Option<Timestamp>) {
    let path = format!("/api/external/orders/{order}/status");
    let mut body = json!({"status": status, "accountCode": account});
    if let Some(at) = at {
        body["occurredAt"] = json!(at.to_string());
    }
    let answer = stack().user("admin", "POST", &path, Some(&body)).await;
    assert_eq!(answer.status, 202, "{}", answer.json);
}

async fn messages(account: &str, order: &str) -> Vec<Value> {
    let path = format!("/api/orders/{order}/messages?account_code={account}");
    let answer = stack().user("admin", "GET", &path, None).await;
    answer.json["items"].as_array().unwrap().clone()
}

/// The only message of an order, once it has this status.
pub(super) async fn message_in(account: &str, order: &str, status: &str) -> Value {
    eventually(&format!("the message of {order} is {status}"), async || {
        let all = messages(account, order).await;
        let [message] = all.as_slice() else { return None };
        (message["message_status"] == status).then(|| message.clone())
    })
    .await
}

/// Creates an order and has it out for delivery. Returns its message, once it has this status.
async fn out_for_delivery(account: &str, customer: &Value, status: &str) -> Value {
    let id = order(account, customer).await;
    report(account, &id, "out_for_delivery", None).await;
    message_in(account, &id, status).await
}

pub(super) fn shopper(phone: &str) -> Value {
    json!({"phone": format!("+{phone}"), "firstName": "canary-name"})
}

fn reason(message: &Value) -> (&str, Option<&str>) {
    let error = &message["error"];
    (error["title"].as_str().unwrap(), error["details"].as_str())
}

#[tokio::test]
async fn a_change_sends_one_message_that_is_followed_to_read() {
    let settings = json!({"format": "status_update", "accounts": [DEMO]});
    let endpoint = TestEndpoint::new(settings, json!([])).await;
    let to = phone();
    let id = order(DEMO, &shopper(&to)).await;
    report(DEMO, &id, "out_for_delivery", None).await;
    let message = message_in(DEMO, &id, "read").await;
    assert_eq!((&message["rule"], &message["to"]), (&json!("out_for_delivery"), &json!(to)));
    let sent = accepted(message["id"].as_str().unwrap()).await;
    assert_eq!((sent.len(), &sent[0]["template"]), (1, &json!("order_update")));

    report(DEMO, &id, "undelivered", None).await;
    report(DEMO, &id, "delivered", None).await;
    let told = eventually("the delivery of the last status", async || {
        let received = endpoint.received_so_far().await;
        let mut rows = received.iter().map(|it| it.json()["orders"][0].clone());
        rows.find(|row| row["order_id"] == id && row["status"] == "delivered")
    })
    .await;
    assert_eq!(told["latest_message_status"], "read");
    assert_eq!(messages(DEMO, &id).await.len(), 1, "other statuses have no rule");
    report(DEMO, &id, "out_for_delivery", None).await;
}

#[tokio::test]
async fn a_dry_run_shows_what_it_would_send() {
    const ACCOUNT: &str = "RULES1";
    set_rules(ACCOUNT, json!({"dry_run": true})).await;
    let to = phone();
    let message = out_for_delivery(ACCOUNT, &shopper(&to), "dry_run").await;
    let expected = (&json!(to), &json!("order_update"), &Value::Null);
    assert_eq!((&message["to"], &message["template"], &message["error"]), expected);
    assert!(accepted(message["id"].as_str().unwrap()).await.is_empty());
}

#[tokio::test]
async fn quiet_hours_put_a_message_off() {
    const ACCOUNT: &str = "RULES2";
    let now = aws::clock::now();
    let hour = |hours: u64| {
        let at = now.after(Duration::from_secs(hours * 3600)).to_string();
        at[11..16].to_owned()
    };
    let from = now.before(Duration::from_secs(3600)).to_string()[11..16].to_owned();
    let quiet = json!({"from": from, "to": hour(2), "zone": "UTC"});
    set_rules(ACCOUNT, json!({"quiet_hours": quiet})).await;
    let message = out_for_delivery(ACCOUNT, &shopper(&phone()), "sending").await;
    let id = message["id"].as_str().unwrap();
    let delivery = stack().user("admin", "GET", &format!("/api/deliveries/{id}"), None).await.json;
    let next = Timestamp::parse(delivery["next_attempt_at"].as_str().unwrap()).unwrap();
    assert_eq!(next.to_string()[11..16], hour(2));
    assert_eq!(delivery["state"], "pending");
    assert!(accepted(id).await.is_empty());
}

#[tokio::test]
async fn a_shopper_gets_as_many_messages_a_day_as_the_cap_allows() {
    const ACCOUNT: &str = "RULES3";
    set_rules(ACCOUNT, json!({"daily_cap": 2})).await;
    let customer = shopper(&phone());
    let ids = join_all((0..4).map(|_| order(ACCOUNT, &customer))).await;
    join_all(ids.iter().map(|id| report(ACCOUNT, id, "out_for_delivery", None))).await;
    let statuses = eventually("all messages are read or skipped", async || {
        let all = join_all(ids.iter().map(|id| messages(ACCOUNT, id))).await;
        let status = |all: &Vec<Value>| all.first()?["message_status"].as_str().map(str::to_owned);
        let mut statuses: Vec<String> = all.iter().filter_map(status).collect();
        statuses.sort_unstable();
        let is_final = |it: &String| it == "skipped" || it == "read";
        (statuses.len() == 4 && statuses.iter().all(is_final)).then_some(statuses)
    })
    .await;
    assert_eq!(statuses, ["read", "read", "skipped", "skipped"]);
}

#[tokio::test]
async fn a_shopper_who_wrote_stop_gets_no_messages_until_start() {
    const ACCOUNT: &str = "RULES4";
    set_rules(ACCOUNT, json!({})).await;
    let to = phone();
    let write = async |text: &str, ago: u64| {
        let at = now().before(Duration::from_secs(ago)).seconds();
        let message =
            json!({"number": number(ACCOUNT), "phone": to, "text": text, "timestamp": at});
        reply(&message).await;
    };
    write("Stop.", 60).await;
    eventually("a message is skipped", async || {
        let id = order(ACCOUNT, &shopper(&to)).await;
        report(ACCOUNT, &id, "out_for_delivery", None).await;
        eventually("a message", async || messages(ACCOUNT, &id).await.pop())
            .await
            .as_object()
            .and_then(|it| (it["message_status"] == "skipped").then(|| it["error"].clone()))
            .filter(|error| error["title"] == "opted_out")
    })
    .await;
    write("START", 0).await;
    eventually("a message is sent", async || {
        let id = order(ACCOUNT, &shopper(&to)).await;
        report(ACCOUNT, &id, "out_for_delivery", None).await;
        let message = eventually("a message", async || messages(ACCOUNT, &id).await.pop()).await;
        (message["message_status"] != "skipped").then_some(())
    })
    .await;
}

#[tokio::test]
async fn says_why_a_message_was_not_sent() {
    const ACCOUNT: &str = "RULES5";
    set_rules(ACCOUNT, json!({})).await;
    let nameless = json!({"phone": format!("+{}", phone())});
    let skipped = out_for_delivery(ACCOUNT, &nameless, "skipped").await;
    assert_eq!(reason(&skipped), ("missing_value", Some("first_name")));
    let to = nameless["phone"].as_str().unwrap().trim_start_matches('+');
    assert_eq!((&skipped["to"], &skipped["rule"]), (&json!(to), &json!("out_for_delivery")));
    assert_eq!((&skipped["language"], &skipped["message_id"]), (&json!("en"), &Value::Null));
    let skipped = out_for_delivery(ACCOUNT, &json!({"firstName": "Asha"}), "skipped").await;
    assert_eq!(reason(&skipped), ("no_phone", None));

    let id = order(ACCOUNT, &shopper(&phone())).await;
    let two_days_ago = aws::clock::now().before(Duration::from_secs(48 * 3600));
    report(ACCOUNT, &id, "out_for_delivery", Some(two_days_ago)).await;
    let skipped = message_in(ACCOUNT, &id, "skipped").await;
    assert_eq!(reason(&skipped), ("too_old", None));
    let path = format!("/api/external/orders/{id}?accountCode={ACCOUNT}");
    let order = stack().user("admin", "GET", &path, None).await.json;
    assert_eq!(order["latestMessageStatus"], Value::Null, "the order shows what was sent");
}

#[tokio::test]
async fn wrong_rules_hold_up_no_webhook() {
    const ACCOUNT: &str = "RULES6";
    put_setting(&format!("local/accounts/{ACCOUNT}/messages"), r#"{"rules":[]}"#).await;
    settings_to_expire().await;
    let settings = json!({"format": "standard", "accounts": [ACCOUNT]});
    let endpoint = TestEndpoint::new(settings, json!([])).await;
    settings_to_expire().await;
    let id = order(ACCOUNT, &shopper(&phone())).await;
    report(ACCOUNT, &id, "out_for_delivery", None).await;
    assert_eq!(endpoint.received(1).await[0].json()["data"]["orderId"], json!(id));
    assert!(messages(ACCOUNT, &id).await.is_empty());
}
