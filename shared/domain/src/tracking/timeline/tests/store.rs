//! The orders table in memory: puts an entry if its report id is new, and the state if `rev` is
//! unchanged.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;

use crate::core::id::{EndpointName, ReportId};
use crate::core::timestamp::Timestamp;
use crate::orders::order::Order;
use crate::testing::{minute, order, origin, report_id};
use crate::tracking::report::Report;
use crate::tracking::status::Status;
use crate::tracking::timeline::{Arrival, Commit, Origin, State, TimelineEntry};
use crate::webhooks::delivery::{Delivery, fan_out};
use crate::webhooks::endpoint::{Endpoint, Settings};
use crate::webhooks::notification::Change;

/// A report or reshipment in an event.
#[derive(Debug, Clone)]
pub(super) struct Incoming {
    pub(super) content: Content,
    pub(super) event: String,
    pub(super) received_at: Timestamp,
}

#[derive(Debug, Clone)]
pub(super) enum Content {
    Report(Box<Report>),
    Reshipment { id: ReportId, at: Timestamp },
}

impl Incoming {
    /// A report in an event of its own, received after all times in these tests.
    pub(super) fn of(report: Report) -> Self {
        let event = report.id.as_str().to_owned();
        Self { content: Content::Report(Box::new(report)), event, received_at: minute(60) }
    }

    pub(super) fn reshipment(id: &str, at: Timestamp) -> Self {
        Self {
            content: Content::Reshipment { id: report_id(id), at },
            event: id.to_owned(),
            received_at: at,
        }
    }

    fn origin(&self) -> Origin {
        origin(&self.event, self.received_at)
    }

    pub(super) fn arrival(&self, order: &Order) -> Arrival {
        let origin = self.origin();
        match &self.content {
            Content::Report(report) => {
                Arrival::of_report(&order.state, order.profile.parcels(), report, &origin)
            }
            Content::Reshipment { id, at } => {
                Arrival::of_reshipment(&order.state, id.clone(), *at, &origin)
            }
        }
    }

    pub(super) fn report_id(&self) -> &ReportId {
        match &self.content {
            Content::Report(report) => &report.id,
            Content::Reshipment { id, .. } => id,
        }
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
        let body = json!({"orderId": "ORD-1", "awb": "A1", "returnAwb": "R1", "status": start});
        Self {
            order: order("STORE001", &body.to_string()),
            entries: BTreeMap::new(),
            now: minute(100),
        }
    }

    /// `None` for a duplicate.
    pub(super) fn apply(&mut self, incoming: &Incoming) -> Option<Commit> {
        self.now = self.now.after(Duration::from_secs(1));
        let commit = match incoming.arrival(&self.order) {
            Arrival::InOrder(arrival) => arrival.commit(&self.order.state, self.now),
            Arrival::OutOfOrder(arrival) => {
                let stored = self.entries.values().cloned().collect();
                arrival.commit(&self.order.state, stored, self.now).unwrap()
            }
        };
        if self.entries.contains_key(incoming.report_id()) {
            return None;
        }
        assert_eq!(commit.state.rev, self.order.state.rev + 1, "the condition of the write");
        assert_eq!(commit.entry.report_id(), incoming.report_id(), "the key of the entry");
        self.entries.insert(incoming.report_id().clone(), commit.entry.clone());
        self.order.state = State::clone(&commit.state);
        Some(commit)
    }

    /// The deliveries that `process` queues for an event, also when it is redelivered: those of the
    /// change in its entry.
    pub(super) fn fan_out(&self, incoming: &Incoming) -> Vec<Delivery> {
        let entry = &self.entries[incoming.report_id()];
        let event = incoming.origin().event_id;
        let change = Change::by_event(&event, &self.order, entry, self.now);
        let changes: Vec<Change<'_>> = change.into_iter().collect();
        fan_out(&event, &changes, &[endpoint()], self.now)
    }
}

fn endpoint() -> Endpoint {
    let settings = Settings::parse(r#"{"accounts":["STORE001"]}"#).unwrap();
    Endpoint { name: EndpointName::parse("shop").unwrap(), settings }
}
