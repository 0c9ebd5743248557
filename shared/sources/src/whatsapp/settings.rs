//! What the parameters of WhatsApp hold. A misspelt field could close what should be open, so none is ignored.

use std::collections::BTreeMap;

use domain::core::id::AccountCode;
use serde::Deserialize;

use crate::InvalidSetting;
use crate::auth::{read_secret, read_settings};

/// `sources/whatsapp/settings`. Where messages are sent to does not concern who may call us.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    phone_numbers: BTreeMap<NumberId, AccountCode>,
    #[serde(rename = "graph_url")]
    _graph_url: Option<String>,
    #[serde(rename = "graph_version")]
    _graph_version: Option<String>,
}

/// Meta's id of a phone number, which is not the phone number.
#[derive(PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
struct NumberId(String);

impl TryFrom<String> for NumberId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if digits {
            Ok(Self(text))
        } else {
            Err("must name phone numbers by Meta's ids, which are digits")
        }
    }
}

/// Whose our numbers are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numbers(BTreeMap<String, AccountCode>);

impl Numbers {
    /// Of the text of `sources/whatsapp/settings`.
    ///
    /// # Errors
    /// Which field cannot be used.
    pub fn read(settings: &str) -> Result<Self, InvalidSetting> {
        let settings: Settings = read_settings(settings)?;
        Ok(Self(settings.phone_numbers.into_iter().map(|(id, account)| (id.0, account)).collect()))
    }

    /// The account that a number is of, by Meta's id of the number.
    pub fn account(&self, number: &str) -> Option<&AccountCode> {
        self.0.get(number)
    }
}

/// `sources/whatsapp/secret`, and a hook's.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Secret {
    /// The app's secret, and the one before while they are being changed.
    #[serde(rename = "app_secret")]
    pub(super) app_secrets: AppSecrets,
    /// What Meta shows when it asks whether this is the right address.
    #[serde(deserialize_with = "filled")]
    pub(super) verify_token: String,
    #[serde(rename = "access_token")]
    _access_token: Option<String>,
}

impl Secret {
    pub(super) fn read(secret: Option<&str>) -> Result<Self, InvalidSetting> {
        read_secret(secret).map_err(redact)
    }
}

/// Whatever else the text may be, it may be a secret in the wrong place: only names of fields that exist come back.
fn redact(error: InvalidSetting) -> InvalidSetting {
    let known =
        |field: &String| ["app_secret", "verify_token", "access_token"].contains(&field.as_str());
    let (field, problem) = match error.field.clone() {
        Some(field) if known(&field) => (Some(field), error.problem),
        Some(_) => (None, "has a field that is not known".to_owned()),
        None => (None, error.problem),
    };
    InvalidSetting { field, problem, ..error }
}

/// The current secret, and maybe the previous one.
#[derive(Deserialize)]
#[serde(try_from = "OneOrMore")]
pub(super) struct AppSecrets(Vec<String>);

#[derive(Deserialize)]
#[serde(untagged, expecting = "must be a string or a list of strings")]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl TryFrom<OneOrMore> for AppSecrets {
    type Error = &'static str;

    fn try_from(secrets: OneOrMore) -> Result<Self, Self::Error> {
        let secrets = match secrets {
            OneOrMore::One(secret) => vec![secret],
            OneOrMore::More(secrets) => secrets,
        };
        let fits = (1..=2).contains(&secrets.len())
            && !secrets.iter().any(|secret| secret.trim().is_empty());
        if fits { Ok(Self(secrets)) } else { Err("must be one or two secrets that are not empty") }
    }
}

impl AppSecrets {
    pub(super) fn iter(&self) -> impl Iterator<Item = &String> {
        self.0.iter()
    }
}

fn filled<'de, D: serde::Deserializer<'de>>(input: D) -> Result<String, D::Error> {
    let text = String::deserialize(input)?;
    if text.trim().is_empty() {
        Err(serde::de::Error::custom("must not be empty"))
    } else {
        Ok(text)
    }
}

#[cfg(test)]
mod tests;
