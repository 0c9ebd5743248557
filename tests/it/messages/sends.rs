//! Messages that Waypost sends, through the double of the Cloud API.

mod numbers;

use futures::future::join_all;
use serde_json::{Value, json};

use crate::support::graph::{accepted, calls, phone, reply, report, rule};
use crate::support::messages::{CONVERSATION, messages};
use crate::support::{Answer, Parcel, eventually, http, stack, unique};

pub(super) fn body(order: &str, to: &str) -> Value {
    json!({
        "account_code": "STORE001", "order_id": order, "to": format!("+{to}"),
        "template": {"name": "order_update", "language": "en", "components": [
            {"type": "body", "parameters": [{"type": "text", "text": "canary-name"},
                                            {"type": "text", "text": order},
                                            {"type": "text", "text": "canary-text"}]},
        ]},
    })
}

async fn post(body: &Value) -> Answer {
    stack().user("partner", "POST", CONVERSATION, Some(body)).await
}

async fn post_with_key(key: &str, body: &Value) -> Answer {
    let partner = &stack().users["partner"];
    let request = http::client().post(stack().url(CONVERSATION));
    let request = request.basic_auth(&partner.name, Some(&partner.password));
    http::send(http::with_json(request.header("idempotency-key", key), Some(body))).await
}

/// Creates an order, and sends a message about it. Returns the ids of both.
async fn send(to: &str) -> (String, String) {
    let parcel = Parcel::new();
    stack().create_order(&parcel.order()).await;
    let answer = post(&body(&parcel.order_id, to)).await;
    assert_eq!(answer.status, 202, "{}", answer.json);
    (parcel.order_id, answer.json["id"].as_str().unwrap().to_owned())
}

async fn message(order: &str) -> Value {
    messages(order, "").await["items"][0].clone()
}

async fn message_in(order: &str, status: &str) -> Value {
    eventually(&format!("a message is {status}"), async || {
        Some(message(order).await).filter(|message| message["message_status"] == status)
    })
    .await
}

async fn delivery(id: &str) -> Value {
    stack().user("admin", "GET", &format!("/api/deliveries/{id}"), None).await.json
}

#[tokio::test]
async fn sends_a_message_and_follows_it_until_it_is_read() {
    let to = phone();
    let (order, id) = send(&to).await;
    let message = message_in(&order, "read").await;
    let statuses: Vec<_> = message["statuses"].as_array().unwrap().iter().collect();
    let names: Vec<_> = statuses.iter().map(|it| it["status"].as_str().unwrap()).collect();
    assert_eq!(names, ["sending", "accepted", "sent", "delivered", "read"]);
    let sent = accepted(&id).await;
    assert_eq!((sent.len(), &message["message_id"]), (1, &sent[0]["id"]));
    assert_eq!((&message["to"], &message["template"]), (&json!(to), &json!("order_update")));
    assert_eq!(message["doubtful"], false);
    assert_eq!(stack().order(&order).await["latestMessageStatus"], "read");

    let path = format!("{CONVERSATION}?phone={to}");
    let conversation = stack().user("partner", "GET", &path, None).await.json;
    let shown = &conversation["items"][0];
    assert_eq!(
        (&shown["direction"], &shown["message_status"]),
        (&json!("outbound"), &json!("read"))
    );
    assert_eq!(shown["content"]["name"], "order_update");
    assert_eq!((&shown["message_id"], &shown["provider_id"]), (&json!(id), &sent[0]["id"]));

    let delivery = delivery(&id).await;
    let number = json!("whatsapp:106540352242922");
    assert_eq!((&delivery["state"], &delivery["endpoint"]), (&json!("delivered"), &number));
    assert_eq!((&delivery["format"], &delivery["attempts"]), (&json!("whatsapp"), &json!(1)));
    let replay = format!("/api/deliveries/{id}/replay");
    let replayed = stack().user("admin", "POST", &replay, None).await;
    assert_eq!(replayed.error(), (409, "conflict", None));
}

#[tokio::test]
async fn a_repeated_request_sends_one_message() {
    let (parcel, to, key) = (Parcel::new(), phone(), unique("key-"));
    stack().create_order(&parcel.order()).await;
    let request = body(&parcel.order_id, &to);
    let answers = join_all((0..4).map(|_| post_with_key(&key, &request))).await;
    let ids: Vec<_> = answers.iter().map(|it| (it.status, &it.json["id"])).collect();
    assert!(ids.iter().all(|it| *it == (202, ids[0].1)), "{ids:?}");
    let mut other = request.clone();
    other["template"]["components"][0]["parameters"][2]["text"] = json!("delivered");
    assert_eq!(post_with_key(&key, &other).await.error(), (409, "conflict", None));
    message_in(&parcel.order_id, "read").await;
    assert_eq!(calls(ids[0].1.as_str().unwrap()).await.len(), 1);
}

