//! The names of an order's parcels, and when it gives one up to another order.

use std::collections::BTreeSet;
use std::time::Duration;

use super::Order;
use crate::core::id::{Awb, OrderId, ReportId};
use crate::core::timestamp::Timestamp;
use crate::tracking::entry::{
    Direction, Fact, ParcelChange, ParcelFact, ReportFacts, TimelineEntry,
};
use crate::tracking::report::{Ref, SourceName};
use crate::tracking::state::Start;
use crate::tracking::status::Status;

/// A carrier may use an AWB again this long after its order has ended.
const RECYCLED_AFTER: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// What becomes of a name's reports when another order takes it over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GivenUp {
    /// They go with it: the shop says whose parcel it is.
    WithReports,
    /// They stay: the carrier uses the number again, for another parcel.
    Recycled,
}

impl Order {
    /// `None` if the order keeps the name. `entries` are all of its timeline.
    pub fn gives_up(
        &self,
        name: &Ref,
        entries: &[TimelineEntry],
        now: Timestamp,
    ) -> Option<GivenUp> {
        let is_named_by_shop = self.profile.refs().contains(name);
        let Ref::Awb(awb) = name else {
            let is_learnt = matches!(name, Ref::Provider { .. }) && !is_named_by_shop;
            return is_learnt.then_some(GivenUp::WithReports);
        };
        let is_given = is_named_by_shop || self.state.has_added(awb);
        let is_replaced = self.state.parcel(awb).is_some_and(|parcel| parcel.replaced)
            && !self.is_being_named(awb, entries)
            && !self.is_being_added(awb, entries);
        match () {
            () if self.ended_long_ago(now) => Some(GivenUp::Recycled),
            () if !is_given || is_replaced => Some(GivenUp::WithReports),
            () if self.was_cancelled_before_pickup(awb, entries) => Some(GivenUp::Recycled),
            () => None,
        }
    }

    /// False for a name that another order has taken over, until the shop gives it to this one again.
    pub(super) fn is_own(&self, name: &Ref, entries: &[TimelineEntry]) -> bool {
        match name {
            Ref::Awb(awb) => {
                moved_to(awb, entries).is_none()
                    || self.is_being_named(awb, entries)
                    || self.is_being_added(awb, entries)
            }
            other => self.profile.refs().contains(other) || is_learnt(other, entries),
        }
    }

    /// True until a patch that names the parcel is processed.
    fn is_being_named(&self, awb: &Awb, entries: &[TimelineEntry]) -> bool {
        let (profile, start) = (&self.profile, &self.state.start);
        let forward = (Direction::Forward, &profile.awb, &start.awb);
        let back = (Direction::Return, &profile.return_awb, &start.return_awb);
        let is_it = |named: &Option<Awb>| named.as_ref().is_some_and(|it| it.is_same_parcel(awb));
        [forward, back].into_iter().any(|(direction, named, at_creation)| {
            let named_before = last_named(direction, entries).unwrap_or(at_creation);
            is_it(named) && !is_it(named_before)
        })
    }

    /// True until a request to add the parcel is processed.
    pub fn is_being_added(&self, awb: &Awb, entries: &[TimelineEntry]) -> bool {
        let requests = self.state.added.iter().filter(|added| added.is_same_parcel(awb));
        let is_addition = |fact: &&ParcelFact| match &fact.change {
            ParcelChange::Added { awb: added, .. } => added.is_same_parcel(awb),
            _ => false,
        };
        requests.count() > parcel_facts(entries).filter(is_addition).count()
    }

    fn ended_long_ago(&self, now: Timestamp) -> bool {
        let tracking = &self.state.tracking;
        // Reports may be older than the order, which cannot have ended before there was one.
        let ended_at = tracking.since.unwrap_or(self.state.created_at).max(self.state.created_at);
        tracking.status.is_final() && now.since(ended_at) >= RECYCLED_AFTER
    }

    /// A report of the whole order counts for each of its parcels.
    fn was_cancelled_before_pickup(&self, awb: &Awb, entries: &[TimelineEntry]) -> bool {
        let was_moved = reports(entries).any(|report| {
            report.status.shows_pickup()
                && report.awb.as_ref().is_none_or(|own| own.is_same_parcel(awb))
        });
        self.state.tracking.status == Status::Cancelled && !was_moved
    }
}

