//! Environment variables that the deployment template sets.

use std::collections::BTreeMap;
use std::fmt;

/// The variables of one function.
#[derive(Debug, Clone)]
pub struct Environment(BTreeMap<String, String>);

/// A variable that the template sets is missing or invalid: the function cannot start.
#[derive(thiserror::Error)]
#[error("environment variable {0} is missing or invalid")]
pub struct BadEnvironment(pub &'static str);

/// A `main` that fails prints this.
impl fmt::Debug for BadEnvironment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl Environment {
    /// The variables of this process. Those that are no text are left out.
    pub fn of_process() -> Self {
        let pair = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self(std::env::vars_os().filter_map(pair).collect())
    }

    /// Returns a variable. An empty one counts as missing.
    pub fn variable(&self, name: &'static str) -> Result<String, BadEnvironment> {
        let value = self.0.get(name).filter(|value| !value.is_empty());
        value.cloned().ok_or(BadEnvironment(name))
    }

    /// `None` for a variable that is empty or missing.
    pub fn optional(&self, name: &str) -> Option<String> {
        self.0.get(name).filter(|value| !value.is_empty()).cloned()
    }
}

impl FromIterator<(String, String)> for Environment {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(variables: I) -> Self {
        Self(variables.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_variable_counts_as_missing() {
        let environment: Environment = [("A", "a"), ("B", "")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into_iter()
            .collect();
        assert_eq!(environment.variable("A").ok().as_deref(), Some("a"));
        for name in ["B", "C"] {
            assert!(environment.variable(name).is_err(), "{name}");
        }
    }

    #[test]
    fn has_the_variables_of_the_process() {
        assert!(Environment::of_process().variable("PATH").is_ok());
    }
}
