//! JSON that is passed through unread, and how request bodies are read.

use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

/// How deep a request body may nest.
pub const MAX_DEPTH: usize = 32;

/// A value kept as the text it came in, so that amounts never become floats.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RawJson(Box<RawValue>);

/// What is passed through may be about people.
impl std::fmt::Debug for RawJson {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RawJson([REDACTED])")
    }
}

impl RawJson {
    /// The value's JSON text.
    pub fn as_str(&self) -> &str {
        self.0.get()
    }

    fn starts_with(&self, first: &[char]) -> bool {
        self.as_str().starts_with(first)
    }

    /// The value as a text: a string's content, or a number's digits as they came.
    pub fn to_text(&self) -> Option<String> {
        if self.starts_with(&['"']) {
            return serde_json::from_str(self.as_str()).ok();
        }
        let number = self.as_str().starts_with(|c: char| c == '-' || c.is_ascii_digit());
        number.then(|| self.as_str().to_owned())
    }

    /// Whether it is an object.
    pub fn is_object(&self) -> bool {
        self.starts_with(&['{'])
    }
}

impl PartialEq for RawJson {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for RawJson {}

/// Why a request body cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidBody {
    /// Not JSON at all, or nested too deep.
    #[error("{0}")]
    Malformed(String),
    /// JSON, but not what is asked for.
    #[error("{field}: {message}")]
    Invalid {
        /// The path of the field at fault, e.g. `customer.phone`.
        field: String,
        /// What is wrong with it.
        message: String,
    },
}

impl InvalidBody {
    /// A field that breaks a rule.
    pub fn field(field: impl Into<String>, message: impl std::fmt::Display) -> Self {
        Self::Invalid { field: field.into(), message: message.to_string() }
    }
}

/// Reads a request body that must be a JSON object.
///
/// # Errors
/// [`InvalidBody::Malformed`] for what is no JSON object, [`InvalidBody::Invalid`] naming the field otherwise.
pub fn read_object<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, InvalidBody> {
    let malformed = |message: &str| InvalidBody::Malformed(message.to_owned());
    let text = std::str::from_utf8(body).map_err(|_| malformed("the body is not UTF-8"))?;
    if !text.trim_start().starts_with('{') {
        return Err(malformed("the body must be a JSON object"));
    }
    if depth(text) > MAX_DEPTH {
        return Err(malformed("the body is nested deeper than 32 levels"));
    }
    // Syntax first: a field's rule must not hide that the rest is no JSON.
    serde_json::from_str::<&RawValue>(text).map_err(|error| syntax(&error))?;
    let reader = &mut serde_json::Deserializer::from_str(text);
    serde_path_to_error::deserialize(reader).map_err(|error| InvalidBody::Invalid {
        field: path(&error),
        message: without_position(error.inner()),
    })
}

fn syntax(error: &serde_json::Error) -> InvalidBody {
    InvalidBody::Malformed(format!(
        "the body is not JSON: line {}, column {}",
        error.line(),
        error.column()
    ))
}

/// The error of a field that is missing or there twice names the object; the field's own name stands in the message.
pub(crate) fn path(error: &serde_path_to_error::Error<serde_json::Error>) -> String {
    let path = error.path().to_string();
    let message = error.inner().to_string();
    let named = message
        .strip_prefix("missing field `")
        .or_else(|| message.strip_prefix("duplicate field `"));
    match (path.as_str(), named.and_then(|rest| rest.split('`').next())) {
        (".", Some(field)) => field.to_owned(),
        (_, Some(field)) => format!("{path}.{field}"),
        (_, None) => path,
    }
}

/// Messages of serde quote what they read; a body's content must not come back in an error or a log.
fn without_position(error: &serde_json::Error) -> String {
    let message = error.to_string();
    // What is quoted may look like the rest of the message: only the end of it is serde's own for sure.
    let plain = message.rsplit_once(" at line ").map_or(message.as_str(), |(plain, _)| plain);
    match plain.rsplit_once(", expected ") {
        Some((_, expected)) => format!("must be {expected}"),
        None => plain.to_owned(),
    }
}

