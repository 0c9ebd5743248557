//! Timeline entries: the facts of an order, and the change that each one caused.

use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::core::id::{Awb, EventId, OrderId, ProviderId, ReportId};
use crate::core::raw_json::RawJson;
use crate::core::repeated::{Outer, fields_of, omit, restore};
use crate::core::timestamp::Timestamp;
use crate::messaging::answer::Answer;
use crate::tracking::report::{Ref, Report, SourceName};
use crate::tracking::status::{Leg, Status};

/// A fact of an order, stored under its own id (dedup).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimelineEntry {
    pub id: ReportId,
    pub occurred_at: Timestamp,
    pub fact: Fact,
    /// The first event with this fact.
    pub event_id: EventId,
    /// The event of the inbound log that has the report's body, if that is another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logged_as: Option<EventId>,
    pub received_at: Timestamp,
    /// When the entry was written.
    pub recorded_at: Timestamp,
    /// The order's `rev` of that write.
    #[serde(default)]
    pub rev: u64,
    /// Out of order: the parcel had a later report already.
    #[serde(default, skip_serializing_if = "is_false")]
    pub late: bool,
    /// The change that it caused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transition: Option<Transition>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fact {
    Report(ReportFacts),
    Parcel(ParcelFact),
    /// A mistaken report is taken back.
    Withdrawal {
        report_id: ReportId,
    },
    /// A shopper answered a message about the order. The fold ignores it.
    Answer(Box<Answer>),
}

/// The part of a report that the fold and the API read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportFacts {
    pub source: SourceName,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub awb: Option<Awb>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub return_awb: Option<Awb>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_id: Option<ProviderId>,
    /// The order id as the source spells it, if that is not the order's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spelled_id: Option<OrderId>,
    /// By the source: the direction of its parcel may turn it into one of the return leg.
    pub status: Status,
    pub leg: Leg,
    /// The source's text, verbatim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_status: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eta: Option<Timestamp>,
    /// The source's own count of delivery attempts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempts: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carrier_name: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    Forward,
    Return,
}

/// What the shop said about the order's parcels after it created the order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParcelFact {
    /// The order's `rev` of the request, which sorts these facts.
    pub rev: u64,
    pub change: ParcelChange,
    /// The AWB belonged to another order whose parcel had ended: the carrier uses it again.
    #[serde(default, skip_serializing_if = "is_false")]
    pub recycled: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParcelChange {
    /// A patch of `awb` or `returnAwb`: the new parcel replaces the one named before.
    Named { direction: Direction, awb: Option<Awb> },
    /// A further parcel beside the others (split shipment).
    Added { awb: Awb, carrier_id: Option<RawJson>, carrier_name: Option<String> },
    /// Another order has this name now, with the reports under it.
    Moved { name: Ref, to: OrderId },
    /// Another order has this AWB now, which the carrier uses again. The parcel and its reports stay.
    Released { awb: Awb, to: OrderId },
}

/// A change of an order's or a parcel's status or attempts: endpoints are notified of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Transition {
    /// The order's version after the change.
    pub version: u64,
    pub status: Status,
    pub previous_status: Status,
    /// The status in the words of its source.
    pub label: String,
    pub previous_label: String,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub attempts: u32,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub previous_attempts: u32,
    /// The time of the new status. After a late report this can be the time of another entry.
    pub occurred_at: Timestamp,
    /// The parcels that changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parcels: Vec<ParcelTransition>,
}

