//! Messages of rules that wait: what has happened since decides whether they go out.

use std::time::Duration;

use aws::clock::now;
use aws::sqs::Outgoing;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::webhooks::delivery::Delivery;
use serde_json::{Value, json};

use super::rules::{message_in, order, report, set_rules, shopper};
use crate::support::graph::{calls, phone};
use crate::support::{Calls, eventually, seconds_from_now, stack};

const ACCOUNT: &str = "RULES0";

/// Quiet hours that began an hour ago.
fn night() -> Value {
    let from = now().before(Duration::from_secs(3600)).to_string();
    let to = seconds_from_now(7200).to_string();
    json!({"from": from[11..16], "to": to[11..16], "zone": "UTC"})
}

/// Returns the order's id and the message's.
async fn put_off() -> (String, String) {
    let order = order(ACCOUNT, &shopper(&phone())).await;
    report(ACCOUNT, &order, "out_for_delivery", None).await;
    let message = message_in(ACCOUNT, &order, "sending").await;
    (order, message["id"].as_str().unwrap().to_owned())
}

/// Has a message go out as if it had waited for two minutes.
async fn end_wait(id: &str) {
    let calls = Calls::default();
    let number =
        |at: domain::core::timestamp::Timestamp| AttributeValue::N(at.millis().to_string());
    let dynamodb = stack().dynamodb(&calls);
    let update = dynamodb.update_item().table_name(&stack().tables["deliveries"]);
    let update = update
        .key("pk", AttributeValue::S(id.to_owned()))
        .update_expression("SET next_attempt_at = :due, created_at = :created")
        .expression_attribute_values(":due", number(seconds_from_now(-1)))
        .expression_attribute_values(":created", number(seconds_from_now(-120)));
    update.send().await.unwrap();
    let (row, _) = stack().deliveries(&calls).find(id).await.unwrap().unwrap();
    let delivery = Delivery { run: row.run, ..row.next_run().unwrap() };
    let message = Outgoing { body: delivery.to_message(), group: "test".to_owned() };
    stack().queue("deliveries", &calls).send(message).await.unwrap();
}

async fn ends_with(order: &str, id: &str, reason: &str) {
    end_wait(id).await;
    let message = message_in(ACCOUNT, order, "failed").await;
    assert_eq!(message["error"]["title"], reason);
    assert!(calls(id).await.is_empty(), "{reason}");
}

#[tokio::test]
async fn what_waited_is_sent_only_if_it_still_holds() {
    set_rules(ACCOUNT, json!({"quiet_hours": night()})).await;
    let (same, delivered, corrected) = (put_off().await, put_off().await, put_off().await);
    let without_rule = put_off().await;
    report(ACCOUNT, &delivered.0, "delivered", None).await;
    let path = |id: &str| format!("/api/external/orders/{id}?accountCode={ACCOUNT}");
    eventually("the order is delivered", async || {
        let order = stack().user("admin", "GET", &path(&delivered.0), None).await.json;
        (order["status"] == "delivered").then_some(())
    })
    .await;
    let other = json!({"customer": shopper(&phone())});
    let patched = stack().user("admin", "PATCH", &path(&corrected.0), Some(&other)).await;
    assert_eq!(patched.status, 200, "{}", patched.json);

    set_rules(ACCOUNT, json!({})).await;
    ends_with(&delivered.0, &delivered.1, "outdated").await;
    ends_with(&corrected.0, &corrected.1, "recipient_changed").await;
    end_wait(&same.1).await;
    message_in(ACCOUNT, &same.0, "read").await;

    set_rules(ACCOUNT, json!({"rules": []})).await;
    ends_with(&without_rule.0, &without_rule.1, "rule_removed").await;
}
