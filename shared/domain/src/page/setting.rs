//! Common to the settings of pages.

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::core::deserialize::Object;
use crate::core::request_body::{MAX_DEPTH, depth, field_path};

/// Of an advanced parameter of SSM.
const MAX_BYTES: usize = 8 * 1024;
const MAX_URL_BYTES: usize = 500;

/// The message quotes no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {message}")]
pub struct InvalidPageSetting {
    pub field: String,
    pub message: String,
}

pub(super) fn invalid<T>(
    field: impl Into<String>,
    message: impl ToString,
) -> Result<T, InvalidPageSetting> {
    Err(InvalidPageSetting { field: field.into(), message: message.to_string() })
}

pub(super) fn read<T: DeserializeOwned>(text: &str) -> Result<T, InvalidPageSetting> {
    if text.len() > MAX_BYTES || depth(text) > MAX_DEPTH {
        return invalid(".", "must not have over 8192 bytes or 32 levels");
    }
    if serde_json::from_str::<&RawValue>(text).is_err() {
        return invalid(".", "must be JSON");
    }
    let reader = &mut serde_json::Deserializer::from_str(text);
    let Object(raw) = serde_path_to_error::deserialize(reader).or_else(|error| {
        invalid(field_path(&error), "is missing, or has the wrong type or value")
    })?;
    Ok(raw)
}

/// The part after `https://` or `http://`. The latter is for local stacks.
pub(super) fn after_scheme(url: &str) -> Option<&str> {
    url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))
}

/// Without query and fragment.
pub(super) fn is_web_url(url: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_graphic() && !b"?#@\\\"<>;,'".contains(&byte);
    let rest = after_scheme(url).filter(|rest| !rest.is_empty() && !rest.starts_with('/'));
    rest.is_some_and(|rest| rest.bytes().all(is_allowed)) && url.len() <= MAX_URL_BYTES
}