impl Transition {
    /// False if only a parcel changed.
    pub fn is_of_order(&self) -> bool {
        (self.status, self.attempts) != (self.previous_status, self.previous_attempts)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParcelTransition {
    pub awb: Awb,
    pub status: Status,
    pub previous_status: Status,
    pub label: String,
    pub previous_label: String,
    #[serde(default, skip_serializing_if = "is_zero")]
    pub attempts: u32,
    pub occurred_at: Timestamp,
}

/// A parcel's change is stored without what the order's change says itself.
impl Serialize for Transition {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let json = Self::serialize(self, serde_json::value::Serializer);
        let mut json = json.map_err(S::Error::custom)?;
        let outer = said_by_the_order(&json);
        omit(&mut json, "parcels", &outer);
        json.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Transition {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut json = Value::deserialize(deserializer)?;
        let outer = said_by_the_order(&json);
        restore(&mut json, "parcels", &outer);
        Self::deserialize(json).map_err(D::Error::custom)
    }
}

fn said_by_the_order(transition: &Value) -> Outer {
    let fields =
        ["status", "previous_status", "label", "previous_label", "attempts", "occurred_at"];
    fields_of(Some(transition), &fields)
}

impl TimelineEntry {
    /// The event of the inbound log that has its body.
    pub fn log_id(&self) -> &EventId {
        self.logged_as.as_ref().unwrap_or(&self.event_id)
    }

    pub fn report(&self) -> Option<&ReportFacts> {
        match &self.fact {
            Fact::Report(report) => Some(report),
            Fact::Parcel(_) | Fact::Withdrawal { .. } | Fact::Answer(_) => None,
        }
    }

    pub fn answer(&self) -> Option<&Answer> {
        match &self.fact {
            Fact::Answer(answer) => Some(answer),
            Fact::Report(_) | Fact::Parcel(_) | Fact::Withdrawal { .. } => None,
        }
    }

    /// The AWB that the fact is about.
    pub fn awb(&self) -> Option<&Awb> {
        match &self.fact {
            Fact::Report(report) => report.awb.as_ref(),
            Fact::Parcel(fact) => fact.awb(),
            Fact::Withdrawal { .. } | Fact::Answer(_) => None,
        }
    }
}

impl ReportFacts {
    /// The facts of a report about the order `own`.
    pub fn of(report: &Report, own: &OrderId) -> Self {
        Self {
            source: report.source.clone(),
            awb: report.awb.clone(),
            return_awb: report.return_awb.clone(),
            provider_id: report.provider_id.clone(),
            spelled_id: report.order_id.clone().filter(|id| id != own),
            status: report.status,
            leg: report.leg,
            source_status: report.source_status.clone(),
            location: report.location.clone(),
            note: report.note.clone(),
            eta: report.eta,
            attempts: report.attempts,
            carrier_name: report.carrier_name.clone(),
        }
    }

    pub(super) fn has_status(&self) -> bool {
        self.status != Status::Unknown
    }

    pub(super) fn is_on_return_leg(&self) -> bool {
        self.leg == Leg::Return || self.status.leg() == Some(Leg::Return)
    }

    /// Removes a name that belongs to another order.
    pub fn forget(&mut self, name: &Ref) {
        let is_name = |awb: &Awb| Ref::awb(awb) == *name;
        match name {
            Ref::Provider { .. } => self.provider_id = None,
            Ref::Awb(_) if self.return_awb.as_ref().is_some_and(is_name) => self.return_awb = None,
            Ref::Awb(_) | Ref::Order(_) => {}
        }
    }

    /// The names that the report gives its order.
    pub fn names(&self) -> impl Iterator<Item = Ref> {
        let own = self.awb.as_ref();
        let is_other = move |it: &&Awb| !own.is_some_and(|own| own.is_same_parcel(it));
        let parcels = own.into_iter().chain(self.return_awb.iter().filter(is_other)).map(Ref::awb);
        let source = &self.source;
        let provider = |id: &ProviderId| Ref::Provider { source: source.clone(), id: id.clone() };
        parcels.chain(self.provider_id.iter().map(provider))
    }
}

impl ParcelFact {
    /// Sorts the facts of an order. A departure has the `rev` at which the order gave the name up, and
    /// sorts after the request of that `rev`.
    pub fn place(&self) -> (u64, bool) {
        let is_departure =
            matches!(self.change, ParcelChange::Moved { .. } | ParcelChange::Released { .. });
        (self.rev, is_departure)
    }

    /// True if the shop names or adds a parcel.
    pub fn is_given(&self) -> bool {
        matches!(self.change, ParcelChange::Named { .. } | ParcelChange::Added { .. })
    }

    pub fn awb(&self) -> Option<&Awb> {
        match &self.change {
            ParcelChange::Named { awb, .. } => awb.as_ref(),
            ParcelChange::Added { awb, .. }
            | ParcelChange::Released { awb, .. }
            | ParcelChange::Moved { name: Ref::Awb(awb), .. } => Some(awb),
            ParcelChange::Moved { .. } => None,
        }
    }
}

pub(super) fn is_false(flag: &bool) -> bool {
    !flag
}

pub(super) fn is_zero(number: &u32) -> bool {
    *number == 0
}
