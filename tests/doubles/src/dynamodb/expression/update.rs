//! Update expressions.

use std::borrow::Cow;

use serde_json::Value;

use super::{Placeholders, Tokens, syntax_error};
use crate::dynamodb::number::Number;
use crate::dynamodb::value::{Typed, tagged};
use crate::dynamodb::{Failure, Item};

const CLAUSES: [&str; 4] = ["SET", "REMOVE", "ADD", "DELETE"];

#[derive(Debug)]
pub(in crate::dynamodb) struct Update<'a>(Vec<(&'a str, Action<'a>)>);

/// What happens to an attribute.
#[derive(Debug)]
enum Action<'a> {
    Set(Operand<'a>),
    Remove,
    /// To a number or a set.
    Add(Cow<'a, Value>),
    /// Members of a set.
    Delete(Cow<'a, Value>),
}

#[derive(Debug)]
enum Operand<'a> {
    Value(Cow<'a, Value>),
    IfNotExists(&'a str, Box<Self>),
    ListAppend(Box<Self>, Box<Self>),
}

impl<'a> Update<'a> {
    pub(in crate::dynamodb) fn parse(
        text: &'a str,
        placeholders: &mut Placeholders<'a>,
    ) -> Result<Self, Failure> {
        let mut parser = Parser { tokens: Tokens::of(text)?, placeholders, actions: Vec::new() };
        let mut clauses = Vec::new();
        while let Some(token) = parser.tokens.peek() {
            let clause = CLAUSES.into_iter().find(|clause| parser.tokens.take(clause));
            let clause = clause.ok_or_else(|| syntax_error(token))?;
            if clauses.contains(&clause) {
                return Err(invalid(&format!("The \"{clause}\" section can only be used once")));
            }
            clauses.push(clause);
            parser.clause(clause)?;
        }
        Ok(Self(parser.actions))
    }

    pub(in crate::dynamodb) fn names(&self) -> impl Iterator<Item = &'a str> {
        self.0.iter().map(|(name, _)| *name)
    }

    /// The row after the update. All operands are read from the row before it.
    pub(in crate::dynamodb) fn apply(&self, before: &Item) -> Result<Item, Failure> {
        let mut after = before.clone();
        for (name, action) in &self.0 {
            let current = before.get(*name);
            let value = match action {
                Action::Set(operand) => Some(operand.evaluate(before)?),
                Action::Remove => None,
                Action::Add(value) => Some(add(current, value)?),
                Action::Delete(members) => delete(current, members)?,
            };
            match value {
                Some(value) => after.insert((*name).to_owned(), value),
                None => after.remove(*name),
            };
        }
        Ok(after)
    }
}

impl Operand<'_> {
    fn evaluate(&self, row: &Item) -> Result<Value, Failure> {
        match self {
            Self::Value(value) => Ok(value.clone().into_owned()),
            Self::IfNotExists(name, default) => {
                row.get(*name).map_or_else(|| default.evaluate(row), |value| Ok(value.clone()))
            }
            Self::ListAppend(list, more) => {
                let (list, more) = (list.evaluate(row)?, more.evaluate(row)?);
                match (Typed::of(&list), Typed::of(&more)) {
                    (Some(Typed::L(list)), Some(Typed::L(more))) => {
                        Ok(tagged("L", [list, more].concat().into()))
                    }
                    _ => Err(incorrect_type()),
                }
            }
        }
    }
}

fn add(current: Option<&Value>, value: &Value) -> Result<Value, Failure> {
    let Some(current) = current else { return Ok(value.clone()) };
    match (Typed::of(current), Typed::of(value)) {
        (Some(Typed::N(current)), Some(Typed::N(value))) => {
            let sum = Number::parse(current)?.plus(Number::parse(value)?)?;
            Ok(tagged("N", sum.to_string().into()))
        }
        (Some(Typed::Ss(current)), Some(Typed::Ss(members))) => {
            let mut union: Vec<&str> =
                current.iter().chain(members).filter_map(Value::as_str).collect();
            union.sort_unstable();
            union.dedup();
            Ok(tagged("SS", union.into_iter().map(Value::from).collect()))
        }
        _ => Err(incorrect_type()),
    }
}

/// `None` if no member is left.
fn delete(current: Option<&Value>, members: &Value) -> Result<Option<Value>, Failure> {
    let Some(current) = current else { return Ok(None) };
    match (Typed::of(current), Typed::of(members)) {
        (Some(Typed::Ss(current)), Some(Typed::Ss(members))) => {
            let mut rest = current.to_vec();
            rest.retain(|member| !members.contains(member));
            Ok((!rest.is_empty()).then(|| tagged("SS", rest.into())))
        }
        _ => Err(incorrect_type()),
    }
}

struct Parser<'a, 'p> {
    tokens: Tokens<'a>,
    placeholders: &'p mut Placeholders<'a>,
    actions: Vec<(&'a str, Action<'a>)>,
}

impl<'a> Parser<'a, '_> {
    fn clause(&mut self, clause: &str) -> Result<(), Failure> {
        loop {
            let name = self.name()?;
            let action = match clause {
                "SET" => {
                    self.tokens.expect("=")?;
                    Action::Set(self.operand()?)
                }
                "ADD" => {
                    Action::Add(self.typed(|typed| matches!(typed, Typed::N(_) | Typed::Ss(_)))?)
                }
                "DELETE" => Action::Delete(self.typed(|typed| matches!(typed, Typed::Ss(_)))?),
                _ => Action::Remove,
            };
            if self.actions.iter().any(|(other, _)| *other == name) {
                return Err(invalid(&format!(
                    "Two document paths overlap with each other: {name}"
                )));
            }
            self.actions.push((name, action));
            if !self.tokens.take(",") {
                return Ok(());
            }
        }
    }

    fn name(&mut self) -> Result<&'a str, Failure> {
        let token = self.tokens.next()?;
        self.placeholders.name(token)
    }

    fn typed(&mut self, is_valid: impl Fn(Typed<'_>) -> bool) -> Result<Cow<'a, Value>, Failure> {
        let token = self.tokens.next()?;
        let value = self.placeholders.value(token)?;
        if Typed::of(&value).is_some_and(is_valid) { Ok(value) } else { Err(incorrect_type()) }
    }

    fn operand(&mut self) -> Result<Operand<'a>, Failure> {
        let token = self.tokens.next()?;
        let operand = match token {
            "if_not_exists" => self.if_not_exists()?,
            "list_append" => self.list_append()?,
            _ => Operand::Value(self.placeholders.value(token)?),
        };
        if self.tokens.peek().is_some_and(|sign| sign == "+" || sign == "-") {
            return Err(Failure::not_modelled("arithmetic in SET"));
        }
        Ok(operand)
    }

    fn if_not_exists(&mut self) -> Result<Operand<'a>, Failure> {
        self.tokens.expect("(")?;
        let name = self.name()?;
        self.tokens.expect(",")?;
        let default = self.operand()?;
        self.tokens.expect(")")?;
        Ok(Operand::IfNotExists(name, default.into()))
    }

    fn list_append(&mut self) -> Result<Operand<'a>, Failure> {
        self.tokens.expect("(")?;
        let list = self.list()?;
        self.tokens.expect(",")?;
        let more = self.list()?;
        self.tokens.expect(")")?;
        Ok(Operand::ListAppend(list.into(), more.into()))
    }

    fn list(&mut self) -> Result<Operand<'a>, Failure> {
        match self.operand()? {
            Operand::Value(value) if !matches!(Typed::of(&value), Some(Typed::L(_))) => {
                Err(incorrect_type())
            }
            operand => Ok(operand),
        }
    }
}

fn incorrect_type() -> Failure {
    Failure::validation("An operand in the update expression has an incorrect data type")
}

fn invalid(what: &str) -> Failure {
    Failure::validation(format!("Invalid UpdateExpression: {what}"))
}
