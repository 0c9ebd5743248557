//! Which calls a role allows.

mod calls;
mod condition;
#[cfg(test)]
mod tests;

use serde::Deserialize;
use serde_json::Value;

pub use self::calls::{calls, decryptions};

use self::condition::{Condition, Context};
use crate::names::{REGION, URL_SUFFIX};

/// The statements of a role's inline policies, with resolved references.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    pub statements: Vec<Statement>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Statement {
    pub sid: Option<String>,
    pub effect: Effect,
    #[serde(rename = "Action")]
    pub actions: Items,
    #[serde(rename = "Resource")]
    pub resources: Items,
    #[serde(default)]
    condition: Condition,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Effect {
    Allow,
    Deny,
}

/// One text or a list of them.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Items {
    One(String),
    Many(Vec<String>),
}

impl Items {
    pub fn as_slice(&self) -> &[String] {
        match self {
            Self::One(item) => std::slice::from_ref(item),
            Self::Many(items) => items,
        }
    }
}

impl Policy {
    /// Reads the `Policies` of a role.
    pub fn read(policies: &Value) -> Result<Self, serde_json::Error> {
        let policies = policies.as_array().map(Vec::as_slice).unwrap_or_default();
        let statements = policies.iter().flat_map(|policy| {
            policy["PolicyDocument"]["Statement"].as_array().into_iter().flatten()
        });
        let statements = statements.map(Statement::deserialize).collect::<Result<_, _>>()?;
        Ok(Self { statements })
    }

    /// True if a statement allows the call, and none denies it.
    pub fn allows(&self, action: &str, resource: &str) -> bool {
        let applies = |effect| self.applies(effect, action, resource, &[]);
        applies(Effect::Allow) && !applies(Effect::Deny)
    }

    /// True unless a statement denies it. AWS's own key for parameters allows it to every caller of
    /// SSM in the account.
    pub fn may_decrypt(&self, parameter_arn: &str) -> bool {
        let through = format!("ssm.{REGION}.{URL_SUFFIX}");
        let context = [
            ("kms:ViaService", through.as_str()),
            ("kms:EncryptionContext:PARAMETER_ARN", parameter_arn),
        ];
        let key = crate::names::arn("kms", "key/aws-ssm");
        !self.applies(Effect::Deny, "kms:Decrypt", &key, &context)
    }

    fn applies(&self, effect: Effect, action: &str, resource: &str, context: Context<'_>) -> bool {
        self.statements.iter().any(|statement| {
            statement.effect == effect
                && any_matches(&statement.actions, action)
                && any_matches(&statement.resources, resource)
                && statement.condition.holds(context)
        })
    }
}

fn any_matches(patterns: &Items, text: &str) -> bool {
    patterns.as_slice().iter().any(|pattern| matches(pattern, text))
}

/// `*` matches any text, also with `/` and `:`.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((before, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(text) = text.strip_prefix(before) else { return false };
    let ends = text.char_indices().map(|(index, _)| index).chain([text.len()]);
    ends.into_iter().any(|index| matches(rest, &text[index..]))
}
