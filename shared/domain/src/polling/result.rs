//! A poll's findings, as a message of the events queue. They have no row in the inbound log.

use serde::{Deserialize, Serialize};

use crate::core::hash::Fingerprint;
use crate::core::id::{AccountCode, Awb, EventId, OrderId, ReportId};
use crate::core::timestamp::Timestamp;
use crate::tracking::report::{Report, SourceName};

/// The answer of one poll, with orders of several accounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PollResult {
    /// [`PollResult::VERSION`].
    pub v: u8,
    pub source: SourceName,
    pub received_at: Timestamp,
    /// New reports only.
    pub reports: Vec<PolledReport>,
    pub stalled: Vec<Stalled>,
}

impl PollResult {
    /// The message version that this release writes.
    pub const VERSION: u8 = 1;

    pub fn to_message(&self) -> String {
        // String keys and no floats: serialization cannot fail.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// `None` for an unreadable message or another version.
    pub fn read(message: &str) -> Option<Self> {
        serde_json::from_str(message).ok().filter(|result: &Self| result.v == Self::VERSION)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolledReport {
    pub account: AccountCode,
    pub order_id: OrderId,
    pub report: Report,
}

/// An order whose timeline has not grown for too long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stalled {
    pub account: AccountCode,
    pub order_id: OrderId,
    /// The parcel without progress.
    pub awb: Awb,
    /// When its timeline last grew.
    pub since: Timestamp,
}

/// The id of the event for one account's reports of a [`PollResult`]: the same reports, in any
/// order, are the same event.
pub fn poll_event_id<'a>(
    account: &AccountCode,
    reports: impl IntoIterator<Item = &'a ReportId>,
) -> EventId {
    let mut ids: Vec<&ReportId> = reports.into_iter().collect();
    ids.sort();
    ids.into_iter().fold(Fingerprint::of("batch").with(account), |hash, id| hash.with(id)).into()
}

/// One event per parcel and stall: the id depends on the time of the last movement.
pub fn stalled_event_id(stalled: &Stalled) -> EventId {
    let hash = Fingerprint::of("stalled").with(&stalled.account).with(&stalled.order_id);
    hash.with(stalled.awb.canonical()).with(stalled.since.millis().to_be_bytes()).into()
}