#[tokio::test]
async fn sixteen_messages_about_one_order_are_taken_at_once() {
    let (parcel, to) = (Parcel::new(), phone());
    stack().create_order(&parcel.order()).await;
    let request = body(&parcel.order_id, &to);
    let answers = join_all((0..16).map(|_| post(&request))).await;
    let statuses: Vec<_> = answers.iter().map(|it| it.status).collect();
    assert_eq!(statuses, [202; 16]);
}

/// Nothing would erase the new message's number.
#[tokio::test]
async fn an_order_whose_shopper_was_erased_takes_no_message() {
    let (order, _) = send(&phone()).await;
    message_in(&order, "read").await;
    let path = format!("/api/external/orders/{order}/customer?accountCode=STORE001");
    eventually("the shopper is erased", async || {
        let receipt = stack().user("admin", "DELETE", &path, None).await;
        (receipt.json["state"] == "erased").then_some(())
    })
    .await;
    let answer = post(&body(&order, &phone())).await;
    assert_eq!(answer.error(), (409, "erased", Some("order_id")));
}

#[tokio::test]
async fn statuses_may_come_twice_and_in_any_order() {
    let to = phone();
    rule(
        &to,
        json!({"statuses": [
            {"status": "read", "after_ms": 0, "at_ms": 900, "times": 2},
            {"status": "sent", "after_ms": 100, "at_ms": 100, "times": 2},
            {"status": "delivered", "after_ms": 200, "at_ms": 500},
        ]}),
    )
    .await;
    let (order, id) = send(&to).await;
    let all = eventually("all statuses", async || {
        let message = message_in(&order, "read").await;
        Some(message).filter(|it| it["statuses"].as_array().unwrap().len() == 5)
    })
    .await;
    assert_eq!(all["message_id"], accepted(&id).await[0]["id"]);
}

#[tokio::test]
async fn a_message_whose_answer_is_lost_is_unknown_until_a_status_settles_it() {
    let to = phone();
    rule(&to, json!({"connection": "lost", "statuses": []})).await;
    let (order, id) = send(&to).await;
    message_in(&order, "unknown").await;
    assert_eq!(delivery(&id).await["state"], "unknown");
    let replay = format!("/api/deliveries/{id}/replay");
    assert_eq!(stack().user("admin", "POST", &replay, None).await.status, 409);
    report(&id, &json!(["sent", "delivered"])).await;
    let settled = message_in(&order, "delivered").await;
    assert_eq!(settled["message_id"], accepted(&id).await[0]["id"]);
    eventually("the delivery is settled", async || {
        (delivery(&id).await["state"] == "delivered").then_some(())
    })
    .await;
    assert_eq!(calls(&id).await.len(), 1, "sent once");
}

/// A status tells the provider's id of the message only after the shopper has answered it.
#[tokio::test]
async fn an_answer_to_a_message_without_a_known_id_is_shown_once_it_is_known() {
    let to = phone();
    rule(&to, json!({"connection": "lost", "statuses": []})).await;
    let (order, id) = send(&to).await;
    message_in(&order, "unknown").await;
    reply(&json!({"callback_data": id, "text": "where?"})).await;
    eventually("the conversation has the answer", async || {
        let path = format!("{CONVERSATION}?account_code=STORE001&phone={to}");
        let page = stack().user("partner", "GET", &path, None).await.json;
        let messages = page["items"].as_array()?.clone();
        messages.iter().any(|message| message["content"]["text"] == "where?").then_some(())
    })
    .await;
    report(&id, &json!(["sent"])).await;
    let answer = eventually("the order shows the answer", async || {
        let order = stack().order(&order).await;
        let entries = order["timeline"].as_array()?.clone();
        entries.into_iter().map(|entry| entry["answer"].clone()).find(|answer| !answer.is_null())
    })
    .await;
    assert_eq!(answer["text"], "where?");
    assert_eq!(answer["inReplyTo"], accepted(&id).await[0]["id"]);
}