/// The order that has taken over this AWB, with or without its reports.
pub fn moved_to<'a>(awb: &Awb, entries: &'a [TimelineEntry]) -> Option<&'a OrderId> {
    match last_change(awb, entries)? {
        ParcelChange::Moved { to, .. } | ParcelChange::Released { to, .. } => Some(to),
        ParcelChange::Named { .. } | ParcelChange::Added { .. } => None,
    }
}

/// True if the order had this AWB once, and another order took it over with its reports.
pub fn has_left(awb: &Awb, entries: &[TimelineEntry]) -> bool {
    parcel_facts(entries).any(|fact| match &fact.change {
        ParcelChange::Moved { name: Ref::Awb(moved), .. } => moved.is_same_parcel(awb),
        _ => false,
    })
}

/// What the last patch of `awb`, or `returnAwb`, named.
fn last_named(direction: Direction, entries: &[TimelineEntry]) -> Option<&Option<Awb>> {
    let namings = parcel_facts(entries).filter_map(|fact| match &fact.change {
        ParcelChange::Named { direction: named, awb } if *named == direction => {
            Some((fact.place(), awb))
        }
        _ => None,
    });
    namings.max_by_key(|(place, _)| *place).map(|(_, awb)| awb)
}

fn last_change<'a>(awb: &Awb, entries: &'a [TimelineEntry]) -> Option<&'a ParcelChange> {
    let about = |fact: &&ParcelFact| fact.awb().is_some_and(|it| it.is_same_parcel(awb));
    parcel_facts(entries).filter(about).max_by_key(|fact| fact.place()).map(|fact| &fact.change)
}

/// The names in the facts of an order that only withdrawn reports, or reports of other orders by
/// now, do not give it.
pub(super) fn of_facts(start: &Start, entries: &[TimelineEntry]) -> BTreeSet<Ref> {
    let learnt = reports(entries).flat_map(ReportFacts::names);
    given(start, entries).iter().map(Ref::awb).chain(learnt).collect()
}

/// The AWBs that the shop gave the order, canonical.
fn given(start: &Start, entries: &[TimelineEntry]) -> BTreeSet<Awb> {
    let created = start.awb.iter().chain(&start.return_awb);
    let later = parcel_facts(entries).filter_map(|fact| match &fact.change {
        ParcelChange::Named { awb, .. } => awb.as_ref(),
        ParcelChange::Added { awb, .. } => Some(awb),
        ParcelChange::Moved { .. } | ParcelChange::Released { .. } => None,
    });
    created.chain(later).map(Awb::canonical).collect()
}

/// The reports that go to another order together with a name. A report about a parcel goes with the
/// parcel, whichever order it names.
pub fn reports_under(name: &Ref, entries: &[TimelineEntry]) -> BTreeSet<ReportId> {
    let is_named = |report: &ReportFacts| match name {
        Ref::Awb(awb) => report.awb.as_ref().is_some_and(|own| own.is_same_parcel(awb)),
        Ref::Order(id) => report.awb.is_none() && report.spelled_id.as_ref() == Some(id),
        Ref::Provider { .. } => false,
    };
    let named = entries.iter().filter(|entry| entry.report().is_some_and(is_named));
    named.map(|entry| entry.id.clone()).collect()
}

/// What leaves an order for the one with exactly this id: the parcels that only reports with that id
/// name, and by the id itself the reports without a parcel.
pub fn names_by_id(id: &OrderId, order: &Order, entries: &[TimelineEntry]) -> Vec<Ref> {
    let is_other = |entry: &&TimelineEntry| !entry.report().is_some_and(|it| has_id(it, id));
    let others: Vec<TimelineEntry> = entries.iter().filter(is_other).cloned().collect();
    let (own, kept) = (order.names(entries), order.names(&others));
    let with_id = entries.iter().filter_map(TimelineEntry::report).filter(|it| has_id(it, id));
    let parcels: BTreeSet<Ref> = with_id.filter_map(|it| it.awb.as_ref()).map(Ref::awb).collect();
    let parcels = parcels.into_iter().filter(|name| own.contains(name) && !kept.contains(name));
    let by_id = Ref::Order(id.clone());
    let moves = !order.given_up.contains(&by_id)
        && id_moved_to(id, entries).is_none()
        && !reports_under(&by_id, entries).is_empty();
    parcels.chain(moves.then_some(by_id)).collect()
}

