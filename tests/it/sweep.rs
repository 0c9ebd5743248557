//! What could not be queued is queued later, or ends where somebody sees it.

use std::time::Duration;

use aws::sqs::Queue;
use aws::tables::inbound::{
    EventMessage, EventState, InboundEvent, InboundLog, Inserted, Pending, Progress,
};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, GlobalSecondaryIndex, KeySchemaElement,
    KeyType, Projection, ProjectionType, ScalarAttributeType,
};
use domain::core::hash::Fingerprint;
use domain::core::id::{AccountCode, EventId, ReportId};
use domain::core::timestamp::Timestamp;
use domain::tracking::report::SourceName;
use inbound::Inbound;
use lambda_http::{Body, Request, RequestExt};
use serde_json::Value;
use sweep::Sweep;
use tokio::net::TcpListener;

use crate::main_way::Parcel;
use crate::support::{Calls, Fault, eventually, stack, unique};

fn event(body: Vec<u8>, received_at: Timestamp) -> InboundEvent {
    InboundEvent {
        id: Fingerprint::of("left-behind").with(&body).into(),
        source: SourceName::new("shiprocket"),
        account: AccountCode::parse("STORE001").ok(),
        received_at,
        state: EventState::Received,
        reason: None,
        body,
    }
}

fn report(parcel: &Parcel) -> Vec<u8> {
    parcel.report(18, "IN TRANSIT", "09:00:00").to_string().into_bytes()
}

/// An event as `inbound` leaves it behind when its queue is out of reach.
async fn left_behind(parcel: &Parcel, since: Timestamp) -> EventId {
    let events = stack().events(&Calls::default());
    let event = event(report(parcel), since);
    assert_eq!(events.insert(&event).await.unwrap(), Inserted::New);
    events.mark_pending(&event.id, since).await.unwrap();
    assert!(is_pending(&event.id).await);
    event.id
}

async fn is_pending(id: &EventId) -> bool {
    all_pending(&stack().events(&Calls::default())).await.iter().any(|pending| pending.id == *id)
}

/// What can be read of all that is pending.
async fn all_pending(events: &InboundLog) -> Vec<Pending> {
    let mut found = Vec::new();
    for shard in InboundLog::PENDING_SHARDS {
        let mut from = None;
        loop {
            let page = events.pending(shard, from).await.unwrap();
            found.extend(page.events.into_iter().flatten());
            from = page.next;
            if from.is_none() {
                break;
            }
        }
    }
    found
}

/// The end of a sweep that begins now.
fn soon() -> Timestamp {
    aws::clock::now().after(Duration::from_secs(40))
}

/// A webhook as `inbound` gets it.
fn webhook(parcel: &Parcel) -> Request {
    let request = lambda_http::http::Request::post("/webhooks/carrier")
        .header("x-api-key", &stack().sources["shiprocket"]["api_key"])
        .body(Body::from(report(parcel)))
        .unwrap();
    request.with_raw_http_path("/webhooks/carrier")
}

/// The id of an event that was answered 200.
fn taken(answer: &lambda_http::Response<Body>) -> EventId {
    assert_eq!(answer.status(), 200);
    let answer: Value = serde_json::from_slice(answer.body()).unwrap();
    EventId::parse(answer["event_id"].as_str().unwrap()).unwrap()
}

fn ago(seconds: u64) -> Timestamp {
    let millis = aws::clock::now().millis() - i64::try_from(seconds).unwrap() * 1000;
    Timestamp::from_millis(millis).unwrap()
}

#[tokio::test]
async fn an_event_left_behind_is_applied_once() {
    let parcel = Parcel::new();
    stack().create_order(&parcel.order()).await;
    let id = left_behind(&parcel, ago(20)).await;
    // The deployed schedule fires every minute; whichever sweep comes first sends it.
    let calls = Calls::default();
    Sweep::new(stack().events(&calls), stack().queue("events", &calls))
        .run(aws::clock::now(), soon())
        .await
        .unwrap();
    stack().order_with_entries(&parcel.order_id, 1).await;
    assert_eq!(stack().received_at_least(&parcel.order_id, 3).await.len(), 3);
    assert!(!is_pending(&id).await);
}

