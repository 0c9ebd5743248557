//! The orders table in memory: puts an entry if its id is new, and the state if `rev` is unchanged.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use crate::core::id::{EndpointName, ReportId};
use crate::core::timestamp::Timestamp;
use crate::orders::order::Order;
use crate::testing::{MINIMAL, minute, order, order_id, origin};
use crate::tracking::entry::TimelineEntry;
use crate::tracking::report::Report;
use crate::tracking::state::{Start, State};
use crate::tracking::status::Status;
use crate::tracking::story::{Story, created_at};
use crate::tracking::timeline::{Arrival, Commit, NewFact, Origin, arrive};
use crate::webhooks::delivery::{Delivery, fan_out};
use crate::webhooks::endpoint::{Endpoint, Settings};
use crate::webhooks::notification::Change;

/// A fact in an event.
#[derive(Debug, Clone)]
pub(super) struct Incoming {
    pub(super) new: NewFact,
    pub(super) event: String,
    pub(super) received_at: Timestamp,
}

impl Incoming {
    /// A report in an event of its own, received after all times in these tests.
    pub(super) fn of(report: &Report) -> Self {
        Self::received(report, minute(60))
    }

    pub(super) fn received(report: &Report, received_at: Timestamp) -> Self {
        let event = report.id.as_str().to_owned();
        let new = NewFact::of_report(report, &order_id("ORD-1"), &origin(&event, received_at));
        Self { new, event, received_at }
    }

    /// The fact of an entry, in an event of its own.
    pub(super) fn again(entry: &TimelineEntry) -> Self {
        let TimelineEntry { id, occurred_at, fact, .. } = entry.clone();
        let event = id.as_str().to_owned();
        Self { new: NewFact { id, occurred_at, fact }, event, received_at: minute(60) }
    }

    pub(super) fn origin(&self) -> Origin {
        origin(&self.event, self.received_at)
    }
}

#[derive(Debug, Clone)]
pub(super) struct Store {
    pub(super) order: Order,
    pub(super) entries: BTreeMap<ReportId, TimelineEntry>,
    pub(super) now: Timestamp,
}

impl Store {
    /// An order with the parcels `A1` and, on the way back, `R1`.
    pub(super) fn new(start: Status) -> Self {
        Self::starting(Story::read(&format!("{start} A1 / R1"), "").start)
    }

    pub(super) fn starting(start: Start) -> Self {
        let mut order = order("STORE001", MINIMAL);
        order.profile.awb.clone_from(&start.awb);
        order.profile.return_awb.clone_from(&start.return_awb);
        order.state = State::at_creation(start, created_at());
        Self { order, entries: BTreeMap::new(), now: minute(100) }
    }

    /// Applies these facts in the order in which they are written.
    pub(super) fn of(start: &str, facts: &str) -> Self {
        let story = Story::read(start, facts);
        let mut store = Self::starting(story.start);
        story.entries.iter().for_each(|entry| store.apply_again(entry));
        store
    }

    fn apply_again(&mut self, entry: &TimelineEntry) {
        self.apply(&Incoming::again(entry));
    }

    /// Applies the last of these facts to an order that has the others.
    pub(super) fn last(start: &str, facts: &str) -> (State, Commit) {
        let story = Story::read(start, facts);
        let mut store = Self::starting(story.start);
        let (last, first) = story.entries.split_last().unwrap();
        first.iter().for_each(|entry| store.apply_again(entry));
        let before = store.order.state.clone();
        (before, store.apply(&Incoming::again(last)).unwrap())
    }

    pub(super) fn arrival(&mut self, incoming: &Incoming) -> Arrival {
        self.now = self.now.after(Duration::from_secs(1));
        let stored: Vec<TimelineEntry> = self.entries.values().cloned().collect();
        let new = incoming.new.clone();
        arrive(&self.order.state, &stored, new, &incoming.origin(), self.now)
    }

    /// `None` if nothing is written: a duplicate, or a full timeline.
    pub(super) fn apply(&mut self, incoming: &Incoming) -> Option<Commit> {
        let Arrival::Commit(commit) = self.arrival(incoming) else { return None };
        let id = &incoming.new.id;
        assert_eq!(commit.state.rev, self.order.state.rev + 1, "the condition of the write");
        assert_eq!(commit.entry.id, *id, "the key of the entry");
        assert_eq!(commit.replaces, self.entries.contains_key(id));
        if let Some(dropped) = &commit.dropped {
            assert!(self.entries.remove(dropped).is_some(), "an entry that is there");
        }
        self.entries.insert(id.clone(), commit.entry.clone());
        self.order.state = State::clone(&commit.state);
        let count = u64::try_from(self.entries.len()).unwrap();
        assert_eq!(commit.state.entries, count, "the number of entries");
        Some(*commit)
    }

    /// The deliveries that `process` queues for an event, also when it is redelivered: those of the
    /// change in its entry.
    pub(super) fn fan_out(&self, incoming: &Incoming) -> Vec<Delivery> {
        let entry = &self.entries[&incoming.new.id];
        let event = incoming.origin().event_id;
        let change = Change::by_event(&event, &self.order, entry, self.now);
        let changes: Vec<Change<'_>> = change.into_iter().collect();
        fan_out(&event, &changes, endpoints(), self.now)
    }
}

/// Subscribed to all changes of orders and of parcels.
fn endpoints() -> &'static [Endpoint] {
    static ENDPOINTS: LazyLock<[Endpoint; 1]> = LazyLock::new(|| {
        let settings = r#"{"accounts":["STORE001"],"format":"standard",
            "events":["order.status_changed","shipment.status_changed"]}"#;
        let settings = Settings::parse(settings).unwrap();
        [Endpoint { name: EndpointName::parse("shop").unwrap(), settings }]
    });
    &*ENDPOINTS
}
