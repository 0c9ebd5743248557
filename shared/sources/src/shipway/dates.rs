//! Times in Shipway's bodies.

use domain::core::timestamp::Timestamp;

use crate::text::Fields;
use crate::times;

/// The non-null times in these fields, parsable or not.
pub(super) fn raw_times(fields: &Fields, names: &[&str]) -> impl Iterator<Item = String> {
    names.iter().filter_map(|name| fields.text(name)).filter(|text| times::is_date(text))
}

/// The first time that can be parsed.
pub(super) fn read(fields: &Fields, names: &[&str]) -> Option<Timestamp> {
    raw_times(fields, names).find_map(|text| times::parse(&text))
}

/// A date without a time means the end of that day, as full bodies with both show.
pub(super) fn read_day(fields: &Fields, name: &str) -> Option<Timestamp> {
    raw_times(fields, &[name]).find_map(|text| times::parse_day(&text))
}