#[tokio::test]
async fn while_the_queue_is_away_webhooks_are_still_taken() {
    let parcel = Parcel::new();
    stack().create_order(&parcel.order()).await;
    let inbound = stack().inbound(&Calls::failing(Some(Fault::Before(0))));
    let id = taken(&inbound.handle(webhook(&parcel)).await.unwrap());
    assert!(is_pending(&id).await);

    // A minute later the queue is back.
    let calls = Calls::default();
    let later = aws::clock::now().after(Duration::from_secs(60));
    Sweep::new(stack().events(&calls), stack().queue("events", &calls))
        .run(later, soon())
        .await
        .unwrap();
    stack().order_with_entries(&parcel.order_id, 1).await;
    assert_eq!(stack().received_at_least(&parcel.order_id, 3).await.len(), 3);
    assert!(!is_pending(&id).await);
}

#[tokio::test]
async fn while_the_queue_is_away_it_stays_pending() {
    let parcel = Parcel::new();
    let id = left_behind(&parcel, aws::clock::now()).await;
    // Too young for the deployed sweep; for this one it is a minute later, and its queue fails.
    let later = aws::clock::now().after(Duration::from_secs(60));
    let calls = Calls::default();
    let nowhere = Queue::new(stack().sqs(&calls), format!("{}-gone", stack().queues["events"]));
    let failed = Sweep::new(stack().events(&calls), nowhere).run(later, soon()).await;
    assert!(failed.is_err());
    assert!(is_pending(&id).await);
}

#[tokio::test]
async fn what_cannot_be_queued_for_a_day_ends_as_failed() {
    let id = left_behind(&Parcel::new(), ago(24 * 60 * 60 + 60)).await;
    let calls = Calls::default();
    Sweep::new(stack().events(&calls), stack().queue("events", &calls))
        .run(aws::clock::now(), soon())
        .await
        .unwrap();
    let event = eventually("an end", async || {
        stack()
            .events(&Calls::default())
            .load(&id)
            .await
            .unwrap()
            .filter(|event| event.state == EventState::Failed)
    })
    .await;
    assert!(event.reason.unwrap().contains("24 hours"));
    assert!(!is_pending(&id).await);
}

#[tokio::test]
async fn while_the_queue_hangs_webhooks_are_answered_in_time() {
    let hanging = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let sqs = aws_sdk_sqs::config::Builder::from(&stack().sdk())
        .endpoint_url(format!("http://{}", hanging.local_addr().unwrap()))
        .build();
    let queue = Queue::new(aws_sdk_sqs::Client::from_conf(sqs), stack().queues["events"].clone());
    let calls = Calls::default();
    let inbound = Inbound::new(stack().events(&calls), queue, stack().settings(&calls));
    let request = inbound.handle(webhook(&Parcel::new()));
    let answer =
        tokio::time::timeout(Duration::from_secs(10), request).await.expect("an answer in time");
    assert!(is_pending(&taken(&answer.unwrap())).await);
}

#[tokio::test]
async fn what_failed_and_comes_again_may_be_pending_but_is_not_given_up() {
    let events = stack().events(&Calls::default());
    // Young: the deployed sweep leaves it alone for a while.
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

    // What somebody has worked on keeps its state too.
    let waits = Progress::unmatched([ReportId::from(event.id.clone())].into());
    events.mark(&event.id, &waits, now).await.unwrap();
    events.mark_pending(&event.id, now).await.unwrap();
    assert!(!events.give_up(&pending, "too old", now).await.unwrap());
    let settled = events.load(&event.id).await.unwrap().unwrap();
    assert_eq!((settled.state, settled.reason), (EventState::Unmatched, None));
    assert!(!is_pending(&event.id).await);
}

