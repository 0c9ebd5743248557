//! The events that our own API writes: the bodies of events of the source `api`.

use serde::{Deserialize, Serialize};

use crate::core::id::{OrderId, ReportId};
use crate::core::timestamp::Timestamp;
use crate::tracking::report::{Report, SourceName};
use crate::tracking::status::{Leg, Status};

/// One event of the API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ApiEvent {
    /// An order has names that it did not have before.
    #[serde(rename = "adoption")]
    Reconciliation(Reconciliation),
    /// A partner reports a status.
    Status(StatusReport),
}

impl ApiEvent {
    /// The event's body.
    pub fn to_body(&self) -> Vec<u8> {
        // String keys and no floats: writing cannot fail.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

/// Reports that wait under one of an order's names find it now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reconciliation {
    /// The order.
    pub order_id: OrderId,
    /// Set if the order was given a new parcel.
    pub reshipped: Option<Reshipment>,
}

/// An order was given a new parcel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reshipment {
    /// The entry's id.
    pub report_id: ReportId,
    /// When.
    pub at: Timestamp,
}

/// What a partner says of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusReport {
    /// The order.
    pub order_id: OrderId,
    /// Its status.
    pub status: Status,
    /// When; `None` counts as when it was received.
    pub occurred_at: Option<Timestamp>,
    /// What else was said.
    pub note: Option<String>,
}

impl StatusReport {
    /// As a report of the source `api`. A partner's word is ours, so there is no other.
    pub fn to_report(&self, id: ReportId) -> Report {
        Report {
            id,
            source: SourceName::API,
            awb: None,
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
            scans: Vec::new(),
        }
    }
}
