//! One order's news for endpoints, before it is written in a payload format.

use crate::core::id::ReportId;
use crate::core::timestamp::Timestamp;
use crate::orders::order::Order;
use crate::tracking::status::Status;
use crate::tracking::timeline::Transition;
use crate::webhooks::endpoint::EventType;

/// A change that has to be notification.
#[derive(Debug, Clone, Copy)]
pub struct Change<'a> {
    /// The order.
    pub order: &'a Order,
    /// The report that caused it.
    pub report_id: &'a ReportId,
    /// What changed.
    pub transition: &'a Transition,
}

/// An order that has stood still for so long that it has to be notification.
#[derive(Debug, Clone, Copy)]
pub struct StalledOrder<'a> {
    /// The order.
    pub order: &'a Order,
    /// When it last moved.
    pub since: Timestamp,
}

/// An order that somebody asks to be told of, as it stands.
#[derive(Debug, Clone, Copy)]
pub struct CurrentOrder<'a> {
    /// The order.
    pub order: &'a Order,
    /// Its last change of status, if there ever was one.
    pub last: Option<&'a Transition>,
}

/// What is told of one order.
#[derive(Debug, Clone, Copy)]
pub struct Notification<'a> {
    /// The order.
    pub order: &'a Order,
    /// Its version.
    pub version: u64,
    /// Where it stands.
    pub status: Status,
    pub(super) previous_status: Option<Status>,
    pub(super) label: &'a str,
    pub(super) previous_label: Option<&'a str>,
    pub(super) occurred_at: Timestamp,
    pub(super) stalled_since: Option<Timestamp>,
}

impl<'a> Notification<'a> {
    /// That its status changed.
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

    /// That it stands still, and where. In whose words it stood before is not kept: the status before is told in ours.
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

    /// How it stands, in the words of its last change.
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

    /// What of it is notification.
    pub fn event_type(&self) -> EventType {
        if self.stalled_since.is_some() { EventType::Stalled } else { EventType::StatusChanged }
    }
}
