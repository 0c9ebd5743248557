//! The status engine: a fold over the sorted timeline gives an order's status.
//!
//! Each report is one timeline entry. Entries sort by [`SortKey`]: time, then rank of the status,
//! then report id. [`TrackingState::fold`] starts at the status at creation and applies the entries
//! in this order, one [`TrackingState::step`] each. The [`Disposition`] says how a step treated its
//! entry, e.g. ignored as `after_terminal`.
//!
//! The result depends on the set of entries only. Arrival order and duplicates do not matter: an
//! out-of-order report is inserted at its place and the timeline is folded again, and a report id
//! occurs once. `tracking::timeline` decides between one step and a new fold.

use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use crate::core::id::ReportId;
use crate::core::timestamp::Timestamp;
use crate::tracking::report::SourceName;
use crate::tracking::status::{Leg, Status};

/// The place of an entry in the timeline. The derived `Ord` is the order of the fold.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SortKey {
    pub occurred_at: Timestamp,
    /// Of two entries with the same time, the status with the higher rank counts as later.
    pub rank: Status,
    /// The last criterion, which makes the order total.
    pub report_id: ReportId,
}

/// The claim of a report about the status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatusClaim {
    Status(Status),
    /// A status of a parcel that did not belong to the order when the report came in.
    OtherShipment(Status),
    /// The order was given a new parcel: its tracking starts again.
    Reshipped,
}

impl StatusClaim {
    pub fn status(self) -> Status {
        match self {
            Self::Status(status) | Self::OtherShipment(status) => status,
            Self::Reshipped => Status::Processing,
        }
    }
}

/// How the fold treats an entry. Not stored: a later report can change it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Disposition {
    /// Changes the status.
    Applied,
    /// Repeats the status: refreshes label, location and ETA.
    Same,
    /// Ignored: a provider status without a mapping.
    Unknown,
    /// Ignored: not about a parcel of this order.
    OtherShipment,
    /// Ignored: the leg had ended before.
    AfterTerminal,
}

impl Disposition {
    /// The `reason` of the API; `None` for an applied entry.
    pub fn reason(self) -> Option<&'static str> {
        (self != Self::Applied).then(|| self.into())
    }
}

/// The part of a timeline entry that the fold reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportFacts {
    /// `position` in stored rows.
    #[serde(rename = "position")]
    pub sort_key: SortKey,
    pub claim: StatusClaim,
    pub source: SourceName,
    /// The source's text, verbatim.
    pub source_status: Option<String>,
    pub location: Option<String>,
    pub note: Option<String>,
    pub eta: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cancellation {
    pub at: Timestamp,
    pub reason: Option<String>,
    pub by: SourceName,
}

/// The result of the fold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrackingState {
    pub status: Status,
    /// The time of the applied entry; `None` for the status at creation.
    pub since: Option<Timestamp>,
    /// The status that ended the outbound leg; kept during a return.
    pub ended: Option<Status>,
    /// The status in the words of its source, else [`Status::title`].
    pub label: String,
    pub location: Option<String>,
    pub eta: Option<Timestamp>,
    pub assigned_at: Option<Timestamp>,
    pub accepted_at: Option<Timestamp>,
    /// Completed or delivered.
    pub completed_at: Option<Timestamp>,
    /// Set while the order is cancelled, and during a return after that.
    pub cancellation: Option<Cancellation>,
}

impl TrackingState {
    /// The state before the first report.
    pub fn at_creation(status: Status) -> Self {
        Self {
            status,
            since: None,
            ended: status.ends_outbound().then_some(status),
            label: status.title().to_owned(),
            location: None,
            eta: None,
            assigned_at: None,
            accepted_at: None,
            completed_at: None,
            cancellation: None,
        }
    }

    /// `entries` must be sorted by [`SortKey`]. Returns one disposition per entry, in the same
    /// order.
    pub fn fold<'a>(
        start: Status,
        entries: impl IntoIterator<Item = &'a ReportFacts>,
    ) -> (Self, Vec<Disposition>) {
        let mut tracking = Self::at_creation(start);
        let dispositions = entries.into_iter().map(|entry| tracking.step(entry)).collect();
        (tracking, dispositions)
    }

    /// Applies an entry that sorts after all earlier ones.
    pub fn step(&mut self, entry: &ReportFacts) -> Disposition {
        let disposition = self.disposition_of(entry.claim);
        if entry.claim == StatusClaim::Reshipped {
            *self = Self {
                status: self.status,
                since: self.since,
                ..Self::at_creation(Status::Processing)
            };
        }
        match disposition {
            Disposition::Applied => {
                self.enter(entry);
                self.refresh(entry);
            }
            Disposition::Same => self.refresh(entry),
            Disposition::Unknown | Disposition::OtherShipment | Disposition::AfterTerminal => {}
        }
        disposition
    }

    fn disposition_of(&self, claim: StatusClaim) -> Disposition {
        match claim {
            StatusClaim::OtherShipment(_) => Disposition::OtherShipment,
            StatusClaim::Status(Status::Unknown) => Disposition::Unknown,
            claim if claim.status() == self.status => Disposition::Same,
            StatusClaim::Status(status) if !self.can_enter(status) => Disposition::AfterTerminal,
            StatusClaim::Status(_) | StatusClaim::Reshipped => Disposition::Applied,
        }
    }

    /// No status follows `returned`. After the end of the outbound leg only return statuses follow.
    /// The exceptions: a completed order can be delivered or cancelled (a refund), a lost or
    /// cancelled one can still be delivered.
    fn can_enter(&self, status: Status) -> bool {
        if self.status == Status::Returned {
            return false;
        }
        if status.leg() == Some(Leg::Return) {
            return true;
        }
        match self.ended {
            None => true,
            Some(Status::Completed) => matches!(status, Status::Delivered | Status::Cancelled),
            Some(Status::Lost | Status::Cancelled) => status == Status::Delivered,
            Some(_) => false,
        }
    }

    fn enter(&mut self, entry: &ReportFacts) {
        let at = entry.sort_key.occurred_at;
        self.status = entry.claim.status();
        self.since = Some(at);
        self.label = self.status.title().to_owned();
        if self.status.ends_outbound() {
            self.ended = Some(self.status);
        }
        if self.status.leg() == Some(Leg::Outbound) {
            self.cancellation = None;
        }
        match self.status {
            Status::Assigned => self.assigned_at = Some(at),
            Status::Accepted => self.accepted_at = Some(at),
            Status::Completed | Status::Delivered => self.completed_at = Some(at),
            Status::Cancelled => {
                let reason = entry.note.clone().or_else(|| entry.source_status.clone());
                self.cancellation = Some(Cancellation { at, reason, by: entry.source.clone() });
            }
            _ => {}
        }
    }

    fn refresh(&mut self, entry: &ReportFacts) {
        if let Some(label) = &entry.source_status {
            self.label.clone_from(label);
        }
        if entry.location.is_some() {
            self.location.clone_from(&entry.location);
        }
        if entry.eta.is_some() {
            self.eta = entry.eta;
        }
    }
}

#[cfg(test)]
mod tests;
