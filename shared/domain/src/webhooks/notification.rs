//! What an endpoint is notified of, before it is written in one of the payload formats.

use crate::core::id::{EventId, ReportId};
use crate::core::timestamp::Timestamp;
use crate::orders::order::Order;
use crate::tracking::status::Status;
use crate::tracking::timeline::{TimelineEntry, Transition};
use crate::webhooks::delivery::RETENTION;
use crate::webhooks::endpoint::EventType;

/// A status change.
#[derive(Debug, Clone, Copy)]
pub struct Change<'a> {
    pub order: &'a Order,
    pub report_id: &'a ReportId,
    pub transition: &'a Transition,
}

impl<'a> Change<'a> {
    /// The change that an event's report made, as its entry has it: the same at every redelivery of
    /// the event. `None` if another event added the entry, or once the rows of its deliveries may
    /// have expired: without them, a retry would post the old change again.
    pub fn by_event(
        event: &EventId,
        order: &'a Order,
        entry: &'a TimelineEntry,
        now: Timestamp,
    ) -> Option<Self> {
        let transition = entry.transition.as_ref().filter(|_| entry.event_id == *event)?;
        let recorded_at = entry.recorded_at.unwrap_or(entry.received_at);
        let is_recent = now.since(recorded_at) < RETENTION;
        is_recent.then_some(Self { order, report_id: entry.report_id(), transition })
    }
}

/// An order whose timeline has not grown for too long.
#[derive(Debug, Clone, Copy)]
pub struct StalledOrder<'a> {
    pub order: &'a Order,
    /// When its timeline last grew.
    pub since: Timestamp,
}

/// The current state of an order, which an operator triggers a webhook for.
#[derive(Debug, Clone, Copy)]
pub struct CurrentOrder<'a> {
    pub order: &'a Order,
    /// The last status change.
    pub last: Option<&'a Transition>,
}

/// A change, a stall or the current state, as one value for the payloads.
#[derive(Debug, Clone, Copy)]
pub struct Notification<'a> {
    pub order: &'a Order,
    pub version: u64,
    pub status: Status,
    pub(super) previous_status: Option<Status>,
    pub(super) label: &'a str,
    pub(super) previous_label: Option<&'a str>,
    pub(super) occurred_at: Timestamp,
    pub(super) stalled_since: Option<Timestamp>,
}

impl<'a> Notification<'a> {
    pub fn changed(change: &Change<'a>) -> Self {
        let transition = change.transition;
        Self {
            order: change.order,
            version: transition.version,
            status: transition.status,
            previous_status: Some(transition.previous_status),
            label: &transition.label,
            previous_label: Some(&transition.previous_label),
            occurred_at: transition.occurred_at,
            stalled_since: None,
        }
    }

    /// The state does not keep the label of the previous status, so this uses its title.
    pub fn stalled(stalled: &StalledOrder<'a>) -> Self {
        let state = &stalled.order.state;
        Self {
            order: stalled.order,
            version: state.version,
            status: state.tracking.status,
            previous_status: state.previous_status,
            label: &state.tracking.label,
            previous_label: state.previous_status.map(Status::title),
            occurred_at: state.tracking.since.unwrap_or(state.created_at),
            stalled_since: Some(stalled.since),
        }
    }

    pub fn current(current: &CurrentOrder<'a>) -> Self {
        let state = &current.order.state;
        Self {
            order: current.order,
            version: state.version,
            status: state.tracking.status,
            previous_status: state.previous_status,
            label: &state.tracking.label,
            previous_label: current.last.map(|transition| transition.previous_label.as_str()),
            occurred_at: state.tracking.since.unwrap_or(state.created_at),
            stalled_since: None,
        }
    }

    pub fn event_type(&self) -> EventType {
        if self.stalled_since.is_some() { EventType::Stalled } else { EventType::StatusChanged }
    }
}
