//! Retries of events in the inbound log.

use std::collections::{BTreeSet, HashMap};

use aws::lambda::sqs_batch::DeadLetterReason;
use aws::tables::inbound::{EventMessage, EventState, InboundLog, Progress};
use aws_sdk_dynamodb::types::AttributeValue;
use domain::core::id::EventId;
use futures::future::join_all;
use serde_json::{Value, json};

use super::{esahayak, insert, send_with_reused_id};
use crate::support::{
    Answer, Calls, Fault, OURS, Parcel, TestEndpoint, body_event_id, detail, detail_in_status,
    eventually, http, inbound_event, insert_event, process_event, quarantined_event_id, sample,
    seconds_from_now, settings_to_expire, stack, unique,
};

async fn retry(id: &str) -> Answer {
    stack().user("admin", "POST", &format!("/api/webhooks/retry/{id}"), None).await
}

fn queued(id: &str) -> (u16, Value) {
    (202, json!({"id": id, "status": "queued"}))
}

fn already_applied(id: &str) -> (u16, Value) {
    (200, json!({"id": id, "status": "already_applied"}))
}

async fn row(id: &str) -> HashMap<String, AttributeValue> {
    let dynamodb = stack().dynamodb(&Calls::default());
    let request = dynamodb.get_item().table_name(&stack().tables["inbound"]).consistent_read(true);
    let request = request
        .key("pk", AttributeValue::S(id.to_owned()))
        .key("sk", AttributeValue::S("event".to_owned()));
    request.send().await.unwrap().item.unwrap()
}

#[tokio::test]
async fn a_dead_lettered_event_is_listed_as_failed_and_can_be_retried() {
    let (parcel, account) = (Parcel::new(), unique("ACC-"));
    stack().create_order_in(&account, &parcel.order()).await;
    let report = parcel.in_transit().to_string();
    let id = insert_event(&inbound_event("shiprocket", Some(&account), report)).await;
    let process = stack().process(&Calls::default());
    process.record_dead_letter(&EventMessage::write(&id), DeadLetterReason::Bug).await.unwrap();
    let failed = detail(id.as_str()).await;
    assert_eq!(
        (&failed["status"], &failed["reason"]),
        (&json!("failed"), &json!("dead letter: bug"))
    );
    assert_eq!(row(id.as_str()).await["notable"].as_s().unwrap(), "failed");
    assert_eq!(retry(id.as_str()).await.status, 202);
    detail_in_status(id.as_str(), "processed").await;
    // The message was redriven too, and died again: a processed event stays processed.
    process.record_dead_letter(&EventMessage::write(&id), DeadLetterReason::Bug).await.unwrap();
    assert_eq!(detail(id.as_str()).await["status"], "processed");
}

#[tokio::test]
async fn processes_a_failed_event_after_its_cause_is_fixed() {
    let (parcel, account) = (Parcel::new(), unique("ACC-"));
    stack().create_order_in(&account, &parcel.order()).await;
    let invalid = json!({"accounts": [account], "format": "fax"});
    let endpoint = TestEndpoint::new(invalid, json!([])).await;
    let report = parcel.in_transit().to_string();
    let id = insert_event(&inbound_event("shiprocket", Some(&account), report)).await;
    assert!(process_event(&id, None).await.0);
    let failed = detail(id.as_str()).await;
    assert_eq!((&failed["status"], &failed["redacted"]), (&json!("failed"), &json!(true)));
    assert!(
        failed["reason"].as_str().unwrap().contains("settings is wrong"),
        "{}",
        failed["reason"]
    );

    endpoint.set("settings", &json!({"accounts": [account]}).to_string()).await;
    settings_to_expire().await;
    let answer = retry(id.as_str()).await;
    assert_eq!((answer.status, answer.json), queued(id.as_str()));
    let done = detail_in_status(id.as_str(), "processed").await;
    assert!(
        done["reason"].is_null() && done["settled_at"].as_str() > failed["settled_at"].as_str(),
        "{done}"
    );
    assert_eq!(endpoint.received(1).await.len(), 1);
    let again = retry(id.as_str()).await;
    assert_eq!((again.status, again.json), already_applied(id.as_str()));
}

