//! The part of DynamoDB's expressions that the functions use. Attributes and values stand in them
//! as placeholders; paths into an attribute are not modelled.

mod condition;
mod key_condition;
mod projection;
mod tokens;
mod update;

use std::borrow::Cow;

use serde_json::Value;

use super::value::normalise;
use super::{Failure, Item};

pub(super) use condition::Condition;
pub(super) use key_condition::KeyCondition;
pub(super) use projection::Projection;
pub(super) use update::Update;

use tokens::{Tokens, is_in_word, syntax_error};

/// The names (`#name`) and values (`:value`) of a request, sorted by placeholder.
pub(super) struct Placeholders<'a> {
    names: Vec<Placeholder<'a, &'a str>>,
    values: Vec<Placeholder<'a, Cow<'a, Value>>>,
}

struct Placeholder<'a, T> {
    token: &'a str,
    content: T,
    is_used: bool,
}

impl<'a> Placeholders<'a> {
    pub(super) fn of(request: &'a Item) -> Result<Self, Failure> {
        let name = |(token, name): (&'a String, &'a Value)| {
            let content = name.as_str().filter(|name| !name.is_empty()).ok_or_else(|| {
                Failure::validation("ExpressionAttributeNames contains invalid value")
            })?;
            Ok(Placeholder { token, content, is_used: false })
        };
        let value = |(token, value): (&'a String, &'a Value)| {
            Ok(Placeholder { token, content: normalise(value)?, is_used: false })
        };
        Ok(Self {
            names: members(request, "ExpressionAttributeNames", '#')?
                .map(name)
                .collect::<Result<_, Failure>>()?,
            values: members(request, "ExpressionAttributeValues", ':')?
                .map(value)
                .collect::<Result<_, Failure>>()?,
        })
    }

    fn name(&mut self, token: &str) -> Result<&'a str, Failure> {
        if !token.starts_with('#') {
            return Err(not_a_placeholder(token, "name"));
        }
        find(&mut self.names, token).ok_or_else(|| undefined("name", token))
    }

    fn value(&mut self, token: &str) -> Result<Cow<'a, Value>, Failure> {
        if !token.starts_with(':') {
            return Err(not_a_placeholder(token, "value"));
        }
        find(&mut self.values, token).ok_or_else(|| undefined("value", token))
    }

    /// Call it when all expressions of the request are parsed.
    pub(super) fn check_all_used(&self) -> Result<(), Failure> {
        let names = self.names.iter().map(|name| ("Names", name.token, name.is_used));
        let values = self.values.iter().map(|value| ("Values", value.token, value.is_used));
        match names.chain(values).find(|(_, _, is_used)| !is_used) {
            None => Ok(()),
            Some((kind, token, _)) => Err(Failure::validation(format!(
                "Value provided in ExpressionAttribute{kind} unused in expressions: {token}"
            ))),
        }
    }
}

fn find<T: Clone>(placeholders: &mut [Placeholder<'_, T>], token: &str) -> Option<T> {
    let place = placeholders.binary_search_by_key(&token, |placeholder| placeholder.token).ok()?;
    let placeholder = placeholders.get_mut(place)?;
    placeholder.is_used = true;
    Some(placeholder.content.clone())
}

fn members<'a>(
    request: &'a Item,
    member: &str,
    first: char,
) -> Result<impl Iterator<Item = (&'a String, &'a Value)>, Failure> {
    let invalid = |what: &str| Failure::validation(format!("{member} {what}"));
    let members = match request.get(member) {
        None => None,
        Some(Value::Object(members)) if !members.is_empty() => Some(members),
        Some(_) => return Err(invalid("must not be empty")),
    };
    let is_valid = |key: &&String| {
        key.strip_prefix(first).is_some_and(|rest| !rest.is_empty() && rest.bytes().all(is_in_word))
    };
    if let Some(key) = members.into_iter().flat_map(Item::keys).find(|key| !is_valid(key)) {
        return Err(invalid(&format!("contains invalid key: Syntax error; key: \"{key}\"")));
    }
    Ok(members.into_iter().flatten())
}

fn undefined(kind: &str, token: &str) -> Failure {
    Failure::validation(format!(
        "An expression attribute {kind} used in the document path is not defined; attribute \
         {kind}: {token}"
    ))
}

/// A plain name is valid unless it is one of some 570 reserved words.
fn not_a_placeholder(token: &str, kind: &str) -> Failure {
    let is_word = token.bytes().all(is_in_word);
    if is_word && kind == "name" {
        Failure::not_modelled(format_args!("names without placeholder: {token}"))
    } else if token.starts_with('#') {
        Failure::not_modelled(format_args!("comparisons of attributes: {token}"))
    } else {
        syntax_error(token)
    }
}
