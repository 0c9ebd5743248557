//! A parcel's stops so far.

use domain::report::Scan;

use super::{LABEL, REMARK};
use crate::text::Fields;

/// The most that is kept: the newest. Live bodies have twenty at most.
pub(super) const MOST: usize = 50;

/// The body's scans, oldest first.
pub(super) fn read(body: &Fields) -> Vec<Scan> {
    let mut scans: Vec<Scan> = body.list("scans").iter().filter_map(scan).collect();
    sort(&mut scans);
    let surplus = scans.len().saturating_sub(MOST);
    scans.split_off(surplus)
}

fn scan(fields: &Fields) -> Option<Scan> {
    let (at, activity, location) =
        (fields.time("date"), fields.words("activity", REMARK), fields.words("location", LABEL));
    let location = location.filter(|place| place != "NA");
    (at.is_some() || activity.is_some() || location.is_some()).then_some(Scan { at, activity, location })
}

/// The webhook sends them oldest first, its test ping and the pull API newest first. Scans may share a second, and
/// then keep the order they came in; one without a time stays with the one before it.
fn sort(scans: &mut Vec<Scan>) {
    let mut times = scans.iter().filter_map(|scan| scan.at);
    let (first, last) = (times.next(), times.next_back());
    if last.is_some() && first > last {
        scans.reverse();
    }
    let mut latest = None;
    let mut dated: Vec<_> = scans
        .drain(..)
        .map(|scan| {
            latest = scan.at.or(latest);
            (latest, scan)
        })
        .collect();
    dated.sort_by_key(|(at, _)| *at);
    scans.extend(dated.into_iter().map(|(_, scan)| scan));
}
