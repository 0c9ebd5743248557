//! Applies an arriving report to an order: the new timeline entry, the new state, the change to
//! notify.
//!
//! [`Arrival`] compares the report with the latest entry. An in-order report takes one step of the
//! fold. An out-of-order report needs the stored entries, which are folded again with it. Both give
//! a [`Commit`], which the table writes in one transaction.
//!
//! Dedup: the entry's key is the report id, and the transaction fails if it exists. The condition
//! on [`State::rev`] makes concurrent writers retry.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::core::id::{Awb, EventId, ReportId};
use crate::core::timestamp::Timestamp;
use crate::tracking::fold::{Disposition, ReportFacts, SortKey, StatusClaim, TrackingState};
use crate::tracking::report::{Report, SourceName};
use crate::tracking::status::Status;

/// A source's clock may run ahead by this much.
pub const CLOCK_TOLERANCE: Duration = Duration::from_secs(10 * 60);

/// A change of an order's status: endpoints are notified of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transition {
    pub version: u64,
    pub status: Status,
    pub previous_status: Status,
    /// The status in the words of its source.
    pub label: String,
    pub previous_label: String,
    /// The time of the new status. After a late report this can be the time of another entry.
    pub occurred_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimelineEntry {
    #[serde(flatten)]
    pub facts: ReportFacts,
    /// The first event with this report.
    pub event_id: EventId,
    pub received_at: Timestamp,
    /// When the entry was written. Missing in rows of older releases.
    #[serde(default)]
    pub recorded_at: Option<Timestamp>,
    /// Out of order: a later entry was already stored.
    pub late: bool,
    /// The change that it caused.
    pub transition: Option<Transition>,
}

impl TimelineEntry {
    pub fn report_id(&self) -> &ReportId {
        &self.facts.sort_key.report_id
    }
}

/// The part of an order that reports change. Written in one transaction with the entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// The status at creation, with which the fold starts.
    pub start: Status,
    /// `standing` in stored rows.
    #[serde(rename = "standing")]
    pub tracking: TrackingState,
    /// Before the last change.
    pub previous_status: Option<Status>,
    /// 1 at creation; incremented when the status changes.
    pub version: u64,
    /// Incremented by every write, and the condition of every write (optimistic locking).
    pub rev: u64,
    /// The `rev` of the last profile write: a reader checks that profile and state belong together.
    pub profile_rev: u64,
    /// The number of entries: a reader checks that it has all of them.
    pub entries: u64,
    /// The highest sort key of any entry, applied or not.
    pub latest: Option<SortKey>,
    pub latest_message_status: Option<String>,
    pub latest_message_at: Option<Timestamp>,
    /// Decides between messages of the same time. Missing in rows of older releases.
    #[serde(default)]
    pub latest_message_id: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl State {
    pub fn at_creation(start: Status, now: Timestamp) -> Self {
        Self {
            start,
            tracking: TrackingState::at_creation(start),
            previous_status: None,
            version: 1,
            rev: 1,
            profile_rev: 1,
            entries: 0,
            latest: None,
            latest_message_status: None,
            latest_message_at: None,
            latest_message_id: None,
            created_at: now,
            updated_at: now,
        }
    }
}

/// The event that a report came with.
#[derive(Debug, Clone)]
pub struct Origin {
    pub event_id: EventId,
    pub received_at: Timestamp,
}

#[derive(Debug, Clone, Copy, Default)]
pub struct Parcels<'a> {
    pub awb: Option<&'a Awb>,
    pub return_awb: Option<&'a Awb>,
}

impl Parcels<'_> {
    fn include(&self, awb: &Awb) -> bool {
        [self.awb, self.return_awb].into_iter().flatten().any(|parcel| parcel.is_same_parcel(awb))
    }
}

/// A report that arrives at its order, in or out of order.
#[derive(Debug)]
pub enum Arrival {
    /// It sorts after every stored entry.
    InOrder(InOrder),
    /// It sorts before a stored entry.
    OutOfOrder(OutOfOrder),
}

#[derive(Debug)]
pub struct InOrder(TimelineEntry);

#[derive(Debug)]
pub struct OutOfOrder(TimelineEntry);

/// One transaction: put the entry if its report id is new, and the state if the stored `rev` is
/// unchanged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    pub entry: TimelineEntry,
    pub disposition: Disposition,
    pub state: State,
}

