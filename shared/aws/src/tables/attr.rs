//! Attribute values: how they are written and read.

use std::collections::HashMap;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::core::timestamp::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::IoError;

pub(crate) type Item = HashMap<String, AttributeValue>;

pub(crate) fn item<const N: usize>(attributes: [(&str, AttributeValue); N]) -> Item {
    attributes.map(|(name, value)| (name.to_owned(), value)).into()
}

pub(crate) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

/// A string set. DynamoDB rejects an empty one.
pub(crate) fn texts<'a>(values: impl IntoIterator<Item = &'a str>) -> AttributeValue {
    AttributeValue::Ss(values.into_iter().map(str::to_owned).collect())
}

pub(crate) fn number(value: impl std::fmt::Display) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

pub(crate) fn bytes(value: Vec<u8>) -> AttributeValue {
    AttributeValue::B(Blob::new(value))
}

/// An expiry time in seconds since 1970, as DynamoDB's TTL requires.
pub(crate) fn ttl(from: Timestamp, days: u64) -> AttributeValue {
    number(from.after(std::time::Duration::from_secs(days * 24 * 60 * 60)).seconds())
}

pub(crate) fn json(value: &impl Serialize) -> Result<AttributeValue, IoError> {
    serde_json::to_string(value)
        .map(AttributeValue::S)
        .map_err(|_| IoError::unreadable("serde_json", "value"))
}

pub(crate) fn read_json<T: DeserializeOwned>(item: &Item, name: &str) -> Result<T, IoError> {
    serde_json::from_str(read_text(item, name)?).map_err(|_| IoError::unreadable("dynamodb", name))
}

pub(crate) fn read_text<'a>(item: &'a Item, name: &str) -> Result<&'a str, IoError> {
    let value = item.get(name).and_then(|value| value.as_s().ok());
    value.map(String::as_str).ok_or_else(|| IoError::unreadable("dynamodb", name))
}

/// A text attribute, parsed.
pub(crate) fn read_as<T, E>(
    item: &Item,
    name: &str,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Result<T, IoError> {
    parse(read_text(item, name)?).map_err(|_| IoError::unreadable("dynamodb", name))
}

/// A text attribute, parsed if there is one.
pub(crate) fn read_optional<T, E>(
    item: &Item,
    name: &str,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Result<Option<T>, IoError> {
    let text = read_text(item, name).ok();
    text.map(parse).transpose().map_err(|_| IoError::unreadable("dynamodb", name))
}

/// The members of a string set; none if the attribute is absent.
pub(crate) fn read_texts<'a>(item: &'a Item, name: &str) -> &'a [String] {
    item.get(name).and_then(|value| value.as_ss().ok()).map(Vec::as_slice).unwrap_or_default()
}

pub(crate) fn read_number<T: std::str::FromStr>(item: &Item, name: &str) -> Option<T> {
    item.get(name)?.as_n().ok()?.parse().ok()
}

pub(crate) fn read_bytes<'a>(item: &'a Item, name: &str) -> Option<&'a [u8]> {
    item.get(name)?.as_b().ok().map(AsRef::as_ref)
}
