//! The changes of an update.

use std::borrow::Cow;

use aws_sdk_dynamodb::types::AttributeValue;

use super::expression::Placeholders;

/// The clauses of an update expression.
#[derive(Debug, Clone, Default)]
pub(crate) struct Changes {
    set: Vec<(&'static str, Set)>,
    add: Vec<(Cow<'static, str>, AttributeValue)>,
    delete: Vec<(&'static str, AttributeValue)>,
    remove: Vec<&'static str>,
}

#[derive(Debug, Clone)]
enum Set {
    To(AttributeValue),
    IfAbsent(AttributeValue),
    Append(AttributeValue),
}

impl Changes {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn set(mut self, name: &'static str, value: AttributeValue) -> Self {
        self.set.push((name, Set::To(value)));
        self
    }

    pub(crate) fn set_if_absent(mut self, name: &'static str, value: AttributeValue) -> Self {
        self.set.push((name, Set::IfAbsent(value)));
        self
    }

    /// Appends to a list, which begins empty.
    pub(crate) fn append(mut self, name: &'static str, element: AttributeValue) -> Self {
        self.set.push((name, Set::Append(element)));
        self
    }

    /// Adds to a number, which begins at 0, or to a set, which begins empty.
    pub(crate) fn add(mut self, name: impl Into<Cow<'static, str>>, value: AttributeValue) -> Self {
        self.add.push((name.into(), value));
        self
    }

    /// Takes members out of a set. A set without members is removed.
    pub(crate) fn delete(mut self, name: &'static str, members: AttributeValue) -> Self {
        self.delete.push((name, members));
        self
    }

    pub(crate) fn remove(mut self, name: &'static str) -> Self {
        self.remove.push(name);
        self
    }

    /// Sets the attribute, or removes it if there is no value.
    pub(crate) fn set_or_remove(self, name: &'static str, value: Option<AttributeValue>) -> Self {
        match value {
            Some(value) => self.set(name, value),
            None => self.remove(name),
        }
    }

    /// DynamoDB refuses an update expression without a clause.
    pub(crate) fn is_empty(&self) -> bool {
        let Self { set, add, delete, remove } = self;
        set.is_empty() && add.is_empty() && delete.is_empty() && remove.is_empty()
    }

    pub(crate) fn render(self, placeholders: &mut Placeholders) -> String {
        let mut clauses = Vec::new();
        clause(&mut clauses, "SET", self.set, |(name, set)| {
            let name = placeholders.name(name);
            match set {
                Set::To(value) => format!("{name} = {}", placeholders.value(value)),
                Set::IfAbsent(value) => {
                    format!("{name} = if_not_exists({name}, {})", placeholders.value(value))
                }
                Set::Append(element) => {
                    let empty = placeholders.value(AttributeValue::L(Vec::new()));
                    let list = placeholders.value(AttributeValue::L(vec![element]));
                    format!("{name} = list_append(if_not_exists({name}, {empty}), {list})")
                }
            }
        });
        clause(&mut clauses, "ADD", self.add, |(name, value)| {
            format!("{} {}", placeholders.name(&name), placeholders.value(value))
        });
        clause(&mut clauses, "DELETE", self.delete, |(name, members)| {
            format!("{} {}", placeholders.name(name), placeholders.value(members))
        });
        clause(&mut clauses, "REMOVE", self.remove, |name| placeholders.name(name));
        clauses.join(" ")
    }
}

fn clause<T>(
    clauses: &mut Vec<String>,
    keyword: &str,
    parts: Vec<T>,
    render: impl FnMut(T) -> String,
) {
    let parts: Vec<String> = parts.into_iter().map(render).collect();
    if !parts.is_empty() {
        clauses.push(format!("{keyword} {}", parts.join(", ")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::attr::{number, text};

    fn render(changes: Changes) -> String {
        changes.render(&mut Placeholders::default())
    }

    #[test]
    fn renders_each_clause_once() {
        let changes = Changes::new()
            .set("state", text("dead"))
            .add("attempts", number(1))
            .delete("members", AttributeValue::Ss(vec!["a".to_owned()]))
            .remove("owner")
            .append("log", text("a"))
            .set_if_absent("created_at", number(5))
            .set_or_remove("reason", Some(text("why")))
            .set_or_remove("next", None);
        assert_eq!(
            render(changes),
            "SET #state = :v0, #log = list_append(if_not_exists(#log, :v1), :v2), \
             #created_at = if_not_exists(#created_at, :v3), #reason = :v4 \
             ADD #attempts :v5 DELETE #members :v6 REMOVE #owner, #next"
        );
    }

    #[test]
    fn omits_empty_clauses() {
        assert_eq!(render(Changes::new().remove("unknown")), "REMOVE #unknown");
        assert_eq!(render(Changes::new().add("asked", number(1))), "ADD #asked :v0");
    }

    #[test]
    fn is_empty_without_a_clause() {
        assert!(Changes::new().is_empty());
        for changes in [
            Changes::new().set("a", number(1)),
            Changes::new().add("a", number(1)),
            Changes::new().delete("a", AttributeValue::Ss(vec!["a".to_owned()])),
            Changes::new().remove("a"),
        ] {
            assert!(!changes.is_empty(), "{changes:?}");
        }
    }
}