impl Arrival {
    pub fn of_report(
        state: &State,
        parcels: Parcels<'_>,
        report: &Report,
        origin: &Origin,
    ) -> Self {
        let status = report.status_for(parcels.return_awb);
        let is_other_shipment =
            parcels.awb.is_some() && report.awb.as_ref().is_some_and(|awb| !parcels.include(awb));
        let claim = if is_other_shipment {
            StatusClaim::OtherShipment(status)
        } else {
            StatusClaim::Status(status)
        };
        let facts = ReportFacts {
            sort_key: SortKey {
                occurred_at: plausible_time(report.occurred_at, origin.received_at),
                rank: status,
                report_id: report.id.clone(),
            },
            claim,
            source: report.source.clone(),
            source_status: report.source_status.clone(),
            location: report.location.clone(),
            note: report.note.clone(),
            eta: report.eta,
        };
        Self::new(state, facts, origin)
    }

    pub fn of_reshipment(state: &State, id: ReportId, at: Timestamp, origin: &Origin) -> Self {
        let facts = ReportFacts {
            sort_key: SortKey { occurred_at: at, rank: Status::Processing, report_id: id },
            claim: StatusClaim::Reshipped,
            source: SourceName::API,
            source_status: None,
            location: None,
            note: None,
            eta: None,
        };
        Self::new(state, facts, origin)
    }

    fn new(state: &State, facts: ReportFacts, origin: &Origin) -> Self {
        let late = state.latest.as_ref().is_some_and(|latest| facts.sort_key < *latest);
        let entry = TimelineEntry {
            facts,
            event_id: origin.event_id.clone(),
            received_at: origin.received_at,
            recorded_at: None,
            late,
            transition: None,
        };
        if late { Self::OutOfOrder(OutOfOrder(entry)) } else { Self::InOrder(InOrder(entry)) }
    }
}

impl InOrder {
    pub fn commit(self, before: &State, now: Timestamp) -> Commit {
        let mut tracking = before.tracking.clone();
        let disposition = tracking.step(&self.0.facts);
        let latest = Some(self.0.facts.sort_key.clone());
        commit(before, tracking, self.0, disposition, latest, now)
    }
}

impl OutOfOrder {
    /// Folds all entries again. `None` if `stored` is incomplete, because the order was written
    /// while it was read: read it again.
    pub fn commit(
        self,
        before: &State,
        mut stored: Vec<TimelineEntry>,
        now: Timestamp,
    ) -> Option<Commit> {
        if u64::try_from(stored.len()) != Ok(before.entries) {
            return None;
        }
        stored.push(self.0.clone());
        stored.sort_by(|a, b| a.facts.sort_key.cmp(&b.facts.sort_key));
        let (tracking, dispositions) =
            TrackingState::fold(before.start, stored.iter().map(|entry| &entry.facts));
        let disposition = stored
            .iter()
            .zip(dispositions)
            .find_map(|(entry, disposition)| {
                (entry.report_id() == self.0.report_id()).then_some(disposition)
            })
            .unwrap_or(Disposition::Same);
        Some(commit(before, tracking, self.0, disposition, before.latest.clone(), now))
    }
}

fn commit(
    before: &State,
    tracking: TrackingState,
    mut entry: TimelineEntry,
    disposition: Disposition,
    latest: Option<SortKey>,
    now: Timestamp,
) -> Commit {
    let changed = tracking.status != before.tracking.status;
    let version = if changed { before.version + 1 } else { before.version };
    entry.transition = changed.then(|| Transition {
        version,
        status: tracking.status,
        previous_status: before.tracking.status,
        label: tracking.label.clone(),
        previous_label: before.tracking.label.clone(),
        occurred_at: tracking.since.unwrap_or(entry.facts.sort_key.occurred_at),
    });
    entry.recorded_at = Some(now);
    let previous_status =
        if changed { Some(before.tracking.status) } else { before.previous_status };
    let state = State {
        tracking,
        previous_status,
        version,
        rev: before.rev + 1,
        entries: before.entries + 1,
        latest,
        updated_at: now,
        ..before.clone()
    };
    Commit { entry, disposition, state }
}

/// A time that is missing, or ahead of the clock by more than [`CLOCK_TOLERANCE`], counts as the
/// time of receipt.
pub fn plausible_time(time: Option<Timestamp>, received_at: Timestamp) -> Timestamp {
    match time {
        Some(time) if time <= received_at.after(CLOCK_TOLERANCE) => time,
        _ => received_at,
    }
}

#[cfg(test)]
mod tests;
