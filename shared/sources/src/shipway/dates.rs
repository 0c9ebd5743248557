//! Times in Shipway's bodies.

use domain::core::timestamp::Timestamp;

use crate::text::Fields;
use crate::times;

/// Prefixes of null dates: MySQL's zero date, PHP's version of it, and the epoch in India.
const NULL_DATES: [&str; 3] = ["0000-", "-0001-", "1970-01-01"];

/// The non-null times in these fields, parsable or not.
pub(super) fn raw_times(fields: &Fields, names: &[&str]) -> impl Iterator<Item = String> {
    names.iter().filter_map(|name| fields.text(name)).filter(|text| is_date(text))
}

/// The first time that can be parsed.
pub(super) fn read(fields: &Fields, names: &[&str]) -> Option<Timestamp> {
    raw_times(fields, names).find_map(|text| times::parse(&text))
}

/// A date without a time means the end of that day, as full bodies with both show.
pub(super) fn read_day(fields: &Fields, name: &str) -> Option<Timestamp> {
    raw_times(fields, &[name])
        .find_map(|text| times::parse(&text).or_else(|| times::parse(&format!("{text} 23:59:59"))))
}

/// A text of zeros, or without digits, is no date.
fn is_date(text: &str) -> bool {
    let has_digits = text.bytes().any(|byte| matches!(byte, b'1'..=b'9'));
    has_digits && !NULL_DATES.iter().any(|start| text.starts_with(start))
}
