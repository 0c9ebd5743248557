//! The names of an order's parcels, and when it gives one up to another order.

use std::collections::BTreeSet;
use std::time::Duration;

use super::Order;
use crate::core::id::{Awb, OrderId, ReportId};
use crate::core::timestamp::Timestamp;
use crate::tracking::entry::{Fact, ParcelChange, ParcelFact, ReportFacts, TimelineEntry};
use crate::tracking::report::Ref;
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
        let is_replaced = self.state.parcel(awb).is_some_and(|parcel| parcel.replaced);
        match () {
            () if self.ended_long_ago(now) => Some(GivenUp::Recycled),
            () if !is_given || is_replaced => Some(GivenUp::WithReports),
            () if self.was_cancelled_before_pickup(awb, entries) => Some(GivenUp::Recycled),
            () => None,
        }
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

fn last_change<'a>(awb: &Awb, entries: &'a [TimelineEntry]) -> Option<&'a ParcelChange> {
    let about = |fact: &&ParcelFact| fact.awb().is_some_and(|it| it.is_same_parcel(awb));
    parcel_facts(entries).filter(about).max_by_key(|fact| fact.rev).map(|fact| &fact.change)
}

/// The names in the facts of an order that only withdrawn reports, or reports of other orders by
/// now, do not give it.
pub(super) fn of_facts(start: &Start, entries: &[TimelineEntry]) -> BTreeSet<Ref> {
    let learnt = reports(entries).flat_map(ReportFacts::names);
    given(start, entries).iter().map(Ref::awb).chain(learnt).collect()
}

/// False for a name that another order has taken over.
pub(super) fn is_own(name: &Ref, entries: &[TimelineEntry]) -> bool {
    match name {
        Ref::Awb(awb) => moved_to(awb, entries).is_none(),
        other => !is_moved(other, entries),
    }
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

/// The parcels that an order knows only from reports with exactly this id of another order, and
/// those that this other order has taken over already.
pub fn parcels_by_id(id: &OrderId, order: &Order, entries: &[TimelineEntry]) -> BTreeSet<Awb> {
    let has_id = |entry: &TimelineEntry| {
        entry.report().is_some_and(|report| report.spelled_id.as_ref() == Some(id))
    };
    let (by_id, others): (Vec<_>, Vec<_>) = entries.iter().cloned().partition(has_id);
    let (all, kept) = (order.names(entries), order.names(&others));
    let parcels = by_id.iter().filter_map(|entry| entry.report()?.awb.as_ref());
    let going = parcels.map(Awb::canonical).filter(|awb| {
        let name = Ref::Awb(awb.clone());
        all.contains(&name) && !kept.contains(&name)
    });
    let taken = parcel_facts(entries).filter_map(|fact| match &fact.change {
        ParcelChange::Moved { name: Ref::Awb(awb), to } if to == id => Some(awb.canonical()),
        _ => None,
    });
    going.chain(taken).collect()
}

/// The order that has taken over what a new report is about.
pub fn goes_to<'a>(report: &ReportFacts, entries: &'a [TimelineEntry]) -> Option<&'a OrderId> {
    match &report.awb {
        Some(awb) => moved_to(awb, entries),
        None => id_moved_to(report.spelled_id.as_ref()?, entries),
    }
}

/// The order that has taken over this report of the timeline together with a name.
pub fn went_to<'a>(report: &ReportId, entries: &'a [TimelineEntry]) -> Option<&'a OrderId> {
    let report = entries.iter().find(|entry| entry.id == *report)?.report()?;
    match report.awb.as_ref().map(|awb| last_change(awb, entries)) {
        Some(Some(ParcelChange::Moved { to, .. })) => Some(to),
        Some(_) => None,
        None => id_moved_to(report.spelled_id.as_ref()?, entries),
    }
}

fn id_moved_to<'a>(id: &OrderId, entries: &'a [TimelineEntry]) -> Option<&'a OrderId> {
    parcel_facts(entries).find_map(|fact| match &fact.change {
        ParcelChange::Moved { name: Ref::Order(moved), to } if moved == id => Some(to),
        _ => None,
    })
}

fn is_moved(name: &Ref, entries: &[TimelineEntry]) -> bool {
    parcel_facts(entries).any(
        |fact| matches!(&fact.change, ParcelChange::Moved { name: moved, .. } if moved == name),
    )
}

fn parcel_facts(entries: &[TimelineEntry]) -> impl Iterator<Item = &ParcelFact> {
    entries.iter().filter_map(|entry| match &entry.fact {
        Fact::Parcel(fact) => Some(fact),
        Fact::Report(_) | Fact::Withdrawal { .. } => None,
    })
}

/// True if the report was taken back.
pub fn is_withdrawn(report: &ReportId, entries: &[TimelineEntry]) -> bool {
    withdrawn(entries).any(|it| it == report)
}

fn withdrawn(entries: &[TimelineEntry]) -> impl Iterator<Item = &ReportId> {
    entries.iter().filter_map(|entry| match &entry.fact {
        Fact::Withdrawal { report_id } => Some(report_id),
        Fact::Report(_) | Fact::Parcel(_) => None,
    })
}

/// The reports that were not withdrawn, without those that went to another order.
fn reports(entries: &[TimelineEntry]) -> impl Iterator<Item = &ReportFacts> {
    let mut gone: BTreeSet<ReportId> = withdrawn(entries).cloned().collect();
    for name in parcel_facts(entries).filter_map(moved_name) {
        let has_come_back = matches!(name, Ref::Awb(awb) if moved_to(awb, entries).is_none());
        if !has_come_back {
            gone.extend(reports_under(name, entries));
        }
    }
    let standing = entries.iter().filter(move |entry| !gone.contains(&entry.id));
    standing.filter_map(TimelineEntry::report)
}

fn moved_name(fact: &ParcelFact) -> Option<&Ref> {
    match &fact.change {
        ParcelChange::Moved { name, .. } => Some(name),
        _ => None,
    }
}
