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
        if self.is_free(awb, entries, now) {
            return Some(GivenUp::Recycled);
        }
        let is_kept = is_named_by_shop || is_further_parcel(awb, entries);
        (!is_kept).then_some(GivenUp::WithReports)
    }

    /// The order ended long ago, or was cancelled before the carrier had the parcel.
    fn is_free(&self, awb: &Awb, entries: &[TimelineEntry], now: Timestamp) -> bool {
        let tracking = &self.state.tracking;
        // Reports may be older than the order, which cannot have ended before there was one.
        let ended_at = tracking.since.unwrap_or(self.state.created_at).max(self.state.created_at);
        let is_long_ago = now.since(ended_at) >= RECYCLED_AFTER;
        let was_moved = reports(entries).any(|report| {
            report.status.shows_pickup()
                && report.awb.as_ref().is_some_and(|own| own.is_same_parcel(awb))
        });
        tracking.status.is_final() && is_long_ago
            || tracking.status == Status::Cancelled && !was_moved
    }
}

fn is_further_parcel(awb: &Awb, entries: &[TimelineEntry]) -> bool {
    parcel_facts(entries).any(|fact| {
        matches!(&fact.change, ParcelChange::Added { awb: added, .. } if added.is_same_parcel(awb))
    })
}

/// The order that has taken over the parcel with this AWB.
pub fn moved_to<'a>(awb: &Awb, entries: &'a [TimelineEntry]) -> Option<&'a OrderId> {
    let about = |fact: &&ParcelFact| fact.awb().is_some_and(|it| it.is_same_parcel(awb));
    let last = parcel_facts(entries).filter(about).max_by_key(|fact| fact.rev)?;
    match &last.change {
        ParcelChange::Moved { to, .. } => Some(to),
        ParcelChange::Named { .. } | ParcelChange::Added { .. } => None,
    }
}

/// The names in the facts of an order, without those that other orders have taken over, or that
/// only withdrawn reports have.
pub(super) fn of_facts(start: &Start, entries: &[TimelineEntry]) -> BTreeSet<Ref> {
    let given = start.awb.iter().chain(&start.return_awb).map(Ref::awb);
    let named = parcel_facts(entries).filter_map(ParcelFact::awb).map(Ref::awb);
    let learnt = reports(entries).flat_map(ReportFacts::names);
    let mut names: BTreeSet<Ref> = given.chain(named).chain(learnt).collect();
    names.retain(|name| match name {
        Ref::Awb(awb) => moved_to(awb, entries).is_none(),
        other => !is_moved(other, entries),
    });
    names
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
    let withdrawn: BTreeSet<&ReportId> = withdrawn(entries).collect();
    let standing = entries.iter().filter(move |entry| !withdrawn.contains(&entry.id));
    let has_moved = |report: &ReportFacts| {
        let by_awb = report.awb.as_ref().and_then(|awb| moved_to(awb, entries)).is_some();
        let by_id = |id: &OrderId| is_moved(&Ref::Order(id.clone()), entries);
        by_awb || report.spelled_id.as_ref().is_some_and(by_id)
    };
    standing.filter_map(TimelineEntry::report).filter(move |report| !has_moved(report))
}
