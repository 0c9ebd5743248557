//! Tables, their keys and those of their indexes. All key attributes are strings, but the sort key of
//! an index may be a number.

use serde_json::Value;

use super::value::{Typed, text};
use super::{Failure, Item};

const MAX_PARTITION_KEY: usize = 2048;
const MAX_SORT_KEY: usize = 1024;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    pub name: String,
    pub partition_key: String,
    pub sort_key: Option<String>,
    pub indexes: Vec<Index>,
    /// The attribute with a row's expiry time in seconds since the epoch.
    pub ttl: Option<String>,
}

/// A global secondary index whose entries have only the keys of the index and of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index {
    pub name: String,
    pub partition_key: String,
    pub sort_key: Option<String>,
    /// The sort key is a whole number that is not negative.
    pub has_number: bool,
}

/// The place of a row in the order of a table, or of an entry in the order of an index: the values
/// of the key attributes. An index does not require its keys to be unique, so the keys of the table
/// follow.
pub(super) type Position = Vec<String>;

/// A table or one of its indexes, as a query sees it.
#[derive(Clone, Copy)]
pub(super) struct Keys<'a> {
    table: &'a Table,
    index: Option<&'a Index>,
}

impl Table {
    pub(super) fn keys(&self) -> Keys<'_> {
        Keys { table: self, index: None }
    }

    pub(super) fn keys_of<'a>(&'a self, index: &'a Index) -> Keys<'a> {
        Keys { table: self, index: Some(index) }
    }

    fn key_attributes(&self) -> impl Iterator<Item = (&str, usize)> {
        let sort_key = self.sort_key.iter().map(|name| (name.as_str(), MAX_SORT_KEY));
        std::iter::once((self.partition_key.as_str(), MAX_PARTITION_KEY)).chain(sort_key)
    }

    pub(super) fn is_key(&self, name: &str) -> bool {
        self.key_attributes().any(|(key, _)| key == name)
    }

    /// Reads a key: exactly the key attributes.
    pub(super) fn read_key(&self, key: &Item) -> Result<Position, Failure> {
        let mismatch = || Failure::validation("The provided key element does not match the schema");
        if key.len() != self.key_attributes().count() {
            return Err(mismatch());
        }
        let values = self.key_attributes().map(|(name, max)| {
            let value = key.get(name).and_then(text).ok_or_else(mismatch)?;
            check_key_value(name, value, max)
        });
        values.collect()
    }

    /// Checks the key attributes of a whole row, and those of the indexes.
    pub(super) fn check_row(&self, row: &Item) -> Result<Position, Failure> {
        let values = self.key_attributes().map(|(name, max)| {
            let invalid = |what: &str| {
                Failure::validation(format!(
                    "One or more parameter values were invalid: {what} {name}"
                ))
            };
            let value = row.get(name).ok_or_else(|| invalid("Missing the key"))?;
            let value = text(value).ok_or_else(|| invalid("Type mismatch for key"))?;
            check_key_value(name, value, max)
        });
        let position = values.collect::<Result<Position, Failure>>()?;
        self.check_index_keys(row)?;
        Ok(position)
    }

    /// Checks that no key attribute is empty: in a transaction, this rejects the whole request.
    pub(super) fn check_not_empty(&self, row: &Item) -> Result<(), Failure> {
        let of_indexes = self.indexes.iter().flat_map(|index| self.keys_of(index).own());
        match self
            .keys()
            .own()
            .chain(of_indexes)
            .find(|name| row.get(*name).and_then(text) == Some(""))
        {
            None => Ok(()),
            Some(name) => Err(empty_key(name)),
        }
    }

    pub(super) fn check_index_keys(&self, row: &Item) -> Result<(), Failure> {
        for index in &self.indexes {
            let names = self.keys_of(index).own();
            let values = names.filter_map(|name| Some((name, row.get(name)?)));
            for (name, value) in values {
                let is_number = self.keys_of(index).is_number(name);
                check_index_key(&index.name, name, value, is_number)?;
            }
        }
        Ok(())
    }
}

