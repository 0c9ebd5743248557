//! An order as the API shows it.

use serde::Serialize;

use crate::core::id::{AccountCode, Awb, OrderId, ReportId};
use crate::core::json::Json;
use crate::core::timestamp::Timestamp;
use crate::orders::order::{Order, Profile};
use crate::tracking::fold::{Standing, Verdict};
use crate::tracking::report::SourceName;
use crate::tracking::status::{OrderStatus, Status};
use crate::tracking::timeline::Entry;

/// An order with its timeline, newest first.
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

/// An order as lists show it: without its timeline and without what is only passed through.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderSummary<'a> {
    order_id: &'a OrderId,
    account_code: &'a AccountCode,
    customer_id: Option<&'a str>,
    awb: Option<&'a Awb>,
    return_awb: Option<&'a Awb>,
    carrier_id: Option<&'a Json>,
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
    /// Of this order.
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
            status: state.standing.status,
            current_shipment_status: &state.standing.label,
            previous_status: state.previous_status,
            order_status: state.standing.status.order_status(),
            latest_message_status: state.latest_message_status.as_deref(),
            eta: state.standing.eta,
            location: state.standing.location.as_deref(),
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
    /// Folds the entries once more to say which of them apply. Sorts `entries`.
    pub fn new(order: &'a Order, entries: &'a mut [Entry]) -> Self {
        entries.sort_by(|a, b| a.claimed.position.cmp(&b.claimed.position));
        let (_, verdicts) =
            Standing::fold(order.state.start, entries.iter().map(|entry| &entry.claimed));
        let timeline = entries.iter().zip(verdicts).rev();
        let state = &order.state;
        Self {
            order_id: &order.key.order,
            account_code: &order.key.account,
            profile: &order.profile,
            status: state.standing.status,
            current_shipment_status: &state.standing.label,
            previous_status: state.previous_status,
            order_status: state.standing.status.order_status(),
            latest_message_status: state.latest_message_status.as_deref(),
            eta: state.standing.eta,
            location: state.standing.location.as_deref(),
            version: state.version,
            created_at: state.created_at,
            updated_at: state.updated_at,
            tracking_url: None,
            timeline: timeline.map(|(entry, verdict)| EntryView::of(entry, verdict)).collect(),
        }
    }
}

impl<'a> EntryView<'a> {
    fn of(entry: &'a Entry, verdict: Verdict) -> Self {
        let claimed = &entry.claimed;
        Self {
            report_id: &claimed.position.report_id,
            source: &claimed.source,
            status: claimed.claim.status(),
            source_status: claimed.source_status.as_deref(),
            occurred_at: claimed.position.occurred_at,
            received_at: entry.received_at,
            location: claimed.location.as_deref(),
            note: claimed.note.as_deref(),
            applied: verdict == Verdict::Applied,
            reason: verdict.reason(),
            late: entry.late,
            version: entry.transition.as_ref().map(|transition| transition.version),
        }
    }
}
