use serde_json::{Value, json};

use super::{Placeholders, Tokens, Unsupported, operand};
use crate::dynamodb::item::Item;

/// Returns the updated row and the names of the written attributes.
pub(crate) fn apply(
    update: &str,
    before: &Item,
    placeholders: Placeholders<'_>,
) -> Result<(Item, Vec<String>), Unsupported> {
    let mut updater = Updater {
        tokens: Tokens::of(update),
        before,
        placeholders,
        after: before.clone(),
        written: Vec::new(),
    };
    while updater.tokens.peek().is_some() {
        updater.clause()?;
    }
    Ok((updater.after, updater.written))
}

struct Updater<'a> {
    tokens: Tokens<'a>,
    before: &'a Item,
    placeholders: Placeholders<'a>,
    after: Item,
    written: Vec<String>,
}

impl<'a> Updater<'a> {
    fn clause(&mut self) -> Result<(), Unsupported> {
        let clause = self.tokens.next()?;
        loop {
            let name = self.placeholders.name(self.tokens.next()?)?;
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
            "if_not_exists" => self.if_not_exists()?,
            _ => operand(token, self.before, self.placeholders)?,
        };
        let value = value.ok_or_else(|| Unsupported::new(token))?.clone();
        self.write(name, value);
        Ok(())
    }

    fn if_not_exists(&mut self) -> Result<Option<&'a Value>, Unsupported> {
        self.tokens.expect("(")?;
        let current = operand(self.tokens.next()?, self.before, self.placeholders)?;
        self.tokens.expect(",")?;
        let default = operand(self.tokens.next()?, self.before, self.placeholders)?;
        self.tokens.expect(")")?;
        Ok(current.or(default))
    }

    fn add(&mut self, name: &str) -> Result<(), Unsupported> {
        let value = self.placeholders.value(self.tokens.next()?)?;
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
            "ExpressionAttributeValues": {
                ":two": {"N": "2"}, ":b": {"SS": ["a", "b"]}, ":text": {"S": "t"},
            },
        });
        apply(update, item.as_object().unwrap(), Placeholders::of(&request))
            .map(|(item, _)| Value::Object(item))
    }

    #[test]
    fn applies_updates_as_dynamodb_does() {
        for (update, expected) in [
            (
                "SET a = :text, n = :two REMOVE #owner, missing",
                json!({"a": {"S": "t"}, "n": {"N": "2"}, "set": {"SS": ["a"]}}),
            ),
            (
                "SET #owner = if_not_exists(#owner, :text), a = if_not_exists(a, :text) \
                 ADD n :two, set :b, m :two",
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
    fn rejects_unsupported_updates() {
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
