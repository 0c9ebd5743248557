//! WhatsApp's parameters. Unknown fields are rejected.

use std::collections::BTreeMap;

use domain::core::id::AccountCode;
use serde::Deserialize;

use crate::setup::{InvalidSetting, Rotated, read_secret, read_settings};

/// `sources/whatsapp/settings`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    phone_numbers: BTreeMap<NumberId, AccountCode>,
    /// By Meta's ids of business accounts, for updates that name no phone number.
    #[serde(default)]
    business_accounts: BTreeMap<NumberId, AccountCode>,
    graph_url: Option<String>,
    graph_version: Option<GraphVersion>,
    messages_per_second: Option<Rate>,
}

/// E.g. `v25.0`.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
struct GraphVersion(String);

impl TryFrom<String> for GraphVersion {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let digits = |text: &str| {
            (1..=3).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
        };
        let numbers = text.strip_prefix('v').and_then(|numbers| numbers.split_once('.'));
        if numbers.is_some_and(|(major, minor)| digits(major) && digits(minor)) {
            Ok(Self(text))
        } else {
            Err("must be a version of the Graph API, such as v25.0")
        }
    }
}

/// Messages a second.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "u32")]
struct Rate(u32);

impl TryFrom<u32> for Rate {
    type Error = &'static str;

    fn try_from(number: u32) -> Result<Self, Self::Error> {
        (2..=1000).contains(&number).then_some(Self(number)).ok_or("must be 2 to 1000")
    }
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

const GRAPH_URL: &str = "https://graph.facebook.com";
/// Supported until July 2028 (Graph API changelog).
const GRAPH_VERSION: &str = "v25.0";
/// What a number may send by default (WhatsApp Cloud API, "Throughput").
const MESSAGES_PER_SECOND: u32 = 80;

/// How messages are sent: the Cloud API and the numbers.
#[derive(Clone, PartialEq, Eq)]
pub struct CloudApi {
    pub numbers: Numbers,
    /// Each number sends at most so many messages a second.
    pub messages_per_second: u32,
    base: String,
    access_token: String,
}

/// Hides the token.
impl std::fmt::Debug for CloudApi {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CloudApi").field("base", &self.base).finish_non_exhaustive()
    }
}

impl CloudApi {
    /// Reads the texts of `sources/whatsapp/settings` and `sources/whatsapp/secret`.
    pub fn read(settings: &str, secret: Option<&str>) -> Result<Self, InvalidSetting> {
        let settings: Settings = read_settings(settings)?;
        let access_token = Secret::read(secret)?.access_token.ok_or_else(|| InvalidSetting {
            parameter: "secret",
            field: Some("access_token".to_owned()),
            problem: "is required to send messages".to_owned(),
        })?;
        let url = settings.graph_url.as_deref().unwrap_or(GRAPH_URL).trim_end_matches('/');
        let version = settings.graph_version.as_ref().map_or(GRAPH_VERSION, |it| &it.0);
        Ok(Self {
            base: format!("{url}/{version}"),
            messages_per_second: settings
                .messages_per_second
                .map_or(MESSAGES_PER_SECOND, |it| it.0),
            numbers: Numbers::of(settings.phone_numbers, settings.business_accounts)?,
            access_token,
        })
    }

    /// The URL to which messages of a number are posted.
    pub fn messages_url(&self, number: &str) -> String {
        format!("{}/{number}/messages", self.base)
    }

    /// The value of the header `Authorization`.
    pub fn authorization(&self) -> String {
        format!("Bearer {}", self.access_token)
    }
}

/// The account of each of our phone numbers and business accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numbers {
    numbers: BTreeMap<String, AccountCode>,
    business_accounts: BTreeMap<String, AccountCode>,
}

impl Numbers {
    /// Where the numbers are, without the prefix. Beside it are secrets.
    pub const PARAMETER: &'static str = "sources/whatsapp/settings";

    /// Reads the text of [`Self::PARAMETER`].
    pub fn read(settings: &str) -> Result<Self, InvalidSetting> {
        let settings: Settings = read_settings(settings)?;
        Self::of(settings.phone_numbers, settings.business_accounts)
    }

    fn of(
        phone_numbers: BTreeMap<NumberId, AccountCode>,
        business_accounts: BTreeMap<NumberId, AccountCode>,
    ) -> Result<Self, InvalidSetting> {
        let plain = |ids: BTreeMap<NumberId, AccountCode>| {
            ids.into_iter().map(|(id, account)| (id.0, account)).collect()
        };
        let numbers: BTreeMap<String, AccountCode> = plain(phone_numbers);
        let business_accounts = plain(business_accounts);
        if business_accounts.keys().any(|id| numbers.contains_key(id)) {
            return Err(InvalidSetting {
                parameter: "settings",
                field: Some("business_accounts".to_owned()),
                problem: "must not name an id of phone_numbers".to_owned(),
            });
        }
        Ok(Self { numbers, business_accounts })
    }

    /// The ids of an account's phone numbers.
    pub fn of_account(&self, account: &AccountCode) -> impl Iterator<Item = &str> {
        self.iter().filter(move |(_, owner)| *owner == account).map(|(id, _)| id)
    }

    /// Phone number ids with their accounts.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &AccountCode)> {
        self.numbers.iter().map(|(id, account)| (id.as_str(), account))
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
    /// Only to send messages.
    #[serde(default, deserialize_with = "visible")]
    access_token: Option<String>,
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

/// It goes into a header.
fn visible<'de, D: serde::Deserializer<'de>>(input: D) -> Result<Option<String>, D::Error> {
    let text = Option::<String>::deserialize(input)?;
    let is_visible = |text: &String| !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic());
    if text.as_ref().is_none_or(is_visible) {
        Ok(text)
    } else {
        Err(serde::de::Error::custom("must be visible ASCII characters"))
    }
}

#[cfg(test)]
mod tests;
