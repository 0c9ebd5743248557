//! An order in answers of the API.

use serde::Serialize;

use crate::core::id::{AccountCode, Awb, OrderId, ReportId};
use crate::core::raw_json::RawJson;
use crate::core::timestamp::Timestamp;
use crate::orders::order::{Order, Profile};
use crate::tracking::fold::{Disposition, TrackingState};
use crate::tracking::report::SourceName;
use crate::tracking::status::{OrderStatus, Status};
use crate::tracking::timeline::TimelineEntry;

/// The timeline is newest first.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderView<'a> {
    order_id: &'a OrderId,
    account_code: &'a AccountCode,
    #[serde(flatten)]
    profile: &'a Profile,
    status: Status,
    current_shipment_status: &'a str,
    previous_status: Option<Status>,
    order_status: OrderStatus,
    latest_message_status: Option<&'a str>,
    eta: Option<Timestamp>,
    location: Option<&'a str>,
    version: u64,
    created_at: Timestamp,
    updated_at: Timestamp,
    tracking_url: Option<String>,
    timeline: Vec<EntryView<'a>>,
}

/// An order in lists: without timeline and without the fields that are only passed through.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderSummary<'a> {
    order_id: &'a OrderId,
    account_code: &'a AccountCode,
    customer_id: Option<&'a str>,
    awb: Option<&'a Awb>,
    return_awb: Option<&'a Awb>,
    carrier_id: Option<&'a RawJson>,
    carrier_name: Option<&'a str>,
    status: Status,
    current_shipment_status: &'a str,
    previous_status: Option<Status>,
    order_status: OrderStatus,
    latest_message_status: Option<&'a str>,
    eta: Option<Timestamp>,
    location: Option<&'a str>,
    version: u64,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl<'a> OrderSummary<'a> {
    pub fn of(order: &'a Order) -> Self {
        let (profile, state) = (&order.profile, &order.state);
        Self {
            order_id: &order.key.order,
            account_code: &order.key.account,
            customer_id: profile.customer_id.as_deref(),
            awb: profile.awb.as_ref(),
            return_awb: profile.return_awb.as_ref(),
            carrier_id: profile.carrier_id.as_ref(),
            carrier_name: profile.carrier_name.as_deref(),
            status: state.tracking.status,
            current_shipment_status: &state.tracking.label,
            previous_status: state.previous_status,
            order_status: state.tracking.status.order_status(),
            latest_message_status: state.latest_message_status.as_deref(),
            eta: state.tracking.eta,
            location: state.tracking.location.as_deref(),
            version: state.version,
            created_at: state.created_at,
            updated_at: state.updated_at,
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct EntryView<'a> {
    report_id: &'a ReportId,
    source: &'a SourceName,
    status: Status,
    source_status: Option<&'a str>,
    occurred_at: Timestamp,
    received_at: Timestamp,
    location: Option<&'a str>,
    note: Option<&'a str>,
    applied: bool,
    reason: Option<&'static str>,
    late: bool,
    version: Option<u64>,
}

impl<'a> OrderView<'a> {
    /// Sorts `entries` and folds them again for their dispositions.
    pub fn new(order: &'a Order, entries: &'a mut [TimelineEntry]) -> Self {
        entries.sort_by(|a, b| a.facts.sort_key.cmp(&b.facts.sort_key));
        let (_, dispositions) =
            TrackingState::fold(order.state.start, entries.iter().map(|entry| &entry.facts));
        let timeline = entries.iter().zip(dispositions).rev();
        let state = &order.state;
        Self {
            order_id: &order.key.order,
            account_code: &order.key.account,
            profile: &order.profile,
            status: state.tracking.status,
            current_shipment_status: &state.tracking.label,
            previous_status: state.previous_status,
            order_status: state.tracking.status.order_status(),
            latest_message_status: state.latest_message_status.as_deref(),
            eta: state.tracking.eta,
            location: state.tracking.location.as_deref(),
            version: state.version,
            created_at: state.created_at,
            updated_at: state.updated_at,
            tracking_url: None,
            timeline: timeline
                .map(|(entry, disposition)| EntryView::of(entry, disposition))
                .collect(),
        }
    }
}

impl<'a> EntryView<'a> {
    fn of(entry: &'a TimelineEntry, disposition: Disposition) -> Self {
        let facts = &entry.facts;
        Self {
            report_id: &facts.sort_key.report_id,
            source: &facts.source,
            status: facts.claim.status(),
            source_status: facts.source_status.as_deref(),
            occurred_at: facts.sort_key.occurred_at,
            received_at: entry.received_at,
            location: facts.location.as_deref(),
            note: facts.note.as_deref(),
            applied: disposition == Disposition::Applied,
            reason: disposition.reason(),
            late: entry.late,
            version: entry.transition.as_ref().map(|transition| transition.version),
        }
    }
}