#[tokio::test]
async fn errors_that_pass_are_retried_and_others_end_the_message() {
    for (code, times) in [(130_429, 1), (131_000, 1), (131_056, 1), (1, 1)] {
        let to = phone();
        rule(&to, json!({"error": code, "times": times})).await;
        let (order, id) = send(&to).await;
        message_in(&order, "read").await;
        assert_eq!((calls(&id).await.len(), accepted(&id).await.len()), (times + 1, 1), "{code}");
    }
    for code in [131_026, 131_047, 131_050, 132_001, 100] {
        let to = phone();
        // Meta's words may repeat what it was sent.
        rule(&to, json!({"error": code, "details": format!("canary-details: +{to}")})).await;
        let (order, id) = send(&to).await;
        let failed = message_in(&order, "failed").await;
        assert_eq!(failed["error"]["code"], code.to_string());
        assert_eq!(failed["error"]["details"], format!("canary-details: +{to}"));
        let delivery = delivery(&id).await;
        let reason = json!(code.to_string());
        assert_eq!((&delivery["state"], &delivery["reason"]), (&json!("failed"), &reason));
        assert_eq!(calls(&id).await.len(), 1, "{code}");
    }
}

#[tokio::test]
async fn a_message_that_was_not_accepted_is_sent_again() {
    let to = phone();
    rule(&to, json!({"http_status": 429, "body": "<html>slow down</html>", "times": 1})).await;
    let (order, id) = send(&to).await;
    message_in(&order, "read").await;
    assert_eq!(accepted(&id).await.len(), 1);
}

#[tokio::test]
async fn a_user_id_is_a_recipient_of_its_own() {
    let parcel = Parcel::new();
    stack().create_order(&parcel.order()).await;
    let user = unique("IN.");
    let mut request = body(&parcel.order_id, "");
    request["to"] = json!(user);
    let answer = post(&request).await;
    assert_eq!((answer.status, &answer.json["to"]), (202, &json!(user)), "{}", answer.json);
    let id = answer.json["id"].as_str().unwrap();
    let call = eventually("a request", async || calls(id).await.pop()).await;
    assert_eq!((&call["recipient"], &call["status"]), (&json!(user), &json!(200)));
}

#[tokio::test]
async fn a_message_may_be_about_no_order() {
    let to = phone();
    let mut request = body("none", &to);
    request.as_object_mut().unwrap().remove("order_id");
    let answer = post(&request).await;
    assert_eq!((answer.status, &answer.json["order_id"]), (202, &Value::Null), "{}", answer.json);
    let id = answer.json["id"].as_str().unwrap();
    eventually("the conversation shows it", async || {
        let path = format!("{CONVERSATION}?phone={to}");
        let conversation = stack().user("partner", "GET", &path, None).await.json;
        (conversation["items"][0]["message_status"] == "read").then_some(())
    })
    .await;
    assert_eq!(accepted(id).await.len(), 1);
}

#[tokio::test]
async fn refuses_messages_that_cannot_be_sent() {
    let parcel = Parcel::new();
    stack().create_order(&parcel.order()).await;
    let with = |change: &dyn Fn(&mut Value)| {
        let mut request = body(&parcel.order_id, &phone());
        change(&mut request);
        request
    };
    let set =
        |name: &'static str, value: Value| with(&move |it: &mut Value| it[name] = value.clone());
    let template = |name: &'static str, value: Value| {
        with(&move |it: &mut Value| it["template"][name] = value.clone())
    };
    for (request, expected) in [
        (set("to", json!("")), (422, "invalid", Some("to"))),
        (set("to", json!("abc")), (422, "invalid", Some("to"))),
        (set("to", json!(919876543210_u64)), (422, "invalid", Some("to"))),
        (set("order_id", json!("a/b")), (422, "invalid", Some("order_id"))),
        (set("order_id", json!("unknown-order")), (404, "not_found", None)),
        (
            set("phone_number_id", json!("106540352242933")),
            (422, "invalid", Some("phone_number_id")),
        ),
        (set("phone_number_id", json!("")), (422, "invalid", Some("phone_number_id"))),
        (set("account_code", json!("STORE002")), (403, "forbidden", Some("account_code"))),
        (set("text", json!("hello")), (422, "invalid", Some("text"))),
        (template("name", json!("")), (422, "invalid", Some("template.name"))),
        (template("language", json!("e n")), (422, "invalid", Some("template.language"))),
        (template("components", json!({})), (422, "invalid", Some("template.components"))),
        (template("components", json!(["a"])), (422, "invalid", Some("template.components"))),
    ] {
        let partner = &stack().users["partner"];
        let call = http::client().post(stack().url(CONVERSATION));
        let call = call.basic_auth(&partner.name, Some(&partner.password));
        let answer = http::send_undocumented(http::with_json(call, Some(&request))).await;
        assert_eq!(answer.error(), expected, "{request}");
    }
    assert_eq!(messages(&parcel.order_id, "").await["items"], json!([]));
}
