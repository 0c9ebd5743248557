//! Names and values in DynamoDB expressions. Every attribute stands there as a placeholder, so that
//! none of them can be one of DynamoDB's reserved words.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

use super::attr::Item;

/// The placeholders that the expressions of one request share. DynamoDB rejects unused ones.
#[derive(Debug, Default)]
pub(crate) struct Placeholders {
    names: Names,
    values: Item,
}

type Names = HashMap<String, String>;

impl Placeholders {
    pub(crate) fn name(&mut self, attribute: &str) -> String {
        let placeholder = format!("#{attribute}");
        self.names.insert(placeholder.clone(), attribute.to_owned());
        placeholder
    }

    pub(crate) fn value(&mut self, value: AttributeValue) -> String {
        let placeholder = format!(":v{}", self.values.len());
        self.values.insert(placeholder.clone(), value);
        placeholder
    }

    /// A projection of these attributes.
    pub(crate) fn projection(&mut self, attributes: &[&str]) -> String {
        let names: Vec<String> = attributes.iter().map(|attribute| self.name(attribute)).collect();
        names.join(", ")
    }

    /// As the requests take them: DynamoDB rejects empty maps.
    pub(crate) fn into_maps(self) -> (Option<Names>, Option<Item>) {
        let (names, values) = (Some(self.names), Some(self.values));
        (names.filter(|names| !names.is_empty()), values.filter(|values| !values.is_empty()))
    }
}

/// A condition of a write, a filter, or the key condition of a query.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Condition {
    Exists(&'static str),
    Absent(&'static str),
    Compare(&'static str, &'static str, AttributeValue),
    Between(&'static str, AttributeValue, AttributeValue),
    OneOf(&'static str, Vec<AttributeValue>),
    Function(&'static str, &'static str, AttributeValue),
    Not(Box<Self>),
    And(Vec<Self>),
    Or(Vec<Self>),
}

/// An attribute as the subject of a condition.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attr(&'static str);

pub(crate) fn attr(name: &'static str) -> Attr {
    Attr(name)
}

/// The row does not exist yet.
pub(crate) fn no_row() -> Condition {
    attr("pk").absent()
}

pub(crate) fn row_exists() -> Condition {
    attr("pk").exists()
}

impl Attr {
    pub(crate) fn exists(self) -> Condition {
        Condition::Exists(self.0)
    }

    pub(crate) fn absent(self) -> Condition {
        Condition::Absent(self.0)
    }

    pub(crate) fn equals(self, value: AttributeValue) -> Condition {
        Condition::Compare(self.0, "=", value)
    }

    pub(crate) fn differs_from(self, value: AttributeValue) -> Condition {
        Condition::Compare(self.0, "<>", value)
    }

    pub(crate) fn below(self, value: AttributeValue) -> Condition {
        Condition::Compare(self.0, "<", value)
    }

    pub(crate) fn at_most(self, value: AttributeValue) -> Condition {
        Condition::Compare(self.0, "<=", value)
    }

    pub(crate) fn above(self, value: AttributeValue) -> Condition {
        Condition::Compare(self.0, ">", value)
    }

    /// Both bounds are included.
    pub(crate) fn between(self, low: AttributeValue, high: AttributeValue) -> Condition {
        Condition::Between(self.0, low, high)
    }

    pub(crate) fn one_of(self, values: impl IntoIterator<Item = AttributeValue>) -> Condition {
        Condition::OneOf(self.0, values.into_iter().collect())
    }

    pub(crate) fn begins_with(self, prefix: AttributeValue) -> Condition {
        Condition::Function("begins_with", self.0, prefix)
    }

    /// A set with this member.
    pub(crate) fn contains(self, member: AttributeValue) -> Condition {
        Condition::Function("contains", self.0, member)
    }
}

impl Condition {
    pub(crate) fn and(self, other: Self) -> Self {
        match self {
            Self::And(mut all) => {
                all.push(other);
                Self::And(all)
            }
            first => Self::And(vec![first, other]),
        }
    }

    pub(crate) fn or(self, other: Self) -> Self {
        match self {
            Self::Or(mut any) => {
                any.push(other);
                Self::Or(any)
            }
            first => Self::Or(vec![first, other]),
        }
    }

    pub(crate) fn negated(self) -> Self {
        Self::Not(Box::new(self))
    }

    pub(crate) fn render(self, placeholders: &mut Placeholders) -> String {
        match self {
            Self::Exists(name) => format!("attribute_exists({})", placeholders.name(name)),
            Self::Absent(name) => format!("attribute_not_exists({})", placeholders.name(name)),
            Self::Compare(name, operator, value) => {
                format!("{} {operator} {}", placeholders.name(name), placeholders.value(value))
            }
            Self::Between(name, low, high) => {
                let (low, high) = (placeholders.value(low), placeholders.value(high));
                format!("{} BETWEEN {low} AND {high}", placeholders.name(name))
            }
            Self::OneOf(name, values) => {
                let values: Vec<String> =
                    values.into_iter().map(|value| placeholders.value(value)).collect();
                format!("{} IN ({})", placeholders.name(name), values.join(", "))
            }
            Self::Function(function, name, value) => {
                format!("{function}({}, {})", placeholders.name(name), placeholders.value(value))
            }
            Self::Not(inner) => format!("NOT {}", inner.render_part(placeholders)),
            Self::And(parts) => render_parts(parts, " AND ", placeholders),
            Self::Or(parts) => render_parts(parts, " OR ", placeholders),
        }
    }

    /// DynamoDB rejects redundant parentheses: only a compound part of another condition has them.
    fn render_part(self, placeholders: &mut Placeholders) -> String {
        let is_compound = matches!(self, Self::And(_) | Self::Or(_));
        let text = self.render(placeholders);
        if is_compound { format!("({text})") } else { text }
    }
}

fn render_parts(parts: Vec<Condition>, separator: &str, placeholders: &mut Placeholders) -> String {
    let parts: Vec<String> = parts.into_iter().map(|part| part.render_part(placeholders)).collect();
    parts.join(separator)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::attr::{number, text};

    #[test]
    fn attributes_and_values_become_placeholders() {
        let mut placeholders = Placeholders::default();
        let condition = no_row().or(attr("run")
            .equals(number(2))
            .and(attr("state").one_of([text("pending"), text("retrying")]))
            .and(attr("lease").absent().or(attr("lease").at_most(number(9))))
            .and(attr("seen").contains(text("x")).negated()));
        assert_eq!(
            condition.render(&mut placeholders),
            "attribute_not_exists(#pk) OR (#run = :v0 AND #state IN (:v1, :v2) \
             AND (attribute_not_exists(#lease) OR #lease <= :v3) AND NOT contains(#seen, :v4))"
        );
        assert_eq!(placeholders.names["#state"], "state");
        assert_eq!(placeholders.values[":v3"], number(9));
        assert_eq!((placeholders.names.len(), placeholders.values.len()), (5, 5));
    }

    #[test]
    fn a_projection_adds_no_values() {
        let mut placeholders = Placeholders::default();
        assert_eq!(placeholders.projection(&["pk", "state"]), "#pk, #state");
        assert_eq!(placeholders.into_maps().1, None);
    }
}
