//! Repeated requests: concurrent copies, and a replay after weeks.

use std::time::Duration;

use aws::tables::inbound::EventState;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::core::id::EventId;
use domain::core::timestamp::Timestamp;
use futures::future::join_all;

use super::request::{Transport, WebhookRequest};
use super::source_fixture::SourceFixture;
use super::test_case::{send_and_settle, settled_event};
use super::test_order::TestOrder;
use super::{esahayak, shiprocket, shipway, whatsapp};
use crate::support::{Calls, stack, unique};

const COPIES: usize = 16;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[tokio::test]
async fn deduplicates_shiprocket_webhooks() {
    check_deduplication(shiprocket::fixture().await).await;
}

#[tokio::test]
async fn deduplicates_shipway_webhooks() {
    check_deduplication(shipway::fixture().await).await;
}

#[tokio::test]
async fn deduplicates_esahayak_webhooks() {
    check_deduplication(esahayak::fixture().await).await;
}

#[tokio::test]
async fn deduplicates_whatsapp_webhooks() {
    check_deduplication(&whatsapp::fixture()).await;
}

async fn check_deduplication(source: &SourceFixture) {
    deduplicates_concurrent_copies(source).await;
    deduplicates_a_replay_after_31_days(source).await;
}

/// All copies are answered 200 with one event id.
async fn deduplicates_concurrent_copies(source: &SourceFixture) {
    let (order, request) = create_order(source).await;
    let answers = join_all((0..COPIES).map(|_| Transport::Http.send(&request))).await;
    let ids: Vec<_> =
        answers.iter().map(|answer| (answer.status, &answer.json["event_id"])).collect();
    assert!(ids.iter().all(|id| *id == (200, ids[0].1)), "{ids:?}");
    let events = stack().events(&Calls::default());
    let event = settled_event(&events, source, &request, &answers[0]).await.unwrap();
    assert_eq!(event.state, EventState::Processed);
    assert_applied_once(&order).await;
}

/// Providers repeat webhooks for days; events are retained for 90.
async fn deduplicates_a_replay_after_31_days(source: &SourceFixture) {
    let (order, request) = create_order(source).await;
    let (first, event) = send_and_settle(source, &request).await;
    assert_applied_once(&order).await;

    let received_at = before(event.received_at, 31 * DAY);
    let expires_at = backdate(&event.id, 31 * DAY, received_at).await;
    assert!(expires_at > aws::clock::now().seconds(), "the row would have expired by now");
    let replay = Transport::Http.send(&request).await;
    assert_eq!((replay.status, &replay.json["event_id"]), (200, &first.json["event_id"]));
    let event = stack().events(&Calls::default()).load(&event.id).await.unwrap().unwrap();
    assert_eq!((event.state, event.received_at), (EventState::Processed, received_at));
    assert_applied_once(&order).await;
}

/// Creates an order. Returns it with a request that changes it.
async fn create_order(source: &SourceFixture) -> (TestOrder, WebhookRequest) {
    let tag = unique("");
    let order = source.order(&tag);
    order.create().await;
    (order, source.valid_request(&tag))
}

async fn assert_applied_once(order: &TestOrder) {
    let json = order.load().await;
    let (status, version, entries) = match &order.message_id {
        Some(_) => (&json["latestMessageStatus"], 1, 0),
        None => (&json["status"], 2, 1),
    };
    let timeline = json["timeline"].as_array().unwrap();
    assert_eq!((status.as_str(), timeline.len()), (Some(order.changed_status), entries), "{json}");
    assert_eq!(json["version"], version);
}

fn before(time: Timestamp, duration: Duration) -> Timestamp {
    Timestamp::from_millis(time.millis() - i64::try_from(duration.as_millis()).unwrap()).unwrap()
}

/// Makes a row older. Returns its expiry (TTL), in seconds since 1970.
async fn backdate(id: &EventId, by: Duration, received_at: Timestamp) -> i64 {
    let seconds = AttributeValue::N(format!("-{}", by.as_secs()));
    let update =
        stack().dynamodb(&Calls::default()).update_item().table_name(&stack().tables["inbound"]);
    let update = update
        .key("pk", AttributeValue::S(id.as_str().to_owned()))
        .key("sk", AttributeValue::S("event".to_owned()))
        .update_expression("SET received_at = :received_at ADD #ttl :seconds")
        .expression_attribute_names("#ttl", "ttl")
        .expression_attribute_values(":received_at", AttributeValue::S(received_at.to_string()))
        .expression_attribute_values(":seconds", seconds)
        .return_values("ALL_NEW".into());
    let row = update.send().await.unwrap().attributes.unwrap();
    row["ttl"].as_n().unwrap().parse().unwrap()
}
