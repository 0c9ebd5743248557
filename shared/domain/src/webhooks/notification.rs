//! What an endpoint is notified of, before it is written in one of the payload formats.

use crate::core::id::{Awb, EventId};
use crate::core::timestamp::Timestamp;
use crate::orders::order::Order;
use crate::tracking::entry::{ParcelTransition, ReportFacts, TimelineEntry, Transition};
use crate::tracking::state::ParcelState;
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

    /// The changed parcel that the fact is about, or the only one that changed.
    fn parcel(&self) -> Option<&'a ParcelTransition> {
        let parcels = &self.transition.parcels;
        match (self.entry.awb(), parcels.as_slice()) {
            (Some(awb), parcels) => parcels.iter().find(|it| it.awb.is_same_parcel(awb)),
            (None, [only]) => Some(only),
            (None, _) => None,
        }
    }

    /// The time of the report; after a late one, or another fact, that of the status.
    fn time_of(&self, parcel: Option<&ParcelTransition>) -> Timestamp {
        let is_about = |report: &ReportFacts| match (&report.awb, parcel) {
            (Some(awb), Some(parcel)) => parcel.awb.is_same_parcel(awb),
            (None, _) | (_, None) => true,
        };
        match parcel {
            _ if !self.entry.late && self.entry.report().is_some_and(is_about) => {
                self.entry.occurred_at
            }
            Some(parcel) => parcel.occurred_at,
            None => self.transition.occurred_at,
        }
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
    pub(crate) awb: Option<&'a Awb>,
    /// The ETA of what it is about, unless the report has one.
    pub(crate) eta: Option<Timestamp>,
    pub(crate) label: &'a str,
    pub(super) previous_label: Option<&'a str>,
    pub(crate) occurred_at: Timestamp,
    pub(super) attempts: u32,
    /// The report that caused it.
    pub(crate) report: Option<&'a ReportFacts>,
    pub(super) stalled_since: Option<Timestamp>,
}

impl<'a> Notification<'a> {
    /// Words and time are those of the parcel that the fact is about, which need not be the parcel
    /// that decides the order's status.
    pub(crate) fn of_change(change: &Change<'a>) -> Self {
        let (order, transition) = (change.order, change.transition);
        let parcel = change.parcel();
        let awb = change.entry.awb().map(|awb| as_shop_spells_it(order, awb));
        let awb = awb.or(parcel.map(|it| &it.awb)).or(order.profile.awb.as_ref());
        Self {
            order,
            event: EventType::StatusChanged,
            version: transition.version,
            status: transition.status,
            previous_status: Some(transition.previous_status),
            parcel: None,
            awb,
            eta: awb.map_or(order.state.tracking.eta, |awb| eta_of(order, awb)),
            label: parcel.map_or(&transition.label, |it| &it.label),
            previous_label: Some(&transition.previous_label),
            occurred_at: change.time_of(parcel),
            attempts: transition.attempts,
            report: change.entry.report(),
            stalled_since: None,
        }
    }

    fn of_parcel(change: &Change<'a>, parcel: &'a ParcelTransition) -> Self {
        Self {
            parcel: Some(parcel),
            awb: Some(&parcel.awb),
            eta: eta_of(change.order, &parcel.awb),
            label: &parcel.label,
            previous_label: Some(&parcel.previous_label),
            occurred_at: change.time_of(Some(parcel)),
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
            eta: state.tracking.eta,
            label: &state.tracking.label,
            previous_label: None,
            occurred_at: state.tracking.since.unwrap_or(state.created_at),
            attempts: state.tracking.attempts,
            report: None,
            stalled_since: None,
        }
    }

    fn of_parcel_state(order: &'a Order, parcel: &'a ParcelState) -> Self {
        Self {
            awb: Some(&parcel.awb),
            eta: parcel.eta,
            label: &parcel.label,
            occurred_at: parcel.since.unwrap_or(order.state.created_at),
            attempts: parcel.attempts,
            ..Self::of_state(order)
        }
    }

    /// The state does not keep the label of the previous status, so this uses its title.
    pub fn stalled(stalled: &StalledOrder<'a>) -> Self {
        let order = stalled.order;
        let parcel = stalled.awb.and_then(|awb| order.state.parcel(awb));
        Self {
            event: EventType::Stalled,
            previous_label: order.state.previous_status.map(Status::title),
            stalled_since: Some(stalled.since),
            ..parcel.map_or_else(|| Self::of_state(order), |it| Self::of_parcel_state(order, it))
        }
    }

    /// The order as a whole.
    pub fn current(current: &CurrentOrder<'a>) -> Self {
        let previous_label = current.last.map(|transition| transition.previous_label.as_str());
        Self { previous_label, ..Self::of_state(current.order) }
    }

    /// One for each parcel that was not replaced, or one for an order without parcels.
    pub(super) fn current_rows(current: &CurrentOrder<'a>) -> Vec<Self> {
        let CurrentOrder { order, last } = *current;
        let parcels = order.state.parcels.iter().filter(|parcel| !parcel.replaced);
        let row = |parcel: &'a ParcelState| {
            let changed = last.map(|last| last.parcels.as_slice()).unwrap_or_default();
            let changed = changed.iter().find(|it| it.awb.is_same_parcel(&parcel.awb));
            let previous_label = changed.map(|it| it.previous_label.as_str());
            Self { previous_label, ..Self::of_parcel_state(order, parcel) }
        };
        let rows: Vec<Self> = parcels.map(row).collect();
        if rows.is_empty() { vec![Self::current(current)] } else { rows }
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

fn eta_of(order: &Order, awb: &Awb) -> Option<Timestamp> {
    order.state.parcel(awb).and_then(|parcel| parcel.eta)
}

fn as_shop_spells_it<'a>(order: &'a Order, awb: &'a Awb) -> &'a Awb {
    order.state.parcel(awb).map_or(awb, |parcel| &parcel.awb)
}
