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
        let was_moved = reports(&self.state.start, entries).any(|report| {
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
    let learnt = reports(start, entries).flat_map(ReportFacts::names);
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

/// The reports that go to another order together with a name. A report with the exact id of the
/// other order stays if the shop says that its parcel is of this one.
pub fn reports_under(name: &Ref, start: &Start, entries: &[TimelineEntry]) -> BTreeSet<ReportId> {
    let given = given(start, entries);
    let is_named = |report: &ReportFacts| match name {
        Ref::Awb(awb) => report.awb.as_ref().is_some_and(|own| own.is_same_parcel(awb)),
        Ref::Order(id) => {
            let is_given = |awb: &Awb| given.contains(&awb.canonical());
            report.spelled_id.as_ref() == Some(id) && !report.awb.as_ref().is_some_and(is_given)
        }
        Ref::Provider { .. } => false,
    };
    let named = entries.iter().filter(|entry| entry.report().is_some_and(is_named));
    named.map(|entry| entry.id.clone()).collect()
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
fn reports<'a>(
    start: &Start,
    entries: &'a [TimelineEntry],
) -> impl Iterator<Item = &'a ReportFacts> {
    let mut gone: BTreeSet<ReportId> = withdrawn(entries).cloned().collect();
    for name in parcel_facts(entries).filter_map(moved_name) {
        let has_come_back = matches!(name, Ref::Awb(awb) if moved_to(awb, entries).is_none());
        if !has_come_back {
            gone.extend(reports_under(name, start, entries));
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
