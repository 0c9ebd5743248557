//! Lenient access to the fields of a body.
//!
//! Carriers send numbers for strings, blanks for nulls and objects for lists. None of that may lose
//! a report, so each field is read on its own, and a value of the wrong type counts as absent.

use std::collections::BTreeMap;

use domain::core::id::InvalidId;
use domain::core::raw_json::RawJson;
use domain::core::timestamp::Timestamp;
use serde::Deserialize;

use crate::times;

/// Longest event id that is used, in bytes.
pub(crate) const EVENT_ID: usize = 256;
/// Longest label or place, in characters.
pub(crate) const LABEL: usize = 128;
/// Longest remark, in characters.
pub(crate) const REMARK: usize = 256;

/// Upper case, with `_`, `-` and runs of white space as one space.
pub(crate) fn normalise(label: &str) -> String {
    let parts = label.split(|c: char| c.is_whitespace() || matches!(c, '_' | '-'));
    parts.filter(|part| !part.is_empty()).map(str::to_uppercase).collect::<Vec<_>>().join(" ")
}

/// A JSON object with raw values. The last of repeated keys counts.
#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
pub(crate) struct Fields(BTreeMap<String, RawJson>);

impl FromIterator<(String, RawJson)> for Fields {
    fn from_iter<T: IntoIterator<Item = (String, RawJson)>>(members: T) -> Self {
        Self(members.into_iter().collect())
    }
}

impl Fields {
    /// True if the field is present and not `null`.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|value| value.as_str() != "null")
    }

    /// True for a string of white space only.
    pub(crate) fn is_blank(&self, name: &str) -> bool {
        self.0.get(name).and_then(RawJson::to_text).is_some_and(|text| text.trim().is_empty())
    }

    /// A string as it is, or the digits of a number. `None` for a blank string.
    pub(crate) fn verbatim(&self, name: &str) -> Option<String> {
        self.0.get(name)?.to_text().filter(|text| !text.trim().is_empty())
    }

    /// A provider's id of an event, verbatim: two spellings are two events. `None` if it is longer
    /// than 256 bytes or has control characters.
    pub(crate) fn event_id(&self, name: &str) -> Option<String> {
        let is_usable = |id: &String| id.len() <= EVENT_ID && !id.contains(char::is_control);
        self.verbatim(name).filter(is_usable)
    }

    /// Like [`Fields::verbatim`], without surrounding white space.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.verbatim(name).map(|text| text.trim().to_owned())
    }

    /// Like [`Fields::text`], without numbers that have a fraction or an exponent: no id looks like
    /// that.
    pub(crate) fn digits(&self, name: &str) -> Option<String> {
        let json = self.0.get(name)?.as_str();
        let float = !json.starts_with('"') && json.contains(['.', 'e', 'E']);
        if float { None } else { self.text(name) }
    }

    /// A valid id. Orders cannot have an invalid one, so it counts as absent.
    pub(crate) fn id<T>(&self, name: &str, parse: fn(&str) -> Result<T, InvalidId>) -> Option<T> {
        parse(&self.digits(name)?).ok()
    }

    /// Text for display: one line of at most `max` characters, without control characters.
    pub(crate) fn words(&self, name: &str, max: usize) -> Option<String> {
        let line: String = self.text(name)?.chars().filter_map(printable).take(max).collect();
        let line = line.trim();
        (!line.is_empty()).then(|| line.to_owned())
    }

    /// Like [`Fields::words`], with line breaks.
    pub(crate) fn lines(&self, name: &str, max: usize) -> Option<String> {
        let text = self.text(name)?.replace("\r\n", "\n");
        let printable_or_break = |c| if c == '\n' { Some(c) } else { printable(c) };
        let text: String = text.chars().filter_map(printable_or_break).take(max).collect();
        let text = text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }

    pub(crate) fn time(&self, name: &str) -> Option<Timestamp> {
        times::parse(&self.text(name)?)
    }

    /// A flag as a number, a string or a bool.
    pub(crate) fn flag(&self, name: &str) -> bool {
        self.0
            .get(name)
            .is_some_and(|value| matches!(value.as_str().trim_matches('"'), "1" | "true"))
    }

    /// An object; an empty one for anything else.
    pub(crate) fn object(&self, name: &str) -> Self {
        let object = self.0.get(name).and_then(|value| serde_json::from_str(value.as_str()).ok());
        object.unwrap_or_default()
    }

    /// These fields, and those of `outer` that are absent here.
    pub(crate) fn within(mut self, outer: Self) -> Self {
        for (name, value) in outer.0 {
            self.0.entry(name).or_insert(value);
        }
        self
    }

    /// The members of a list, or of an object with numeric keys, as PHP encodes some lists. A
    /// member that is no object is `None`.
    pub(crate) fn members(&self, name: &str) -> Option<Vec<Option<Self>>> {
        let text = self.0.get(name)?.as_str();
        let members: Vec<RawJson> = serde_json::from_str(text).ok().or_else(|| numbered(text))?;
        Some(members.iter().map(|member| serde_json::from_str(member.as_str()).ok()).collect())
    }

    /// The objects of a list; other items are left out.
    pub(crate) fn list(&self, name: &str) -> Vec<Self> {
        let items = self
            .0
            .get(name)
            .and_then(|value| serde_json::from_str::<Vec<RawJson>>(value.as_str()).ok());
        let objects = items.unwrap_or_default().into_iter().filter(RawJson::is_object);
        objects.filter_map(|item| serde_json::from_str(item.as_str()).ok()).collect()
    }
}

/// The values of an object in the order of its numeric keys. `None` if it only has other keys.
fn numbered(text: &str) -> Option<Vec<RawJson>> {
    let object: BTreeMap<String, RawJson> = serde_json::from_str(text).ok()?;
    let empty = object.is_empty();
    let is_number = |key: &str| !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_digit());
    let mut members: Vec<_> = object.into_iter().filter(|(key, _)| is_number(key)).collect();
    members.sort_by_key(|(key, _)| key.len());
    (empty || !members.is_empty()).then(|| members.into_iter().map(|(_, member)| member).collect())
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
