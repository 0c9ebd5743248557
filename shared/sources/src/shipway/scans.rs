//! Scans of a parcel.

use domain::core::timestamp::Timestamp;
use domain::tracking::report::Scan;

use super::dates;
use crate::scans::{Order, newest};
use crate::text::{Fields, LABEL, REMARK};

/// Webhooks say `time`, the APIs use the other names.
const TIMES: [&str; 5] = ["time", "date", "datetime", "timestamp", "status_time"];
const ACTIVITIES: [&str; 4] = ["status", "activity", "status_detail", "remarks"];
const PLACES: [&str; 2] = ["location", "city"];

/// The raw scans of an item. Full bodies have them in `api_input`.
pub(super) fn of(item: &Fields) -> Vec<Fields> {
    first([item.members("scans"), item.object("api_input").members("scans")])
}

/// The objects of the first list that has any.
pub(super) fn first(lists: impl IntoIterator<Item = Option<Vec<Option<Fields>>>>) -> Vec<Fields> {
    let mut lists = lists.into_iter().flatten().map(|list| list.into_iter().flatten().collect());
    lists.find(|scans: &Vec<Fields>| !scans.is_empty()).unwrap_or_default()
}

/// Returns the oldest first. All known bodies list the newest first.
pub(super) fn read(scans: &[Fields]) -> Vec<Scan> {
    newest(scans.iter().filter_map(scan).collect(), Order::NewestFirst)
}

/// The time of the newest scan that has one. `scans` is sorted.
pub(super) fn newest_time(scans: &[Scan]) -> Option<Timestamp> {
    scans.iter().rev().find_map(|scan| scan.at)
}

/// The first time in the scans, parsable or not.
pub(super) fn raw_time(scans: &[Fields]) -> Option<String> {
    scans.iter().find_map(|scan| dates::raw_times(scan, &TIMES).next())
}

fn scan(fields: &Fields) -> Option<Scan> {
    let at = dates::read(fields, &TIMES);
    let activity = ACTIVITIES.iter().find_map(|name| fields.words(name, REMARK));
    let location = PLACES.iter().find_map(|name| fields.words(name, LABEL));
    (at.is_some() || activity.is_some() || location.is_some()).then_some(Scan {
        at,
        activity,
        location,
    })
}
