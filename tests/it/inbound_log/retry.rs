//! An event is worked on again.

use std::collections::HashMap;
use std::time::Duration;

use aws::tables::deliveries::Deliveries;
use aws::tables::inbound::{EventState, InboundLog, Progress};
use aws::tables::runs::Runs;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::core::hash::Fingerprint;
use domain::core::id::EventId;
use lambda_http::Request;
use ops::{Ops, Queues, Tables};
use serde_json::{Value, json};
use sweep::Sweep;

use super::{detail, detail_once, keep, sample, with_a_reused_id};
use crate::callers::OURS;
use crate::crash::{keep_for, work};
use crate::delivering::Endpoint;
use crate::main_way::Parcel;
use crate::support::{Answer, Calls, Fault, eventually, http, stack, unique};

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
async fn what_failed_is_done_once_its_cause_is_gone() {
    let (parcel, account) = (Parcel::new(), unique("ACC-"));
    let mut order = parcel.order();
    order["accountCode"] = json!(account);
    assert_eq!(
        stack().user("admin", "POST", "/api/external/orders", Some(&order)).await.status,
        201
    );
    let endpoint = Endpoint::new(json!({"accounts": [account], "format": "fax"}), json!([])).await;
    let id = keep_for(&account, &parcel.report(18, "IN TRANSIT", "09:00:00")).await;
    assert!(work(&id, None).await.0);
    let failed = detail(id.as_str()).await;
    assert_eq!((&failed["status"], &failed["body"].is_string()), (&json!("failed"), &true));
    assert!(
        failed["reason"].as_str().unwrap().contains("settings is wrong"),
        "{}",
        failed["reason"]
    );

    endpoint.set("settings", &json!({"accounts": [account]}).to_string()).await;
    // Longer than a function keeps settings in memory.
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let answer = retry(id.as_str()).await;
    assert_eq!((answer.status, answer.json), queued(id.as_str()));
    let done = detail_once(id.as_str(), "processed").await;
    assert!(
        done["reason"].is_null() && done["settled_at"].as_str() > failed["settled_at"].as_str(),
        "{done}"
    );
    assert_eq!(endpoint.received(1).await.len(), 1);
    let again = retry(id.as_str()).await;
    assert_eq!((again.status, again.json), already_applied(id.as_str()));
}

