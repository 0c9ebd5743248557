//! The parameters from which an authenticator is built.

use domain::core::request_body::{InvalidBody, read_object};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// The parameters of a source, for its plain path or for one hook.
#[derive(Clone, Copy)]
pub struct Setup<'a> {
    /// Text of the `settings` parameter.
    pub settings: &'a str,
    /// The hook's own secret, otherwise the text of the `secret` parameter.
    pub secret: Option<&'a str>,
    /// `None` for the plain path.
    pub hook: Option<Hook<'a>>,
}

/// Fewest characters in the id of a hook without a secret: the id serves as the secret.
const MIN_ID_LENGTH: usize = 16;

/// A webhook path that belongs to one account.
#[derive(Clone, Copy)]
pub struct Hook<'a> {
    /// Last segment of the path.
    pub id: &'a str,
    pub has_secret: bool,
}

impl Hook<'_> {
    /// For a hook whose id serves as its secret.
    pub(crate) fn require_long_id(self) -> Result<(), InvalidSetting> {
        if self.id.chars().count() >= MIN_ID_LENGTH {
            return Ok(());
        }
        let problem =
            format!("an id without a secret must have at least {MIN_ID_LENGTH} characters");
        Err(InvalidSetting { parameter: "hooks", field: None, problem })
    }
}

/// A parameter that cannot be used. Never quotes its content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{parameter}{}: {problem}", .field.as_ref().map(|field| format!(" ({field})")).unwrap_or_default())]
pub struct InvalidSetting {
    /// `settings`, `secret` or `hooks`.
    pub parameter: &'static str,
    pub field: Option<String>,
    pub problem: String,
}

/// The current value and, while it is being replaced, the previous one: a string, or a list.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "OneOrMore")]
pub(crate) struct Rotated(Vec<String>);

#[derive(Deserialize)]
#[serde(untagged, expecting = "must be a string or a list of strings")]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl TryFrom<OneOrMore> for Rotated {
    type Error = &'static str;

    fn try_from(secrets: OneOrMore) -> Result<Self, Self::Error> {
        let secrets = match secrets {
            OneOrMore::One(secret) => vec![secret],
            OneOrMore::More(secrets) => secrets,
        };
        let valid = (1..=2).contains(&secrets.len())
            && !secrets.iter().any(|secret| secret.trim().is_empty());
        if valid { Ok(Self(secrets)) } else { Err("must be one or two non-empty strings") }
    }
}

impl Rotated {
    /// The current one first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Each value with its partner of the same age. A value without one has the only other one.
    pub(crate) fn zip<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let at = |values: &'a [String], n: usize| values.get(n).or(values.last());
        (0..self.0.len().max(other.0.len()))
            .filter_map(move |n| Some((at(&self.0, n)?.as_str(), at(&other.0, n)?.as_str())))
    }
}

/// Reads `settings` as a JSON object.
pub(crate) fn read_settings<T: DeserializeOwned>(text: &str) -> Result<T, InvalidSetting> {
    read_parameter("settings", text)
}

/// Reads `secret` as a JSON object, for sources with several secrets.
pub(crate) fn read_secret<T: DeserializeOwned>(secret: Option<&str>) -> Result<T, InvalidSetting> {
    read_parameter("secret", require_secret(secret)?)
}

fn read_parameter<T: DeserializeOwned>(
    parameter: &'static str,
    text: &str,
) -> Result<T, InvalidSetting> {
    read_object(text.as_bytes()).map_err(|error| match error {
        InvalidBody::Malformed(_) => {
            InvalidSetting { parameter, field: None, problem: "must be a JSON object".to_owned() }
        }
        InvalidBody::Invalid { field, message } => {
            InvalidSetting { parameter, field: Some(field), problem: message }
        }
    })
}

/// Reads `secret` as plain text: the current secret and, while it is being replaced, the previous
/// one after a space.
pub(crate) fn require_secrets(secret: Option<&str>) -> Result<Vec<&str>, InvalidSetting> {
    let secrets: Vec<&str> = require_secret(secret)?.split_whitespace().collect();
    if secrets.len() <= 2 {
        return Ok(secrets);
    }
    let problem = "must be one secret, or two separated by a space".to_owned();
    Err(InvalidSetting { parameter: "secret", field: None, problem })
}

/// Rejects a missing and a blank secret.
fn require_secret(secret: Option<&str>) -> Result<&str, InvalidSetting> {
    let problem = match secret {
        Some(secret) if !secret.trim().is_empty() => return Ok(secret),
        Some(_) => "must not be empty",
        None => "is missing",
    };
    Err(InvalidSetting { parameter: "secret", field: None, problem: problem.to_owned() })
}
