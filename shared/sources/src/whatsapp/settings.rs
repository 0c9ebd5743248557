//! WhatsApp's parameters. Unknown fields are rejected.

use std::collections::BTreeMap;

use domain::core::id::AccountCode;
use serde::Deserialize;

use crate::setup::{InvalidSetting, Rotated, read_secret, read_settings};

/// `sources/whatsapp/settings`. Webhooks do not use the `graph_` fields.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    phone_numbers: BTreeMap<NumberId, AccountCode>,
    /// By Meta's ids of business accounts, for updates that name no phone number.
    #[serde(default)]
    business_accounts: BTreeMap<NumberId, AccountCode>,
    #[serde(rename = "graph_url")]
    _graph_url: Option<String>,
    #[serde(rename = "graph_version")]
    _graph_version: Option<String>,
}

/// Meta's id of a phone number, which is not the phone number, or of a business account.
#[derive(PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
struct NumberId(String);

impl TryFrom<String> for NumberId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            Ok(Self(text))
        } else {
            Err("must use Meta's ids, which are digits, as keys")
        }
    }
}

/// The account of each of our phone numbers and business accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numbers {
    numbers: BTreeMap<String, AccountCode>,
    business_accounts: BTreeMap<String, AccountCode>,
}

impl Numbers {
    /// Reads the text of `sources/whatsapp/settings`.
    pub fn read(settings: &str) -> Result<Self, InvalidSetting> {
        let settings: Settings = read_settings(settings)?;
        let plain = |ids: BTreeMap<NumberId, AccountCode>| {
            ids.into_iter().map(|(id, account)| (id.0, account)).collect()
        };
        let numbers: BTreeMap<String, AccountCode> = plain(settings.phone_numbers);
        let business_accounts = plain(settings.business_accounts);
        if business_accounts.keys().any(|id| numbers.contains_key(id)) {
            return Err(InvalidSetting {
                parameter: "settings",
                field: Some("business_accounts".to_owned()),
                problem: "must not name an id of phone_numbers".to_owned(),
            });
        }
        Ok(Self { numbers, business_accounts })
    }

    /// Finds an account by phone number id.
    pub fn account(&self, number: &str) -> Option<&AccountCode> {
        self.numbers.get(number)
    }

    /// Finds an account by the id of a business account.
    pub fn account_of_business(&self, id: &str) -> Option<&AccountCode> {
        self.business_accounts.get(id)
    }

    /// Finds an account by either id: no id is both.
    pub(super) fn owner(&self, id: &str) -> Option<&AccountCode> {
        self.account(id).or_else(|| self.account_of_business(id))
    }
}

/// `sources/whatsapp/secret`, or a hook's secret.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Secret {
    #[serde(rename = "app_secret")]
    pub(super) app_secrets: Rotated,
    /// Meta sends it when it verifies the endpoint.
    #[serde(deserialize_with = "non_blank")]
    pub(super) verify_token: String,
    #[serde(rename = "access_token")]
    _access_token: Option<String>,
}

impl Secret {
    pub(super) fn read(secret: Option<&str>) -> Result<Self, InvalidSetting> {
        read_secret(secret).map_err(redact)
    }
}

/// An unknown field name may be a secret in the wrong place, so only known names are shown.
fn redact(error: InvalidSetting) -> InvalidSetting {
    let known =
        |field: &String| ["app_secret", "verify_token", "access_token"].contains(&field.as_str());
    let (field, problem) = match error.field.clone() {
        Some(field) if known(&field) => (Some(field), error.problem),
        Some(_) => (None, "has an unknown field".to_owned()),
        None => (None, error.problem),
    };
    InvalidSetting { field, problem, ..error }
}

fn non_blank<'de, D: serde::Deserializer<'de>>(input: D) -> Result<String, D::Error> {
    let text = String::deserialize(input)?;
    if text.trim().is_empty() {
        Err(serde::de::Error::custom("must not be empty"))
    } else {
        Ok(text)
    }
}

#[cfg(test)]
mod tests;