#[tokio::test]
async fn what_cannot_be_read_fails_again() {
    let body = format!("canary-body {}", unique("")).into_bytes();
    let refused =
        stack().raw_webhook(&stack().sources["shiprocket"]["api_key"], body.clone()).await;
    let id = Fingerprint::of("event").with("shiprocket").with(OURS).with(&body).finish();
    let before = detail(&id).await;
    assert_eq!(
        (&before["status"], &before["reason"]),
        (&json!("failed"), &refused.json["error"]["message"])
    );
    assert!(before["settled_at"].is_null());
    for _twice in 0..2 {
        let last = detail(&id).await["settled_at"].clone();
        let answer = retry(&id).await;
        assert_eq!((answer.status, answer.json), queued(&id));
        let after = eventually("it to be looked at again", async || {
            Some(detail(&id).await)
                .filter(|row| row["settled_at"].is_string() && row["settled_at"] != last)
        })
        .await;
        assert_eq!((&after["status"], &after["reason"]), (&json!("failed"), &before["reason"]));
        assert_eq!(after["received_at"], before["received_at"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_retries_at_once_are_one() {
    let parcel = Parcel::new();
    stack().create_order(&parcel.order()).await;
    let id = keep(
        Some(OURS),
        EventState::Failed,
        parcel.report(18, "IN TRANSIT", "09:00:00").to_string().as_bytes(),
    )
    .await;
    let answers = futures::future::join_all((0..4).map(|_| retry(&id))).await;
    for answer in answers {
        let answer = (answer.status, answer.json);
        assert!(answer == queued(&id) || answer == already_applied(&id), "{answer:?}");
    }
    detail_once(&id, "processed").await;
    let order = stack().order_with_entries(&parcel.order_id, 1).await;
    assert_eq!((&order["version"], order["timeline"].as_array().unwrap().len()), (&json!(2), 1));
    let received = stack().received_at_least(&parcel.order_id, 3).await;
    let told: std::collections::BTreeSet<&str> =
        received.iter().map(|request| request.id()).collect();
    assert_eq!(told.len(), 3, "whatever comes twice comes under its id");
}

/// An event that contradicts itself is applied when somebody who looked at it says so.
#[tokio::test]
async fn what_is_quarantined_waits_for_somebodys_word() {
    let order_id = unique("ORD-");
    let stamp = unique("order_");
    stack().create_order(&json!({"orderId": order_id, "refs": {"esahayak": stamp}})).await;
    let mut body = sample("esahayak/stamp_uploaded");
    body["id"] = json!(unique("webhook_"));
    body["data"]["order"]["id"] = json!(stamp);
    let request = http::client()
        .post(stack().url("/webhooks/esahayak"))
        .header("x-esahayak-event", "stamp.failed");
    assert_eq!(http::send(http::with_json(request, Some(&body))).await.status, 200);
    let text = body.to_string();
    let id = Fingerprint::of("quarantined event").with("esahayak").with(OURS).with(&text).finish();
    let kept = detail(&id).await;
    assert_eq!((&kept["status"], &kept["reason"]), (&json!("quarantined"), &json!("event_header")));
    // The same once more, unchanged: it is known, and still waits.
    let request = http::client()
        .post(stack().url("/webhooks/esahayak"))
        .header("x-esahayak-event", "stamp.failed");
    assert_eq!(http::send(http::with_json(request, Some(&body))).await.status, 200);
    assert_eq!(detail(&id).await, kept);
    assert_eq!(stack().order(&order_id).await["timeline"], json!([]));

    assert_eq!(retry(&id).await.status, 202);
    assert_eq!(stack().order_with_entries(&order_id, 1).await["status"], "completed");
    detail_once(&id, "processed").await;
}

#[tokio::test]
async fn another_body_under_a_known_id_has_no_second_effect() {
    let id = with_a_reused_id().await;
    assert_eq!(detail(&id).await["status"], "quarantined");
    assert_eq!(retry(&id).await.status, 202);
    // Its order is unknown; both bodies wait as the one report that they are.
    detail_once(&id, "unmatched").await;
}

#[tokio::test]
async fn a_report_that_waits_is_looked_for_again() {
    let mut body = Parcel::new().report(18, "IN TRANSIT", "09:00:00");
    body["order_id"] = json!(unique("not-ours-"));
    let id = stack().webhook(&body).await.json["event_id"].as_str().unwrap().to_owned();
    let before = detail_once(&id, "unmatched").await;
    assert_eq!(retry(&id).await.status, 202);
    eventually("it to be looked for again", async || {
        let row = detail(&id).await;
        (row["status"] == "unmatched" && row["settled_at"] != before["settled_at"]).then_some(())
    })
    .await;
}

/// The function, in this process, asked to retry.
async fn ask(queue: &Calls, id: &str) -> u16 {
    let calls = Calls::default();
    let tables = Tables {
        events: stack().events(&calls),
        orders: stack().orders(&calls),
        deliveries: Deliveries::new(stack().dynamodb(&calls), stack().tables["deliveries"].clone()),
        // A retry asks nothing of it.
        runs: Runs::new(stack().dynamodb(&calls), String::new()),
    };
    let queues = Queues {
        events: stack().queue("events", queue),
        deliveries: stack().queue("deliveries", &calls),
    };
    let ops = Ops::new(tables, queues, stack().settings(&calls));
    let admin = &stack().users["admin"];
    let credentials =
        data_encoding::BASE64.encode(format!("{}:{}", admin.name, admin.password).as_bytes());
    let event = json!({
        "version": "2.0", "routeKey": "POST /api/webhooks/retry/{id}", "rawPath": format!("/api/webhooks/retry/{id}"),
        "rawQueryString": "", "isBase64Encoded": false, "pathParameters": {"id": id},
        "headers": {"authorization": format!("Basic {credentials}")},
        "requestContext": {"requestId": unique("it"), "routeKey": "POST /api/webhooks/retry/{id}",
                           "http": {"method": "POST", "path": format!("/api/webhooks/retry/{id}"),
                                    "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "test"}},
    });
    let request: Request = lambda_http::request::from_str(&event.to_string()).unwrap();
    ops.handle(request).await.unwrap().status().as_u16()
}

#[tokio::test]
async fn while_the_queue_is_away_an_event_is_reopened_and_pending() {
    let id = keep(Some(OURS), EventState::Ignored, b"{}").await;
    assert_eq!(ask(&Calls::failing(Some(Fault::Before(0))), &id).await, 202);
    let reopened = row(&id).await;
    assert_eq!(reopened["state"].as_s().unwrap(), "received");
    assert!(reopened.contains_key("pending"), "{reopened:?}");

    // A minute later the queue is back.
    let calls = Calls::default();
    let later = aws::clock::now().after(Duration::from_secs(60));
    let sweep = Sweep::new(stack().events(&calls), stack().queue("events", &calls));
    sweep.run(later, aws::clock::now().after(Duration::from_secs(40))).await.unwrap();
    detail_once(&id, "failed").await;
    assert!(!row(&id).await.contains_key("pending"));
}

#[tokio::test]
async fn what_was_left_out_of_an_event_is_read_again() {
    let parcel = Parcel::new();
    stack().create_order(&parcel.order()).await;
    let body = parcel.report(18, "IN TRANSIT", "09:00:00").to_string();
    let id = keep(Some(OURS), EventState::Received, body.as_bytes()).await;
    let event_id = EventId::parse(&id).unwrap();
    let left_out = Progress::because(EventState::Processed, "1 for numbers of nobody");
    stack().events(&Calls::default()).mark(&event_id, &left_out, aws::clock::now()).await.unwrap();
    let first = retry(&id).await;
    assert_eq!((first.status, first.json), queued(&id));
    stack().order_with_entries(&parcel.order_id, 1).await;
    assert!(detail_once(&id, "processed").await["reason"].is_null());
    let again = retry(&id).await;
    assert_eq!((again.status, again.json), already_applied(&id));
}

#[tokio::test]
async fn an_event_is_reopened_as_it_was_seen_or_not_at_all() {
    let (events, now) = (stack().events(&Calls::default()), aws::clock::now());
    let id = keep(Some(OURS), EventState::Unmatched, b"{}").await;
    let reopen =
        async |seen| events.reopen(&EventId::parse(&id).unwrap(), seen, now).await.unwrap();
    for seen in [EventState::Received, EventState::Failed, EventState::Processed] {
        assert!(!reopen(seen).await, "{seen:?}");
    }
    assert!(row(&id).await.contains_key("notable"));
    assert!(reopen(EventState::Unmatched).await);
    let row = row(&id).await;
    assert_eq!((row["state"].as_s().unwrap().as_str(), row.get("notable")), ("received", None));
    assert!(InboundLog::PENDING_SHARDS.contains(&row["pending"].as_s().unwrap().as_str()));
    assert_eq!(row["pending_since"].as_s().unwrap(), &now.to_string());
    assert!(
        !events
            .reopen(&EventId::parse("nowhere").unwrap(), EventState::Received, now)
            .await
            .unwrap()
    );
}
