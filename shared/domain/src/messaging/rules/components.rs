//! The `components` of a rule: the JSON of a template's parameters, with placeholders.

use super::values::{MAX_PARAMETER_CHARS, Placeholder, Values};
use crate::core::raw_json::RawJson;
use crate::core::request_body::{MAX_DEPTH, depth};

const MAX_BYTES: usize = 8 * 1024;
const MAX_NAME_CHARS: usize = 64;

/// Everything but texts with placeholders stays as it was written, byte for byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Components(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Json(String),
    /// A string with placeholders.
    Text(Vec<Piece>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Literal(String),
    Value(Placeholder),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct MissingValue(pub(super) Placeholder);

impl Components {
    /// The message of an error quotes no more than the name of a placeholder.
    pub(super) fn parse(json: &RawJson) -> Result<Self, String> {
        let json = json.as_str();
        if json.len() > MAX_BYTES || depth(json) > MAX_DEPTH {
            return Err("must not have over 8192 bytes or 32 levels".to_owned());
        }
        let is_list = serde_json::from_str::<Vec<RawJson>>(json);
        if !is_list.is_ok_and(|list| list.iter().all(RawJson::is_object)) {
            return Err("must be a list of objects".to_owned());
        }
        let mut parts = vec![];
        let (mut done, mut at) = (0, 0);
        while let Some(start) = json[at..].find('"').map(|found| at + found) {
            let end = end_of_string(json, start);
            at = end;
            if is_key(&json[end..]) {
                continue;
            }
            let content = json.get(start + 1..end - 1).unwrap_or_default();
            if let Some(pieces) = pieces(content)? {
                parts.push(Part::Json(json[done..start].to_owned()));
                parts.push(Part::Text(pieces));
                done = end;
            }
        }
        parts.push(Part::Json(json[done..].to_owned()));
        Ok(Self(parts))
    }

    /// The JSON text for an order.
    pub(super) fn render(&self, values: &Values<'_>) -> Result<String, MissingValue> {
        self.render_with(|placeholder| values.get(placeholder))
    }

    fn render_with(
        &self,
        value: impl Fn(Placeholder) -> Option<String>,
    ) -> Result<String, MissingValue> {
        let mut json = String::new();
        for part in &self.0 {
            match part {
                Part::Json(text) => json.push_str(text),
                Part::Text(pieces) => json.push_str(&string(pieces, &value)?),
            }
        }
        Ok(json)
    }
}

fn string(
    pieces: &[Piece],
    value: &impl Fn(Placeholder) -> Option<String>,
) -> Result<String, MissingValue> {
    let mut text = String::new();
    for piece in pieces {
        match piece {
            Piece::Literal(literal) => text.push_str(literal),
            Piece::Value(name) => text.push_str(&value(*name).ok_or(MissingValue(*name))?),
        }
    }
    let text: String = text.chars().take(MAX_PARAMETER_CHARS).collect();
    Ok(serde_json::Value::String(text).to_string())
}

/// The position after the string that starts here.
fn end_of_string(json: &str, start: usize) -> usize {
    let mut escaped = false;
    for (offset, byte) in json.bytes().enumerate().skip(start + 1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return offset + 1,
            _ => {}
        }
    }
    json.len()
}

fn is_key(rest: &str) -> bool {
    rest.trim_start().starts_with(':')
}

/// The pieces of a string, as it stands in the JSON. `None` without placeholders. A brace that is
/// written as `\u007b` begins none.
fn pieces(content: &str) -> Result<Option<Vec<Piece>>, String> {
    let mut pieces = vec![];
    let (mut done, mut at) = (0, 0);
    while let Some(start) = content[at..].find('{').map(|found| at + found) {
        at = start + 1;
        let Some(name) = name(&content[at..]) else { continue };
        let placeholder = Placeholder::parse(name).ok_or_else(|| {
            let names = Placeholder::names();
            format!("has the unknown placeholder `{name}`; known are {names}")
        })?;
        pieces.push(Piece::Literal(unescaped(&content[done..start])?));
        pieces.push(Piece::Value(placeholder));
        at += name.len() + 1;
        done = at;
    }
    if pieces.is_empty() {
        return Ok(None);
    }
    pieces.push(Piece::Literal(unescaped(&content[done..])?));
    Ok(Some(pieces))
}

/// What stands before the closing brace, if it looks like a name: other texts with braces, such as
/// JSON in the payload of a button, stay as they are.
fn name(text: &str) -> Option<&str> {
    let name = &text[..text.find('}')?];
    let looks_like_name = |c: char| c.is_ascii_alphanumeric() || "_-. ".contains(c);
    let fits = name.len() <= MAX_NAME_CHARS && name.contains(|c: char| c.is_ascii_alphanumeric());
    (fits && name.chars().all(looks_like_name)).then_some(name)
}

fn unescaped(content: &str) -> Result<String, String> {
    serde_json::from_str(&format!("\"{content}\""))
        .map_err(|_| "has an incomplete escape sequence".to_owned())
}

#[cfg(test)]
mod tests;
