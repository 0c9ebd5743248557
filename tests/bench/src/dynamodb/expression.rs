//! As much of DynamoDB's expressions as the functions use. What else they contain is an error, and so a fault of the
//! run: nothing is guessed.

use std::iter::Peekable;
use std::vec::IntoIter;

use serde_json::Value;

use super::item::Item;

mod condition;
mod update;

pub(crate) use condition::holds;
pub(crate) use update::apply;

/// What an expression has that is not understood here.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unsupported(pub(crate) String);

impl Unsupported {
    fn new(what: &str) -> Self {
        Self(what.to_owned())
    }
}

/// What the names and values of an expression stand for.
#[derive(Clone, Copy)]
pub(crate) struct Words<'a> {
    names: &'a Value,
    values: &'a Value,
}

impl<'a> Words<'a> {
    /// Those of a request, or of a write of a transaction.
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

/// The partition that a query names: its key condition begins with `pk = `.
pub(crate) fn partition_key(query: &Value) -> Result<&str, Unsupported> {
    let condition = query["KeyConditionExpression"].as_str().unwrap_or_default();
    let (words, mut tokens) = (Words::of(query), Tokens::of(condition));
    let name = words.name(tokens.next()?)?;
    tokens.expect("=")?;
    let value = words.value(tokens.next()?)?["S"].as_str();
    value.filter(|_| name == "pk").ok_or_else(|| Unsupported::new(condition))
}

/// An expression's tokens, and how to walk over them.
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

    /// Whether this comes next; then it is passed.
    fn take(&mut self, token: &str) -> bool {
        self.0.next_if(|next| next.eq_ignore_ascii_case(token)).is_some()
    }

    fn expect(&mut self, token: &str) -> Result<(), Unsupported> {
        let next = self.next()?;
        if next == token { Ok(()) } else { Err(Unsupported::new(next)) }
    }
}

fn token_length(text: &str) -> usize {
    let word = |c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | ':' | '#' | '.'));
    match text.find(word).unwrap_or(text.len()) {
        0 if ["<=", ">=", "<>"].iter().any(|two| text.starts_with(two)) => 2,
        0 => text.chars().next().map_or(1, char::len_utf8),
        length => length,
    }
}

/// An operand of a function or comparison, as far as the row has it.
fn operand<'a>(
    token: &'a str,
    item: &'a Item,
    words: Words<'a>,
) -> Result<Option<&'a Value>, Unsupported> {
    if token.starts_with(':') {
        words.value(token).map(Some)
    } else {
        Ok(item.get(words.name(token)?))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_query_names_its_partition_first() {
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