#[tokio::test]
async fn the_parts_of_a_large_event_are_left_alone() {
    // Digests do not compress.
    let noise =
        (0..20_000).map(|n: u32| Fingerprint::of(&unique("noise")).with(n.to_be_bytes()).finish());
    let (first, now) =
        (event(noise.collect::<String>().into_bytes(), ago(1000)), aws::clock::now());
    let events = stack().events(&Calls::default());
    assert_eq!(events.insert(&first).await.unwrap(), Inserted::New);
    let ttl = async || {
        let get =
            stack().dynamodb(&Calls::default()).get_item().table_name(&stack().tables["inbound"]);
        let get = get.key("pk", AttributeValue::S(first.id.as_str().to_owned()));
        let part = format!("body:{}:0", Fingerprint::of("body").with(&first.body).finish());
        let part = get.key("sk", AttributeValue::S(part)).send().await.unwrap();
        part.item.unwrap()["ttl"].clone()
    };
    let before = ttl().await;
    let again = InboundEvent { received_at: now, ..first.clone() };
    assert_eq!(events.insert(&again).await.unwrap(), Inserted::Duplicate(EventState::Received));
    assert_eq!(ttl().await, before);
    let mut other = first.clone();
    other.body.reverse();
    assert_eq!(events.insert(&other).await.unwrap(), Inserted::Conflict);
    assert_eq!(events.load(&first.id).await.unwrap().unwrap().body, first.body);
}

/// An inbound table and an events queue of a test's own, where nobody else sweeps.
struct Backlog {
    table: String,
    queue_url: String,
}

impl Backlog {
    async fn new() -> Self {
        let calls = Calls::default();
        let table = unique("backlog-");
        let key = |name: &str, kind| {
            KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap()
        };
        let keys = |hash, range| Some(vec![key(hash, KeyType::Hash), key(range, KeyType::Range)]);
        let text = |name: &str| {
            let attribute = AttributeDefinition::builder().attribute_name(name);
            attribute.attribute_type(ScalarAttributeType::S).build().unwrap()
        };
        let index = GlobalSecondaryIndex::builder()
            .index_name("pending")
            .set_key_schema(keys("pending", "pending_since"))
            .projection(Projection::builder().projection_type(ProjectionType::KeysOnly).build())
            .build()
            .unwrap();
        let create = stack()
            .dynamodb(&calls)
            .create_table()
            .table_name(&table)
            .global_secondary_indexes(index);
        let attributes = ["pk", "sk", "pending", "pending_since"].map(text).to_vec();
        let create =
            create.set_key_schema(keys("pk", "sk")).set_attribute_definitions(Some(attributes));
        create.billing_mode(BillingMode::PayPerRequest).send().await.unwrap();
        let queue = stack().sqs(&calls).create_queue().queue_name(&table).send().await.unwrap();
        Self { table, queue_url: queue.queue_url.unwrap() }
    }

    fn events(&self) -> InboundLog {
        InboundLog::new(stack().dynamodb(&Calls::default()), self.table.clone())
    }

    async fn sweep(&self, deadline: Timestamp) -> Result<(), aws::error::IoError> {
        let queue = Queue::new(stack().sqs(&Calls::default()), self.queue_url.clone());
        Sweep::new(self.events(), queue).run(aws::clock::now(), deadline).await
    }

    /// Keeps an event that has been pending since then.
    async fn add(&self, body: &str, since: Timestamp) -> EventId {
        let event = event(body.to_owned().into_bytes(), since);
        self.events().insert(&event).await.unwrap();
        self.events().mark_pending(&event.id, since).await.unwrap();
        event.id
    }

