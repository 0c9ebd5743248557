//! `sweep` queues pending events, which `inbound` could not queue, and fails them after a day.

mod backlog;

use std::time::Duration;

use aws::sqs::Queue;
use aws::tables::inbound::{
    EventState, InboundEvent, InboundLog, Inserted, Pending, Progress, Stage,
};
use aws_sdk_dynamodb::types::AttributeValue;
use domain::core::hash::Fingerprint;
use domain::core::id::{EventId, ReportId};
use domain::core::timestamp::Timestamp;
use inbound::Inbound;
use lambda_http::{Body, Request, RequestExt, Response};
use serde_json::Value;
use sweep::PendingEvents;
use tokio::net::TcpListener;

use crate::support::{
    Calls, Fault, OURS, Parcel, eventually, inbound_event, insert_event, seconds_from_now, stack,
    unique,
};

/// In seconds.
const DAY: i64 = 24 * 60 * 60;
/// A sweep stops at its deadline: this one has enough time, in seconds.
const ENOUGH_TIME: i64 = 40;

fn event(body: impl Into<Vec<u8>>, received_at: Timestamp) -> InboundEvent {
    InboundEvent { received_at, ..inbound_event("shiprocket", Some(OURS), body) }
}

fn report(parcel: &Parcel) -> Vec<u8> {
    parcel.in_transit().to_string().into_bytes()
}

/// Inserts an event as `inbound` does while its queue fails.
async fn insert_pending(parcel: &Parcel, since: Timestamp) -> EventId {
    let id = insert_event(&event(report(parcel), since)).await;
    stack().events(&Calls::default()).mark_pending(&id, since).await.unwrap();
    assert!(is_pending(&id).await);
    id
}

async fn is_pending(id: &EventId) -> bool {
    all_pending(&stack().events(&Calls::default())).await.iter().any(|pending| pending.id == *id)
}

/// All pending events, without unreadable rows.
async fn all_pending(events: &InboundLog) -> Vec<Pending> {
    let mut found = Vec::new();
    for shard in InboundLog::PENDING_SHARDS {
        let mut from = None;
        loop {
            let page = events.pending(Stage::ToSend, shard, from).await.unwrap();
            found.extend(page.events.into_iter().flatten());
            from = page.next;
            if from.is_none() {
                break;
            }
        }
    }
    found
}

async fn sweep_at(now: Timestamp) {
    stack().sweep().run(now, seconds_from_now(ENOUGH_TIME)).await.unwrap();
}

/// A webhook as `inbound` receives it.
fn webhook(parcel: &Parcel) -> Request {
    let request = lambda_http::http::Request::post("/webhooks/carrier")
        .header("x-api-key", stack().shiprocket_token())
        .body(Body::from(report(parcel)))
        .unwrap();
    request.with_raw_http_path("/webhooks/carrier")
}

