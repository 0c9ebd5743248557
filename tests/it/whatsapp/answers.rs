//! Answers of shoppers to messages about orders: on the order's timeline, and told to endpoints.

use super::*;
use crate::support::messages::{TRACK, link};
use crate::support::{
    Parcel, Received, TestEndpoint, check_delivery, forget_deliveries_of_events, order_key,
    settings_to_expire,
};

struct Shop {
    endpoint: TestEndpoint,
    order_id: String,
    phone: String,
    /// Of the message about the order.
    wamid: String,
}

impl Shop {
    /// An order with a message that was read, and an endpoint that asks for answers.
    async fn new() -> Self {
        let settings = json!({"accounts": [OURS.0], "events": ["message.received"]});
        let endpoint = TestEndpoint::new(settings, json!([])).await;
        settings_to_expire().await;
        let (parcel, wamid) = (Parcel::new(), wamid());
        let tag = unique("");
        let phone = format!("9{}", &tag[tag.len() - 9..]);
        let mut order = parcel.order();
        order["customer"] = json!({"phone": phone, "firstName": "canary-name"});
        stack().create_order(&order).await;
        let body = json!({
            "order_id": parcel.order_id, "account_code": OURS.0, "message_status": "read",
            "message_id": wamid, "template": "out_for_delivery_v2",
        });
        assert_eq!(stack().user("partner", "POST", TRACK, Some(&body)).await.status, 201);
        Self { endpoint, order_id: parcel.order_id, phone, wamid }
    }

    /// A shopper's message of this type that answers the message about the order.
    fn reply(&self, kind: &str, content: Value, second: i64) -> Value {
        let mut reply = text(&wamid(), &format!("91{}", self.phone), second, "");
        reply.as_object_mut().unwrap().remove("text");
        reply["type"] = json!(kind);
        reply[kind] = content;
        reply["context"] = json!({"from": "15550783881", "id": self.wamid});
        reply
    }

    /// At least so many deliveries about the order. The endpoint also gets those of other tests.
    async fn told(&self, count: usize) -> Vec<Received> {
        eventually("endpoints are told of answers", async || {
            let mut received = self.endpoint.received_so_far().await;
            received.retain(|it| it.json()["data"]["order_id"] == json!(self.order_id));
            (received.len() >= count).then_some(received)
        })
        .await
    }

    async fn answers(&self) -> Vec<Value> {
        let order = stack().order(&self.order_id).await;
        let entries = order["timeline"].as_array().unwrap().clone();
        entries.into_iter().filter(|entry| !entry["answer"].is_null()).collect()
    }
}

fn body(messages: &[Value]) -> Value {
    envelope(&[change(OURS.1, &json!({ "messages": messages }))])
}

#[tokio::test]
async fn shows_an_answer_on_the_timeline_and_tells_endpoints() {
    let shop = Shop::new().await;
    let before = stack().order(&shop.order_id).await;
    let tapped = json!({"text": "canary-text: bring it tomorrow", "payload": "canary-payload"});
    let reply = shop.reply("button", tapped, 60);
    assert_eq!(process(&body(std::slice::from_ref(&reply))).await, (EventState::Processed, None));

    let after = stack().order(&shop.order_id).await;
    for field in ["status", "version", "shipments", "latestMessageStatus", "deliveryAttempts"] {
        assert_eq!(after[field], before[field], "{field}");
    }
    let entry = &after["timeline"][0];
    let expected = json!({
        "reportId": entry["reportId"], "source": "whatsapp", "status": null,
        "sourceStatus": "Message answered", "awb": null, "occurredAt": time(60),
        "receivedAt": entry["receivedAt"], "location": null, "note": null, "applied": true,
        "reason": null, "late": false, "version": null,
        "answer": {"type": "button", "text": "canary-text: bring it tomorrow", "payload": "canary-payload",
                   "title": null, "messageId": reply["id"], "inReplyTo": shop.wamid},
    });
    assert_eq!(entry, &expected);

    let told = shop.told(1).await.remove(0);
    check_delivery("standard", &told);
    let received = told.json();
    let answered = &received["data"]["answered"];
    let expected = json!({
        "type": "message.received", "timestamp": time(60),
        "data": {
            "account_code": OURS.0, "order_id": shop.order_id, "tracking_url": after["trackingUrl"],
            "message": {
                "message_id": reply["id"], "from": shop.phone, "type": "button",
                "text": "canary-text: bring it tomorrow", "payload": "canary-payload", "title": null,
                "in_reply_to": shop.wamid, "at": time(60),
            },
            "answered": {"id": answered["id"], "template": "out_for_delivery_v2",
                         "message_status": "read"},
        },
    });
    assert_eq!(received, expected);
    let messages = messages(&shop.order_id, "").await;
    assert_eq!(answered["id"], messages["items"][0]["id"]);

    // It cannot be taken back, and is listed like any other delivery.
    let path = format!(
        "/api/external/orders/{}/timeline/{}?accountCode={}",
        shop.order_id,
        entry["reportId"].as_str().unwrap(),
        OURS.0
    );
    let withdrawn = stack().user("admin", "DELETE", &path, None).await;
    assert_eq!(withdrawn.error(), (422, "invalid", Some("report_id")));
    let path = format!("/api/deliveries/{}", told.id());
    let row = stack().user("admin", "GET", &path, None).await.json;
    assert_eq!(
        (&row["kind"], &row["order_id"]),
        (&json!("message.received"), &json!(shop.order_id))
    );
    let of_order = format!(
        "/api/deliveries?order_id={}&account_code={}&endpoint={}",
        shop.order_id,
        OURS.0,
        shop.endpoint.name()
    );
    let listed = async || {
        let list = stack().user("admin", "GET", &of_order, None).await.json;
        assert_eq!(list["items"][0]["id"], row["id"], "{list}");
    };
    listed().await;
    // So is one that its event does not name, as its run was killed.
    forget_deliveries_of_events(&order_key(OURS.0, &shop.order_id)).await;
    listed().await;
}

