//! Reading bodies whose fields may hold anything.
//!
//! Carriers send numbers for strings, blanks for nulls and objects for lists. None of that may cost a report, so a
//! body is read field by field: what does not fit counts as absent.

use std::collections::BTreeMap;

use domain::id::InvalidId;
use domain::json::Json;
use domain::timestamp::Timestamp;
use serde::Deserialize;

use crate::times;

/// A JSON object, its values unread. Of a key that comes twice the last counts.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(crate) struct Fields(BTreeMap<String, Json>);

impl Fields {
    /// A string, or a number by its digits, without surrounding space. Nothing for blanks.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        let text = self.0.get(name)?.to_text()?;
        let text = text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// As [`Fields::text`], but nothing for a number with a fraction or an exponent: no id looks like that.
    pub(crate) fn digits(&self, name: &str) -> Option<String> {
        let json = self.0.get(name)?.as_str();
        let float = !json.starts_with('"') && json.contains(['.', 'e', 'E']);
        if float { None } else { self.text(name) }
    }

    /// An id. Nothing for what breaks the rules of ids: no order can have that one.
    pub(crate) fn id<T>(&self, name: &str, parse: fn(&str) -> Result<T, InvalidId>) -> Option<T> {
        parse(&self.digits(name)?).ok()
    }

    /// Words for people: one line of at most `max` characters.
    pub(crate) fn words(&self, name: &str, max: usize) -> Option<String> {
        let line: String = self.text(name)?.chars().filter_map(printable).take(max).collect();
        let line = line.trim();
        (!line.is_empty()).then(|| line.to_owned())
    }

    /// A time.
    pub(crate) fn time(&self, name: &str) -> Option<Timestamp> {
        times::parse(&self.text(name)?)
    }

    /// Whether a flag is set, as a number, a string or a bool.
    pub(crate) fn flag(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|value| matches!(value.as_str().trim_matches('"'), "1" | "true"))
    }

    /// The objects of a list.
    pub(crate) fn list(&self, name: &str) -> Vec<Self> {
        let items = self.0.get(name).and_then(|value| serde_json::from_str::<Vec<Json>>(value.as_str()).ok());
        let objects = items.unwrap_or_default().into_iter().filter(Json::is_object);
        objects.filter_map(|item| serde_json::from_str(item.as_str()).ok()).collect()
    }
}

fn printable(c: char) -> Option<char> {
    match c {
        c if c.is_whitespace() => Some(' '),
        c if c.is_control() => None,
        c => Some(c),
    }
}

#[cfg(test)]
mod tests;
