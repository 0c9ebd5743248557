//! Shipway's parameters, for its webhooks and for polling it.

use std::num::NonZeroU32;

use domain::core::id::AccountCode;
use md5::{Digest, Md5};
use serde::Deserialize;

use crate::setup::{InvalidSetting, Rotated, read_secret, read_settings};

/// `sources/shipway/settings`. Unknown fields are rejected.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Address of the tracking API. `None` if Shipway is not polled.
    pub base_url: Option<String>,
    /// Account of the plain path, polled with the source's credentials. `None` if only hooks are
    /// open.
    pub account: Option<AccountCode>,
    /// Further accounts that are polled with the source's credentials. The carrier shows every
    /// parcel of these credentials to each of them.
    #[serde(default, deserialize_with = "listed")]
    pub shared_with: Vec<AccountCode>,
    /// Rate limit of the tracking API.
    #[serde(default)]
    pub calls_per_second: CallsPerSecond,
    /// Days without movement after which an order is reported as stalled. `None` turns this off.
    pub stalled_after_days: Option<NonZeroU32>,
}

/// No `*`: accounts that are created later must not get these credentials by themselves.
fn listed<'de, D: serde::Deserializer<'de>>(input: D) -> Result<Vec<AccountCode>, D::Error> {
    let accounts: Vec<AccountCode> = Vec::deserialize(input)?;
    if accounts.iter().any(|account| account.as_str() == "*") {
        return Err(serde::de::Error::custom("must list each account"));
    }
    Ok(accounts)
}

/// Calls per second; positive, 5 by default.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(try_from = "f64")]
pub struct CallsPerSecond(f64);

impl CallsPerSecond {
    pub fn get(self) -> f64 {
        self.0
    }
}

impl Default for CallsPerSecond {
    fn default() -> Self {
        Self(5.0)
    }
}

impl TryFrom<f64> for CallsPerSecond {
    type Error = &'static str;

    fn try_from(calls: f64) -> Result<Self, Self::Error> {
        if calls.is_finite() && calls > 0.0 {
            Ok(Self(calls))
        } else {
            Err("must be a positive number")
        }
    }
}

impl Settings {
    pub fn read(text: &str) -> Result<Self, InvalidSetting> {
        read_settings(text)
    }

    /// True if the account is polled with the source's credentials, unless it has its own.
    pub fn are_shared_with(&self, account: &AccountCode) -> bool {
        self.account.as_ref() == Some(account) || self.shared_with.contains(account)
    }
}

/// `sources/shipway/secret`: the credentials of a shop.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    email: Rotated,
    /// From Shipway's panel.
    license_key: Rotated,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credentials([REDACTED])")
    }
}

impl Credentials {
    pub fn read(secret: Option<&str>) -> Result<Self, InvalidSetting> {
        read_secret(secret)
    }

    /// The current `email:license_key`, for the tracking API.
    pub fn pair(&self) -> String {
        self.pairs().next().unwrap_or_default()
    }

    pub(super) fn pairs(&self) -> impl Iterator<Item = String> {
        self.email.zip(&self.license_key).map(|(email, key)| format!("{email}:{key}"))
    }

    /// Shipway's proof in a `status_feed`: the MD5 of a pair, in lower-case hexadecimal digits.
    /// Two while the e-mail address or the license key is being replaced.
    pub(super) fn hashes(&self) -> impl Iterator<Item = String> {
        self.pairs().map(|pair| data_encoding::HEXLOWER.encode(&Md5::digest(pair)))
    }
}
