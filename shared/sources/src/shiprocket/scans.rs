//! Scans of a parcel.

use domain::tracking::report::Scan;

use crate::scans::{Order, newest};
use crate::text::{Fields, LABEL, REMARK};

/// Returns the oldest first, as in the webhook. The test ping and the tracking API list the newest
/// first.
pub(super) fn read(body: &Fields) -> Vec<Scan> {
    let lists = ["scans", "activities"].map(|name| body.list(name));
    let scans = lists.into_iter().find(|list| !list.is_empty()).unwrap_or_default();
    newest(scans.iter().filter_map(scan).collect(), Order::OldestFirst)
}

fn scan(fields: &Fields) -> Option<Scan> {
    let (at, activity, location) =
        (fields.time("date"), fields.words("activity", REMARK), fields.words("location", LABEL));
    let location = location.filter(|place| place != "NA");
    (at.is_some() || activity.is_some() || location.is_some()).then_some(Scan {
        at,
        activity,
        location,
    })
}
