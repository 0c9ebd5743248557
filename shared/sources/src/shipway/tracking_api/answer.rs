//! The list in Shipway's response.

use domain::core::request_body::{MAX_DEPTH, depth};
use serde_json::value::RawValue;

use crate::text::Fields;

/// Longest response that is read, in bytes. Fifty parcels with all scans take half a megabyte;
/// parsing the worst list of this length takes some 120 MiB of memory.
pub const MAX_ANSWER: usize = 2 * 1024 * 1024;

/// A response that cannot be used at all. Never quotes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnreadableAnswer {
    /// Longer than [`MAX_ANSWER`].
    #[error("the answer is longer than 2 MiB")]
    TooLong,
    /// Another encoding, or compressed.
    #[error("the answer is not UTF-8")]
    NotUtf8,
    /// Shipway sends an HTML page or an object when it fails.
    #[error("the answer is no JSON list")]
    NotAList,
    /// Nested beyond [`MAX_DEPTH`].
    #[error("the answer is nested deeper than 32 levels")]
    TooDeep,
    #[error("the answer is not JSON")]
    NotJson,
    /// No item has an AWB. Accepting it would make every parcel look unknown.
    #[error("no item of the answer names a parcel")]
    Nameless,
}

/// The items that are objects.
pub(super) fn read(body: &[u8]) -> Result<Vec<Fields>, UnreadableAnswer> {
    let items = list(body)?;
    let objects: Vec<Fields> =
        items.iter().filter_map(|item| serde_json::from_str(item.get()).ok()).collect();
    let named = items.is_empty() || objects.iter().any(|item| item.text("awb").is_some());
    if named { Ok(objects) } else { Err(UnreadableAnswer::Nameless) }
}

fn list(body: &[u8]) -> Result<Vec<&RawValue>, UnreadableAnswer> {
    if body.len() > MAX_ANSWER {
        return Err(UnreadableAnswer::TooLong);
    }
    let text = std::str::from_utf8(body).map_err(|_| UnreadableAnswer::NotUtf8)?;
    // A PHP file that starts with a byte order mark prints it before the response.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if !text.trim_start().starts_with('[') {
        return Err(UnreadableAnswer::NotAList);
    }
    if depth(text) > MAX_DEPTH {
        return Err(UnreadableAnswer::TooDeep);
    }
    serde_json::from_str(text).map_err(|_| UnreadableAnswer::NotJson)
}
