//! Condition, filter and key condition expressions.

use std::cmp::Ordering;

use serde_json::Value;

use super::{Placeholders, Tokens, Unsupported, operand};
use crate::dynamodb::item::Item;

pub(crate) fn holds(
    condition: &str,
    item: &Item,
    placeholders: Placeholders<'_>,
) -> Result<bool, Unsupported> {
    let mut parser = Parser { tokens: Tokens::of(condition), item, placeholders };
    let result = parser.any()?;
    parser.tokens.peek().map_or(Ok(result), |rest| Err(Unsupported::new(rest)))
}

struct Parser<'a> {
    tokens: Tokens<'a>,
    item: &'a Item,
    placeholders: Placeholders<'a>,
}

impl<'a> Parser<'a> {
    fn any(&mut self) -> Result<bool, Unsupported> {
        let mut result = self.all()?;
        while self.tokens.take("OR") {
            result |= self.all()?;
        }
        Ok(result)
    }

    fn all(&mut self) -> Result<bool, Unsupported> {
        let mut result = self.one()?;
        while self.tokens.take("AND") {
            result &= self.one()?;
        }
        Ok(result)
    }

    fn one(&mut self) -> Result<bool, Unsupported> {
        if self.tokens.take("NOT") {
            return self.one().map(|result| !result);
        }
        if self.tokens.take("(") {
            let result = self.any()?;
            return self.tokens.expect(")").map(|()| result);
        }
        let first = self.tokens.next()?;
        if self.tokens.take("(") { self.function(first) } else { self.comparison(first) }
    }

    fn function(&mut self, name: &str) -> Result<bool, Unsupported> {
        let subject = self.operand()?;
        let argument = if self.tokens.take(",") { self.operand()? } else { None };
        self.tokens.expect(")")?;
        match name {
            "attribute_exists" => Ok(subject.is_some()),
            "attribute_not_exists" => Ok(subject.is_none()),
            "contains" => Ok(is_member(subject, argument)),
            "begins_with" => Ok(begins_with(subject, argument)),
            other => Err(Unsupported::new(other)),
        }
    }

    fn comparison(&mut self, left: &'a str) -> Result<bool, Unsupported> {
        let left = operand(left, self.item, self.placeholders)?;
        let sign = self.tokens.next()?;
        let right = self.operand()?;
        let (Some(left), Some(right)) = (left, right) else { return Ok(sign == "<>") };
        let order = compare(left, right);
        match sign {
            "=" => Ok(left == right),
            "<>" => Ok(left != right),
            "<" => Ok(order == Some(Ordering::Less)),
            "<=" => Ok(matches!(order, Some(Ordering::Less | Ordering::Equal))),
            ">" => Ok(order == Some(Ordering::Greater)),
            ">=" => Ok(matches!(order, Some(Ordering::Greater | Ordering::Equal))),
            other => Err(Unsupported::new(other)),
        }
    }

    fn operand(&mut self) -> Result<Option<&'a Value>, Unsupported> {
        operand(self.tokens.next()?, self.item, self.placeholders)
    }
}

/// Values of different types have no order.
fn compare(left: &Value, right: &Value) -> Option<Ordering> {
    let number = |value: &Value| value["N"].as_str().and_then(|digits| digits.parse::<i128>().ok());
    let texts = left["S"].as_str().zip(right["S"].as_str()).map(|(left, right)| left.cmp(right));
    texts.or_else(|| Some(number(left)?.cmp(&number(right)?)))
}

fn is_member(set: Option<&Value>, text: Option<&Value>) -> bool {
    let members = set.and_then(|set| set["SS"].as_array());
    members.zip(text).is_some_and(|(members, text)| members.contains(&text["S"]))
}

fn begins_with(text: Option<&Value>, start: Option<&Value>) -> bool {
    let text_of =
        |value: Option<&'_ Value>| value.and_then(|value| value["S"].as_str().map(str::to_owned));
    text_of(text).zip(text_of(start)).is_some_and(|(text, start)| text.starts_with(&start))
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    fn evaluate(condition: &str) -> Result<bool, Unsupported> {
        let item = json!({
            "sk": {"S": "shard:03"}, "lease": {"N": "9"}, "owner": {"S": "a"}, "set": {"SS": ["x"]},
        });
        let request = json!({
            "ExpressionAttributeNames": {"#owner": "owner"},
            "ExpressionAttributeValues": {
                ":now": {"N": "10"}, ":a": {"S": "a"}, ":x": {"S": "x"}, ":shard": {"S": "shard:"},
            },
        });
        holds(condition, item.as_object().unwrap(), Placeholders::of(&request))
    }

    #[test]
    fn evaluates_conditions_as_dynamodb_does() {
        for (condition, expected) in [
            ("attribute_not_exists(pk)", true),
            ("attribute_exists(owner) AND attribute_not_exists(closed_at)", true),
            // Numeric order: as text, 9 comes after 10.
            (
                "attribute_not_exists(done) \
                 AND (attribute_not_exists(lease) OR lease <= :now OR #owner = :x)",
                true,
            ),
            ("lease > :now OR #owner = :x", false),
            ("lease < :a", false),
            ("missing = :a", false),
            ("missing <> :a", true),
            ("attribute_not_exists(set) OR NOT contains(set, :x)", false),
            ("NOT contains(missing, :x)", true),
            ("begins_with(sk, :shard) and #owner = :a", true),
            ("#owner = :x AND #owner = :a OR #owner = :a", true),
        ] {
            assert_eq!(evaluate(condition), Ok(expected), "{condition}");
        }
    }

    #[test]
    fn rejects_unsupported_conditions() {
        for condition in [
            "size(set) = :now",
            "#other = :a",
            "owner = :other",
            "owner :a",
            "(owner = :a",
            "a.b = :a",
        ] {
            assert!(evaluate(condition).is_err(), "{condition}");
        }
        assert!(evaluate("owner = :a owner = :a").is_err());
    }
}
