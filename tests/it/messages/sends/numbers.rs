//! A phone number that sends messages: its pause and its limit. Other tests use another number.

use std::time::Duration;

use super::*;
use crate::support::graph::set_rule;
use crate::support::{eventually_within, seconds_from_now};

const NUMBER: &str = "106540352242933";
const NAME: &str = "whatsapp:106540352242933";

/// Sends a message from the second account's number, about no order. Returns its id.
async fn send_to(to: &str) -> String {
    let mut request = body("none", to);
    request["account_code"] = json!("STORE002");
    request.as_object_mut().unwrap().remove("order_id");
    let answer = stack().user("admin", "POST", CONVERSATION, Some(&request)).await;
    assert_eq!(answer.status, 202, "{}", answer.json);
    answer.json["id"].as_str().unwrap().to_owned()
}

async fn delivery_in(id: &str, state: &str) {
    // Parked messages are released over a minute.
    eventually_within(Duration::from_secs(120), &format!("{id} is {state}"), async || {
        (delivery(id).await["state"] == state).then_some(())
    })
    .await;
}

async fn number() -> Value {
    let page = stack().user("admin", "GET", "/api/endpoints?limit=100", None).await.json;
    let items = page["items"].as_array().unwrap();
    items.iter().find(|it| it["name"] == NAME).unwrap().clone()
}

/// The number of attempts, and of each its status and excerpt.
async fn attempts(id: &str) -> Value {
    let delivery = delivery(id).await;
    let log = delivery["attempt_log"].as_array().unwrap();
    let log: Vec<_> = log.iter().map(|it| json!([it["status"], it["excerpt"]])).collect();
    json!([delivery["attempts"], log])
}

#[tokio::test]
async fn a_number_whose_token_is_refused_sends_nothing_until_it_is_enabled() {
    // Meta's words repeat the token.
    let token = &stack().sources["whatsapp"]["access_token"];
    let message = format!("Malformed access token {token}");
    let error = json!({"error": {"message": message, "type": "OAuthException", "code": 190}});
    set_rule(&json!({"number": NUMBER, "http_status": 401, "body": error.to_string()})).await;
    let refused = send_to(&phone()).await;
    delivery_in(&refused, "parked").await;
    assert_eq!(calls(&refused).await.len(), 1);
    let paused = number().await;
    let (state, reason) = (json!("paused"), json!("credentials_refused"));
    assert_eq!((&paused["state"], &paused["reason"]), (&state, &reason));
    assert_eq!(paused["error_code"], "190");
    assert_eq!(attempts(&refused).await, json!([1, [[401, "190"]]]));
    assert_eq!((&paused["format"], &paused["next_probe_at"]), (&json!("whatsapp"), &Value::Null));
    let later = send_to(&phone()).await;
    delivery_in(&later, "parked").await;
    assert_eq!(calls(&later).await.len(), 0, "a paused number sends nothing");
    assert_eq!(attempts(&later).await, json!([0, []]));

    set_rule(&json!({"number": NUMBER, "times": 0})).await;
    let enable = format!("/api/endpoints/{NAME}/enable");
    let enabled = stack().user("admin", "POST", &enable, None).await;
    assert_eq!((enabled.status, &enabled.json["state"]), (200, &json!("recovering")));
    assert_eq!(enabled.json["error_code"], Value::Null);
    // Not by the function `sweep`: it would also work on the jobs of other tests.
    stack().parked_deliveries().run(aws::clock::now(), seconds_from_now(60)).await.unwrap();
    for id in [&refused, &later] {
        delivery_in(id, "delivered").await;
        assert_eq!(accepted(id).await.len(), 1);
    }
    assert_eq!(delivery(&refused).await["attempts"], 2);
}
