//! Capacity units of DynamoDB, as its pricing defines them.

use std::collections::HashMap;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use data_encoding::BASE64;
use serde_json::Value;

pub type Row = HashMap<String, AttributeValue>;

const READ_UNIT: usize = 4096;
const WRITE_UNIT: usize = 1024;

/// An index that has keys only: its own and those of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    pub keys: Vec<String>,
}

impl Index {
    /// The row's entry, if the row has all keys of the index.
    fn entry(&self, row: Option<&Row>) -> Option<Row> {
        let key = |key: &String| Some((key.clone(), row?.get(key)?.clone()));
        self.keys.iter().map(key).collect()
    }

    /// An entry that moves is deleted and put.
    pub fn write_units(&self, before: Option<&Row>, after: Option<&Row>) -> usize {
        let (before, after) = (self.entry(before), self.entry(after));
        if before == after {
            return 0;
        }
        let units = |entry: Row| row_write_units([Some(&entry)]);
        before.map_or(0, units) + after.map_or(0, units)
    }
}

/// Those of the largest version of the row.
pub fn row_write_units<'a>(versions: impl IntoIterator<Item = Option<&'a Row>>) -> usize {
    let size = versions.into_iter().flatten().map(row_size).max().unwrap_or_default();
    size.div_ceil(WRITE_UNIT).max(1)
}

/// In halves: an eventually consistent read costs half as much.
pub fn half_read_units(bytes: usize, consistent: bool) -> usize {
    let units = bytes.div_ceil(READ_UNIT).max(1);
    if consistent { units * 2 } else { units }
}

pub fn row_size(row: &Row) -> usize {
    row.iter().map(|(name, value)| name.len() + value_size(value)).sum()
}

fn value_size(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) => text.len(),
        // Two digits a byte, and a byte for sign and exponent.
        AttributeValue::N(digits) => digits.len().div_ceil(2) + 1,
        AttributeValue::B(bytes) => bytes.as_ref().len(),
        AttributeValue::Ss(texts) => texts.iter().map(String::len).sum(),
        // Three bytes, and one for each element.
        AttributeValue::L(values) => {
            3 + values.iter().map(|value| 1 + value_size(value)).sum::<usize>()
        }
        AttributeValue::Bool(_) | AttributeValue::Null(_) => 1,
        other => panic!("no row has {other:?}"),
    }
}

/// A row in the JSON of a request or an answer.
pub fn read_row(json: &Value) -> Row {
    let row = json.as_object().into_iter().flatten();
    row.map(|(name, value)| (name.clone(), read_value(value))).collect()
}

fn read_value(json: &Value) -> AttributeValue {
    let (kind, value) = json.as_object().unwrap().iter().next().unwrap();
    let text = || value.as_str().unwrap().to_owned();
    match kind.as_str() {
        "S" => AttributeValue::S(text()),
        "N" => AttributeValue::N(text()),
        "B" => AttributeValue::B(Blob::new(BASE64.decode(text().as_bytes()).unwrap())),
        "BOOL" => AttributeValue::Bool(value.as_bool().unwrap()),
        "SS" => AttributeValue::Ss(serde_json::from_value(value.clone()).unwrap()),
        "L" => AttributeValue::L(value.as_array().unwrap().iter().map(read_value).collect()),
        other => panic!("no row has a value of type {other}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn row(padding: usize, status: Option<&str>) -> Row {
        let mut row = json!({"pk": {"S": "p"}, "a": {"S": "x".repeat(padding)}});
        if let Some(status) = status {
            row["status"] = json!({"S": status});
        }
        read_row(&row)
    }

    #[test]
    fn counts_names_and_values() {
        let row = json!({"ab": {"S": "xyz"}, "n": {"N": "12345"}, "b": {"B": "AAAA"},
                         "s": {"SS": ["a", "bc"]}, "t": {"BOOL": true}, "l": {"L": [{"S": "ab"}]}});
        let sizes = [2 + 3, 1 + 4, 1 + 3, 1 + 3, 1 + 1, 1 + 3 + 1 + 2];
        assert_eq!(row_size(&read_row(&row)), sizes.iter().sum::<usize>());
    }

    #[test]
    fn rounds_units_up() {
        assert_eq!(row_write_units([Some(&row(1020, None)), None]), 1);
        assert_eq!(row_write_units([Some(&row(1021, None)), Some(&row(1, None))]), 2);
        assert_eq!(row_write_units([None, None]), 1);
        assert_eq!([0, 4096, 4097].map(|bytes| half_read_units(bytes, true)), [2, 2, 4]);
        assert_eq!(half_read_units(4097, false), 2);
    }

    #[test]
    fn writes_an_index_only_when_its_entry_changes() {
        let index = Index { keys: vec!["status".to_owned(), "pk".to_owned()] };
        let (none, old, new) = (row(1, None), row(1, Some("old")), row(9, Some("new")));
        assert_eq!(index.write_units(None, Some(&none)), 0);
        assert_eq!(index.write_units(Some(&none), Some(&old)), 1);
        assert_eq!(index.write_units(Some(&old), Some(&new)), 2);
        assert_eq!(index.write_units(Some(&new), Some(&row(5, Some("new")))), 0);
        assert_eq!(index.write_units(Some(&new), None), 1);
    }
}
