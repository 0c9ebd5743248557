//! A parcel's stops so far.

use domain::tracking::report::Scan;

use super::moment;
use crate::scans::{Order, newest};
use crate::text::{Fields, LABEL, REMARK};

/// What they are called depends on the body: `time` in webhooks, the others in its APIs.
const TIMES: [&str; 5] = ["time", "date", "datetime", "timestamp", "status_time"];
const ACTIVITIES: [&str; 4] = ["status", "activity", "status_detail", "remarks"];
const PLACES: [&str; 2] = ["location", "city"];

/// An item's scans, unread. The full body keeps them in `api_input`.
pub(super) fn of(item: &Fields) -> Vec<Fields> {
    first([item.members("scans"), item.object("api_input").members("scans")])
}

/// The first of these lists that holds an object, without what is none.
pub(super) fn first(lists: impl IntoIterator<Item = Option<Vec<Option<Fields>>>>) -> Vec<Fields> {
    let mut lists = lists.into_iter().flatten().map(|list| list.into_iter().flatten().collect());
    lists.find(|scans: &Vec<Fields>| !scans.is_empty()).unwrap_or_default()
}

/// The newest of these, oldest first. All bodies that were seen have them newest first.
pub(super) fn read(scans: &[Fields]) -> Vec<Scan> {
    newest(scans.iter().filter_map(scan).collect(), Order::NewestFirst)
}

/// What the first of these that names a time names, readable or not.
pub(super) fn named_time(scans: &[Fields]) -> Option<String> {
    scans.iter().find_map(|scan| moment::named(scan, &TIMES).next())
}

fn scan(fields: &Fields) -> Option<Scan> {
    let at = moment::read(fields, &TIMES);
    let activity = ACTIVITIES.iter().find_map(|name| fields.words(name, REMARK));
    let location = PLACES.iter().find_map(|name| fields.words(name, LABEL));
    (at.is_some() || activity.is_some() || location.is_some()).then_some(Scan {
        at,
        activity,
        location,
    })
}