fn empty_key(name: &str) -> Failure {
    Failure::validation(format!(
        "One or more parameter values are not valid. The AttributeValue for a key attribute cannot \
         contain an empty string value. Key: {name}"
    ))
}

fn check_index_key(index: &str, name: &str, value: &Value, is_number: bool) -> Result<(), Failure> {
    let problem = match Typed::of(value) {
        Some(Typed::S("")) => "An empty string as key",
        Some(Typed::S(_)) if !is_number => return Ok(()),
        _ if is_number && key_text(value, true).is_some() => return Ok(()),
        _ => "Type mismatch for key",
    };
    Err(Failure::validation(format!(
        "One or more parameter values were invalid: {problem} of an index, IndexName: {index}, \
         IndexKey: {name}"
    )))
}

fn check_key_value(name: &str, value: &str, max: usize) -> Result<String, Failure> {
    if value.is_empty() {
        return Err(empty_key(name));
    }
    if value.len() > max {
        return Err(Failure::validation(format!(
            "One or more parameter values were invalid: Size of {name} has exceeded the maximum \
             size limit of {max} bytes"
        )));
    }
    Ok(value.to_owned())
}

/// The value of a key attribute, in the order of the keys.
pub(super) fn key_text(value: &Value, is_number: bool) -> Option<String> {
    if is_number {
        let number: u64 = value.get("N")?.as_str()?.parse().ok()?;
        return Some(format!("{number:020}"));
    }
    text(value).map(str::to_owned)
}

impl<'a> Keys<'a> {
    /// Whether this key attribute is a number.
    pub(super) fn is_number(self, name: &str) -> bool {
        let of_index = self.index.filter(|index| index.has_number);
        of_index.is_some_and(|index| index.sort_key.as_deref() == Some(name))
    }

    /// The partition key and the sort key, if there is one.
    pub(super) fn own(self) -> impl Iterator<Item = &'a str> {
        let (partition_key, sort_key) = match self.index {
            Some(index) => (&index.partition_key, &index.sort_key),
            None => (&self.table.partition_key, &self.table.sort_key),
        };
        std::iter::once(partition_key.as_str()).chain(sort_key.as_deref())
    }

    /// All key attributes: those of an index are followed by those of the table.
    fn all(self) -> impl Iterator<Item = &'a str> {
        let of_table = self.index.map(|_| self.table.keys().own());
        self.own().chain(of_table.into_iter().flatten())
    }

    /// Whether a change leaves the entry of an index as it is.
    pub(super) fn are_same(self, before: Option<&Item>, after: Option<&Item>) -> bool {
        self.all()
            .all(|name| before.and_then(|row| row.get(name)) == after.and_then(|row| row.get(name)))
    }

    /// `None` if the row lacks a key attribute: then it is not in the index.
    pub(super) fn position(self, row: &Item) -> Option<Position> {
        self.all().map(|name| key_text(row.get(name)?, self.is_number(name))).collect()
    }

    /// The key attributes of a row.
    pub(super) fn of(self, row: &Item) -> Option<Item> {
        let attribute = |name: &str| Some((name.to_owned(), row.get(name)?.clone()));
        self.all().map(attribute).collect()
    }

    /// Reads the key after which a page begins.
    pub(super) fn read_start(self, key: &Value) -> Result<Position, Failure> {
        let invalid = || Failure::validation("The provided starting key is invalid");
        let key = key.as_object().ok_or_else(invalid)?;
        let mut names: Vec<&str> = self.all().collect();
        names.sort_unstable();
        names.dedup();
        let position = self.position(key).filter(|position| {
            key.len() == names.len() && position.iter().all(|value| !value.is_empty())
        });
        position.ok_or_else(invalid)
    }
}
