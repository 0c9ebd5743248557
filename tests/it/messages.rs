//! Message tracking: messages to shoppers and their statuses.

mod bad_inputs;
mod conversations;
mod crowd;
mod found;
mod linked;
mod rules;
mod sends;
mod waiting;

use futures::future::join_all;
use serde_json::json;

use crate::support::messages::{
    TRACK, messages, post, post_with_key, statuses, track, tracking_body,
};
use crate::support::{Parcel, THEIRS, eventually, stack};

#[tokio::test]
async fn records_a_message_and_shows_it_on_its_order() {
    let parcel = Parcel::new();
    stack().create_order(&parcel.order()).await;
    let answer = track(&parcel.order_id, "sent").await;
    assert_eq!(answer.status, 201, "{}", answer.json);
    let data = &answer.json["data"];
    let expected = json!({
        "success": true, "message": "Message tracking record created",
        "data": {"id": data["id"], "order_id": parcel.order_id, "account_code": "STORE001",
                 "message_status": "sent", "sent_at": data["sent_at"]},
    });
    assert_eq!(answer.json, expected);
    assert!(data["id"].is_string() && data["sent_at"].as_str().unwrap().ends_with('Z'));

    let order = stack().order(&parcel.order_id).await;
    assert_eq!((&order["latestMessageStatus"], &order["version"]), (&json!("sent"), &json!(1)));
    // The next status webhook contains it.
    stack().webhook(&parcel.report(18, "IN TRANSIT", "11:43:52")).await;
    let received = stack().received_at_least(&parcel.order_id, 3).await;
    let update =
        received.iter().find(|request| request.path.ends_with("status-update")).unwrap().json();
    assert_eq!(update["orders"][0]["latest_message_status"], "sent");
}

#[tokio::test]
async fn deduplicates_messages_by_idempotency_key_only() {
    let parcel = Parcel::new();
    stack().create_order(&parcel.order()).await;
    track(&parcel.order_id, "pending").await;
    track(&parcel.order_id, "pending").await;
    let track_with_key = async |key: &str, status: &str| {
        post_with_key(key, &tracking_body(&parcel.order_id, status)).await
    };
    let first = track_with_key("canary-key-1", "sent").await;
    track(&parcel.order_id, "read").await;
    let again = track_with_key("canary-key-1", "sent").await;
    assert_eq!((again.status, &again.json), (201, &first.json));
    assert_eq!(track_with_key("canary-key-1", "failed").await.error(), (409, "conflict", None));
    assert_eq!(track_with_key("canary-key 1", "sent").await.error(), (400, "malformed", None));

    let all = messages(&parcel.order_id, "").await;
    assert_eq!(statuses(&all), ["read", "sent", "pending", "pending"]);
    assert_eq!(
        stack().order(&parcel.order_id).await["latestMessageStatus"],
        "read",
        "a duplicate does not change the latest status"
    );
}

/// The time of the request may be far from that of the message.
#[tokio::test]
async fn sorts_messages_by_the_time_they_were_sent() {
    let parcel = Parcel::new();
    stack().create_order(&parcel.order()).await;
    let mut details = json!({
        "channel": "sms", "template": "shipped_v2", "sent_at": "2026-01-20T10:15:30+05:30",
        "error": {"code": 30003, "title": "Unreachable", "details": "handset off"},
    });
    let mut old = tracking_body(&parcel.order_id, "failed");
    assert_eq!(track(&parcel.order_id, "sent").await.status, 201);
    old.as_object_mut().unwrap().append(details.as_object_mut().unwrap());
    let answer = post(&old).await;
    let sent_at = &answer.json["data"]["sent_at"];
    assert_eq!((answer.status, sent_at), (201, &json!("2026-01-20T04:45:30.000Z")));
    let shown = messages(&parcel.order_id, "").await;
    assert_eq!(statuses(&shown), ["sent", "failed"]);
    let (new, old) = (&shown["items"][0], &shown["items"][1]);
    assert_eq!((&old["channel"], &old["template"]), (&json!("sms"), &json!("shipped_v2")));
    let error = json!({"code": "30003", "title": "Unreachable", "details": "handset off"});
    assert_eq!(
        (&old["error"], &new["error"], &new["channel"]),
        (&error, &json!(null), &json!(null))
    );
    assert_eq!(stack().order(&parcel.order_id).await["latestMessageStatus"], "sent");
}

#[tokio::test]
async fn pages_messages_newest_first() {
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
        assert_eq!(
            stack().user("partner", "GET", &path, None).await.error(),
            (422, "invalid", Some(field))
        );
    }
}

#[tokio::test]
async fn rejects_invalid_and_forbidden_messages() {
    let parcel = Parcel::new();
    stack().create_order(&parcel.order()).await;
    assert_eq!(track("nowhere-at-all", "sent").await.error(), (404, "not_found", None));
    assert_eq!(
        track(&parcel.order_id, "on its way").await.error(),
        (422, "invalid", Some("message_status"))
    );
    for field in ["order_id", "account_code", "message_status"] {
        let mut body = tracking_body(&parcel.order_id, "sent");
        body.as_object_mut().unwrap().remove(field);
        assert_eq!(post(&body).await.error(), (422, "invalid", Some(field)));
    }
    let mut foreign = tracking_body(&parcel.order_id, "sent");
    foreign["account_code"] = json!(THEIRS);
    assert_eq!(post(&foreign).await.error(), (403, "forbidden", Some("account_code")));
    assert_eq!(
        stack().user("admin", "POST", TRACK, Some(&foreign)).await.error(),
        (404, "not_found", None)
    );
    assert_eq!(stack().vendor("POST", TRACK, Some(&foreign)).await.error().0, 403);
    eventually("an order without messages", async || {
        statuses(&messages(&parcel.order_id, "").await).is_empty().then_some(())
    })
    .await;
}

#[tokio::test]
async fn applies_concurrent_messages_and_reports_of_one_order() {
    let parcel = Parcel::new();
    stack().create_order(&parcel.order()).await;
    let report = parcel.report(18, "IN TRANSIT", "11:43:52");
    let (webhook, answers) = futures::join!(
        stack().webhook(&report),
        join_all((0..4).map(|_| track(&parcel.order_id, "sent"))),
    );
    assert_eq!(webhook.status, 200);
    let recorded = answers.iter().filter(|answer| answer.status == 201).count();
    assert!(answers.iter().all(|answer| matches!(answer.status, 201 | 503)));
    let order = stack().order_with_entries(&parcel.order_id, 1).await;
    assert_eq!((&order["status"], &order["version"]), (&json!("in_transit"), &json!(2)));
    assert_eq!(statuses(&messages(&parcel.order_id, "").await).len(), recorded);
}
