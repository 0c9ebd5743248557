//! An order in answers of the API.

use serde::Serialize;

use std::collections::BTreeMap;

use crate::core::id::{AccountCode, Awb, OrderId, ReportId};
use crate::core::raw_json::RawJson;
use crate::core::timestamp::Timestamp;
use crate::messaging::answer::{Answer, AnswerKind};
use crate::messaging::channel::ProviderMessageId;
use crate::orders::order::{Order, Profile};
use crate::page::TrackingLinks;
use crate::pagination::{PageRequest, cursor};
use crate::tracking::entry::{Direction, Fact, ParcelChange, TimelineEntry};
use crate::tracking::fold::{Disposition, Judgement, fold};
use crate::tracking::report::Scan;
use crate::tracking::state::ParcelState;
use crate::tracking::status::{OrderStatus, Status};

/// The scans of each parcel, by canonical AWB.
pub type Checkpoints = BTreeMap<Awb, Vec<Scan>>;

/// The timeline is newest first, and has as many entries as the page asks for.
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
    delivery_attempts: u32,
    version: u64,
    created_at: Timestamp,
    updated_at: Timestamp,
    tracking_url: Option<String>,
    shipments: Vec<ShipmentView<'a>>,
    timeline: Vec<EntryView<'a>>,
    /// The cursor of the older entries.
    #[serde(rename = "next_page", skip_serializing_if = "Option::is_none")]
    next_page: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ShipmentView<'a> {
    awb: &'a Awb,
    direction: Direction,
    carrier_name: Option<&'a str>,
    status: Status,
    current_shipment_status: &'a str,
    delivery_attempts: u32,
    eta: Option<Timestamp>,
    added_at: Timestamp,
    learnt: bool,
    replaced: bool,
    /// Newest first.
    checkpoints: Vec<&'a Scan>,
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
    delivery_attempts: u32,
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
            delivery_attempts: state.tracking.attempts,
            version: state.version,
            created_at: state.created_at,
            updated_at: state.updated_at,
        }
    }
}

/// A fact. Only reports have a status.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct EntryView<'a> {
    report_id: &'a ReportId,
    source: &'a str,
    status: Option<Status>,
    source_status: Option<&'a str>,
    awb: Option<&'a Awb>,
    occurred_at: Timestamp,
    received_at: Timestamp,
    location: Option<&'a str>,
    note: Option<&'a str>,
    applied: bool,
    reason: Option<&'static str>,
    late: bool,
    version: Option<u64>,
    answer: Option<AnswerView<'a>>,
}

/// Without the sender, who is the order's shopper as a rule.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AnswerView<'a> {
    r#type: AnswerKind,
    text: Option<&'a str>,
    payload: Option<&'a str>,
    title: Option<&'a str>,
    message_id: Option<&'a ProviderMessageId>,
    in_reply_to: Option<&'a ProviderMessageId>,
}

impl<'a> OrderView<'a> {
    /// Folds the facts again for their dispositions.
    pub fn new(
        order: &'a Order,
        entries: &'a [TimelineEntry],
        checkpoints: &'a Checkpoints,
        page: &PageRequest,
        links: Option<&TrackingLinks>,
    ) -> Self {
        let (timeline, next_page) = timeline(order, entries, page);
        let state = &order.state;
        let shipment = |parcel| ShipmentView::of(parcel, order, checkpoints);
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
            delivery_attempts: state.tracking.attempts,
            version: state.version,
            created_at: state.created_at,
            updated_at: state.updated_at,
            tracking_url: links.map(|links| links.of(order)),
            shipments: state.parcels.iter().map(shipment).collect(),
            timeline,
            next_page,
        }
    }
}

