//! A file of `events/field`.

use std::path::Path;

use serde_json::{Map, Value};

use crate::support::{stack, unique};

/// - `unique`: texts that are other ones in each run, wherever they stand.
/// - `each`: values by name; the file is a case for each of them, with the value in place of its
///   name after a `$`.
/// - `steps`: requests with the outcome of each.
/// - `expected`: orders, messages, conversations and deliveries in the end; the fields that matter.
pub(super) struct Case {
    pub(super) name: String,
    content: Value,
}

impl Case {
    pub(super) fn read(file: &Path) -> Vec<Self> {
        let text = std::fs::read_to_string(file).unwrap();
        let content: Value = serde_json::from_str(&text).unwrap();
        let name = file.file_stem().unwrap().to_str().unwrap();
        let Some(each) = content["each"].as_array() else {
            return vec![Self::of(name.to_owned(), &text, &content)];
        };
        let each = each.iter().map(|values| {
            let values = values.as_object().unwrap();
            let filled = values.iter().fold(text.clone(), |text, (name, value)| {
                text.replace(&format!("\"${name}\""), &value.to_string())
            });
            Self::of(format!("{name} {}", Value::from(values.clone())), &filled, &content)
        });
        each.collect()
    }

    fn of(name: String, text: &str, content: &Value) -> Self {
        let sources = &stack().sources;
        let mut text = text
            .replace("$SHIPROCKET_TOKEN", &sources["shiprocket"]["api_key"])
            .replace("$SHIPWAY_HASH", &sources["shipway"]["hash"]);
        for old in content["unique"].as_array().unwrap() {
            text = text.replace(old.as_str().unwrap(), &another(old.as_str().unwrap()));
        }
        Self { name, content: serde_json::from_str(&text).unwrap() }
    }

    pub(super) fn steps(&self) -> impl Iterator<Item = &Value> {
        self.content["steps"].as_array().unwrap().iter()
    }

    pub(super) fn expected(&self) -> &Map<String, Value> {
        self.content["expected"].as_object().unwrap()
    }
}

/// A text that begins alike, up to its first digit.
fn another(text: &str) -> String {
    let digit = text.find(|c: char| c.is_ascii_digit()).unwrap();
    let mut other = unique(&text[..=digit]);
    let missing = text.len().saturating_sub(other.len());
    other.extend(std::iter::repeat_n('0', missing));
    other
}

/// Compares only what is expected of an object; lists are compared item by item. An error tells the
/// first difference.
pub(super) fn matches(actual: &Value, expected: &Value) -> Result<(), String> {
    match (actual, expected) {
        (Value::Object(actual), Value::Object(expected)) => {
            for (name, expected) in expected {
                let actual = actual.get(name).ok_or_else(|| format!(".{name} is missing"))?;
                matches(actual, expected).map_err(|error| format!(".{name}{error}"))?;
            }
            Ok(())
        }
        (Value::Array(items), Value::Array(expected)) if items.len() == expected.len() => {
            for (index, (item, expected)) in items.iter().zip(expected).enumerate() {
                matches(item, expected).map_err(|error| format!("[{index}]{error}"))?;
            }
            Ok(())
        }
        (Value::Array(items), Value::Array(_)) => {
            Err(format!(" has {} items: {actual}", items.len()))
        }
        _ if actual == expected => Ok(()),
        _ => Err(format!(" is {actual}")),
    }
}
