//! The list that Shipway answers with.

use domain::core::request_body::{MAX_DEPTH, depth};
use serde_json::value::RawValue;

use crate::text::Fields;

/// The longest answer that is read, in bytes. Fifty parcels with all their scans take half a megabyte; reading the worst
/// list of this length takes some 120 MiB.
pub const MAX_ANSWER: usize = 2 * 1024 * 1024;

/// Why an answer says nothing about anybody. Never quotes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnreadableAnswer {
    /// Longer than [`MAX_ANSWER`].
    #[error("the answer is longer than 2 MiB")]
    TooLong,
    /// In another encoding, or compressed.
    #[error("the answer is not UTF-8")]
    NotUtf8,
    /// A page, or an object: Shipway says so that it failed.
    #[error("the answer is no JSON list")]
    NotAList,
    /// Arrays and objects in one another beyond [`MAX_DEPTH`].
    #[error("the answer is nested deeper than 32 levels")]
    TooDeep,
    /// A list that breaks off or breaks the rules.
    #[error("the answer is not JSON")]
    NotJson,
    /// None of its items has an AWB: whoever believed it would think that Shipway knows no parcel at all.
    #[error("no item of the answer names a parcel")]
    Nameless,
}

/// Its items, each read for itself: those that are no objects are left out.
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
    // PHP files that begin with a byte order mark put it before what they answer.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if !text.trim_start().starts_with('[') {
        return Err(UnreadableAnswer::NotAList);
    }
    if depth(text) > MAX_DEPTH {
        return Err(UnreadableAnswer::TooDeep);
    }
    serde_json::from_str(text).map_err(|_| UnreadableAnswer::NotJson)
}
