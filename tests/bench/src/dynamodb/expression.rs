//! The subset of DynamoDB's expressions that the functions use. Anything else is an error, which
//! fails the run.

use std::iter::Peekable;
use std::vec::IntoIter;

use serde_json::Value;

use super::item::Item;

mod condition;
mod update;

pub(crate) use condition::holds;
pub(crate) use update::apply;

/// The unsupported part of an expression.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unsupported(pub(crate) String);

impl Unsupported {
    fn new(part: &str) -> Self {
        Self(part.to_owned())
    }
}

/// The names (`#name`) and values (`:value`) of an expression.
#[derive(Clone, Copy)]
pub(crate) struct Placeholders<'a> {
    names: &'a Value,
    values: &'a Value,
}

impl<'a> Placeholders<'a> {
    /// Takes a request or one write of a transaction.
    pub(crate) fn of(request: &'a Value) -> Self {
        Self {
            names: &request["ExpressionAttributeNames"],
            values: &request["ExpressionAttributeValues"],
        }
    }

    fn name(&self, token: &'a str) -> Result<&'a str, Unsupported> {
        let plain =
            |token: &str| token.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let name = if token.starts_with('#') { self.names[token].as_str() } else { Some(token) };
        name.filter(|name| plain(name)).ok_or_else(|| Unsupported::new(token))
    }

    fn value(&self, token: &str) -> Result<&'a Value, Unsupported> {
        self.values.get(token).ok_or_else(|| Unsupported::new(token))
    }
}

/// The key condition must begin with `pk = `.
pub(crate) fn partition_key(query: &Value) -> Result<&str, Unsupported> {
    let condition = query["KeyConditionExpression"].as_str().unwrap_or_default();
    let (placeholders, mut tokens) = (Placeholders::of(query), Tokens::of(condition));
    let name = placeholders.name(tokens.next()?)?;
    tokens.expect("=")?;
    let value = placeholders.value(tokens.next()?)?["S"].as_str();
    value.filter(|_| name == "pk").ok_or_else(|| Unsupported::new(condition))
}

struct Tokens<'a>(Peekable<IntoIter<&'a str>>);

impl<'a> Tokens<'a> {
    fn of(text: &'a str) -> Self {
        let (mut tokens, mut rest) = (Vec::new(), text.trim_start());
        while !rest.is_empty() {
            let (token, after) = rest.split_at(token_length(rest));
            tokens.push(token);
            rest = after.trim_start();
        }
        Self(tokens.into_iter().peekable())
    }

    fn next(&mut self) -> Result<&'a str, Unsupported> {
        self.0.next().ok_or_else(|| Unsupported::new("end"))
    }

    fn peek(&mut self) -> Option<&'a str> {
        self.0.peek().copied()
    }

    /// Skips the next token if it is this one. Returns whether it was.
    fn take(&mut self, token: &str) -> bool {
        self.0.next_if(|next| next.eq_ignore_ascii_case(token)).is_some()
    }

    fn expect(&mut self, token: &str) -> Result<(), Unsupported> {
        let next = self.next()?;
        if next == token { Ok(()) } else { Err(Unsupported::new(next)) }
    }
}

fn token_length(text: &str) -> usize {
    let is_boundary = |c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | ':' | '#' | '.'));
    match text.find(is_boundary).unwrap_or(text.len()) {
        0 if ["<=", ">=", "<>"].iter().any(|two| text.starts_with(two)) => 2,
        0 => text.chars().next().map_or(1, char::len_utf8),
        length => length,
    }
}

/// Returns none if the row lacks the attribute.
fn operand<'a>(
    token: &'a str,
    item: &'a Item,
    placeholders: Placeholders<'a>,
) -> Result<Option<&'a Value>, Unsupported> {
    if token.starts_with(':') {
        placeholders.value(token).map(Some)
    } else {
        Ok(item.get(placeholders.name(token)?))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn reads_the_partition_key_of_a_query() {
        let query = |condition: &str| {
            json!({
                "KeyConditionExpression": condition,
                "ExpressionAttributeNames": {"#pk": "pk", "#sk": "sk"},
                "ExpressionAttributeValues": {":v0": {"S": "run:1"}, ":v1": {"S": "shard:"}},
            })
        };
        for condition in ["pk = :v0", "#pk = :v0 AND begins_with(#sk, :v1)"] {
            assert_eq!(partition_key(&query(condition)), Ok("run:1"), "{condition}");
        }
        for condition in ["", "#sk = :v1", "#pk > :v0", "#pk = :v2"] {
            assert!(partition_key(&query(condition)).is_err(), "{condition}");
        }
    }
}
