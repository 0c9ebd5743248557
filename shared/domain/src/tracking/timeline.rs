//! A new fact of an order: its timeline entry, the new state, and the change to notify.
//!
//! [`arrive`] folds all facts of the order again with the new one. The result is a [`Commit`], which
//! the table writes at once.
//!
//! Dedup: a fact whose id is among the order's entries is not new. The condition on [`State::rev`]
//! makes concurrent writers read these again.

mod bound;

use std::time::Duration;

use crate::core::id::{EventId, OrderId, ReportId};
use crate::core::timestamp::Timestamp;
use crate::tracking::entry::{
    Direction, Fact, ParcelTransition, ReportFacts, TimelineEntry, Transition,
};
use crate::tracking::fold::{Folded, Judgement, fold};
use crate::tracking::report::Report;
use crate::tracking::state::{ParcelState, State, entry_sum};
use crate::tracking::status::Status;

pub use bound::MAX_ENTRIES;

/// A source's clock may run ahead by this much.
pub const CLOCK_TOLERANCE: Duration = Duration::from_secs(10 * 60);

/// The event that a fact came with.
#[derive(Debug, Clone)]
pub struct Origin {
    pub event_id: EventId,
    /// The event of the inbound log that has the report's body, if that is another one.
    pub logged_as: Option<EventId>,
    pub received_at: Timestamp,
}

impl Origin {
    /// The event of the inbound log that has the report's body.
    pub fn log_id(&self) -> &EventId {
        self.logged_as.as_ref().unwrap_or(&self.event_id)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFact {
    pub id: ReportId,
    pub occurred_at: Timestamp,
    pub fact: Fact,
}

impl NewFact {
    /// A report about the order `own`.
    pub fn of_report(report: &Report, own: &OrderId, origin: &Origin) -> Self {
        Self {
            id: report.id.clone(),
            occurred_at: plausible_time(report.occurred_at, origin.received_at),
            fact: Fact::Report(ReportFacts::of(report, own)),
        }
    }
}

/// A fact that arrives at its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arrival {
    Commit(Box<Commit>),
    /// The order has this fact.
    Duplicate(Box<TimelineEntry>),
    /// The timeline is full: see [`MAX_ENTRIES`].
    Full,
}

/// Written at once, if the stored `rev` is unchanged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    pub entry: TimelineEntry,
    /// `None` if the fact is no report.
    pub judgement: Option<Judgement>,
    pub state: State,
    /// True if the entry takes the place of one whose status was not understood.
    pub replaces: bool,
    /// The entry that makes room for it.
    pub dropped: Option<ReportId>,
}

/// `entries` are all of the order, in any order.
pub fn arrive(
    before: &State,
    entries: &[TimelineEntry],
    new: NewFact,
    origin: &Origin,
    now: Timestamp,
) -> Arrival {
    let stored = entries.iter().find(|entry| entry.id == new.id);
    if let Some(stored) = stored.filter(|stored| !is_understood_now(stored, &new)) {
        return Arrival::Duplicate(Box::new(stored.clone()));
    }
    let entry = TimelineEntry {
        late: is_late(entries, &new),
        id: new.id,
        occurred_at: new.occurred_at,
        fact: new.fact,
        event_id: origin.event_id.clone(),
        logged_as: origin.logged_as.clone(),
        received_at: origin.received_at,
        recorded_at: now,
        rev: before.rev + 1,
        transition: None,
    };
    let others = entries.iter().filter(|other| other.id != entry.id);
    let mut all: Vec<TimelineEntry> = others.cloned().chain([entry.clone()]).collect();
    let Ok(dropped) = bound::make_room(before, &mut all, &entry) else { return Arrival::Full };
    let folded = fold(&before.start, before.created_at, &all);
    let entry_sum = Some(entry_sum(all.iter().map(|entry| entry.rev)));
    let replaces = stored.is_some();
    let mut commit = commit(before, folded, entry, replaces, dropped, now);
    commit.state.entry_sum = entry_sum;
    Arrival::Commit(Box::new(commit))
}

