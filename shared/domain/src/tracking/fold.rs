//! How reports become a status: a fold over the timeline that does not care in which order reports arrived.

use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use crate::core::id::ReportId;
use crate::core::timestamp::Timestamp;
use crate::tracking::report::SourceName;
use crate::tracking::status::{Leg, Status};

/// Where an entry stands in the timeline. Derived `Ord` is the order of the fold.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SortKey {
    /// When it happened.
    pub occurred_at: Timestamp,
    /// Among entries of the same time the status that is further on counts as later.
    pub rank: Status,
    /// Decides between equals, so that the order is total.
    pub report_id: ReportId,
}

/// What an entry asks of the fold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatusClaim {
    /// The order has this status.
    Status(Status),
    /// A report about a parcel that was not the order's when it came in.
    OtherShipment(Status),
    /// The order travels again in a new parcel.
    Reshipped,
}

impl StatusClaim {
    /// The status that the claim names.
    pub fn status(self) -> Status {
        match self {
            Self::Status(status) | Self::OtherShipment(status) => status,
            Self::Reshipped => Status::Processing,
        }
    }
}

/// What the fold makes of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Disposition {
    /// It is the order's status from here on.
    Applied,
    /// It already was: place, ETA and words are refreshed.
    Same,
    /// Nothing we have a meaning for.
    Unknown,
    /// Not about this order's parcel.
    OtherShipment,
    /// The order had come to an end before.
    AfterTerminal,
}

impl Disposition {
    /// Why a claim did not apply; `None` if it did.
    pub fn reason(self) -> Option<&'static str> {
        (self != Self::Applied).then(|| self.into())
    }
}

/// What the fold reads of an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportFacts {
    /// Where it stands.
    #[serde(rename = "position")]
    pub sort_key: SortKey,
    /// What it asks.
    pub claim: StatusClaim,
    /// Who says so.
    pub source: SourceName,
    /// In the source's own words.
    pub source_status: Option<String>,
    /// Where it happened.
    pub location: Option<String>,
    /// What else was said.
    pub note: Option<String>,
    /// When the delivery is expected.
    pub eta: Option<Timestamp>,
}

/// Who called an order off, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cancellation {
    /// When.
    pub at: Timestamp,
    /// In the words of who reported it.
    pub reason: Option<String>,
    /// Who reported it.
    pub by: SourceName,
}

/// Where an order stands after the entries folded so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrackingState {
    /// The current status.
    pub status: Status,
    /// When it came to be so; `None` if it is so since creation.
    pub since: Option<Timestamp>,
    /// How the outbound leg ended, remembered also while a return runs.
    pub ended: Option<Status>,
    /// The status in its source's words, else in ours.
    pub label: String,
    /// Where the parcel was last seen.
    pub location: Option<String>,
    /// When the delivery is expected.
    pub eta: Option<Timestamp>,
    /// When it was assigned.
    pub assigned_at: Option<Timestamp>,
    /// When it was accepted.
    pub accepted_at: Option<Timestamp>,
    /// When it was completed or delivered.
    pub completed_at: Option<Timestamp>,
    /// How it was cancelled, while it is.
    pub cancellation: Option<Cancellation>,
}

impl TrackingState {
    /// An order that nobody has reported on.
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

    /// Folds entries, which must be sorted by position, over the status at creation. The dispositions are in their order.
    pub fn fold<'a>(
        start: Status,
        entries: impl IntoIterator<Item = &'a ReportFacts>,
    ) -> (Self, Vec<Disposition>) {
        let mut tracking = Self::at_creation(start);
        let dispositions = entries.into_iter().map(|entry| tracking.step(entry)).collect();
        (tracking, dispositions)
    }

    /// Takes one entry that stands after all before it.
    pub fn step(&mut self, entry: &ReportFacts) -> Disposition {
        let disposition = self.judge(entry.claim);
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

    fn judge(&self, claim: StatusClaim) -> Disposition {
        match claim {
            StatusClaim::OtherShipment(_) => Disposition::OtherShipment,
            StatusClaim::Status(Status::Unknown) => Disposition::Unknown,
            claim if claim.status() == self.status => Disposition::Same,
            StatusClaim::Status(status) if !self.admits(status) => Disposition::AfterTerminal,
            StatusClaim::Status(_) | StatusClaim::Reshipped => Disposition::Applied,
        }
    }

    /// Nothing comes after the parcel is back. Nothing outbound comes after the outbound leg ended, but what was
    /// made is then delivered or refunded, and a lost parcel is found.
    fn admits(&self, status: Status) -> bool {
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
        if let Some(words) = &entry.source_status {
            self.label.clone_from(words);
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
