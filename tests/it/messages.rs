//! What became of the messages that shoppers got.

use serde_json::{Value, json};

use crate::main_way::Parcel;
use crate::stack::{Answer, eventually, http, stack};

const TRACK: &str = "/api/orders/message-tracking";

async fn track(order_id: &str, status: &str) -> Answer {
    let body = json!({"order_id": order_id, "account_code": "STORE001", "message_status": status});
    stack().user("partner", "POST", TRACK, Some(&body)).await
}

async fn track_with_key(key: &str, order_id: &str, status: &str) -> Answer {
    let body = json!({"order_id": order_id, "account_code": "STORE001", "message_status": status});
    let partner = &stack().users["partner"];
    let request = http::client().post(stack().url(TRACK)).basic_auth(&partner.name, Some(&partner.password));
    http::send(http::with_json(request.header("idempotency-key", key), Some(&body))).await
}

async fn messages(order_id: &str, query: &str) -> Value {
    let answer = stack().user("partner", "GET", &format!("/api/orders/{order_id}/messages{query}"), None).await;
    assert_eq!(answer.status, 200, "{}", answer.json);
    answer.json
}

fn statuses(page: &Value) -> Vec<&str> {
    page["items"].as_array().unwrap().iter().map(|item| item["message_status"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_message_is_recorded_and_shown_on_its_order() {
    let parcel = Parcel::new();
    stack().create_order(&parcel.order()).await;
    let answer = track(&parcel.order_id, "sent").await;
    assert_eq!(answer.status, 201, "{}", answer.json);
    let data = &answer.json["data"];
    let expected = json!({
        "success": true, "message": "Message tracking record created",
        "data": {"id": data["id"], "order_id": parcel.order_id, "account_code": "STORE001", "message_status": "sent",
                 "sent_at": data["sent_at"]},
    });
    assert_eq!(answer.json, expected);
    assert!(data["id"].is_string() && data["sent_at"].as_str().unwrap().ends_with('Z'));

    let order = stack().order(&parcel.order_id).await;
    assert_eq!((&order["latestMessageStatus"], &order["version"]), (&json!("sent"), &json!(1)));
    // Customers' servers see it with the next change.
    stack().webhook(&parcel.report(18, "IN TRANSIT", "11:43:52")).await;
    let received = stack().received_at_least(&parcel.order_id, 3).await;
    let update = received.iter().find(|request| request.path.ends_with("status-update")).unwrap().json();
    assert_eq!(update["orders"][0]["latest_message_status"], "sent");
}

#[tokio::test]
async fn each_message_is_new_unless_its_key_repeats() {
    let parcel = Parcel::new();
    stack().create_order(&parcel.order()).await;
    track(&parcel.order_id, "pending").await;
    track(&parcel.order_id, "pending").await;
    let first = track_with_key("canary-key-1", &parcel.order_id, "sent").await;
    track(&parcel.order_id, "read").await;
    let again = track_with_key("canary-key-1", &parcel.order_id, "sent").await;
    assert_eq!((again.status, &again.json), (201, &first.json));
    assert_eq!(track_with_key("canary-key-1", &parcel.order_id, "failed").await.error(), (409, "conflict", None));
    assert_eq!(track_with_key("canary-key 1", &parcel.order_id, "sent").await.error(), (400, "malformed", None));

    let all = messages(&parcel.order_id, "").await;
    assert_eq!(statuses(&all), ["read", "sent", "pending", "pending"]);
    assert_eq!(stack().order(&parcel.order_id).await["latestMessageStatus"], "read", "a repeat is no news");
}

#[tokio::test]
async fn messages_come_in_pages() {
    let parcel = Parcel::new();
    stack().create_order(&parcel.order()).await;
    for status in ["a", "b", "c", "d", "e"] {
        assert_eq!(track(&parcel.order_id, status).await.status, 201);
    }
    let mut seen = Vec::new();
    let mut query = "?limit=2".to_owned();
    loop {
        let page = messages(&parcel.order_id, &query).await;
        seen.extend(statuses(&page).into_iter().map(str::to_owned));
        let Some(next) = page["next_page"].as_str() else { break };
        query = format!("?limit=2&page={next}");
    }
    assert_eq!(seen, ["e", "d", "c", "b", "a"]);
    for (query, field) in [("?limit=0", "limit"), ("?limit=101", "limit"), ("?page=!", "page")] {
        let path = format!("/api/orders/{}/messages{query}", parcel.order_id);
        assert_eq!(stack().user("partner", "GET", &path, None).await.error(), (422, "invalid", Some(field)));
    }
}

#[tokio::test]
async fn what_cannot_be_recorded() {
    let parcel = Parcel::new();
    stack().create_order(&parcel.order()).await;
    assert_eq!(track("nowhere-at-all", "sent").await.error(), (404, "not_found", None));
    assert_eq!(track(&parcel.order_id, "on its way").await.error(), (422, "invalid", Some("message_status")));
    for field in ["order_id", "account_code", "message_status"] {
        let mut body = json!({"order_id": parcel.order_id, "account_code": "STORE001", "message_status": "sent"});
        body.as_object_mut().unwrap().remove(field);
        let answer = stack().user("partner", "POST", TRACK, Some(&body)).await;
        assert_eq!(answer.error(), (422, "invalid", Some(field)));
    }
    let foreign = json!({"order_id": parcel.order_id, "account_code": "STORE002", "message_status": "sent"});
    assert_eq!(
        stack().user("partner", "POST", TRACK, Some(&foreign)).await.error(),
        (403, "forbidden", Some("account_code"))
    );
    assert_eq!(stack().user("admin", "POST", TRACK, Some(&foreign)).await.error(), (404, "not_found", None));
    assert_eq!(stack().vendor("POST", TRACK, Some(&foreign)).await.error().0, 403);
    eventually("nothing recorded", async || statuses(&messages(&parcel.order_id, "").await).is_empty().then_some(()))
        .await;
}

#[tokio::test]
async fn messages_and_reports_of_one_order_at_once() {
    let parcel = Parcel::new();
    stack().create_order(&parcel.order()).await;
    let report = parcel.report(18, "IN TRANSIT", "11:43:52");
    let (webhook, answers) = futures::join!(
        stack().webhook(&report),
        futures::future::join_all((0..4).map(|_| track(&parcel.order_id, "sent"))),
    );
    assert_eq!(webhook.status, 200);
    let recorded = answers.iter().filter(|answer| answer.status == 201).count();
    assert!(answers.iter().all(|answer| matches!(answer.status, 201 | 503)));
    let order = stack().order_with_entries(&parcel.order_id, 1).await;
    assert_eq!((&order["status"], &order["version"]), (&json!("in_transit"), &json!(2)));
    assert_eq!(statuses(&messages(&parcel.order_id, "").await).len(), recorded);
}
