//! The status engine: an order's status, parcels, attempts and place as a function of its facts.
//!
//! [`fold`] sorts the facts out by parcel (`parcels`), lets each parcel make its journey
//! (`journey`), decides which parcels count, and takes the least advanced of them (`aggregate`).
//! The result depends on the set of facts only: neither the order in which they become known nor
//! duplicates matter.

use std::collections::{BTreeMap, BTreeSet};

use strum::IntoStaticStr;

use crate::core::id::{Awb, ReportId};
use crate::core::timestamp::Timestamp;
use crate::tracking::aggregate::aggregate;
use crate::tracking::entry::{Direction, TimelineEntry};
use crate::tracking::journey::{Claim, Journey};
use crate::tracking::parcels::{Parcel, Parcels, Reported};
use crate::tracking::state::{ParcelState, Start, TrackingState};
use crate::tracking::status::Status;

/// How the fold treats a report. Not stored: a later fact can change it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Disposition {
    /// Changes the status.
    Applied,
    /// Repeats the status: refreshes label, location and ETA.
    Same,
    /// Ignored: a provider status without a mapping.
    Unknown,
    /// Ignored: the leg had ended before.
    AfterTerminal,
    /// Ignored: its parcel does not count any more.
    ReplacedParcel,
    /// Ignored: taken back.
    Withdrawn,
}

impl Disposition {
    /// The `reason` of the API; `None` for an applied entry.
    pub fn reason(self) -> Option<&'static str> {
        (self != Self::Applied).then(|| self.into())
    }
}

/// What the fold made of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Judgement {
    /// The status for the direction of its parcel.
    pub status: Status,
    pub disposition: Disposition,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folded {
    pub tracking: TrackingState,
    /// In the order in which they were added.
    pub parcels: Vec<ParcelState>,
    /// Of every report.
    pub judgements: BTreeMap<ReportId, Judgement>,
}

/// Folds the facts of an order. `entries` may be in any order.
pub fn fold(start: &Start, created_at: Timestamp, entries: &[TimelineEntry]) -> Folded {
    let facts = Parcels::of(start, created_at, entries);
    let travelled = travel(start, &facts);
    let mut order = Journey::starting_at(start.status, Direction::Forward);
    let order_steps = order.travel(facts.order_reports.iter().copied());
    let mut judgements = Judgements::of(entries, &facts.withdrawn);
    for it in &travelled {
        judgements.add(it.parcel.direction, &it.steps, it.replaced);
    }
    if !travelled.iter().any(|it| it.parcel.direction == Direction::Forward) {
        judgements.add(Direction::Forward, &order_steps, false);
    }
    Folded {
        tracking: aggregate(&travelled, &order),
        parcels: travelled.iter().map(Travelled::state).collect(),
        judgements: judgements.0,
    }
}

/// A parcel after its journey.
#[derive(Debug)]
pub(super) struct Travelled<'p, 'a> {
    pub(super) parcel: &'p Parcel<'a>,
    pub(super) journey: Journey,
    steps: Vec<(&'a TimelineEntry, Disposition)>,
    /// The parcels that take its place, by their index.
    replaced_by: BTreeSet<usize>,
    /// It does not count.
    pub(super) replaced: bool,
}

impl Travelled<'_, '_> {
    /// Cancelled or lost.
    pub(super) fn has_failed(&self) -> bool {
        matches!(self.journey.status, Status::Cancelled | Status::Lost)
    }