/// A retry reads a status again that an earlier release did not know.
fn is_understood_now(stored: &TimelineEntry, new: &NewFact) -> bool {
    let (Some(stored), Fact::Report(new)) = (stored.report(), &new.fact) else { return false };
    !stored.has_status() && new.has_status()
}

fn is_late(entries: &[TimelineEntry], new: &NewFact) -> bool {
    let Fact::Report(report) = &new.fact else { return false };
    entries.iter().any(|entry| {
        entry.report().is_some_and(|other| {
            let is_about_same = match (&other.awb, &report.awb) {
                (Some(one), Some(other)) => one.is_same_parcel(other),
                (None, _) | (_, None) => true,
            };
            let place = (new.occurred_at, report.status, &new.id);
            is_about_same && place < (entry.occurred_at, other.status, &entry.id)
        })
    })
}

fn commit(
    before: &State,
    folded: Folded,
    mut entry: TimelineEntry,
    replaces: bool,
    dropped: Option<ReportId>,
    now: Timestamp,
) -> Commit {
    entry.transition = transition(before, &folded, entry.occurred_at);
    let Folded { tracking, mut parcels, mut judgements } = folded;
    for parcel in &mut parcels {
        let stored = before.parcel(&parcel.awb);
        parcel.checkpoints = stored.and_then(|stored| stored.checkpoints.clone());
    }
    let has_changed = tracking.status != before.tracking.status;
    let previous_status =
        if has_changed { Some(before.tracking.status) } else { before.previous_status };
    let added = u64::from(!replaces && dropped.is_none());
    let state = State {
        tracking,
        parcels,
        previous_status,
        version: before.version + u64::from(entry.transition.is_some()),
        rev: before.rev + 1,
        entries: before.entries + added,
        entry_rev: before.rev + 1,
        updated_at: now,
        ..before.clone()
    };
    let judgement = judgements.remove(&entry.id);
    Commit { entry, judgement, state, replaces, dropped }
}

/// The change from the stored state to the folded one, if there is any.
fn transition(before: &State, folded: &Folded, occurred_at: Timestamp) -> Option<Transition> {
    let (old, new) = (&before.tracking, &folded.tracking);
    let parcels = folded.parcels.iter().filter_map(|parcel| parcel_transition(before, parcel));
    let parcels: Vec<ParcelTransition> = parcels.collect();
    let has_changed = (old.status, old.attempts) != (new.status, new.attempts);
    (has_changed || !parcels.is_empty()).then(|| Transition {
        version: before.version + 1,
        status: new.status,
        previous_status: old.status,
        label: new.label.clone(),
        previous_label: old.label.clone(),
        attempts: new.attempts,
        previous_attempts: old.attempts,
        occurred_at: new.since.unwrap_or(occurred_at),
        parcels,
    })
}

fn parcel_transition(before: &State, parcel: &ParcelState) -> Option<ParcelTransition> {
    let (previous_status, previous_label, previous_attempts) = match before.parcel(&parcel.awb) {
        Some(stored) => (stored.status, stored.label.clone(), stored.attempts),
        // Its first report. Without one it has no change.
        None => {
            parcel.since?;
            status_of_new_parcel(before, parcel.direction)
        }
    };
    let has_changed = (previous_status, previous_attempts) != (parcel.status, parcel.attempts);
    has_changed.then(|| ParcelTransition {
        awb: parcel.awb.clone(),
        status: parcel.status,
        previous_status,
        label: parcel.label.clone(),
        previous_label,
        attempts: parcel.attempts,
        occurred_at: parcel.since.unwrap_or(before.created_at),
    })
}

/// The first forward parcel goes on where the order is; a further one starts at `processing`.
/// Returns status, label and attempts.
fn status_of_new_parcel(before: &State, direction: Direction) -> (Status, String, u32) {
    let order = &before.tracking;
    let has_forward = before.parcels.iter().any(|it| it.direction == Direction::Forward);
    let status = match direction {
        Direction::Forward if !has_forward => {
            return (order.status, order.label.clone(), order.attempts);
        }
        Direction::Forward if !order.status.shows_pickup() => {
            return (order.status, order.label.clone(), 0);
        }
        Direction::Forward => Status::Processing,
        Direction::Return => Status::Pending,
    };
    (status, status.title().to_owned(), 0)
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
