//! Rows in DynamoDB's JSON, and their billed size.

use serde_json::{Map, Value};

pub(crate) type Item = Map<String, Value>;

const READ_UNIT: usize = 4096;
const WRITE_UNIT: usize = 1024;

/// The bytes that DynamoDB counts: names and values.
pub(crate) fn size(item: &Item) -> usize {
    item.iter().map(|(name, value)| name.len() + value_size(value)).sum()
}

/// Exact for the types that the functions use; the length of the JSON for others.
fn value_size(value: &Value) -> usize {
    let Some((kind, content)) = value.as_object().and_then(|value| value.iter().next()) else {
        return 0;
    };
    match (kind.as_str(), content) {
        ("S", Value::String(text)) => text.len(),
        // Two digits per byte, and one byte for sign and exponent.
        ("N", Value::String(digits)) => digits.len().div_ceil(2) + 1,
        ("SS", Value::Array(texts)) => texts.iter().filter_map(Value::as_str).map(str::len).sum(),
        ("BOOL" | "NULL", _) => 1,
        (_, other) => other.to_string().len(),
    }
}

/// The billed read units, in halves.
pub(crate) fn half_reads(bytes: usize, consistent: bool) -> u64 {
    let units = bytes.div_ceil(READ_UNIT).max(1) as u64;
    if consistent { units * 2 } else { units }
}

/// The billed write units: those of the larger of the old and the new row.
pub(crate) fn write_units(before: Option<&Item>, after: Option<&Item>) -> u64 {
    let largest = [before, after].into_iter().flatten().map(size).max().unwrap_or_default();
    largest.div_ceil(WRITE_UNIT).max(1) as u64
}

pub(crate) fn key(item: &Item) -> Option<(String, String)> {
    Some((text(item, "pk")?.to_owned(), text(item, "sk")?.to_owned()))
}

pub(crate) fn text<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name)?.get("S")?.as_str()
}

pub(crate) fn number(item: &Item, name: &str) -> Option<u64> {
    item.get(name)?.get("N")?.as_str()?.parse().ok()
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn item(json: &str) -> Item {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn counts_names_and_values() {
        let row =
            r#"{"pk":{"S":"run"},"n":{"N":"1234"},"flag":{"BOOL":true},"set":{"SS":["ab","c"]}}"#;
        assert_eq!(size(&item(row)), 5 + 4 + 5 + 6);
    }

    #[test]
    fn rounds_units_up() {
        assert_eq!(
            [0, 1, 4096, 4097, 125_000].map(|bytes| half_reads(bytes, false)),
            [1, 1, 1, 2, 31]
        );
        assert_eq!(half_reads(4097, true), 4);
        let large =
            Item::from_iter([("a".to_owned(), serde_json::json!({ "S": "x".repeat(1024) }))]);
        assert_eq!((write_units(None, None), write_units(Some(&large), Some(&item("{}")))), (1, 2));
    }
}
