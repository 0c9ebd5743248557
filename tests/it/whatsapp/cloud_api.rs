//! The double of WhatsApp's Cloud API reports to the stack as Meta would.

use domain::messaging::message_status::ProviderStatus;
use serde_json::json;

use super::*;
use crate::support::graph::{self, accepted, reply, report, set_rule, template_request};
use crate::support::messages::CONVERSATION;

#[tokio::test]
async fn follows_a_message_to_read_in_any_order_and_shows_its_answer() {
    let (phone, callback_data) = (graph::phone(), unique("wa_it"));
    let statuses = json!([
        {"status": "read", "after_ms": 50, "at_ms": 2000},
        {"status": "delivered", "after_ms": 100, "at_ms": 1000, "times": 2},
    ]);
    set_rule(&json!({"to": phone, "statuses": statuses})).await;
    let request = template_request(&format!("+{phone}"), &callback_data);
    let (status, answer) = graph::send(&request).await;
    assert_eq!(status, 200, "{answer}");
    let id = answer["messages"][0]["id"].as_str().unwrap().to_owned();
    report(&callback_data, &json!(["sent"])).await;
    eventually("a message that is read", async || {
        let statuses = tracked_statuses(OURS.0, std::slice::from_ref(&id)).await;
        (statuses == [Some(ProviderStatus::Read)]).then_some(())
    })
    .await;

    let content = json!({"text": "canary-text: yes", "payload": "canary-body"});
    let answer = reply(&json!({"callback_data": callback_data, "button": content})).await;
    let path = format!("{CONVERSATION}?phone={phone}");
    let item = eventually("the answer in the conversation", async || {
        let page = stack().user("partner", "GET", &path, None).await.json;
        page["items"].as_array().unwrap().iter().find(|item| item["message_id"] == answer).cloned()
    })
    .await;
    assert_eq!(item["in_reply_to"], json!(id));
    assert_eq!(accepted(&callback_data).await.len(), 1);
}

#[tokio::test]
async fn the_double_refuses_what_meta_refuses() {
    let mut request = template_request("+16505551234", "wa_refused");
    request["template"]["name"] = json!("unknown");
    let (status, answer) = graph::send(&request).await;
    assert_eq!((status, &answer["error"]["code"]), (404, &json!(132_001)));
    assert!(accepted("wa_refused").await.is_empty());
}
