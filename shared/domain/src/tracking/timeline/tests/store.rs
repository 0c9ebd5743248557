//! The orders table in memory: an entry is put if its report is new, the state if `rev` has not moved.

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

/// What arrives, and in which event.
#[derive(Debug, Clone)]
pub(super) struct Brought {
    pub(super) what: What,
    pub(super) event: String,
    pub(super) received_at: Timestamp,
}

#[derive(Debug, Clone)]
pub(super) enum What {
    Report(Box<Report>),
    Reshipment { id: ReportId, at: Timestamp },
}

impl Brought {
    /// A report in an event of its own, received long after everything that happens in these tests.
    pub(super) fn of(report: Report) -> Self {
        let event = report.id.as_str().to_owned();
        Self { what: What::Report(Box::new(report)), event, received_at: minute(60) }
    }

    pub(super) fn reshipment(id: &str, at: Timestamp) -> Self {
        Self {
            what: What::Reshipment { id: report_id(id), at },
            event: id.to_owned(),
            received_at: at,
        }
    }

    fn origin(&self) -> Origin {
        origin(&self.event, self.received_at)
    }

    pub(super) fn arrival(&self, order: &Order) -> Arrival {
        let origin = self.origin();
        match &self.what {
            What::Report(report) => {
                Arrival::of_report(&order.state, order.profile.parcels(), report, &origin)
            }
            What::Reshipment { id, at } => {
                Arrival::of_reshipment(&order.state, id.clone(), *at, &origin)
            }
        }
    }

    pub(super) fn report_id(&self) -> &ReportId {
        match &self.what {
            What::Report(report) => &report.id,
            What::Reshipment { id, .. } => id,
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
        let asked = json!({"orderId": "ORD-1", "awb": "A1", "returnAwb": "R1", "status": start});
        Self {
            order: order("STORE001", &asked.to_string()),
            entries: BTreeMap::new(),
            now: minute(100),
        }
    }

    /// `None` if the report was there already.
    pub(super) fn bring(&mut self, brought: &Brought) -> Option<Commit> {
        self.now = self.now.after(Duration::from_secs(1));
        let settled = match brought.arrival(&self.order) {
            Arrival::InOrder(next) => next.commit(&self.order.state, self.now),
            Arrival::OutOfOrder(late) => {
                let stored = self.entries.values().cloned().collect();
                late.commit(&self.order.state, stored, self.now).unwrap()
            }
        };
        if self.entries.contains_key(brought.report_id()) {
            return None;
        }
        assert_eq!(settled.state.rev, self.order.state.rev + 1, "the condition of the write");
        assert_eq!(settled.entry.report_id(), brought.report_id(), "the key of the entry");
        self.entries.insert(brought.report_id().clone(), settled.entry.clone());
        self.order.state = State::clone(&settled.state);
        Some(settled)
    }

    /// What `process` queues for a origin, now or at a redelivery: the change that its entry remembers.
    pub(super) fn fan_out(&self, brought: &Brought) -> Vec<Delivery> {
        let entry = &self.entries[brought.report_id()];
        let event = brought.origin().event_id;
        let Some(transition) = entry.transition.as_ref().filter(|_| entry.event_id == event) else {
            return Vec::new();
        };
        let change = Change { order: &self.order, report_id: entry.report_id(), transition };
        fan_out(&event, &[change], &[endpoint()], self.now)
    }
}

fn endpoint() -> Endpoint {
    let settings = Settings::parse(r#"{"accounts":["STORE001"]}"#).unwrap();
    Endpoint { name: EndpointName::parse("shop").unwrap(), settings }
}
