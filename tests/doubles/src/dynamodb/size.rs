//! Sizes of rows, and the capacity units that DynamoDB bills for them.

use serde_json::Value;

use super::Item;
use super::number::Number;
use super::value::Typed;

const READ_UNIT: usize = 4096;
const WRITE_UNIT: usize = 1024;

/// The bytes that DynamoDB counts: names and values.
pub fn size(item: &Item) -> usize {
    item.iter().map(|(name, value)| name.len() + value_size(value)).sum()
}

fn value_size(value: &Value) -> usize {
    match Typed::of(value) {
        Some(Typed::S(text)) => text.len(),
        Some(Typed::N(digits)) => Number::parse(digits).map_or(0, Number::size),
        Some(Typed::B(base64)) => decoded_length(base64),
        Some(Typed::Bool | Typed::Null) => 1,
        Some(Typed::Ss(texts)) => texts.iter().filter_map(Value::as_str).map(str::len).sum(),
        // Three bytes, and one for each element.
        Some(Typed::L(values)) => {
            3 + values.iter().map(|value| 1 + value_size(value)).sum::<usize>()
        }
        Some(Typed::M(members)) => 3 + members.len() + size(members),
        None => 0,
    }
}

fn decoded_length(base64: &str) -> usize {
    base64.trim_end_matches('=').len() * 3 / 4
}

/// The billed read units, in halves: an eventually consistent read costs half as much.
pub fn half_reads(bytes: usize, consistent: bool) -> u64 {
    let units = bytes.div_ceil(READ_UNIT).max(1) as u64;
    if consistent { units * 2 } else { units }
}

/// The billed write units: those of the larger of the old and the new row.
pub(super) fn write_units(before: Option<&Item>, after: Option<&Item>) -> u64 {
    let largest = [before, after].into_iter().flatten().map(size).max().unwrap_or_default();
    largest.div_ceil(WRITE_UNIT).max(1) as u64
}

/// The write units of an index entry. One that moves is deleted and put.
pub(super) fn entry_units(before: Option<&Item>, after: Option<&Item>) -> u64 {
    if before == after {
        return 0;
    }
    let units = |entry: Option<&Item>| entry.map_or(0, |entry| write_units(Some(entry), None));
    units(before) + units(after)
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    fn item(value: &Value) -> Item {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn counts_names_and_values() {
        let row = json!({"ab": {"S": "xyz"}, "n": {"N": "12345"}, "b": {"B": "AAAA"},
                         "s": {"SS": ["a", "bc"]}, "t": {"BOOL": true}, "l": {"L": [{"S": "ab"}]},
                         "m": {"M": {"k": {"NULL": true}}}, "p": {"B": "AAA="}});
        let sizes = [2 + 3, 1 + 4, 1 + 3, 1 + 3, 1 + 1, 1 + 3 + 1 + 2, 1 + 3 + 1 + 2, 1 + 2];
        assert_eq!(size(&item(&row)), sizes.iter().sum::<usize>());
    }

    #[test]
    fn rounds_units_up() {
        let bytes = [0, 1, 4096, 4097, 125_000];
        assert_eq!(bytes.map(|bytes| half_reads(bytes, false)), [1, 1, 1, 2, 31]);
        assert_eq!(half_reads(4097, true), 4);
        let large = item(&json!({"a": {"S": "x".repeat(1024)}}));
        assert_eq!(write_units(None, None), 1);
        assert_eq!(write_units(Some(&large), Some(&Item::new())), 2);
    }

    #[test]
    fn bills_an_index_only_when_its_entry_changes() {
        let [old, new] = ["old", "new"].map(|status| item(&json!({"status": {"S": status}})));
        assert_eq!(entry_units(None, None), 0);
        assert_eq!(entry_units(None, Some(&old)), 1);
        assert_eq!(entry_units(Some(&old), Some(&new)), 2);
        assert_eq!(entry_units(Some(&new), Some(&new)), 0);
        assert_eq!(entry_units(Some(&new), None), 1);
    }
}
