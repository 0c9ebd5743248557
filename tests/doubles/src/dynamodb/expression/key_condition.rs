//! The key condition of a query: a partition, and a range of sort keys in it.

use serde_json::Value;

use super::condition::Comparison;
use super::{Condition, Placeholders};
use crate::dynamodb::schema::{Keys, Position, key_text};
use crate::dynamodb::{Failure, Item};

/// Positions from `low` to before `high`.
#[derive(Debug)]
pub(in crate::dynamodb) struct KeyCondition<'a> {
    partition: Condition<'a>,
    sort: Option<Condition<'a>>,
    pub(in crate::dynamodb) low: Position,
    pub(in crate::dynamodb) high: Position,
}

impl<'a> KeyCondition<'a> {
    pub(in crate::dynamodb) fn parse(
        expression: &'a str,
        placeholders: &mut Placeholders<'a>,
        keys: Keys<'_>,
    ) -> Result<Self, Failure> {
        let (one, other) = match Condition::parse(expression, placeholders)? {
            Condition::And(one, other) => (*one, Some(*other)),
            one => (one, None),
        };
        let mut names = keys.own();
        let partition_key = names.next().unwrap_or_default();
        let (partition, sort) = match other {
            Some(other) if !is_of(&one, partition_key) => (other, Some(one)),
            other => (one, other),
        };
        let pk = partition_value(&partition, partition_key)?;
        let Some(sort) = sort else {
            let (low, high) = (vec![pk.clone()], vec![successor(&pk)]);
            return Ok(Self { partition, sort: None, low, high });
        };
        let sort_key = names.next().filter(|sort_key| is_of(&sort, sort_key));
        let sort_key = sort_key.ok_or_else(|| missing_key(partition_key))?;
        let (low, high) = sort_range(&sort, keys.is_number(sort_key))?;
        let high = match high {
            Some(high) => vec![pk.clone(), high],
            None => vec![successor(&pk)],
        };
        Ok(Self { partition, sort: Some(sort), low: vec![pk, low], high })
    }

    /// DynamoDB rejects a start key outside the condition.
    pub(in crate::dynamodb) fn check_start(&self, start: &Item) -> Result<(), Failure> {
        let holds = |condition: &Condition| condition.holds(start);
        if holds(&self.partition) && self.sort.as_ref().is_none_or(holds) {
            return Ok(());
        }
        Err(Failure::validation(
            "The provided starting key is outside query boundaries based on provided conditions",
        ))
    }
}

fn is_of(condition: &Condition<'_>, key: &str) -> bool {
    condition.mentions(&|name| name == key)
}

fn partition_value(condition: &Condition<'_>, key: &str) -> Result<String, Failure> {
    match condition {
        Condition::Compare(name, Comparison::Equal, value) if *name == key => {
            read_key(value, false)
        }
        _ if is_of(condition, key) => Err(Failure::validation("Query key condition not supported")),
        _ => Err(missing_key(key)),
    }
}

fn missing_key(key: &str) -> Failure {
    Failure::validation(format!("Query condition missed key schema element: {key}"))
}

/// The sort keys from the first to before the second; to the end of the partition without one.
fn sort_range(
    condition: &Condition<'_>,
    is_number: bool,
) -> Result<(String, Option<String>), Failure> {
    let read = |value| read_key(value, is_number);
    let range = match condition {
        Condition::Compare(_, comparison, value) => {
            let key = read(value)?;
            match comparison {
                Comparison::Equal => (key.clone(), Some(successor(&key))),
                Comparison::Less => (String::new(), Some(key)),
                Comparison::AtMost => (String::new(), Some(successor(&key))),
                Comparison::Greater => (successor(&key), None),
                Comparison::AtLeast => (key, None),
                Comparison::NotEqual => return Err(unsupported()),
            }
        }
        Condition::Between(_, low, high) => (read(low)?, Some(successor(&read(high)?))),
        Condition::BeginsWith(_, start) if !is_number => {
            let start = read(start)?;
            let end = after_prefix(&start);
            (start, end)
        }
        _ => return Err(unsupported()),
    };
    Ok(range)
}

fn unsupported() -> Failure {
    Failure::validation("Query key condition not supported")
}

fn read_key(value: &Value, is_number: bool) -> Result<String, Failure> {
    let text = key_text(value, is_number).ok_or_else(|| {
        Failure::validation(
            "One or more parameter values were invalid: Condition parameter type does not match \
             schema type",
        )
    })?;
    if text.is_empty() {
        return Err(Failure::validation(
            "One or more parameter values are not valid. The AttributeValue for a key attribute \
             cannot contain an empty string value.",
        ));
    }
    Ok(text)
}

/// The first text after this one.
fn successor(text: &str) -> String {
    format!("{text}\0")
}

/// The first text after all that begin with this one.
fn after_prefix(prefix: &str) -> Option<String> {
    let mut characters: Vec<char> = prefix.chars().collect();
    while let Some(last) = characters.pop() {
        // The code points of surrogates are no characters.
        let next =
            if last == '\u{d7ff}' { Some('\u{e000}') } else { char::from_u32(last as u32 + 1) };
        if let Some(next) = next {
            characters.push(next);
            return Some(characters.into_iter().collect());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_a_prefix_at_the_next_text_without_it() {
        for (prefix, end) in [
            ("a", Some("b")),
            ("at:", Some("at;")),
            ("x\u{d7ff}", Some("x\u{e000}")),
            ("x\u{10ffff}", Some("y")),
            ("\u{10ffff}", None),
        ] {
            assert_eq!(after_prefix(prefix).as_deref(), end, "{prefix:?}");
        }
    }
}
