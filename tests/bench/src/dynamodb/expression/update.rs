//! Updates.

use serde_json::{Value, json};

use super::{Tokens, Unsupported, Words, operand};
use crate::dynamodb::item::Item;

/// The row as it is after an update, and the names of what the update wrote.
pub(crate) fn apply(
    update: &str,
    before: &Item,
    words: Words<'_>,
) -> Result<(Item, Vec<String>), Unsupported> {
    let mut updating = Updating {
        tokens: Tokens::of(update),
        before,
        words,
        after: before.clone(),
        written: Vec::new(),
    };
    while updating.tokens.peek().is_some() {
        updating.clause()?;
    }
    Ok((updating.after, updating.written))
}

struct Updating<'a> {
    tokens: Tokens<'a>,
    before: &'a Item,
    words: Words<'a>,
    after: Item,
    written: Vec<String>,
}

impl<'a> Updating<'a> {
    fn clause(&mut self) -> Result<(), Unsupported> {
        let clause = self.tokens.next()?;
        loop {
            let name = self.words.name(self.tokens.next()?)?;
            match clause {
                "SET" => self.set(name)?,
                "ADD" => self.add(name)?,
                "REMOVE" => drop(self.after.remove(name)),
                other => return Err(Unsupported::new(other)),
            }
            if !self.tokens.take(",") {
                return Ok(());
            }
        }
    }

    fn set(&mut self, name: &str) -> Result<(), Unsupported> {
        self.tokens.expect("=")?;
        let token = self.tokens.next()?;
        let value = match token {
            "if_not_exists" => self.unless_there()?,
            _ => operand(token, self.before, self.words)?,
        };
        let value = value.ok_or_else(|| Unsupported::new(token))?.clone();
        self.write(name, value);
        Ok(())
    }

    fn unless_there(&mut self) -> Result<Option<&'a Value>, Unsupported> {
        self.tokens.expect("(")?;
        let known = operand(self.tokens.next()?, self.before, self.words)?;
        self.tokens.expect(",")?;
        let other = operand(self.tokens.next()?, self.before, self.words)?;
        self.tokens.expect(")")?;
        Ok(known.or(other))
    }

    fn add(&mut self, name: &str) -> Result<(), Unsupported> {
        let value = self.words.value(self.tokens.next()?)?;
        let sum = match self.before.get(name) {
            None => Some(value.clone()),
            Some(before) => sum(before, value).or_else(|| union(before, value)),
        };
        self.write(name, sum.ok_or_else(|| Unsupported::new(name))?);
        Ok(())
    }

    fn write(&mut self, name: &str, value: Value) {
        self.after.insert(name.to_owned(), value);
        self.written.push(name.to_owned());
    }
}

fn sum(left: &Value, right: &Value) -> Option<Value> {
    let number = |value: &Value| value["N"].as_str()?.parse::<i128>().ok();
    Some(json!({ "N": (number(left)? + number(right)?).to_string() }))
}

fn union(left: &Value, right: &Value) -> Option<Value> {
    let mut texts = left["SS"].as_array()?.clone();
    for text in right["SS"].as_array()? {
        if !texts.contains(text) {
            texts.push(text.clone());
        }
    }
    Some(json!({ "SS": texts }))
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn updated(update: &str) -> Result<Value, Unsupported> {
        let item = json!({"n": {"N": "5"}, "set": {"SS": ["a"]}, "owner": {"S": "me"}});
        let request = json!({
            "ExpressionAttributeNames": {"#owner": "owner"},
            "ExpressionAttributeValues": {":two": {"N": "2"}, ":b": {"SS": ["a", "b"]}, ":text": {"S": "t"}},
        });
        apply(update, item.as_object().unwrap(), Words::of(&request))
            .map(|(item, _)| Value::Object(item))
    }

    #[test]
    fn updates_do_what_they_do_in_dynamodb() {
        for (update, expected) in [
            (
                "SET a = :text, n = :two REMOVE #owner, missing",
                json!({"a": {"S": "t"}, "n": {"N": "2"}, "set": {"SS": ["a"]}}),
            ),
            (
                "SET #owner = if_not_exists(#owner, :text), a = if_not_exists(a, :text) ADD n :two, set :b, m :two",
                json!({
                    "a": {"S": "t"}, "n": {"N": "7"}, "m": {"N": "2"},
                    "owner": {"S": "me"}, "set": {"SS": ["a", "b"]},
                }),
            ),
        ] {
            assert_eq!(updated(update), Ok(expected), "{update}");
        }
    }

    #[test]
    fn what_is_not_understood_changes_nothing() {
        for update in [
            "SET n = n + :two",
            "ADD n :text",
            "SET a = missing",
            "SET a.b = :two",
            "PUT a :two",
            "SET a",
        ] {
            assert!(updated(update).is_err(), "{update}");
        }
    }
}
