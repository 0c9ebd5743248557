//! What a source claims about an order, in our words.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::core::id::{Awb, OrderId, ProviderId, ReportId};
use crate::core::timestamp::Timestamp;
use crate::tracking::status::{Leg, Status};

/// Who reports: `shiprocket`, `shipway`, `esahayak`, `whatsapp`, `api`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SourceName(Cow<'static, str>);

impl SourceName {
    /// Our own API: what partners report and what we write ourselves.
    pub const API: Self = Self::new("api");

    /// The name of a source that this program knows.
    pub const fn new(name: &'static str) -> Self {
        Self(Cow::Borrowed(name))
    }

    /// As it stands in settings paths and payloads.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for SourceName {
    fn from(name: &str) -> Self {
        Self(Cow::Owned(name.to_owned()))
    }
}

/// A name under which sources know an order, within one account.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ref {
    /// The number of its parcel, or of the parcel that comes back.
    Awb(Awb),
    /// The id that a provider gave it.
    Provider {
        /// Which provider.
        source: SourceName,
        /// The provider's id.
        id: ProviderId,
    },
    /// Its own order id.
    Order(OrderId),
}

/// One stop of a parcel, as the carrier tells it. Shown to people, never folded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scan {
    /// When, if the carrier said so in a form we can read.
    pub at: Option<Timestamp>,
    /// What happened, in the carrier's words.
    pub activity: Option<String>,
    /// Where, in the carrier's words.
    pub location: Option<String>,
}

/// One claim of a source about one order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Hash of what makes this claim this claim; the same claim always has the same id.
    pub id: ReportId,
    /// Who says so.
    pub source: SourceName,
    /// The parcel it speaks of.
    pub awb: Option<Awb>,
    /// The parcel that comes back.
    pub return_awb: Option<Awb>,
    /// The provider's own id of the order.
    pub provider_id: Option<ProviderId>,
    /// Our customer's id of the order, where the source knows it.
    pub order_id: Option<OrderId>,
    /// The leg that the source names. The order's return AWB can overrule `Outbound`.
    pub leg: Leg,
    /// What the source's word means for a parcel on the leg named.
    pub status: Status,
    /// The source's own word, verbatim.
    pub source_status: Option<String>,
    /// When it happened; `None` counts as when it was received.
    pub occurred_at: Option<Timestamp>,
    /// Where it happened.
    pub location: Option<String>,
    /// What else was said, e.g. why a delivery failed.
    pub note: Option<String>,
    /// When the source expects the delivery.
    pub eta: Option<Timestamp>,
    /// The parcel's stops so far, oldest first.
    pub scans: Vec<Scan>,
}

impl Report {
    /// The names to look its order up by; the first that is known wins.
    pub fn refs(&self) -> Vec<Ref> {
        let awb = self.awb.iter().flat_map(Awb::spellings).map(Ref::Awb);
        let return_awb = self.return_awb.iter().flat_map(Awb::spellings).map(Ref::Awb);
        let source = self.source.clone();
        let provider = self
            .provider_id
            .iter()
            .cloned()
            .map(move |id| Ref::Provider { source: source.clone(), id });
        let own = self.order_id.iter().cloned().map(Ref::Order);
        let mut refs: Vec<Ref> = Vec::new();
        for name in awb.chain(return_awb).chain(provider).chain(own) {
            if !refs.contains(&name) {
                refs.push(name);
            }
        }
        refs
    }

    /// What the report means for an order whose return parcel has this number.
    pub fn status_for(&self, return_awb: Option<&Awb>) -> Status {
        let comes_back =
            self.awb.as_ref().zip(return_awb).is_some_and(|(awb, back)| awb.is_same_parcel(back));
        if comes_back || self.leg == Leg::Return {
            self.status.on_return_leg()
        } else {
            self.status
        }
    }
}
