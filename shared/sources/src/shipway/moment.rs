//! When something happened, as bodies name it.

use domain::core::timestamp::Timestamp;

use crate::text::Fields;
use crate::times;

/// How the dates begin that stand for none: MySQL's zero date, what PHP makes of it, and the epoch in India.
const NO_DATE: [&str; 3] = ["0000-", "-0001-", "1970-01-01"];

/// What these fields name as a time, readable or not.
pub(super) fn named(fields: &Fields, names: &[&str]) -> impl Iterator<Item = String> {
    names.iter().filter_map(|name| fields.text(name)).filter(|text| is_date(text))
}

/// The first of these fields that can be read as a time.
pub(super) fn read(fields: &Fields, names: &[&str]) -> Option<Timestamp> {
    named(fields, names).find_map(|text| times::parse(&text))
}

/// A day alone is meant until its end: the full body says so where it has the same date with a time.
pub(super) fn read_day(fields: &Fields, name: &str) -> Option<Timestamp> {
    named(fields, &[name])
        .find_map(|text| times::parse(&text).or_else(|| times::parse(&format!("{text} 23:59:59"))))
}

/// Only zeros, or no digits at all, name no time.
fn is_date(text: &str) -> bool {
    let has_digits = text.bytes().any(|byte| matches!(byte, b'1'..=b'9'));
    has_digits && !NO_DATE.iter().any(|start| text.starts_with(start))
}