fn accepted_event_id(response: &Response<Body>) -> EventId {
    assert_eq!(response.status(), 200);
    let body: Value = serde_json::from_slice(response.body()).unwrap();
    EventId::parse(body["event_id"].as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn applies_a_pending_event_once() {
    let parcel = Parcel::new();
    stack().create_order(&parcel.order()).await;
    let id = insert_pending(&parcel, seconds_from_now(-20)).await;
    // The deployed sweep runs every minute and may be first.
    sweep_at(aws::clock::now()).await;
    stack().order_with_entries(&parcel.order_id, 1).await;
    assert_eq!(stack().received_at_least(&parcel.order_id, 3).await.len(), 3);
    assert!(!is_pending(&id).await);
}

#[tokio::test]
async fn accepts_webhooks_while_the_queue_fails() {
    let parcel = Parcel::new();
    stack().create_order(&parcel.order()).await;
    let inbound = stack().inbound(&Calls::failing(Some(Fault::Before(0))));
    let id = accepted_event_id(&inbound.handle(webhook(&parcel)).await.unwrap());
    assert!(is_pending(&id).await);

    // A minute later the queue works again.
    sweep_at(seconds_from_now(60)).await;
    stack().order_with_entries(&parcel.order_id, 1).await;
    assert_eq!(stack().received_at_least(&parcel.order_id, 3).await.len(), 3);
    assert!(!is_pending(&id).await);
}

#[tokio::test]
async fn leaves_an_event_pending_while_the_queue_fails() {
    let id = insert_pending(&Parcel::new(), aws::clock::now()).await;
    // The event is too young for the deployed sweep. This sweep runs a minute later.
    let calls = Calls::default();
    let missing = Queue::new(stack().sqs(&calls), format!("{}-gone", stack().queues["events"]));
    let sweep = PendingEvents::new(stack().events(&calls), missing);
    assert!(sweep.run(seconds_from_now(60), seconds_from_now(ENOUGH_TIME)).await.is_err());
    assert!(is_pending(&id).await);
}

#[tokio::test]
async fn fails_an_event_after_a_day_without_a_queue() {
    let id = insert_pending(&Parcel::new(), seconds_from_now(-DAY - 60)).await;
    sweep_at(aws::clock::now()).await;
    let event = eventually("the event to fail", async || {
        let event = stack().events(&Calls::default()).load(&id).await.unwrap();
        event.filter(|event| event.state == EventState::Failed)
    })
    .await;
    assert!(event.reason.unwrap().contains("24 hours"));
    assert!(!is_pending(&id).await);
}

#[tokio::test]
async fn answers_webhooks_in_time_while_the_queue_hangs() {
    let hanging = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let sqs = aws_sdk_sqs::config::Builder::from(&stack().sdk())
        .endpoint_url(format!("http://{}", hanging.local_addr().unwrap()))
        .build();
    let queue = Queue::new(aws_sdk_sqs::Client::from_conf(sqs), stack().queues["events"].clone());
    let calls = Calls::default();
    let inbound = Inbound::new(stack().events(&calls), queue, stack().settings(&calls));
    let request = inbound.handle(webhook(&Parcel::new()));
    let response =
        tokio::time::timeout(Duration::from_secs(10), request).await.expect("a response in time");
    assert!(is_pending(&accepted_event_id(&response.unwrap())).await);
}

#[tokio::test]
async fn gives_up_no_event_that_was_processed_before() {
    let events = stack().events(&Calls::default());
    // The deployed sweep skips events this young.
    let now = aws::clock::now();
    let event = event(report(&Parcel::new()), now);
    events.insert(&event).await.unwrap();
    events
        .mark(&event.id, &Progress::because(EventState::Failed, "unreadable then"), now)
        .await
        .unwrap();
    events.mark_pending(&event.id, now).await.unwrap();
    assert!(is_pending(&event.id).await);

    let pending = Pending { id: event.id.clone(), since: now };
    assert!(!events.give_up(&pending, "too old", now).await.unwrap());
    assert!(!is_pending(&event.id).await);
    assert_eq!(
        events.load(&event.id).await.unwrap().unwrap().reason.as_deref(),
        Some("unreadable then")
    );

    // A processed event keeps its state too.
    let unmatched = Progress::unmatched([ReportId::from(event.id.clone())].into());
    events.mark(&event.id, &unmatched, now).await.unwrap();
    events.mark_pending(&event.id, now).await.unwrap();
    assert!(!events.give_up(&pending, "too old", now).await.unwrap());
    let settled = events.load(&event.id).await.unwrap().unwrap();
    assert_eq!((settled.state, settled.reason), (EventState::Unmatched, None));
    assert!(!is_pending(&event.id).await);
}

#[tokio::test]
async fn leaves_the_parts_of_a_large_event_unchanged_after_a_duplicate() {
    // Digests do not compress: the body needs several rows.
    let noise =
        (0..20_000).map(|n: u32| Fingerprint::of(&unique("noise")).with(n.to_be_bytes()).finish());
    let first = event(noise.collect::<String>(), seconds_from_now(-1000));
    let now = aws::clock::now();
    let events = stack().events(&Calls::default());
    assert_eq!(events.insert(&first).await.unwrap(), Inserted::New);
    let ttl = async || {
        let dynamodb = stack().dynamodb(&Calls::default());
        let get = dynamodb.get_item().table_name(&stack().tables["inbound"]);
        let get = get.key("pk", AttributeValue::S(first.id.as_str().to_owned()));
        let part = format!("body:{}:0", Fingerprint::of("body").with(&first.body).finish());
        let part = get.key("sk", AttributeValue::S(part)).send().await.unwrap();
        part.item.unwrap()["ttl"].clone()
    };
    let before = ttl().await;
    let duplicate = InboundEvent { received_at: now, ..first.clone() };
    assert_eq!(events.insert(&duplicate).await.unwrap(), Inserted::Duplicate(EventState::Received));
    assert_eq!(ttl().await, before);
    let mut conflict = first.clone();
    conflict.body.reverse();
    assert_eq!(events.insert(&conflict).await.unwrap(), Inserted::Conflict);
    assert_eq!(events.load(&first.id).await.unwrap().unwrap().body, first.body);
}
