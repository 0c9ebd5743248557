//! Reads JSON request bodies. Errors name the field and never quote its content.

use serde::Deserialize;
use serde_json::value::RawValue;

/// The maximum nesting of a request body.
pub const MAX_DEPTH: usize = 32;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidBody {
    /// Not a JSON object, or nested too deep.
    #[error("{0}")]
    Malformed(String),
    #[error("{field}: {message}")]
    Invalid {
        /// The path, e.g. `customer.phone`.
        field: String,
        message: String,
    },
}

impl InvalidBody {
    pub fn field(field: impl Into<String>, message: impl std::fmt::Display) -> Self {
        Self::Invalid { field: field.into(), message: message.to_string() }
    }
}

/// `Malformed` for anything but a JSON object of at most 32 levels, else `Invalid` with the field's
/// path.
pub fn read_object<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, InvalidBody> {
    let malformed = |message: &str| InvalidBody::Malformed(message.to_owned());
    let text = std::str::from_utf8(body).map_err(|_| malformed("the body is not UTF-8"))?;
    if !text.trim_start().starts_with('{') {
        return Err(malformed("the body must be a JSON object"));
    }
    if depth(text) > MAX_DEPTH {
        return Err(malformed("the body is nested deeper than 32 levels"));
    }
    // Syntax first: an invalid field must not hide a syntax error after it.
    serde_json::from_str::<&RawValue>(text).map_err(|error| syntax(&error))?;
    let reader = &mut serde_json::Deserializer::from_str(text);
    serde_path_to_error::deserialize(reader).map_err(|error| InvalidBody::Invalid {
        field: field_path(&error),
        message: without_content(error.inner()),
    })
}

fn syntax(error: &serde_json::Error) -> InvalidBody {
    InvalidBody::Malformed(format!(
        "the body is not JSON: line {}, column {}",
        error.line(),
        error.column()
    ))
}

/// The path of the invalid field. For a missing or duplicate field, serde gives the path of the
/// object and names the field in the message.
pub(crate) fn field_path(error: &serde_path_to_error::Error<serde_json::Error>) -> String {
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

/// Serde's messages quote the input; personal data must not come back in an error or a log.
fn without_content(error: &serde_json::Error) -> String {
    let message = error.to_string();
    // The quoted value may contain the same separators, so split at the last one.
    let plain = message.rsplit_once(" at line ").map_or(message.as_str(), |(plain, _)| plain);
    match plain.rsplit_once(", expected ") {
        Some((problem, expected)) if problem.starts_with("unknown field `") => {
            format!("unknown field, expected {expected}")
        }
        // What Rust calls a whole number means nothing to callers.
        Some((_, "u32")) => format!("must be a whole number from 0 to {}", u32::MAX),
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

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::core::deserialize::text_or_number;

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
    fn rejects_a_body_that_is_no_object() {
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
    fn errors_name_the_field_without_its_content() {
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
