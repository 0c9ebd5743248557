//! Conditions of writes, filters of queries, and what key conditions are made of.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde_json::Value;

use super::{Placeholders, Tokens, syntax_error};
use crate::dynamodb::value::{Typed, begins_with, compare, contains};
use crate::dynamodb::{Failure, Item};

/// DynamoDB's limit for `IN`.
const MAX_CANDIDATES: usize = 100;

/// An attribute is always compared with values.
#[derive(Debug, PartialEq)]
pub(in crate::dynamodb) enum Condition<'a> {
    Exists(&'a str),
    Absent(&'a str),
    Compare(&'a str, Comparison, Operand<'a>),
    /// Both bounds are included.
    Between(&'a str, Operand<'a>, Operand<'a>),
    OneOf(&'a str, Vec<Operand<'a>>),
    BeginsWith(&'a str, Operand<'a>),
    Contains(&'a str, Operand<'a>),
    Not(Box<Self>),
    And(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
}

type Operand<'a> = Cow<'a, Value>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::dynamodb) enum Comparison {
    Equal,
    NotEqual,
    Less,
    AtMost,
    Greater,
    AtLeast,
}

impl<'a> Condition<'a> {
    pub(in crate::dynamodb) fn parse(
        text: &'a str,
        placeholders: &mut Placeholders<'a>,
    ) -> Result<Self, Failure> {
        let mut parser = Parser { tokens: Tokens::of(text)?, placeholders, last_group: None };
        let condition = parser.any()?;
        parser.tokens.end()?;
        Ok(condition)
    }

    /// A row that does not exist has no attributes.
    pub(in crate::dynamodb) fn holds(&self, row: &Item) -> bool {
        match self {
            Self::Exists(name) => row.contains_key(*name),
            Self::Absent(name) => !row.contains_key(*name),
            Self::Compare(name, comparison, value) => comparison.holds(row.get(*name), value),
            Self::Between(name, low, high) => row.get(*name).is_some_and(|value| {
                compare(value, low).is_some_and(Ordering::is_ge)
                    && compare(value, high).is_some_and(Ordering::is_le)
            }),
            Self::OneOf(name, values) => row
                .get(*name)
                .is_some_and(|value| values.iter().any(|candidate| candidate.as_ref() == value)),
            Self::BeginsWith(name, start) => {
                row.get(*name).is_some_and(|value| begins_with(value, start))
            }
            Self::Contains(name, part) => row.get(*name).is_some_and(|value| contains(value, part)),
            Self::Not(inner) => !inner.holds(row),
            Self::And(left, right) => left.holds(row) && right.holds(row),
            Self::Or(left, right) => left.holds(row) || right.holds(row),
        }
    }

    pub(in crate::dynamodb) fn mentions(&self, is_searched: &impl Fn(&str) -> bool) -> bool {
        match self {
            Self::Exists(name)
            | Self::Absent(name)
            | Self::Compare(name, ..)
            | Self::Between(name, ..)
            | Self::OneOf(name, _)
            | Self::BeginsWith(name, _)
            | Self::Contains(name, _) => is_searched(name),
            Self::Not(inner) => inner.mentions(is_searched),
            Self::And(left, right) | Self::Or(left, right) => {
                left.mentions(is_searched) || right.mentions(is_searched)
            }
        }
    }
}

impl Comparison {
    fn parse(sign: &str) -> Option<Self> {
        Some(match sign {
            "=" => Self::Equal,
            "<>" => Self::NotEqual,
            "<" => Self::Less,
            "<=" => Self::AtMost,
            ">" => Self::Greater,
            ">=" => Self::AtLeast,
            _ => return None,
        })
    }

    /// An absent attribute is only unequal. So is one of another type.
    fn holds(self, left: Option<&Value>, right: &Value) -> bool {
        let order = || left.and_then(|left| compare(left, right));
        match self {
            Self::Equal => left == Some(right),
            Self::NotEqual => left != Some(right),
            Self::Less => order().is_some_and(Ordering::is_lt),
            Self::AtMost => order().is_some_and(Ordering::is_le),
            Self::Greater => order().is_some_and(Ordering::is_gt),
            Self::AtLeast => order().is_some_and(Ordering::is_ge),
        }
    }
}

struct Parser<'a, 'p> {
    tokens: Tokens<'a>,
    placeholders: &'p mut Placeholders<'a>,
    /// The places of the last group's parentheses.
    last_group: Option<(usize, usize)>,
}

impl<'a> Parser<'a, '_> {
    fn any(&mut self) -> Result<Condition<'a>, Failure> {
        let mut condition = self.all()?;
        while self.tokens.take("OR") {
            condition = Condition::Or(condition.into(), self.all()?.into());
        }
        Ok(condition)
    }

    fn all(&mut self) -> Result<Condition<'a>, Failure> {
        let mut condition = self.one()?;
        while self.tokens.take("AND") {
            condition = Condition::And(condition.into(), self.one()?.into());
        }
        Ok(condition)
    }

    fn one(&mut self) -> Result<Condition<'a>, Failure> {
        if self.tokens.take("NOT") {
            return Ok(Condition::Not(self.one()?.into()));
        }
        let begin = self.tokens.place;
        if self.tokens.take("(") {
            return self.group(begin);
        }
        let first = self.tokens.next()?;
        if self.tokens.take("(") { self.function(first) } else { self.comparison(first) }
    }

    fn group(&mut self, begin: usize) -> Result<Condition<'a>, Failure> {
        let condition = self.any()?;
        let end = self.tokens.place;
        self.tokens.expect(")")?;
        if self.last_group == Some((begin + 1, end.saturating_sub(1))) {
            return Err(Failure::validation(
                "Invalid expression: The expression has redundant parentheses;",
            ));
        }
        self.last_group = Some((begin, end));
        Ok(condition)
    }

    fn function(&mut self, function: &str) -> Result<Condition<'a>, Failure> {
        check_function(function)?;
        let token = self.tokens.next()?;
        let name = self.placeholders.name(token)?;
        let condition = match function {
            "attribute_exists" => Condition::Exists(name),
            "attribute_not_exists" => Condition::Absent(name),
            "begins_with" => Condition::BeginsWith(name, self.argument()?),
            _ => Condition::Contains(name, self.argument()?),
        };
        if let Condition::BeginsWith(_, start) = &condition {
            let is_text = matches!(Typed::of(start), Some(Typed::S(_) | Typed::B(_)));
            check_operand(is_text, function)?;
        }
        self.tokens.expect(")")?;
        Ok(condition)
    }

    fn argument(&mut self) -> Result<Operand<'a>, Failure> {
        self.tokens.expect(",")?;
        self.value()
    }

    fn value(&mut self) -> Result<Operand<'a>, Failure> {
        let token = self.tokens.next()?;
        self.placeholders.value(token)
    }

    fn comparison(&mut self, first: &str) -> Result<Condition<'a>, Failure> {
        let name = self.placeholders.name(first)?;
        if self.tokens.take("BETWEEN") {
            return self.between(name);
        }
        if self.tokens.take("IN") {
            return self.one_of(name);
        }
        let sign = self.tokens.next()?;
        let comparison = Comparison::parse(sign).ok_or_else(|| syntax_error(sign))?;
        let value = self.value()?;
        let needs_order = !matches!(comparison, Comparison::Equal | Comparison::NotEqual);
        check_operand(!needs_order || is_ordered(&value), sign)?;
        Ok(Condition::Compare(name, comparison, value))
    }

    fn between(&mut self, name: &'a str) -> Result<Condition<'a>, Failure> {
        let low = self.value()?;
        self.tokens.expect("AND")?;
        let high = self.value()?;
        check_operand(is_ordered(&low) && is_ordered(&high), "BETWEEN")?;
        match compare(&low, &high) {
            None => Err(invalid("The BETWEEN operator requires same data type for both bounds")),
            Some(Ordering::Greater) => Err(invalid(
                "The BETWEEN operator requires upper bound to be greater than or equal to lower \
                 bound",
            )),
            Some(_) => Ok(Condition::Between(name, low, high)),
        }
    }

    fn one_of(&mut self, name: &'a str) -> Result<Condition<'a>, Failure> {
        self.tokens.expect("(")?;
        let mut values = vec![self.value()?];
        while self.tokens.take(",") {
            values.push(self.value()?);
        }
        self.tokens.expect(")")?;
        if values.len() > MAX_CANDIDATES {
            return Err(invalid("The IN operator is provided with too many operands"));
        }
        Ok(Condition::OneOf(name, values))
    }
}

fn check_function(name: &str) -> Result<(), Failure> {
    match name {
        "attribute_exists" | "attribute_not_exists" | "begins_with" | "contains" => Ok(()),
        "size" | "attribute_type" => Err(Failure::not_modelled(name)),
        _ => Err(invalid(&format!("Invalid function name; function: {name}"))),
    }
}

fn is_ordered(value: &Value) -> bool {
    Typed::of(value).is_some_and(Typed::is_ordered)
}

fn check_operand(is_valid: bool, operator: &str) -> Result<(), Failure> {
    let message = || format!("Incorrect operand type for operator or function: {operator}");
    if is_valid { Ok(()) } else { Err(invalid(&message())) }
}

fn invalid(what: &str) -> Failure {
    Failure::validation(format!("Invalid expression: {what}"))
}