fn has_id(report: &ReportFacts, id: &OrderId) -> bool {
    report.spelled_id.as_ref() == Some(id)
}

/// The order that has taken over what a new report is about. The shop's own report was accepted
/// while this order had the AWB: it is about the old parcel if the carrier uses the number again.
pub fn goes_to<'a>(report: &ReportFacts, entries: &'a [TimelineEntry]) -> Option<&'a OrderId> {
    match &report.awb {
        Some(awb) if report.source == SourceName::API => parcel_moved_to(awb, entries),
        Some(awb) => moved_to(awb, entries),
        None => id_moved_to(report.spelled_id.as_ref()?, entries),
    }
}

/// The order that has taken over this report of the timeline together with a name.
pub fn went_to<'a>(report: &ReportId, entries: &'a [TimelineEntry]) -> Option<&'a OrderId> {
    went(entries.iter().find(|entry| entry.id == *report)?.report()?, entries)
}

/// The order that has taken over a report together with its name.
pub fn went<'a>(report: &ReportFacts, entries: &'a [TimelineEntry]) -> Option<&'a OrderId> {
    match &report.awb {
        Some(awb) => parcel_moved_to(awb, entries),
        None => id_moved_to(report.spelled_id.as_ref()?, entries),
    }
}

/// The order that has this parcel now, with its reports.
pub fn parcel_moved_to<'a>(awb: &Awb, entries: &'a [TimelineEntry]) -> Option<&'a OrderId> {
    match last_change(awb, entries)? {
        ParcelChange::Moved { to, .. } => Some(to),
        _ => None,
    }
}

fn id_moved_to<'a>(id: &OrderId, entries: &'a [TimelineEntry]) -> Option<&'a OrderId> {
    parcel_facts(entries).find_map(|fact| match &fact.change {
        ParcelChange::Moved { name: Ref::Order(moved), to } if moved == id => Some(to),
        _ => None,
    })
}

/// True if a report teaches the name that came since another order took it over.
fn is_learnt(name: &Ref, entries: &[TimelineEntry]) -> bool {
    let is_move = |fact: &&ParcelFact| match &fact.change {
        ParcelChange::Moved { name: moved, .. } => moved == name,
        _ => false,
    };
    // The order's revision when it gave the name up, not when that was written.
    let moved = parcel_facts(entries).filter(is_move).map(|fact| fact.rev).max();
    let mut taught = standing(entries).filter(|(_, report)| report.names().any(|it| it == *name));
    taught.any(|(entry, _)| moved.is_none_or(|moved| entry.rev > moved))
}

fn parcel_facts(entries: &[TimelineEntry]) -> impl Iterator<Item = &ParcelFact> {
    entries.iter().filter_map(|entry| match &entry.fact {
        Fact::Parcel(fact) => Some(fact),
        Fact::Report(_) | Fact::Withdrawal { .. } | Fact::Answer(_) => None,
    })
}

/// True if the report was taken back.
pub fn is_withdrawn(report: &ReportId, entries: &[TimelineEntry]) -> bool {
    withdrawn(entries).any(|it| it == report)
}

fn withdrawn(entries: &[TimelineEntry]) -> impl Iterator<Item = &ReportId> {
    entries.iter().filter_map(|entry| match &entry.fact {
        Fact::Withdrawal { report_id } => Some(report_id),
        Fact::Report(_) | Fact::Parcel(_) | Fact::Answer(_) => None,
    })
}

/// The reports that were not withdrawn, without those that went to another order.
fn standing(entries: &[TimelineEntry]) -> impl Iterator<Item = (&TimelineEntry, &ReportFacts)> {
    let withdrawn: BTreeSet<&ReportId> = withdrawn(entries).collect();
    let standing = entries.iter().filter(move |entry| !withdrawn.contains(&entry.id));
    let reports = standing.filter_map(|entry| Some((entry, entry.report()?)));
    reports.filter(|(_, report)| went(report, entries).is_none())
}

fn reports(entries: &[TimelineEntry]) -> impl Iterator<Item = &ReportFacts> {
    standing(entries).map(|(_, report)| report)
}
