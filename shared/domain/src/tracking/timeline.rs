//! A report arrives at an order: what is stored, and whether anybody has to be told.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::core::id::{Awb, EventId, ReportId};
use crate::core::timestamp::Timestamp;
use crate::tracking::fold::{Claim, Claimed, Position, Standing, Verdict};
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
pub struct Entry {
    /// What the fold reads.
    #[serde(flatten)]
    pub claimed: Claimed,
    /// The event that brought it first.
    pub event_id: EventId,
    /// When that event was received.
    pub received_at: Timestamp,
    /// Whether it came in after an entry that stands behind it.
    pub late: bool,
    /// The change it caused, if any.
    pub transition: Option<Transition>,
}

impl Entry {
    /// The key of the entry.
    pub fn report_id(&self) -> &ReportId {
        &self.claimed.position.report_id
    }
}

/// What changes about an order when reports arrive. Written only together with the entry that caused it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// The status at creation, where the fold starts.
    pub start: Status,
    /// Where the order stands.
    pub standing: Standing,
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
    pub latest: Option<Position>,
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
            standing: Standing::at_creation(start),
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
pub struct Bringer {
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
    Next(Next),
    /// It stands before one: the stored entries are folded again.
    Late(Late),
}

/// See [`Arrival::Next`].
#[derive(Debug)]
pub struct Next(Entry);

/// See [`Arrival::Late`].
#[derive(Debug)]
pub struct Late(Entry);

/// What to write, in one transaction: the entry if it is new, the state if its `rev` is still the one before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// The entry to put.
    pub entry: Entry,
    /// What the fold made of it.
    pub verdict: Verdict,
    /// The order's state after it.
    pub state: State,
}

impl Arrival {
    /// A source's report meets its order.
    pub fn of_report(
        state: &State,
        parcels: Parcels<'_>,
        report: &Report,
        bringer: &Bringer,
    ) -> Self {
        let status = report.status_for(parcels.return_awb);
        let foreign =
            parcels.awb.is_some() && report.awb.as_ref().is_some_and(|awb| !parcels.include(awb));
        let claim = if foreign { Claim::OtherShipment(status) } else { Claim::Status(status) };
        let claimed = Claimed {
            position: Position {
                occurred_at: believable(report.occurred_at, bringer.received_at),
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
        Self::new(state, claimed, bringer)
    }

    /// The order was given a new parcel.
    pub fn of_reshipment(state: &State, id: ReportId, at: Timestamp, bringer: &Bringer) -> Self {
        let claimed = Claimed {
            position: Position { occurred_at: at, rank: Status::Processing, report_id: id },
            claim: Claim::Reshipped,
            source: SourceName::API,
            source_status: None,
            location: None,
            note: None,
            eta: None,
        };
        Self::new(state, claimed, bringer)
    }

    fn new(state: &State, claimed: Claimed, bringer: &Bringer) -> Self {
        let late = state.latest.as_ref().is_some_and(|latest| claimed.position < *latest);
        let entry = Entry {
            claimed,
            event_id: bringer.event_id.clone(),
            received_at: bringer.received_at,
            late,
            transition: None,
        };
        if late { Self::Late(Late(entry)) } else { Self::Next(Next(entry)) }
    }
}

impl Next {
    /// Takes the step.
    pub fn settle(self, before: &State, now: Timestamp) -> Settled {
        let mut standing = before.standing.clone();
        let verdict = standing.step(&self.0.claimed);
        let latest = Some(self.0.claimed.position.clone());
        settle(before, standing, self.0, verdict, latest, now)
    }
}

impl Late {
    /// Folds all entries again. `None` if `stored` is not all that the order had: then it was read while it was
    /// written.
    pub fn settle(self, before: &State, mut stored: Vec<Entry>, now: Timestamp) -> Option<Settled> {
        if u64::try_from(stored.len()) != Ok(before.entries) {
            return None;
        }
        stored.push(self.0.clone());
        stored.sort_by(|a, b| a.claimed.position.cmp(&b.claimed.position));
        let (standing, verdicts) =
            Standing::fold(before.start, stored.iter().map(|entry| &entry.claimed));
        let verdict = stored
            .iter()
            .zip(verdicts)
            .find_map(|(entry, verdict)| {
                (entry.report_id() == self.0.report_id()).then_some(verdict)
            })
            .unwrap_or(Verdict::Same);
        Some(settle(before, standing, self.0, verdict, before.latest.clone(), now))
    }
}

fn settle(
    before: &State,
    standing: Standing,
    mut entry: Entry,
    verdict: Verdict,
    latest: Option<Position>,
    now: Timestamp,
) -> Settled {
    let changed = standing.status != before.standing.status;
    let version = if changed { before.version + 1 } else { before.version };
    entry.transition = changed.then(|| Transition {
        version,
        status: standing.status,
        previous_status: before.standing.status,
        label: standing.label.clone(),
        previous_label: before.standing.label.clone(),
        occurred_at: standing.since.unwrap_or(entry.claimed.position.occurred_at),
    });
    let previous_status =
        if changed { Some(before.standing.status) } else { before.previous_status };
    let state = State {
        standing,
        previous_status,
        version,
        rev: before.rev + 1,
        entries: before.entries + 1,
        latest,
        updated_at: now,
        ..before.clone()
    };
    Settled { entry, verdict, state }
}

/// A time that is missing, or later than clocks may differ, counts as the time of receipt.
pub(crate) fn believable(claimed: Option<Timestamp>, received_at: Timestamp) -> Timestamp {
    match claimed {
        Some(time) if time <= received_at.after(CLOCK_TOLERANCE) => time,
        _ => received_at,
    }
}

#[cfg(test)]
mod tests;
