//! Conditions of a statement: keys of the request's context and the values they must have.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::iam::{Items, matches};

/// (key, value)
pub(super) type Context<'a> = &'a [(&'a str, &'a str)];

type Values = BTreeMap<String, Items>;

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Condition {
    #[serde(default)]
    string_equals: Values,
    #[serde(default)]
    string_like: Values,
}

impl Condition {
    /// A key that the context lacks does not match.
    pub(super) fn holds(&self, context: Context<'_>) -> bool {
        let equals = |pattern: &str, value: &str| pattern == value;
        all_match(&self.string_equals, context, equals)
            && all_match(&self.string_like, context, matches)
    }
}

fn all_match(required: &Values, context: Context<'_>, matches: fn(&str, &str) -> bool) -> bool {
    required.iter().all(|(key, patterns)| {
        context
            .iter()
            .filter(|(name, _)| name == key)
            .any(|(_, value)| patterns.as_slice().iter().any(|pattern| matches(pattern, value)))
    })
}
