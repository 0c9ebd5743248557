//! Event bodies of the source `api`, which Waypost's own API writes.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::core::id::{Awb, OrderId, ReportId};
use crate::core::timestamp::Timestamp;
use crate::orders::erasure::Erasure;
use crate::tracking::entry::ParcelFact;
use crate::tracking::report::{Ref, Report, SourceName};
use crate::tracking::status::{Leg, Status};

/// Deserialized in two steps: serde buffers internally tagged enums, and a raw `carrier_id` does not
/// pass its buffer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", try_from = "Box<RawValue>")]
pub enum ApiEvent {
    /// An order has new names: parked reports may belong to it.
    #[serde(rename = "adoption")]
    Reconciliation(Reconciliation),
    Status(StatusReport),
    Withdrawal(Withdrawal),
    Erasure(Erasure),
}

impl ApiEvent {
    pub fn to_body(&self) -> Vec<u8> {
        // String keys and no floats: serialization cannot fail.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Whether a body of the source `api` is that of an erasure, which names whom it erases.
    pub fn is_erasure(body: &[u8]) -> bool {
        matches!(serde_json::from_slice(body), Ok(Tag { kind: Kind::Erasure }))
    }
}

#[derive(Deserialize)]
struct Tag {
    #[serde(rename = "type")]
    kind: Kind,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Adoption,
    Status,
    Withdrawal,
    Erasure,
}

impl TryFrom<Box<RawValue>> for ApiEvent {
    type Error = serde_json::Error;

    fn try_from(json: Box<RawValue>) -> serde_json::Result<Self> {
        let json = json.get();
        let Tag { kind } = serde_json::from_str(json)?;
        Ok(match kind {
            Kind::Adoption => Self::Reconciliation(serde_json::from_str(json)?),
            Kind::Status => Self::Status(serde_json::from_str(json)?),
            Kind::Withdrawal => Self::Withdrawal(serde_json::from_str(json)?),
            Kind::Erasure => Self::Erasure(serde_json::from_str(json)?),
        })
    }
}

/// What remains to be done after a request, or after a report that taught a name: the facts about
/// parcels, names with the reports of other orders, reports that are parked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reconciliation {
    pub order_id: OrderId,
    /// True for the creation of the order.
    #[serde(default)]
    pub is_new: bool,
    /// What the request says about the order's parcels.
    #[serde(default)]
    pub parcels: Vec<ParcelFact>,
    /// Names that the request took over from other orders.
    #[serde(default)]
    pub taken: Vec<TakenName>,
}

/// A name that belonged to another order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TakenName {
    pub name: Ref,
    pub from: OrderId,
    /// The `rev` at which that order gave it up; 0 if that order is gone.
    pub rev: u64,
    pub with_reports: bool,
}

impl Reconciliation {
    /// Without anything to do but to look for parked reports.
    pub fn of(order_id: OrderId) -> Self {
        Self { order_id, is_new: false, parcels: Vec::new(), taken: Vec::new() }
    }
}

/// Takes a mistaken report back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withdrawal {
    pub order_id: OrderId,
    pub report_id: ReportId,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusReport {
    pub order_id: OrderId,
    pub status: Status,
    /// `None` counts as the time of receipt.
    pub occurred_at: Option<Timestamp>,
    pub note: Option<String>,
    /// The parcel of the order that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub awb: Option<Awb>,
}

impl StatusReport {
    /// Partners use Waypost's own statuses, so there is no source status.
    pub fn to_report(&self, id: ReportId) -> Report {
        Report {
            id,
            source: SourceName::API,
            awb: self.awb.clone(),
            return_awb: None,
            provider_id: None,
            order_id: Some(self.order_id.clone()),
            leg: self.status.leg().unwrap_or(Leg::Outbound),
            status: self.status,
            source_status: None,
            occurred_at: self.occurred_at,
            location: None,
            note: self.note.clone(),
            eta: None,
            attempts: None,
            carrier_name: None,
            scans: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recognises_an_erasure_by_its_type_alone() {
        for (body, expected) in [
            (r#"{"type":"erasure","order_id":"O","of_a_newer_release":1}"#, true),
            (r#"{"type":"status","order_id":"O","note":"erasure"}"#, false),
            (r#"{"order_id":"O"}"#, false),
            ("", false),
        ] {
            assert_eq!(ApiEvent::is_erasure(body.as_bytes()), expected, "{body}");
        }
    }
}
