//! Report ids: a pushed and a polled report of the same fact have the same id if it has a time.

use domain::core::hash::Fingerprint;
use domain::core::id::{AccountCode, Awb, OrderId, ReportId};
use domain::core::timestamp::Timestamp;
use domain::tracking::report::Scan;

use super::{Shipway, status};
use crate::{Request, Source};

pub(super) struct ReportIdentity<'a> {
    pub(super) name: Name<'a>,
    /// Code or name, verbatim.
    pub(super) status: Option<String>,
    pub(super) newest: Option<&'a Scan>,
    pub(super) occurred_at: Option<Timestamp>,
    /// The first time in the item, parsable or not.
    pub(super) raw_time: Option<String>,
}

/// The tracking number, else the order id.
pub(super) enum Name<'a> {
    Parcel(&'a Awb),
    Order(&'a OrderId),
}

impl ReportIdentity<'_> {
    /// The id of a webhook's report. Without a time, the same report may be sent again later with a
    /// new meaning, so the minute of receipt is part of the id.
    pub(super) fn pushed_id(&self, account: Option<&AccountCode>, at: Timestamp) -> ReportId {
        let minute = || ("minute", (at.seconds() / 60).to_string());
        self.id(account, self.time().unwrap_or_else(minute))
    }

    /// The id of a polled report. Hourly polls return the same report, so without a time it has one
    /// id.
    pub(super) fn polled_id(&self, account: &AccountCode) -> ReportId {
        self.id(Some(account), self.time().unwrap_or_default())
    }

    /// The report's own time: were the id made of another one, reports with several times would
    /// share an id, and the first to arrive would decide.
    fn time(&self) -> Option<(&'static str, String)> {
        let at = self.occurred_at.map(|at| ("time", at.to_string()));
        at.or_else(|| self.raw_time.clone().map(|text| ("unread", text)))
    }

    fn id(&self, account: Option<&AccountCode>, (clock, time): (&str, String)) -> ReportId {
        self.name
            .add_to(Request::stored(account, &[]).report_id(&Shipway.name()))
            .with_option(self.status.as_deref().map(status::code))
            .with(clock)
            .with(time)
            .with_option(self.newest.and_then(|scan| scan.location.as_deref()))
            .into()
    }
}

impl Name<'_> {
    /// Without leading zeros, which some bodies have lost.
    fn add_to(&self, hash: Fingerprint) -> Fingerprint {
        match self {
            Self::Parcel(awb) => hash.with("awb").with(awb.canonical()),
            Self::Order(order) => hash.with("order").with(order),
        }
    }
}
