//! Attribute values: `{"S": "text"}` and so on.

use std::borrow::Cow;
use std::cmp::Ordering;

use data_encoding::BASE64;
use serde_json::Value;

use super::number::Number;
use super::{Failure, Item};

/// The value's type and content. Number sets and binary sets are not modelled.
#[derive(Debug, Clone, Copy)]
pub(super) enum Typed<'a> {
    S(&'a str),
    N(&'a str),
    /// In base64.
    B(&'a str),
    Bool,
    Null,
    Ss(&'a [Value]),
    L(&'a [Value]),
    M(&'a Item),
}

impl<'a> Typed<'a> {
    pub(super) fn of(value: &'a Value) -> Option<Self> {
        let members = value.as_object().filter(|members| members.len() == 1)?;
        let (kind, content) = members.iter().next()?;
        match (kind.as_str(), content) {
            ("S", Value::String(text)) => Some(Self::S(text)),
            ("N", Value::String(digits)) => Some(Self::N(digits)),
            ("B", Value::String(base64)) => Some(Self::B(base64)),
            ("BOOL", Value::Bool(_)) => Some(Self::Bool),
            ("NULL", Value::Bool(true)) => Some(Self::Null),
            ("SS", Value::Array(members)) => Some(Self::Ss(members)),
            ("L", Value::Array(elements)) => Some(Self::L(elements)),
            ("M", Value::Object(members)) => Some(Self::M(members)),
            _ => None,
        }
    }

    /// Whether DynamoDB orders values of this type.
    pub(super) fn is_ordered(self) -> bool {
        matches!(self, Self::S(_) | Self::N(_) | Self::B(_))
    }
}

pub(super) fn text(value: &Value) -> Option<&str> {
    value.get("S")?.as_str()
}

/// An object with one member.
pub(super) fn tagged(name: &str, content: Value) -> Value {
    Value::Object(Item::from_iter([(name.to_owned(), content)]))
}

/// The value as DynamoDB stores and returns it: equal values are then equal JSON.
pub(super) fn normalise(value: &Value) -> Result<Cow<'_, Value>, Failure> {
    let typed = Typed::of(value).ok_or_else(|| unreadable(value))?;
    let changed = match typed {
        Typed::S(_) | Typed::Bool | Typed::Null => None,
        Typed::N(digits) => normalise_number(digits)?,
        Typed::B(base64) if bytes(base64).is_none() => return Err(unreadable(value)),
        Typed::B(_) => None,
        Typed::Ss(members) => normalise_set(members)?,
        Typed::L(elements) => normalise_list(elements)?,
        Typed::M(members) => Some(tagged("M", Value::Object(normalise_all(members)?))),
    };
    Ok(changed.map_or(Cow::Borrowed(value), Cow::Owned))
}

pub(super) fn normalise_all(values: &Item) -> Result<Item, Failure> {
    let normalise =
        |(name, value): (&String, &Value)| Ok((name.clone(), normalise(value)?.into_owned()));
    values.iter().map(normalise).collect()
}

/// `None` if the digits are as DynamoDB returns them.
fn normalise_number(digits: &str) -> Result<Option<Value>, Failure> {
    let number = Number::parse(digits)?.to_string();
    Ok((number != digits).then(|| tagged("N", number.into())))
}

/// `None` if the elements are as DynamoDB returns them.
fn normalise_list(elements: &[Value]) -> Result<Option<Value>, Failure> {
    let elements = elements.iter().map(normalise).collect::<Result<Vec<_>, Failure>>()?;
    if elements.iter().all(|element| matches!(element, Cow::Borrowed(_))) {
        return Ok(None);
    }
    Ok(Some(tagged("L", elements.into_iter().map(Cow::into_owned).collect())))
}

/// `None` if the members are in order.
fn normalise_set(members: &[Value]) -> Result<Option<Value>, Failure> {
    let texts: Option<Vec<&str>> = members.iter().map(Value::as_str).collect();
    let mut texts =
        texts.ok_or_else(|| Failure::validation("A set has a member of another type"))?;
    if texts.is_empty() {
        return Err(Failure::validation("An string set  may not be empty"));
    }
    let is_sorted = texts.is_sorted();
    texts.sort_unstable();
    if texts.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(Failure::validation("Input collection contains duplicates."));
    }
    Ok((!is_sorted).then(|| tagged("SS", texts.into_iter().map(Value::from).collect())))
}

fn unreadable(value: &Value) -> Failure {
    let members = value.as_object();
    let is_set = |kind: &str| members.is_some_and(|members| members.contains_key(kind));
    match ["NS", "BS"].into_iter().find(|kind| is_set(kind)) {
        Some(kind) => Failure::not_modelled(format_args!("values of type {kind}")),
        None => Failure::validation(
            "Supplied AttributeValue must contain exactly one of the supported datatypes",
        ),
    }
}

pub(super) fn bytes(base64: &str) -> Option<Vec<u8>> {
    BASE64.decode(base64.as_bytes()).ok()
}

/// `None` for values of different types and of types without an order.
pub(super) fn compare(left: &Value, right: &Value) -> Option<Ordering> {
    match (Typed::of(left)?, Typed::of(right)?) {
        // As UTF-8 bytes.
        (Typed::S(left), Typed::S(right)) => Some(left.cmp(right)),
        (Typed::N(left), Typed::N(right)) => {
            Some(Number::parse(left).ok()?.cmp(&Number::parse(right).ok()?))
        }
        (Typed::B(left), Typed::B(right)) => Some(bytes(left)?.cmp(&bytes(right)?)),
        _ => None,
    }
}

pub(super) fn begins_with(value: &Value, start: &Value) -> bool {
    match (Typed::of(value), Typed::of(start)) {
        (Some(Typed::S(value)), Some(Typed::S(start))) => value.starts_with(start),
        (Some(Typed::B(value)), Some(Typed::B(start))) => {
            bytes(value).zip(bytes(start)).is_some_and(|(value, start)| value.starts_with(&start))
        }
        _ => false,
    }
}

/// A part of a text, a member of a set or an element of a list.
pub(super) fn contains(value: &Value, part: &Value) -> bool {
    match (Typed::of(value), Typed::of(part)) {
        (Some(Typed::S(value)), Some(Typed::S(part))) => value.contains(part),
        (Some(Typed::B(value)), Some(Typed::B(part))) => {
            bytes(value).zip(bytes(part)).is_some_and(|(value, part)| {
                part.is_empty() || value.windows(part.len()).any(|window| window == part)
            })
        }
        (Some(Typed::Ss(members)), Some(Typed::S(part))) => {
            members.iter().any(|member| member == part)
        }
        (Some(Typed::L(elements)), Some(_)) => elements.contains(part),
        _ => false,
    }
}
