#![allow(clippy::unwrap_used)]

mod create;
mod patch;

use serde_json::Value;

use crate::core::request_body::InvalidBody;
use crate::orders::order::Profile;

/// A profile as it reads back.
fn shown(profile: &Profile) -> Value {
    serde_json::to_value(profile).unwrap()
}

/// The field that an error names, or `(body)` for what is no JSON object at all.
fn fault<T>(read: Result<T, InvalidBody>) -> Option<String> {
    let error = read.err()?;
    assert!(!error.to_string().contains("canary"), "content comes back in the error: {error}");
    match error {
        InvalidBody::Malformed(_) => Some("(body)".to_owned()),
        InvalidBody::Invalid { field, .. } => Some(field),
    }
}
