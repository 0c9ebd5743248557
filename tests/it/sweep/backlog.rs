//! Backlogs of pending events.

use std::collections::HashMap;

use aws::error::IoError;
use aws::sqs::Queue;
use aws::tables::inbound::{EventMessage, EventState, InboundEvent, InboundLog, Progress};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, GlobalSecondaryIndex, KeySchemaElement,
    KeyType, Projection, ProjectionType, ScalarAttributeType,
};
use domain::core::hash::Fingerprint;
use domain::core::id::{AccountCode, EventId};
use domain::core::timestamp::Timestamp;
use futures::future::join_all;
use sweep::PendingEvents;

use super::{DAY, ENOUGH_TIME, all_pending, event};
use crate::support::{Calls, seconds_from_now, stack, unique};

/// An inbound table and an events queue that only this test sweeps.
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
        let index = |name: &str, hash, range| {
            let keys_only = Projection::builder().projection_type(ProjectionType::KeysOnly).build();
            let index = GlobalSecondaryIndex::builder().index_name(name).projection(keys_only);
            index.set_key_schema(keys(hash, range)).build().unwrap()
        };
        let create = stack()
            .dynamodb(&calls)
            .create_table()
            .table_name(&table)
            .global_secondary_indexes(index("pending", "pending", "pending_since"))
            .global_secondary_indexes(index("by_day", "day", "at"));
        let attributes = ["pk", "sk", "pending", "pending_since", "day", "at"].map(text).to_vec();
        let create =
            create.set_key_schema(keys("pk", "sk")).set_attribute_definitions(Some(attributes));
        create.billing_mode(BillingMode::PayPerRequest).send().await.unwrap();
        let queue = stack().sqs(&calls).create_queue().queue_name(&table).send().await.unwrap();
        Self { table, queue_url: queue.queue_url.unwrap() }
    }

    fn events(&self) -> InboundLog {
        InboundLog::new(stack().dynamodb(&Calls::default()), self.table.clone())
    }

    async fn sweep(&self, deadline: Timestamp) -> Result<(), IoError> {
        self.sweeper().run(aws::clock::now(), deadline).await
    }

    fn sweeper(&self) -> PendingEvents {
        let queue = Queue::new(stack().sqs(&Calls::default()), self.queue_url.clone());
        PendingEvents::new(self.events(), queue)
    }

    async fn insert(&self, since: Timestamp) -> EventId {
        let event = event("{}", since);
        self.events().insert(&event).await.unwrap();
        self.events().mark_pending(&event.id, since).await.unwrap();
        event.id
    }

    /// Inserts an unreadable row before all others of its shard.
    async fn insert_unreadable(&self, shard: &str) {
        let put = stack().dynamodb(&Calls::default()).put_item().table_name(&self.table);
        let row =
            [("pk", " unreadable"), ("sk", "event"), ("pending", shard), ("pending_since", "1970")];
        let row = row.map(|(name, value)| (name.to_owned(), AttributeValue::S(value.to_owned())));
        put.set_item(Some(row.into())).send().await.unwrap();
    }

    /// With the expressions of docs/operations.md; the condition fails for some.
    async fn reopen_as_documented(&self, id: &EventId) {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let update = stack().dynamodb(&Calls::default()).update_item().table_name(&self.table);
        let update = update.key("pk", text(id.as_str())).key("sk", text("event"));
        let update = update
            .update_expression("SET #state = :received REMOVE settled_at, reason, notable")
            .condition_expression("#state IN (:processed, :unmatched)")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":received", text("received"))
            .expression_attribute_values(":processed", text("processed"))
            .expression_attribute_values(":unmatched", text("unmatched"));
        let result = update.send().await;
        assert!(result.map_or_else(
            |error| error.into_service_error().is_conditional_check_failed_exception(),
            |_| true
        ));
    }

    /// As a release stored an event whose index had one partition a day.
    async fn move_to_whole_day(&self, id: &EventId, received_at: Timestamp) {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let update = stack().dynamodb(&Calls::default()).update_item().table_name(&self.table);
        let update = update.key("pk", text(id.as_str())).key("sk", text("event"));
        let update = update
            .update_expression("SET #day = :day")
            .expression_attribute_names("#day", "day")
            .expression_attribute_values(":day", text(&received_at.to_string()[..10]));
        update.send().await.unwrap();
    }

    async fn send_sweep_back(&self, to: Timestamp) {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let update = stack().dynamodb(&Calls::default()).update_item().table_name(&self.table);
        let update = update.key("pk", text("sweep")).key("sk", text("overdue"));
        let update = update
            .update_expression("SET #at = :from")
            .expression_attribute_names("#at", "at")
            .expression_attribute_values(":from", text(&to.to_string()));
        update.send().await.unwrap();
    }

    async fn take_queued(&self) -> Vec<EventId> {
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
async fn sends_a_backlog_once_despite_an_unreadable_row() {
    let backlog = Backlog::new().await;
    let since = seconds_from_now(-60);
    let mut inserted = join_all((0..60).map(|_| backlog.insert(since))).await;
    inserted.sort();
    backlog.insert_unreadable(InboundLog::PENDING_SHARDS[0]).await;
    let old = backlog.insert(seconds_from_now(-DAY - 60)).await;
    let young = backlog.insert(seconds_from_now(60)).await;

    // Past its deadline the sweep sends and loses no event.
    assert!(backlog.sweep(aws::clock::now()).await.is_err(), "the unreadable row is reported");
    assert_eq!(backlog.take_queued().await, []);
    assert_eq!(all_pending(&backlog.events()).await.len(), 62);

    let swept = backlog.sweep(seconds_from_now(ENOUGH_TIME)).await;
    assert!(swept.is_err(), "the unreadable row is still reported");
    assert!(backlog.take_queued().await == inserted, "each event is sent once");
    let pending = all_pending(&backlog.events()).await;
    assert_eq!(pending.iter().map(|pending| &pending.id).collect::<Vec<_>>(), [&young]);
    assert_eq!(backlog.events().load(&old).await.unwrap().unwrap().state, EventState::Failed);
    backlog.remove().await;
}

/// A page has 250 events.
#[tokio::test]
async fn sends_a_backlog_of_several_pages_in_one_run() {
    let backlog = Backlog::new().await;
    let put = |n: u32| {
        let id = Fingerprint::of(&backlog.table).with(n.to_be_bytes()).finish();
        let row = [("pk", id.as_str()), ("sk", "event"), ("state", "received"), ("pending", "0")];
        let mut row: HashMap<_, _> =
            row.map(|(name, value)| (name.to_owned(), AttributeValue::S(value.to_owned()))).into();
        row.insert(
            "pending_since".to_owned(),
            AttributeValue::S(seconds_from_now(-600).to_string()),
        );
        stack()
            .dynamodb(&Calls::default())
            .put_item()
            .table_name(&backlog.table)
            .set_item(Some(row))
            .send()
    };
    for start in (0..520).step_by(40) {
        let rows = join_all((start..start + 40).map(put)).await;
        assert!(rows.iter().all(Result::is_ok));
    }
    backlog.sweep(seconds_from_now(ENOUGH_TIME)).await.unwrap();
    assert_eq!(all_pending(&backlog.events()).await.len(), 0);
    assert_eq!(backlog.take_queued().await.len(), 520);
    backlog.remove().await;
}

/// Events of several days, of which two are still `received`. A page has 100 events.
#[tokio::test]
async fn queues_an_event_once_whose_message_was_lost() {
    let backlog = Backlog::new().await;
    let events = backlog.events();
    let insert = async |age: i64, state: EventState| {
        // Each of another account, or of none.
        let account = unique("ACC-");
        let account = (age != 4000).then(|| AccountCode::parse(&account).unwrap());
        let event = InboundEvent { account, ..event("{}", seconds_from_now(-age)) };
        events.insert(&event).await.unwrap();
        if state != EventState::Received {
            events.mark(&event.id, &state.into(), aws::clock::now()).await.unwrap();
        }
        event.id
    };
    let mut lost = vec![insert(5 * DAY, EventState::Received).await];
    for _ in 0..3 {
        join_all((0..40).map(|_| insert(2 * DAY, EventState::Processed))).await;
    }
    lost.push(insert(4000, EventState::Received).await);
    let old = insert(2 * DAY, EventState::Received).await;
    backlog.move_to_whole_day(&old, seconds_from_now(-2 * DAY)).await;
    lost.push(old);
    lost.sort();
    let recent = insert(3000, EventState::Received).await;
    let check = async |ahead: i64| {
        let now = seconds_from_now(ahead);
        backlog.sweeper().check_overdue(now, seconds_from_now(ENOUGH_TIME)).await.unwrap();
        backlog.sweeper().run(seconds_from_now(ahead + 60), seconds_from_now(ENOUGH_TIME)).await
    };
    check(0).await.unwrap();
    assert_eq!(backlog.take_queued().await, lost);
    check(0).await.unwrap();
    assert_eq!(backlog.take_queued().await, [], "each event is checked once");
    check(1000).await.unwrap();
    assert_eq!(backlog.take_queued().await, [recent]);
    backlog.remove().await;
}

/// What docs/operations.md says about a restore: events since then become `received`, and the place
/// that `sweep` has reached goes back.
#[tokio::test]
async fn queues_processed_events_again_after_a_restore() {
    let backlog = Backlog::new().await;
    let (events, from) = (backlog.events(), seconds_from_now(-9000));
    let insert = async |age: i64, state: EventState| {
        let event = event(age.to_string(), seconds_from_now(-age));
        events.insert(&event).await.unwrap();
        let progress = Progress::because(state, "for a test");
        events.mark(&event.id, &progress, aws::clock::now()).await.unwrap();
        event.id
    };
    let before = insert(10_000, EventState::Processed).await;
    let mut since = [8000, 7000].map(|age| (age, EventState::Processed)).to_vec();
    since.push((6000, EventState::Unmatched));
    let mut since = join_all(since.into_iter().map(|(age, state)| insert(age, state))).await;
    let quarantined = insert(5000, EventState::Quarantined).await;
    let check = async || {
        let now = aws::clock::now();
        backlog.sweeper().check_overdue(now, seconds_from_now(ENOUGH_TIME)).await.unwrap();
        backlog.sweeper().run(seconds_from_now(60), seconds_from_now(ENOUGH_TIME)).await.unwrap();
        backlog.take_queued().await
    };
    assert_eq!(check().await, []);

    for id in since.iter().chain([&quarantined]) {
        backlog.reopen_as_documented(id).await;
    }
    assert_eq!(check().await, [], "sweep has passed them");
    backlog.send_sweep_back(from).await;
    since.sort();
    assert_eq!(check().await, since);
    let state = async |id: &EventId| events.load(id).await.unwrap().unwrap().state;
    assert_eq!(state(&before).await, EventState::Processed);
    assert_eq!(state(&quarantined).await, EventState::Quarantined);
    backlog.remove().await;
}

/// The queue is read, but nothing is processed: SQS itself dead-letters such messages.
#[tokio::test]
async fn fails_an_event_that_is_not_processed_for_a_day() {
    let (backlog, hour) = (Backlog::new().await, 60 * 60);
    let events = backlog.events();
    let (lost, done) =
        (backlog.insert(seconds_from_now(-60)).await, event("x", seconds_from_now(-60)));
    events.insert(&done).await.unwrap();
    events.mark_pending(&done.id, seconds_from_now(-60)).await.unwrap();
    let sweep_at = async |ahead: i64| {
        let now = seconds_from_now(ahead);
        backlog.sweeper().run(now, seconds_from_now(ENOUGH_TIME)).await.unwrap();
        backlog.take_queued().await
    };
    assert_eq!(sweep_at(0).await.len(), 2);
    events.mark(&done.id, &EventState::Processed.into(), aws::clock::now()).await.unwrap();
    assert_eq!(sweep_at(hour - 60).await, [], "it was sent less than an hour ago");
    assert_eq!(sweep_at(hour + 60).await, std::slice::from_ref(&lost));
    for ahead in [hour + 120, 3 * hour, DAY - 60] {
        assert_eq!(sweep_at(ahead).await, [], "it is sent again once");
    }
    let state = async |id: &EventId| {
        let event = events.load(id).await.unwrap().unwrap();
        (event.state, event.reason.unwrap_or_default())
    };
    assert_eq!(state(&lost).await.0, EventState::Received);
    assert_eq!(sweep_at(DAY + 60).await, []);
    assert_eq!(state(&lost).await, (EventState::Failed, "not processed for 24 hours".to_owned()));
    assert_eq!(state(&done.id).await.0, EventState::Processed);

    // After a retry it is looked after again.
    assert!(events.reopen(&lost, EventState::Failed, seconds_from_now(DAY)).await.unwrap());
    assert_eq!(sweep_at(DAY + 60).await, std::slice::from_ref(&lost));
    assert_eq!(sweep_at(DAY + 2 * hour).await, std::slice::from_ref(&lost));
    assert_eq!(sweep_at(2 * DAY + hour).await, []);
    assert_eq!(state(&lost).await.0, EventState::Failed);
    backlog.remove().await;
}
