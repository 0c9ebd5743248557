//! Rows in DynamoDB's JSON, and what reading and writing them is billed as.

use serde_json::{Map, Value};

/// A row.
pub(crate) type Item = Map<String, Value>;

const READ_UNIT: usize = 4096;
const WRITE_UNIT: usize = 1024;

/// A row's bytes as DynamoDB counts them: its names and values.
pub(crate) fn size(item: &Item) -> usize {
    item.iter().map(|(name, value)| name.len() + value_size(value)).sum()
}

/// Of the types that the functions use; anything else is as long as its JSON.
fn value_size(value: &Value) -> usize {
    let Some((kind, content)) = value.as_object().and_then(|value| value.iter().next()) else {
        return 0;
    };
    match (kind.as_str(), content) {
        ("S", Value::String(text)) => text.len(),
        // Two digits a byte, and one for the sign and exponent.
        ("N", Value::String(digits)) => digits.len().div_ceil(2) + 1,
        ("SS", Value::Array(texts)) => texts.iter().filter_map(Value::as_str).map(str::len).sum(),
        ("BOOL" | "NULL", _) => 1,
        (_, other) => other.to_string().len(),
    }
}

/// What reading so many bytes at once is billed as, in halves of a unit.
pub(crate) fn half_reads(bytes: usize, consistent: bool) -> u64 {
    let units = bytes.div_ceil(READ_UNIT).max(1) as u64;
    if consistent { units * 2 } else { units }
}

/// The units that writing a row takes: of the larger of what was there and what is.
pub(crate) fn writes(before: Option<&Item>, after: Option<&Item>) -> u64 {
    let largest = [before, after].into_iter().flatten().map(size).max().unwrap_or_default();
    largest.div_ceil(WRITE_UNIT).max(1) as u64
}

/// The key that a row has, or a request names.
pub(crate) fn key(item: &Item) -> Option<(String, String)> {
    Some((text(item, "pk")?.to_owned(), text(item, "sk")?.to_owned()))
}

/// An attribute that is a text.
pub(crate) fn text<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name)?.get("S")?.as_str()
}

/// An attribute that is a whole number.
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
    fn names_and_values_count() {
        let all =
            r#"{"pk":{"S":"run"},"n":{"N":"1234"},"flag":{"BOOL":true},"set":{"SS":["ab","c"]}}"#;
        assert_eq!(size(&item(all)), 5 + 4 + 5 + 6);
    }

    #[test]
    fn units_are_rounded_up() {
        assert_eq!(
            [0, 1, 4096, 4097, 125_000].map(|bytes| half_reads(bytes, false)),
            [1, 1, 1, 2, 31]
        );
        assert_eq!(half_reads(4097, true), 4);
        let large =
            Item::from_iter([("a".to_owned(), serde_json::json!({ "S": "x".repeat(1024) }))]);
        assert_eq!((writes(None, None), writes(Some(&large), Some(&item("{}")))), (1, 2));
    }
}
