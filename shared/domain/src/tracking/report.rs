//! A source's report about an order, with its status mapped to [`Status`].

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::core::id::{Awb, OrderId, ProviderId, ReportId};
use crate::core::timestamp::Timestamp;
use crate::tracking::status::{Leg, Status};

/// The reporting system: `shiprocket`, `shipway`, `esahayak`, `whatsapp`, `api`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SourceName(Cow<'static, str>);

impl SourceName {
    /// Waypost's own API: reports of partners, and reshipments.
    pub const API: Self = Self::new("api");

    pub const fn new(name: &'static str) -> Self {
        Self(Cow::Borrowed(name))
    }

    /// The name in settings paths and payloads.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for SourceName {
    fn from(name: &str) -> Self {
        Self(Cow::Owned(name.to_owned()))
    }
}

/// A reference by which sources name an order, unique within an account.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ref {
    /// Of the outbound or the return parcel; in its canonical spelling.
    Awb(Awb),
    Provider {
        source: SourceName,
        id: ProviderId,
    },
    Order(OrderId),
}

impl Ref {
    /// The same for all spellings of an AWB.
    pub fn awb(awb: &Awb) -> Self {
        Self::Awb(awb.canonical())
    }
}

/// One scan of a parcel, in the carrier's words. The fold ignores scans.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scan {
    /// `None` if the time is missing or not readable.
    pub at: Option<Timestamp>,
    pub activity: Option<String>,
    pub location: Option<String>,
}

/// The scans of a parcel that came with its newest report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParcelScans {
    /// Canonical.
    pub awb: Awb,
    /// When the report happened.
    pub at: Timestamp,
    /// Oldest first.
    pub scans: Vec<Scan>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Dedup: a hash of the identifying fields, so the same report always has the same id.
    pub id: ReportId,
    pub source: SourceName,
    pub awb: Option<Awb>,
    pub return_awb: Option<Awb>,
    pub provider_id: Option<ProviderId>,
    /// The customer's id of the order, if the source knows it.
    pub order_id: Option<OrderId>,
    /// The leg by the source. The order's return AWB can overrule `Outbound`.
    pub leg: Leg,
    /// The mapped status, for the leg by the source. `cancelled` on the return leg calls the return
    /// off.
    pub status: Status,
    /// The source's text, verbatim.
    pub source_status: Option<String>,
    /// `None` counts as the time of receipt.
    pub occurred_at: Option<Timestamp>,
    pub location: Option<String>,
    /// E.g. the reason of a failed delivery.
    pub note: Option<String>,
    pub eta: Option<Timestamp>,
    /// Delivery attempts so far by the source's own count; `None` if it gives none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempts: Option<u32>,
    /// The name of the carrier that has the parcel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carrier_name: Option<String>,
    /// Oldest first.
    pub scans: Vec<Scan>,
}

impl Report {
    /// The references to look up its order by. The first known one wins.
    pub fn refs(&self) -> Vec<Ref> {
        let parcels = self.awb.iter().chain(&self.return_awb).map(Ref::awb);
        let providers = self.provider_id.iter().cloned().map(|id| self.provider_ref(id));
        let order = self.order_id.iter().cloned().map(Ref::Order);
        let mut refs: Vec<Ref> = Vec::new();
        for reference in parcels.chain(providers).chain(order) {
            if !refs.contains(&reference) {
                refs.push(reference);
            }
        }
        refs
    }

    /// Other readings of the order id. They count only if no order has any of [`Report::refs`],
    /// and only if exactly one order has any of these. A return may name the forward order by the
    /// provider's id of it.
    pub fn alternative_refs(&self) -> Vec<Ref> {
        let Some(id) = &self.order_id else { return Vec::new() };
        let spellings = id.other_spellings().into_iter().map(Ref::Order);
        let forward = (self.leg == Leg::Return).then(|| ProviderId::parse(id.as_str()).ok());
        let forward = forward.flatten().filter(|id| self.provider_id.as_ref() != Some(id));
        spellings.chain(forward.map(|id| self.provider_ref(id))).collect()
    }

    fn provider_ref(&self, id: ProviderId) -> Ref {
        Ref::Provider { source: self.source.clone(), id }
    }
}