    fn state(&self) -> ParcelState {
        let (parcel, journey) = (self.parcel, &self.journey);
        ParcelState {
            awb: parcel.awb.clone(),
            direction: parcel.direction,
            added_at: parcel.added_at,
            learnt: parcel.learnt,
            replaced: self.replaced,
            released: parcel.released,
            carrier_name: parcel.carrier_name.clone(),
            status: journey.status,
            since: journey.since,
            label: journey.label.clone(),
            attempts: journey.attempts(),
            eta: journey.eta,
            checkpoints: None,
        }
    }
}

fn travel<'p, 'a>(start: &Start, facts: &'p Parcels<'a>) -> Vec<Travelled<'p, 'a>> {
    let mut travelled: Vec<Travelled<'p, 'a>> = Vec::with_capacity(facts.parcels.len());
    for parcel in &facts.parcels {
        let index = travelled.len();
        let replaces: Vec<usize> =
            (0..index).filter(|earlier| learnt_replaces(parcel, &travelled[*earlier])).collect();
        let follows_unmoved = replaces.iter().any(|it| !travelled[*it].parcel.was_moved())
            || named_before(parcel, facts).any(|other| !other.was_moved());
        let is_first = !travelled.iter().any(|it| it.parcel.direction == Direction::Forward);
        let (journey, steps) = send(start, parcel, facts, is_first || follows_unmoved);
        travelled.push(Travelled {
            parcel,
            journey,
            steps,
            replaced_by: BTreeSet::new(),
            replaced: false,
        });
        for earlier in replaces {
            travelled[earlier].replaced_by.insert(index);
        }
    }
    replace_named(&mut travelled, facts);
    mark_replaced(&mut travelled);
    travelled
}

/// A learnt parcel replaces the earlier ones that the carrier never picked up, or gave up, unless
/// the shop has named them since.
fn learnt_replaces(parcel: &Parcel<'_>, earlier: &Travelled<'_, '_>) -> bool {
    let are_forward = [parcel, earlier.parcel].iter().all(|it| it.direction == Direction::Forward);
    let is_named_since = earlier.parcel.given_at.is_some_and(|at| at > parcel.added_at);
    let is_given_up = !earlier.parcel.was_moved() || earlier.has_failed();
    parcel.learnt && are_forward && is_given_up && !is_named_since
}

/// All other parcels of its direction that `awb` or `returnAwb` ever named, if this is the one that
/// it names now.
fn named_replaces<'p, 'a>(
    parcel: &'p Parcel<'a>,
    facts: &'p Parcels<'a>,
) -> impl Iterator<Item = &'p Parcel<'a>> {
    let current = match parcel.direction {
        Direction::Forward => &facts.current,
        Direction::Return => &facts.current_return,
    };
    let is_current = current.as_ref().is_some_and(|awb| awb.is_same_parcel(&parcel.awb));
    facts.parcels.iter().filter(move |other| {
        is_current
            && other.first_named.is_some()
            && other.direction == parcel.direction
            && other.awb != parcel.awb
    })
}

/// The parcels that it replaced when the shop named it, whichever is named now.
fn named_before<'p, 'a>(
    parcel: &'p Parcel<'a>,
    facts: &'p Parcels<'a>,
) -> impl Iterator<Item = &'p Parcel<'a>> {
    facts.parcels.iter().filter(|other| {
        other.direction == parcel.direction
            && other.first_named.is_some()
            && other.first_named < parcel.first_named
    })
}

/// Lets a parcel make its journey. One that `starts_with_order` sees all order reports; others see
/// those that happened after they were added; a return parcel sees those of the return leg.
fn send<'a>(
    start: &Start,
    parcel: &Parcel<'a>,
    facts: &Parcels<'a>,
    starts_with_order: bool,
) -> (Journey, Vec<(&'a TimelineEntry, Disposition)>) {
    let first = match parcel.direction {
        Direction::Return => Status::Pending,
        Direction::Forward if starts_with_order => start.status,
        Direction::Forward => Status::Processing,
    };
    let sees = |(entry, report): &Reported<'a>| match parcel.direction {
        Direction::Return => report.is_on_return_leg(),
        Direction::Forward => starts_with_order || entry.occurred_at > parcel.added_at,
    };
    let order_reports = facts.order_reports.iter().copied().filter(sees);
    let mut journey = Journey::starting_at(first, parcel.direction);
    let steps = journey.travel(parcel.own.iter().copied().chain(order_reports));
    (journey, steps)
}

fn replace_named(travelled: &mut [Travelled<'_, '_>], facts: &Parcels<'_>) {
    for index in 0..travelled.len() {
        let replaced: BTreeSet<Awb> =
            named_replaces(travelled[index].parcel, facts).map(|it| it.awb.clone()).collect();
        let replaced = travelled.iter_mut().filter(|it| replaced.contains(&it.parcel.awb));
        replaced.for_each(|it| {
            it.replaced_by.insert(index);
        });
    }
}

/// A replaced parcel counts again once it is delivered after all, or once each parcel that took its
/// place is cancelled or lost.
fn mark_replaced(travelled: &mut [Travelled<'_, '_>]) {
    let failed: Vec<bool> = travelled.iter().map(Travelled::has_failed).collect();
    for it in travelled {
        let is_delivered = it.journey.ended == Some(Status::Delivered);
        it.replaced = !is_delivered && it.replaced_by.iter().any(|index| !failed[*index]);
    }
}

struct Judgements(BTreeMap<ReportId, Judgement>);

impl Judgements {
    /// Before any parcel has made its journey.
    fn of(entries: &[TimelineEntry], withdrawn: &BTreeSet<&ReportId>) -> Self {
        let judgement = |entry: &TimelineEntry| {
            let report = entry.report()?;
            let is_withdrawn = withdrawn.contains(&entry.id);
            // No parcel sees it: its parcel or id went to another order, or it is about the parcel
            // that had the number before.
            let disposition =
                if is_withdrawn { Disposition::Withdrawn } else { Disposition::ReplacedParcel };
            let status = Claim::of(report, Direction::Forward).status();
            Some((entry.id.clone(), Judgement { status, disposition }))
        };
        Self(entries.iter().filter_map(judgement).collect())
    }

    /// Several parcels may see a report of the order: one that it changes decides.
    fn add(
        &mut self,
        direction: Direction,
        steps: &[(&TimelineEntry, Disposition)],
        replaced: bool,
    ) {
        for (entry, disposition) in steps {
            let Some(report) = entry.report() else { continue };
            let disposition = match disposition {
                Disposition::Unknown => Disposition::Unknown,
                _ if replaced => Disposition::ReplacedParcel,
                disposition => *disposition,
            };
            let status = Claim::of(report, direction).status();
            let judgement = Judgement { status, disposition };
            let stored = self.0.entry(entry.id.clone()).or_insert(judgement);
            let is_better = match stored.disposition {
                Disposition::Applied => false,
                Disposition::ReplacedParcel => true,
                _ => disposition == Disposition::Applied,
            };
            if is_better {
                *stored = judgement;
            }
        }
    }
}

#[cfg(test)]
mod tests;
