//! Keeps a parcel's timeline bounded: reports without an id of their own could grow it forever.

use crate::core::id::{Awb, ReportId};
use crate::tracking::entry::{ReportFacts, TimelineEntry};
use crate::tracking::fold::{Folded, fold};
use crate::tracking::state::State;

/// Reports kept of one parcel, and of an order without naming a parcel.
pub const MAX_ENTRIES: usize = 500;

/// Entries that are tried, each by a fold of the whole order.
const MAX_TRIES: usize = 16;

/// No entry can be dropped without changing the order.
pub(super) struct Full;

/// Drops an entry in the middle of a run of one status if `entry`, the last of `all`, is one too
/// many. Entries with a change stay, because endpoints may not have been notified of it yet.
pub(super) fn make_room(
    before: &State,
    all: &mut Vec<TimelineEntry>,
    entry: &TimelineEntry,
) -> Result<Option<ReportId>, Full> {
    let Some(report) = entry.report() else { return Ok(None) };
    let parcel = parcel_of(report);
    let is_own = |other: &ReportFacts| parcel_of(other) == parcel;
    let own = all.iter().filter(|other| other.report().is_some_and(is_own));
    let mut own: Vec<&TimelineEntry> = own.collect();
    if own.len() <= MAX_ENTRIES {
        return Ok(None);
    }
    own.sort_by_key(|other| (other.occurred_at, status_of(other), &other.id));
    let runs = own.chunk_by(|one, other| status_of(one) == status_of(other));
    let mut candidates: Vec<(usize, &ReportId)> = Vec::new();
    for run in runs.filter(|run| run.len() > 2) {
        let inner = run[1..run.len() - 1].iter().enumerate();
        let droppable = inner.filter(|(_, it)| it.transition.is_none() && it.id != entry.id);
        let from_middle = |index: usize| (index * 2 + 2).abs_diff(run.len());
        candidates.extend(droppable.map(|(index, it)| (from_middle(index), &it.id)));
    }
    candidates.sort();
    candidates.truncate(MAX_TRIES);
    let with_all = result(fold(&before.start, before.created_at, all));
    let dropped = candidates.into_iter().find(|(_, id)| {
        let others: Vec<TimelineEntry> =
            all.iter().filter(|other| other.id != **id).cloned().collect();
        result(fold(&before.start, before.created_at, &others)) == with_all
    });
    let dropped = dropped.map(|(_, id)| id.clone()).ok_or(Full)?;
    all.retain(|other| other.id != dropped);
    Ok(Some(dropped))
}

fn parcel_of(report: &ReportFacts) -> Option<Awb> {
    report.awb.as_ref().map(Awb::canonical)
}

fn status_of(entry: &TimelineEntry) -> Option<crate::tracking::status::Status> {
    entry.report().map(|report| report.status)
}

/// Without the judgements.
fn result(folded: Folded) -> impl PartialEq {
    (folded.tracking, folded.parcels)
}
