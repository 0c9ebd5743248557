//! Environment variables that the deployment template sets.

/// A variable that the template sets is missing or invalid: the function cannot start.
#[derive(Debug, thiserror::Error)]
#[error("environment variable {0} is missing or invalid")]
pub struct BadEnvironment(pub &'static str);

/// Reads a variable. An empty one counts as missing.
pub fn variable(name: &'static str) -> Result<String, BadEnvironment> {
    std::env::var(name).ok().filter(|value| !value.is_empty()).ok_or(BadEnvironment(name))
}