#[tokio::test]
async fn fails_again_after_a_retry_of_an_unreadable_body() {
    let body = format!("canary-body {}", unique("")).into_bytes();
    let rejected = stack().raw_webhook(stack().shiprocket_token(), body.clone()).await;
    let id = body_event_id("shiprocket", &body).as_str().to_owned();
    let before = detail(&id).await;
    assert_eq!(
        (&before["status"], &before["reason"]),
        (&json!("failed"), &rejected.json["error"]["message"])
    );
    assert!(before["settled_at"].is_null());
    for _twice in 0..2 {
        let last = detail(&id).await["settled_at"].clone();
        let answer = retry(&id).await;
        assert_eq!((answer.status, answer.json), queued(&id));
        let after = eventually("the second failure", async || {
            Some(detail(&id).await)
                .filter(|row| row["settled_at"].is_string() && row["settled_at"] != last)
        })
        .await;
        assert_eq!((&after["status"], &after["reason"]), (&json!("failed"), &before["reason"]));
        assert_eq!(after["received_at"], before["received_at"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn applies_an_event_once_after_concurrent_retries() {
    let parcel = Parcel::new();
    stack().create_order(&parcel.order()).await;
    let report = parcel.in_transit().to_string();
    let id = insert(Some(OURS), EventState::Failed, report.as_bytes()).await;
    let answers = join_all((0..4).map(|_| retry(&id))).await;
    for answer in answers {
        let answer = (answer.status, answer.json);
        assert!(answer == queued(&id) || answer == already_applied(&id), "{answer:?}");
    }
    detail_in_status(&id, "processed").await;
    let order = stack().order_with_entries(&parcel.order_id, 1).await;
    assert_eq!((&order["version"], order["timeline"].as_array().unwrap().len()), (&json!(2), 1));
    let received = stack().received_at_least(&parcel.order_id, 3).await;
    let webhook_ids: BTreeSet<&str> = received.iter().map(|request| request.id()).collect();
    assert_eq!(webhook_ids.len(), 3, "duplicates have the same webhook-id");
}

/// The event header contradicts the body. An operator decides by a retry.
#[tokio::test]
async fn applies_a_quarantined_event_only_after_a_retry() {
    let order_id = unique("ORD-");
    let stamp = unique("order_");
    stack().create_order(&json!({"orderId": order_id, "refs": {"esahayak": stamp}})).await;
    let mut body = sample("esahayak/stamp_uploaded");
    body["id"] = json!(unique("webhook_"));
    body["data"]["order"]["id"] = json!(stamp);
    assert_eq!(http::send(esahayak("stamp.failed", &body)).await.status, 200);
    let id = quarantined_event_id("esahayak", body.to_string()).as_str().to_owned();
    let event = detail(&id).await;
    assert_eq!(
        (&event["status"], &event["reason"]),
        (&json!("quarantined"), &json!("event_header"))
    );
    // A duplicate has no effect.
    assert_eq!(http::send(esahayak("stamp.failed", &body)).await.status, 200);
    assert_eq!(detail(&id).await, event);
    assert_eq!(stack().order(&order_id).await["timeline"], json!([]));

    assert_eq!(retry(&id).await.status, 202);
    assert_eq!(stack().order_with_entries(&order_id, 1).await["status"], "completed");
    detail_in_status(&id, "processed").await;
}

#[tokio::test]
async fn parks_a_reused_id_as_the_same_report_after_a_retry() {
    let id = send_with_reused_id().await;
    assert_eq!(detail(&id).await["status"], "quarantined");
    assert_eq!(retry(&id).await.status, 202);
    // The order is unknown. Both bodies park as one report.
    detail_in_status(&id, "unmatched").await;
}

#[tokio::test]
async fn matches_an_unmatched_event_again_after_a_retry() {
    let id = stack().webhook(&Parcel::new().in_transit_by_awb()).await.event_id();
    let before = detail_in_status(&id, "unmatched").await;
    assert_eq!(retry(&id).await.status, 202);
    eventually("the second attempt to match", async || {
        let row = detail(&id).await;
        (row["status"] == "unmatched" && row["settled_at"] != before["settled_at"]).then_some(())
    })
    .await;
}

#[tokio::test]
async fn leaves_a_retried_event_pending_while_the_queue_fails() {
    let id = insert(Some(OURS), EventState::Ignored, b"{}").await;
    let (route, path) = ("POST /api/webhooks/retry/{id}", format!("/api/webhooks/retry/{id}"));
    let failing = Calls::failing(Some(Fault::Before(0)));
    assert_eq!(stack().ask_ops(&failing, route, &path).await, 202);
    let reopened = row(&id).await;
    assert_eq!(reopened["state"].as_s().unwrap(), "received");
    assert!(reopened.contains_key("pending"), "{reopened:?}");

    // A minute later the queue works again.
    stack().sweep().run(seconds_from_now(60), seconds_from_now(40)).await.unwrap();
    detail_in_status(&id, "failed").await;
    assert!(!row(&id).await.contains_key("pending"));
}

#[tokio::test]
async fn applies_skipped_items_after_a_retry() {
    let parcel = Parcel::new();
    stack().create_order(&parcel.order()).await;
    let body = parcel.in_transit().to_string();
    let id = insert(Some(OURS), EventState::Received, body.as_bytes()).await;
    let event_id = EventId::parse(&id).unwrap();
    let skipped = Progress::because(EventState::Processed, "1 for numbers of nobody");
    stack().events(&Calls::default()).mark(&event_id, &skipped, aws::clock::now()).await.unwrap();
    let first = retry(&id).await;
    assert_eq!((first.status, first.json), queued(&id));
    stack().order_with_entries(&parcel.order_id, 1).await;
    assert!(detail_in_status(&id, "processed").await["reason"].is_null());
    let again = retry(&id).await;
    assert_eq!((again.status, again.json), already_applied(&id));
}

#[tokio::test]
async fn reopens_an_event_only_in_the_expected_state() {
    let (events, now) = (stack().events(&Calls::default()), aws::clock::now());
    let id = insert(Some(OURS), EventState::Unmatched, b"{}").await;
    let reopen =
        async |state| events.reopen(&EventId::parse(&id).unwrap(), state, now).await.unwrap();
    for state in [EventState::Received, EventState::Failed, EventState::Processed] {
        assert!(!reopen(state).await, "{state:?}");
    }
    assert!(row(&id).await.contains_key("notable"));
    assert!(reopen(EventState::Unmatched).await);
    let row = row(&id).await;
    assert_eq!((row["state"].as_s().unwrap().as_str(), row.get("notable")), ("received", None));
    assert!(InboundLog::PENDING_SHARDS.contains(&row["pending"].as_s().unwrap().as_str()));
    assert_eq!(row["pending_since"].as_s().unwrap(), &now.to_string());
    assert!(
        !events
            .reopen(&EventId::parse("unknown").unwrap(), EventState::Received, now)
            .await
            .unwrap()
    );
}