/// In one webhook with messages that answer nothing of ours, twice, and in another webhook.
#[tokio::test]
async fn tells_of_each_answer_once() {
    let shop = Shop::new().await;
    let choice = |kind: &str, reply: Value| json!({"type": kind, kind: reply});
    let row = json!({"id": "canary-slot-2", "title": "canary-title: evening", "description": "canary-description"});
    let form = json!({"name": "flow", "body": "Sent", "response_json": "{\"canary-slot\":\"2\"}"});
    let mut reaction = shop.reply("reaction", json!({"message_id": shop.wamid, "emoji": "👍"}), 5);
    reaction.as_object_mut().unwrap().remove("context");
    let mut foreign = shop.reply("text", json!({"body": "canary-body"}), 6);
    foreign["context"]["id"] = json!(wamid());
    let mut all = vec![
        shop.reply("text", json!({"body": "canary-text: where?"}), 1),
        shop.reply("interactive", choice("list_reply", row), 2),
        shop.reply("interactive", choice("nfm_reply", form), 3),
        shop.reply("image", json!({"id": "1", "caption": "canary-caption: my door"}), 4),
        reaction,
        foreign,
        text(&wamid(), &shop.phone, 7, "canary-body"),
    ];
    let repeated = all[0].clone();
    assert_eq!(process(&body(&all)).await, (EventState::Processed, None));
    all.push(repeated);
    assert_eq!(process(&body(&all)).await, (EventState::Processed, None));

    let shown =
        |answer: &Value| ["type", "text", "payload", "title"].map(|field| answer[field].clone());
    let expected = [
        [json!("text"), json!("canary-text: where?"), json!(null), json!(null)],
        [
            json!("list"),
            json!("canary-title: evening"),
            json!("canary-slot-2"),
            json!("canary-title: evening"),
        ],
        [json!("form"), json!("Sent"), json!("{\"canary-slot\":\"2\"}"), json!(null)],
        [json!("image"), json!("canary-caption: my door"), json!(null), json!(null)],
        [json!("reaction"), json!("👍"), json!(null), json!(null)],
    ];
    let answers: Vec<_> =
        shop.answers().await.iter().rev().map(|it| shown(&it["answer"])).collect();
    assert_eq!(answers, expected);
    shop.told(expected.len()).await;
    // A further change is told after all of them.
    assert_eq!(
        process(&body(&[shop.reply("text", json!({"body": "canary-text: last"}), 8)])).await.1,
        None
    );
    let told = shop.told(expected.len() + 1).await;
    assert_eq!(told.len(), expected.len() + 1);
    let mut told: Vec<_> = told.iter().map(|it| it.json()["data"]["message"].clone()).collect();
    told.sort_by_key(|message| message["at"].as_str().unwrap().to_owned());
    let told: Vec<_> = told.iter().map(shown).collect();
    assert_eq!(told[..expected.len()], expected);
}

#[tokio::test]
async fn shows_an_answer_to_a_message_that_is_linked_later() {
    let shop = Shop::new().await;
    let later = wamid();
    let mut early = shop.reply("text", json!({"body": "canary-text: where?"}), 1);
    early["context"]["id"] = json!(later);
    assert_eq!(process(&body(&[early.clone()])).await, (EventState::Processed, None));
    assert!(shop.answers().await.is_empty());
    assert_eq!(link(&shop.order_id, &later, "sent").await.status, 201);
    let told = shop.told(1).await.remove(0).json();
    assert_eq!(told["data"]["message"]["message_id"], early["id"]);
    let answers = shop.answers().await;
    assert_eq!(answers.len(), 1);
    assert_eq!(answers[0]["answer"]["text"], "canary-text: where?");
}

#[tokio::test]
async fn keeps_fifty_answers_of_an_order() {
    let shop = Shop::new().await;
    let all: Vec<Value> = (0..52)
        .map(|second| shop.reply("text", json!({"body": "canary-text: again"}), second))
        .collect();
    assert_eq!(process(&body(&all)).await, (EventState::Processed, None));
    assert_eq!(shop.answers().await.len(), 50);
    shop.told(50).await;
}
