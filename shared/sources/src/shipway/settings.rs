//! What Shipway's parameters say, for its webhooks and for asking it.

use std::num::NonZeroU32;

use domain::core::id::AccountCode;
use md5::{Digest, Md5};
use serde::Deserialize;

use crate::InvalidSetting;
use crate::auth::{read_secret, read_settings};

/// `sources/shipway/settings`. A misspelt field could leave open what it should close, so none is ignored.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Where its tracking API is. Nothing where it only calls us.
    pub base_url: Option<String>,
    /// Whose the requests to the source's plain path are. Nothing where only hooks are open.
    pub account: Option<AccountCode>,
    /// How often its tracking API may be called.
    #[serde(default)]
    pub calls_per_second: CallsPerSecond,
    /// For how many days an order must not have moved to be told of as standing still. Nothing where none is.
    pub stalled_after_days: Option<NonZeroU32>,
}

/// Calls a second, more than none; 5 where nothing is said.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(try_from = "f64")]
pub struct CallsPerSecond(f64);

impl CallsPerSecond {
    /// The number.
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
    /// Reads the parameter.
    ///
    /// # Errors
    /// The field that cannot be used.
    pub fn read(text: &str) -> Result<Self, InvalidSetting> {
        read_settings(text)
    }
}

/// `sources/shipway/secret`: who a shop is at Shipway.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    /// The address it signs in with.
    pub email: String,
    /// The key of its API, from Shipway's panel.
    pub license_key: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credentials([REDACTED])")
    }
}

impl Credentials {
    /// Reads the parameter.
    ///
    /// # Errors
    /// It is missing, or the field that cannot be used.
    pub fn read(secret: Option<&str>) -> Result<Self, InvalidSetting> {
        let credentials: Self = read_secret(secret)?;
        let fields = [("email", &credentials.email), ("license_key", &credentials.license_key)];
        let blank = fields
            .into_iter()
            .find(|(_, text)| text.trim().is_empty())
            .map(|(field, _)| field.to_owned());
        if blank.is_none() {
            return Ok(credentials);
        }
        Err(InvalidSetting {
            parameter: "secret",
            field: blank,
            problem: "must not be empty".to_owned(),
        })
    }

    /// What Shipway shows to prove that it calls: the MD5 of both, in lower-case hexadecimal digits.
    pub(super) fn hash(&self) -> String {
        let digest = Md5::digest(format!("{}:{}", self.email, self.license_key));
        data_encoding::HEXLOWER.encode(&digest)
    }
}
