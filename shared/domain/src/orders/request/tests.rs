#![allow(clippy::unwrap_used)]

mod create;
mod patch;
mod status;

use serde_json::Value;

use crate::core::request_body::InvalidBody;
use crate::orders::order::Profile;

fn to_json(profile: &Profile) -> Value {
    serde_json::to_value(profile).unwrap()
}

/// The field in the error; `(body)` if the body is not a JSON object.
fn invalid_field<T>(result: Result<T, InvalidBody>) -> Option<String> {
    let error = result.err()?;
    assert!(!error.to_string().contains("canary"), "the error quotes the content: {error}");
    match error {
        InvalidBody::Malformed(_) => Some("(body)".to_owned()),
        InvalidBody::Invalid { field, .. } => Some(field),
    }
}
