//! What an endpoint is notified of, before it is written in one of the payload formats.

use crate::core::id::{Awb, EventId};
use crate::core::timestamp::Timestamp;
use crate::orders::order::Order;
use crate::tracking::entry::{ParcelTransition, ReportFacts, TimelineEntry, Transition};
use crate::tracking::status::Status;
use crate::webhooks::delivery::RETENTION;
use crate::webhooks::endpoint::EventType;

/// A change of an order or of its parcels.
#[derive(Debug, Clone, Copy)]
pub struct Change<'a> {
    pub order: &'a Order,
    pub entry: &'a TimelineEntry,
    pub transition: &'a Transition,
}

impl<'a> Change<'a> {
    /// The change that an event's fact made, as its entry has it: the same at every redelivery of
    /// the event. `None` if another event added the entry, or once the rows of its deliveries may
    /// have expired: without them, a retry would post the old change again.
    pub fn by_event(
        event: &EventId,
        order: &'a Order,
        entry: &'a TimelineEntry,
        now: Timestamp,
    ) -> Option<Self> {
        let transition = entry.transition.as_ref().filter(|_| entry.event_id == *event)?;
        let is_recent = now.since(entry.recorded_at) < RETENTION;
        is_recent.then_some(Self { order, entry, transition })
    }

    /// `None` if only parcels changed.
    pub(super) fn of_order(&self) -> Option<Notification<'a>> {
        self.transition.is_of_order().then(|| Notification::of_change(self))
    }

    pub(super) fn of_parcels(&self) -> impl Iterator<Item = Notification<'a>> {
        let change = *self;
        let notification = move |parcel| Notification {
            event: EventType::ShipmentStatusChanged,
            ..Notification::of_parcel(&change, parcel)
        };
        self.transition.parcels.iter().map(notification)
    }

    /// One for each parcel that changed, or one for the order if none did.
    pub(super) fn rows(&self) -> Vec<Notification<'a>> {
        let parcels = self.transition.parcels.iter();
        let rows: Vec<_> = parcels.map(|it| Notification::of_parcel(self, it)).collect();
        if rows.is_empty() { vec![Notification::of_change(self)] } else { rows }
    }
}

/// An order whose timeline has not grown for too long.
#[derive(Debug, Clone, Copy)]
pub struct StalledOrder<'a> {
    pub order: &'a Order,
    /// Its parcel that does not move.
    pub awb: Option<&'a Awb>,
    /// When its timeline last grew.
    pub since: Timestamp,
}

/// The current state of an order, which an operator triggers a webhook for.
#[derive(Debug, Clone, Copy)]
pub struct CurrentOrder<'a> {
    pub order: &'a Order,
    /// The last change.
    pub last: Option<&'a Transition>,
}

/// A change, a stall or the current state, as one value for the payloads.
#[derive(Debug, Clone, Copy)]
pub struct Notification<'a> {
    pub order: &'a Order,
    pub(super) event: EventType,
    pub version: u64,
    /// Of the order.
    pub status: Status,
    pub(super) previous_status: Option<Status>,
    /// The parcel that it is about; `None` if it is about the whole order.
    pub(super) parcel: Option<&'a ParcelTransition>,
    pub(super) awb: Option<&'a Awb>,
    pub(super) label: &'a str,
    pub(super) previous_label: Option<&'a str>,
    pub(super) occurred_at: Timestamp,
    pub(super) attempts: u32,
    /// The report that caused it.
    pub(super) report: Option<&'a ReportFacts>,
    pub(super) stalled_since: Option<Timestamp>,
}

impl<'a> Notification<'a> {
    fn of_change(change: &Change<'a>) -> Self {
        let (order, transition) = (change.order, change.transition);
        Self {
            order,
            event: EventType::StatusChanged,
            version: transition.version,
            status: transition.status,
            previous_status: Some(transition.previous_status),
            parcel: None,
            awb: change.entry.awb().or(order.profile.awb.as_ref()),
            label: &transition.label,
            previous_label: Some(&transition.previous_label),
            occurred_at: transition.occurred_at,
            attempts: transition.attempts,
            report: change.entry.report(),
            stalled_since: None,
        }
    }

    fn of_parcel(change: &Change<'a>, parcel: &'a ParcelTransition) -> Self {
        Self {
            parcel: Some(parcel),
            awb: Some(&parcel.awb),
            label: &parcel.label,
            previous_label: Some(&parcel.previous_label),
            occurred_at: parcel.occurred_at,
            attempts: parcel.attempts,
            ..Self::of_change(change)
        }
    }

    fn of_state(order: &'a Order) -> Self {
        let state = &order.state;
        Self {
            order,
            event: EventType::StatusChanged,
            version: state.version,
            status: state.tracking.status,
            previous_status: state.previous_status,
            parcel: None,
            awb: order.profile.awb.as_ref(),
            label: &state.tracking.label,
            previous_label: None,
            occurred_at: state.tracking.since.unwrap_or(state.created_at),
            attempts: state.tracking.attempts,
            report: None,
            stalled_since: None,
        }
    }

    /// The state does not keep the label of the previous status, so this uses its title.
    pub fn stalled(stalled: &StalledOrder<'a>) -> Self {
        let order = stalled.order;
        Self {
            event: EventType::Stalled,
            awb: stalled.awb.or(order.profile.awb.as_ref()),
            previous_label: order.state.previous_status.map(Status::title),
            stalled_since: Some(stalled.since),
            ..Self::of_state(order)
        }
    }

    pub fn current(current: &CurrentOrder<'a>) -> Self {
        let previous_label = current.last.map(|transition| transition.previous_label.as_str());
        Self { previous_label, ..Self::of_state(current.order) }
    }

    pub fn event_type(&self) -> EventType {
        self.event
    }

    /// The statuses by which an endpoint may have subscribed to it.
    pub(super) fn statuses(&self) -> impl Iterator<Item = Status> {
        let has_changed = self.parcel.is_none() || self.previous_status != Some(self.status);
        let order = has_changed.then_some(self.status);
        order.into_iter().chain(self.parcel.map(|parcel| parcel.status))
    }
}