/// The deepest nesting of arrays and objects.
pub fn depth(text: &str) -> usize {
    let (mut depth, mut deepest, mut in_string, mut escaped) = (0_usize, 0, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// For `#[serde(deserialize_with)]`: a string, or a number taken by its digits.
///
/// # Errors
/// Anything else.
pub fn text_or_number<'de, D: Deserializer<'de>>(input: D) -> Result<Option<String>, D::Error> {
    let Some(value) = Option::<RawJson>::deserialize(input)? else { return Ok(None) };
    value
        .to_text()
        .map(Some)
        .ok_or_else(|| serde::de::Error::custom("must be a string or a number"))
}

/// A value that must be a JSON object. Derived readers also take a list of their fields' values.
#[derive(Clone)]
pub(crate) struct Object<T>(pub(crate) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        input.deserialize_map(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<Object<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(fields)).map(Object)
    }
}

/// For `#[serde(deserialize_with)]`: an object or `null`.
///
/// # Errors
/// Anything else, and those of `T`.
pub(crate) fn object<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    input: D,
) -> Result<Option<T>, D::Error> {
    Ok(Option::<Object<T>>::deserialize(input)?.map(|object| object.0))
}

/// For `#[serde(deserialize_with)]`: `null` counts as absent.
///
/// # Errors
/// Those of `T`.
pub(crate) fn or_default<'de, T: Deserialize<'de> + Default, D: Deserializer<'de>>(
    input: D,
) -> Result<T, D::Error> {
    Option::<T>::deserialize(input).map(Option::unwrap_or_default)
}

/// For `#[serde(deserialize_with)]`: tells a field that is `null` from one that is absent.
///
/// # Errors
/// Those of `T`.
pub fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    input: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(input).map(Some)
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct Sample {
        #[serde(rename = "orderId")]
        _id: String,
        #[serde(default, deserialize_with = "text_or_number")]
        phone: Option<String>,
    }

    fn error(body: &[u8]) -> InvalidBody {
        read_object::<Sample>(body).unwrap_err()
    }

    #[test]
    fn what_is_no_object_is_malformed() {
        let deep = format!("{{\"a\":{}1{}}}", "[".repeat(32), "]".repeat(32));
        let bodies: [&[u8]; 10] = [
            b"",
            b"null",
            b"[]",
            b"\"x\"",
            b"{",
            b"{}x",
            b"\xef\xbb\xbf{}",
            b"\xff\xfe",
            b"{\"a\":NaN}",
            deep.as_bytes(),
        ];
        for body in bodies {
            assert!(matches!(error(body), InvalidBody::Malformed(_)), "{body:?}");
        }
    }

    #[test]
    fn the_field_at_fault_is_named_and_its_content_is_not() {
        assert_eq!(error(b"{}"), InvalidBody::field("orderId", "missing field `orderId`"));
        assert_eq!(
            error(br#"{"orderId":7654321}"#),
            InvalidBody::field("orderId", "must be a string")
        );
        assert_eq!(
            error(br#"{"orderId":"a","orderId":"b"}"#),
            InvalidBody::field("orderId", "duplicate field `orderId`")
        );
        let surrogate = InvalidBody::field("orderId", "unexpected end of hex escape");
        assert_eq!(error(br#"{"orderId":"\ud800"}"#), surrogate);
        let phone = error(br#"{"orderId":"a","phone":{"secret":1}}"#);
        assert_eq!(phone, InvalidBody::field("phone", "must be a string or a number"));
    }

    #[test]
    fn numbers_keep_their_digits() {
        let sample: Sample =
            read_object(br#"{"orderId":"a","phone":123456789012345678901234567890}"#).unwrap();
        assert_eq!(sample.phone.as_deref(), Some("123456789012345678901234567890"));
    }
}