    /// A row that nobody can read, before all others of its shard.
    async fn add_poison(&self, shard: &str) {
        let put = stack().dynamodb(&Calls::default()).put_item().table_name(&self.table);
        let row =
            [("pk", " poison"), ("sk", "event"), ("pending", shard), ("pending_since", "1970")];
        let row = row.map(|(name, value)| (name.to_owned(), AttributeValue::S(value.to_owned())));
        put.set_item(Some(row.into())).send().await.unwrap();
    }

    /// Takes all messages out of the queue.
    async fn sent(&self) -> Vec<EventId> {
        let mut found = Vec::new();
        loop {
            let sqs = stack().sqs(&Calls::default());
            let receive =
                sqs.receive_message().queue_url(&self.queue_url).max_number_of_messages(10);
            let batch = receive.visibility_timeout(600).send().await.unwrap();
            if batch.messages().is_empty() {
                found.sort();
                return found;
            }
            let bodies = batch.messages().iter().map(|message| message.body().unwrap());
            found.extend(bodies.map(|body| EventMessage::read(body).unwrap().event_id));
        }
    }

    async fn remove(self) {
        let calls = Calls::default();
        stack().dynamodb(&calls).delete_table().table_name(self.table).send().await.unwrap();
        stack().sqs(&calls).delete_queue().queue_url(self.queue_url).send().await.unwrap();
    }
}

#[tokio::test]
async fn a_backlog_is_sent_once_and_a_row_that_cannot_be_read_stops_nothing() {
    let backlog = Backlog::new().await;
    let since = ago(60);
    let mut left = futures::future::join_all((0..60).map(|n| {
        let backlog = &backlog;
        async move { backlog.add(&format!("event {n}"), since).await }
    }))
    .await;
    left.sort();
    backlog.add_poison(InboundLog::PENDING_SHARDS[0]).await;
    let old = backlog.add("old", ago(24 * 60 * 60 + 60)).await;
    let young = backlog.add("young", aws::clock::now().after(Duration::from_secs(60))).await;

    // No time: nothing is sent, nothing is lost.
    let nothing = backlog.sweep(aws::clock::now()).await;
    assert!(nothing.is_err(), "the poison is seen");
    assert_eq!(backlog.sent().await, []);
    assert_eq!(all_pending(&backlog.events()).await.len(), 62);

    assert!(backlog.sweep(soon()).await.is_err(), "the poison is still seen");
    assert!(backlog.sent().await == left, "each is sent, and once");
    let pending = all_pending(&backlog.events()).await;
    assert_eq!(pending.iter().map(|pending| &pending.id).collect::<Vec<_>>(), [&young]);
    assert_eq!(backlog.events().load(&old).await.unwrap().unwrap().state, EventState::Failed);
    backlog.remove().await;
}

/// A page of a shard has 250 events.
#[tokio::test]
async fn a_backlog_of_many_pages_is_sent_in_one_run() {
    let backlog = Backlog::new().await;
    let put = |n: u32| {
        let id = Fingerprint::of(&backlog.table).with(n.to_be_bytes()).finish();
        let row = [("pk", id.as_str()), ("sk", "event"), ("state", "received"), ("pending", "0")];
        let mut row: std::collections::HashMap<_, _> =
            row.map(|(name, value)| (name.to_owned(), AttributeValue::S(value.to_owned()))).into();
        row.insert("pending_since".to_owned(), AttributeValue::S(ago(600).to_string()));
        stack()
            .dynamodb(&Calls::default())
            .put_item()
            .table_name(&backlog.table)
            .set_item(Some(row))
            .send()
    };
    for start in (0..520).step_by(40) {
        let rows = futures::future::join_all((start..start + 40).map(put)).await;
        assert!(rows.iter().all(Result::is_ok));
    }
    backlog.sweep(soon()).await.unwrap();
    assert_eq!(all_pending(&backlog.events()).await.len(), 0);
    assert_eq!(backlog.sent().await.len(), 520);
    backlog.remove().await;
}
