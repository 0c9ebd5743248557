//! What makes a claim of Shipway's the same claim, whether it calls us or answers us.

use domain::core::hash::Fingerprint;
use domain::core::id::{Awb, OrderId, ReportId};
use domain::core::timestamp::Timestamp;
use domain::tracking::report::Scan;

use super::{Shipway, status};
use crate::{Received, Source};

/// A claim about one order.
pub(super) struct ReportIdentity<'a> {
    /// What it is about.
    pub(super) name: Name<'a>,
    /// The code, or what stands in its place.
    pub(super) word: Option<String>,
    /// The newest scan.
    pub(super) newest: Option<&'a Scan>,
    /// When it came to be so.
    pub(super) occurred_at: Option<Timestamp>,
    /// What it first names as a time, readable or not.
    pub(super) named_time: Option<String>,
}

/// What tells an order from others: the parcel's number, else the order's.
pub(super) enum Name<'a> {
    Parcel(&'a Awb),
    Order(&'a OrderId),
}

impl ReportIdentity<'_> {
    /// The id of a claim that Shipway sent. One without a time may be true again in another minute.
    pub(super) fn id_as_sent(&self, received: &Received<'_>) -> ReportId {
        let minute = || ("minute", (received.at.seconds() / 60).to_string());
        self.id(received, self.time().unwrap_or_else(minute))
    }

    /// The id of a claim that Shipway answered with. TrackingQuery every hour, it says the same every hour: without a time
    /// that is one claim.
    pub(super) fn id_as_answered(&self, received: &Received<'_>) -> ReportId {
        self.id(received, self.time().unwrap_or_default())
    }

    /// The newest scan's time counts before the item's own, which may be that of the sending.
    fn time(&self) -> Option<(&'static str, String)> {
        let at = self
            .newest
            .and_then(|scan| scan.at)
            .or(self.occurred_at)
            .map(|at| ("time", at.to_string()));
        at.or_else(|| self.named_time.clone().map(|text| ("unread", text)))
    }

    fn id(&self, received: &Received<'_>, (clock, time): (&str, String)) -> ReportId {
        self.name
            .add_to(received.report_id(&Shipway.name()))
            .with_option(self.word.as_deref().map(status::code))
            .with(clock)
            .with(time)
            .with_option(self.newest.and_then(|scan| scan.location.as_deref()))
            .into()
    }
}

impl Name<'_> {
    /// A number counts without the zeros that it begins with: one body has them, another has lost them.
    fn add_to(&self, hash: Fingerprint) -> Fingerprint {
        match self {
            Self::Parcel(awb) => {
                hash.with("awb").with(awb.spellings().last().as_ref().unwrap_or(awb))
            }
            Self::Order(order) => hash.with("order").with(order),
        }
    }
}
