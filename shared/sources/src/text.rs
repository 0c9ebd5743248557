//! Reading bodies whose fields may hold anything.
//!
//! Carriers send numbers for strings, blanks for nulls and objects for lists. None of that may cost a report, so a
//! body is read field by field: what does not fit counts as absent.

use std::collections::BTreeMap;

use domain::core::id::InvalidId;
use domain::core::raw_json::RawJson;
use domain::core::timestamp::Timestamp;
use serde::Deserialize;

use crate::times;

/// The longest label and place, in characters; what people read fits well below.
pub(crate) const LABEL: usize = 128;
/// The longest remark, in characters.
pub(crate) const REMARK: usize = 256;

/// A label in one spelling: upper case; `_`, `-` and runs of space are one space.
pub(crate) fn normalise(label: &str) -> String {
    let words = label.split(|c: char| c.is_whitespace() || matches!(c, '_' | '-'));
    words.filter(|word| !word.is_empty()).map(str::to_uppercase).collect::<Vec<_>>().join(" ")
}

/// A JSON object, its values unread. Of a key that comes twice the last counts.
#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
pub(crate) struct Fields(BTreeMap<String, RawJson>);

impl Fields {
    /// Whether the field is there and not `null`.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|value| value.as_str() != "null")
    }

    /// Whether the field is a string of nothing but white space.
    pub(crate) fn is_blank(&self, name: &str) -> bool {
        self.0.get(name).and_then(RawJson::to_text).is_some_and(|text| text.trim().is_empty())
    }

    /// A string to the letter, or a number by its digits. Nothing for blanks.
    pub(crate) fn verbatim(&self, name: &str) -> Option<String> {
        self.0.get(name)?.to_text().filter(|text| !text.trim().is_empty())
    }

    /// As [`Fields::verbatim`], without surrounding space.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.verbatim(name).map(|text| text.trim().to_owned())
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

    /// As [`Fields::words`], but with its line breaks.
    pub(crate) fn lines(&self, name: &str, max: usize) -> Option<String> {
        let text = self.text(name)?.replace("\r\n", "\n");
        let kept = |c| if c == '\n' { Some(c) } else { printable(c) };
        let text: String = text.chars().filter_map(kept).take(max).collect();
        let text = text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// A time.
    pub(crate) fn time(&self, name: &str) -> Option<Timestamp> {
        times::parse(&self.text(name)?)
    }

    /// Whether a flag is set, as a number, a string or a bool.
    pub(crate) fn flag(&self, name: &str) -> bool {
        self.0
            .get(name)
            .is_some_and(|value| matches!(value.as_str().trim_matches('"'), "1" | "true"))
    }

    /// An object. An empty one for anything else: what it should hold is absent then.
    pub(crate) fn object(&self, name: &str) -> Self {
        let object = self.0.get(name).and_then(|value| serde_json::from_str(value.as_str()).ok());
        object.unwrap_or_default()
    }

    /// The members of a list, or of an object whose keys are numbers: PHP writes some lists so. Nothing stands for a
    /// member that is no object.
    pub(crate) fn members(&self, name: &str) -> Option<Vec<Option<Self>>> {
        let text = self.0.get(name)?.as_str();
        let members: Vec<RawJson> = serde_json::from_str(text).ok().or_else(|| numbered(text))?;
        Some(members.iter().map(|member| serde_json::from_str(member.as_str()).ok()).collect())
    }

    /// The objects of a list.
    pub(crate) fn list(&self, name: &str) -> Vec<Self> {
        let items = self
            .0
            .get(name)
            .and_then(|value| serde_json::from_str::<Vec<RawJson>>(value.as_str()).ok());
        let objects = items.unwrap_or_default().into_iter().filter(RawJson::is_object);
        objects.filter_map(|item| serde_json::from_str(item.as_str()).ok()).collect()
    }
}

/// The values of an object, by their keys as numbers. Nothing for an object that has other keys only.
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
