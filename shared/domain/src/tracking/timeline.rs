//! A report arrives at an order: what is stored, and whether anybody has to be told.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::core::id::{Awb, EventId, ReportId};
use crate::core::timestamp::Timestamp;
use crate::tracking::fold::{Disposition, ReportFacts, SortKey, StatusClaim, TrackingState};
use crate::tracking::report::{Report, SourceName};
use crate::tracking::status::Status;

/// How far a source's clock may run ahead of ours before its time is not believed.
pub const CLOCK_TOLERANCE: Duration = Duration::from_secs(10 * 60);

/// A change of an order's current status, as it was announced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transition {
    /// The order's version after it.
    pub version: u64,
    /// The status now.
    pub status: Status,
    /// The status before.
    pub previous_status: Status,
    /// The status now, in the words of its source.
    pub label: String,
    /// The status before, in the words of its source.
    pub previous_label: String,
    /// When the status now came to be so. After a late report that can be the time of another entry.
    pub occurred_at: Timestamp,
}

/// One report in an order's timeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimelineEntry {
    /// What the fold reads.
    #[serde(flatten)]
    pub facts: ReportFacts,
    /// The event that brought it first.
    pub event_id: EventId,
    /// When that event was received.
    pub received_at: Timestamp,
    /// Whether it came in after an entry that stands behind it.
    pub late: bool,
    /// The change it caused, if any.
    pub transition: Option<Transition>,
}

impl TimelineEntry {
    /// The key of the entry.
    pub fn report_id(&self) -> &ReportId {
        &self.facts.sort_key.report_id
    }
}

/// What changes about an order when reports arrive. Written only together with the entry that caused it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// The status at creation, where the fold starts.
    pub start: Status,
    /// Where the order stands.
    #[serde(rename = "standing")]
    pub tracking: TrackingState,
    /// The status before the last change.
    pub previous_status: Option<Status>,
    /// 1 at creation; moves when the status changes.
    pub version: u64,
    /// Moves with every write; the condition of every write.
    pub rev: u64,
    /// The `rev` at which the profile was last written, by which a reader knows that the two belong together.
    pub profile_rev: u64,
    /// How many entries there are, by which a reader knows that it has all.
    pub entries: u64,
    /// The highest position of any entry, applied or not.
    pub latest: Option<SortKey>,
    /// The newest message's status.
    pub latest_message_status: Option<String>,
    /// When that message was reported.
    pub latest_message_at: Option<Timestamp>,
    /// Its id, which decides between messages of one time.
    #[serde(default)]
    pub latest_message_id: Option<String>,
    /// When the order was created.
    pub created_at: Timestamp,
    /// When it was last written.
    pub updated_at: Timestamp,
}

impl State {
    /// A new order's.
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

/// The event that brings a report.
#[derive(Debug, Clone)]
pub struct Origin {
    /// Its id.
    pub event_id: EventId,
    /// When it was received.
    pub received_at: Timestamp,
}

/// The numbers of an order's parcels.
#[derive(Debug, Clone, Copy, Default)]
pub struct Parcels<'a> {
    /// The parcel to the shopper.
    pub awb: Option<&'a Awb>,
    /// The parcel that comes back.
    pub return_awb: Option<&'a Awb>,
}

impl Parcels<'_> {
    fn include(&self, awb: &Awb) -> bool {
        [self.awb, self.return_awb].into_iter().flatten().any(|parcel| parcel.is_same_parcel(awb))
    }
}

/// A report on its way into a timeline.
#[derive(Debug)]
pub enum Arrival {
    /// It stands after every stored entry: one step.
    InOrder(InOrder),
    /// It stands before one: the stored entries are folded again.
    OutOfOrder(OutOfOrder),
}

/// See [`Arrival::InOrder`].
#[derive(Debug)]
pub struct InOrder(TimelineEntry);

/// See [`Arrival::OutOfOrder`].
#[derive(Debug)]
pub struct OutOfOrder(TimelineEntry);

/// What to write, in one transaction: the entry if it is new, the state if its `rev` is still the one before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// The entry to put.
    pub entry: TimelineEntry,
    /// What the fold made of it.
    pub disposition: Disposition,
    /// The order's state after it.
    pub state: State,
}

impl Arrival {
    /// A source's report meets its order.
    pub fn of_report(
        state: &State,
        parcels: Parcels<'_>,
        report: &Report,
        origin: &Origin,
    ) -> Self {
        let status = report.status_for(parcels.return_awb);
        let foreign =
            parcels.awb.is_some() && report.awb.as_ref().is_some_and(|awb| !parcels.include(awb));
        let claim =
            if foreign { StatusClaim::OtherShipment(status) } else { StatusClaim::Status(status) };
        let facts = ReportFacts {
            sort_key: SortKey {
                occurred_at: believable(report.occurred_at, origin.received_at),
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

    /// The order was given a new parcel.
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
            late,
            transition: None,
        };
        if late { Self::OutOfOrder(OutOfOrder(entry)) } else { Self::InOrder(InOrder(entry)) }
    }
}

impl InOrder {
    /// Takes the step.
    pub fn commit(self, before: &State, now: Timestamp) -> Commit {
        let mut tracking = before.tracking.clone();
        let disposition = tracking.step(&self.0.facts);
        let latest = Some(self.0.facts.sort_key.clone());
        commit(before, tracking, self.0, disposition, latest, now)
    }
}

impl OutOfOrder {
    /// Folds all entries again. `None` if `stored` is not all that the order had: then it was read while it was
    /// written.
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

/// A time that is missing, or later than clocks may differ, counts as the time of receipt.
pub(crate) fn believable(facts: Option<Timestamp>, received_at: Timestamp) -> Timestamp {
    match facts {
        Some(time) if time <= received_at.after(CLOCK_TOLERANCE) => time,
        _ => received_at,
    }
}

#[cfg(test)]
mod tests;