/// A page of the timeline, and the cursor of the next one.
fn timeline<'a>(
    order: &Order,
    entries: &'a [TimelineEntry],
    page: &PageRequest,
) -> (Vec<EntryView<'a>>, Option<String>) {
    let judgements = fold(&order.state.start, order.state.created_at, entries).judgements;
    let mut sorted: Vec<(String, &TimelineEntry)> =
        entries.iter().map(|entry| (place(entry), entry)).collect();
    sorted.sort_by(|one, other| other.0.cmp(&one.0));
    let is_after = |place: &String| page.after.as_ref().is_none_or(|after| place < after);
    let mut rest = sorted.into_iter().filter(|(place, _)| is_after(place)).peekable();
    let mut items = Vec::new();
    let mut last = String::new();
    while items.len() < page.limit
        && let Some((place, entry)) = rest.next()
    {
        items.push(EntryView::of(entry, judgements.get(&entry.id)));
        last = place;
    }
    let has_more = rest.peek().is_some();
    (items, has_more.then(|| cursor(&last)))
}

/// Sorts like the fold of a parcel does.
fn place(entry: &TimelineEntry) -> String {
    let rank = entry.report().map_or(0, |report| report.status as u8);
    format!("{}/{rank:03}/{}", entry.occurred_at, entry.id)
}

impl<'a> ShipmentView<'a> {
    fn of(parcel: &'a ParcelState, order: &'a Order, checkpoints: &'a Checkpoints) -> Self {
        let scans = checkpoints.get(&parcel.awb.canonical());
        Self {
            awb: &parcel.awb,
            direction: parcel.direction,
            carrier_name: order.carrier_name_of(parcel),
            status: parcel.status,
            current_shipment_status: &parcel.label,
            delivery_attempts: parcel.attempts,
            eta: parcel.eta,
            added_at: parcel.added_at,
            learnt: parcel.learnt,
            replaced: parcel.replaced,
            checkpoints: scans.into_iter().flatten().rev().collect(),
        }
    }
}

/// The source of the shop's facts.
const API: &str = "api";

impl<'a> EntryView<'a> {
    fn of(entry: &'a TimelineEntry, judgement: Option<&Judgement>) -> Self {
        let report = entry.report();
        let disposition = judgement.map_or(Disposition::Applied, |it| it.disposition);
        Self {
            report_id: &entry.id,
            source: source(entry),
            status: judgement.map(|it| it.status),
            source_status: match report {
                Some(report) => report.source_status.as_deref(),
                None => Some(words(&entry.fact)),
            },
            awb: entry.awb(),
            occurred_at: entry.occurred_at,
            received_at: entry.received_at,
            location: report.and_then(|report| report.location.as_deref()),
            note: report.and_then(|report| report.note.as_deref()),
            applied: disposition == Disposition::Applied,
            reason: disposition.reason(),
            late: entry.late,
            version: entry.transition.as_ref().map(|transition| transition.version),
            answer: entry.answer().map(AnswerView::of),
        }
    }
}

/// Without a person's words.
impl std::fmt::Debug for AnswerView<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AnswerView").field("type", &self.r#type).finish_non_exhaustive()
    }
}

impl<'a> AnswerView<'a> {
    fn of(answer: &'a Answer) -> Self {
        Self {
            r#type: answer.kind,
            text: answer.text.as_deref(),
            payload: answer.payload.as_deref(),
            title: answer.title.as_deref(),
            message_id: answer.message.as_ref(),
            in_reply_to: answer.in_reply_to.as_ref(),
        }
    }
}

fn source(entry: &TimelineEntry) -> &str {
    match &entry.fact {
        Fact::Report(report) => report.source.as_str(),
        Fact::Answer(answer) => answer.source.as_str(),
        Fact::Parcel(_) | Fact::Withdrawal { .. } => API,
    }
}

fn words(fact: &Fact) -> &'static str {
    match fact {
        Fact::Report(_) => "Report",
        Fact::Withdrawal { .. } => "Report withdrawn",
        Fact::Answer(_) => "Message answered",
        Fact::Parcel(fact) => match &fact.change {
            ParcelChange::Named { direction: Direction::Forward, awb: Some(_) } => "AWB set",
            ParcelChange::Named { direction: Direction::Forward, awb: None } => "AWB removed",
            ParcelChange::Named { direction: Direction::Return, awb: Some(_) } => "Return AWB set",
            ParcelChange::Named { direction: Direction::Return, awb: None } => "Return AWB removed",
            ParcelChange::Added { .. } => "Parcel added",
            ParcelChange::Moved { .. } => "Moved to another order",
            ParcelChange::Released { .. } => "AWB used again by another order",
        },
    }
}
