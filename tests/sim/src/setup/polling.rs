//! The settings of polling: whose credentials are used for whose parcels.

use data_encoding::BASE64;
use domain::core::id::AccountCode;
use doubles::ssm::{Kind, Ssm};
use fastrand::Rng;
use serde_json::{Value, json};

use super::{ACCOUNTS, STAGE};

/// The host of the carrier's tracking API.
pub(crate) const CARRIER: &str = "carrier.example";

/// A customer of the carrier, who sees the own parcels only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Shop {
    /// Has the source's credentials.
    First,
    Second,
}

/// A license key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key {
    Old,
    New,
}

impl Shop {
    /// The shop and the key of an `Authorization`.
    pub(crate) fn by_authorization(text: &str) -> Option<(Self, Key)> {
        let shops = [Self::First, Self::Second];
        let mut all = shops.into_iter().flat_map(|shop| [(shop, Key::Old), (shop, Key::New)]);
        all.find(|(shop, key)| {
            let pair = format!("{}:{}", shop.email(), shop.license_key(*key));
            text.strip_prefix("Basic ") == Some(BASE64.encode(pair.as_bytes()).as_str())
        })
    }

    fn email(self) -> &'static str {
        match self {
            Self::First => "shop@example.invalid",
            Self::Second => "second@example.invalid",
        }
    }

    fn license_key(self, key: Key) -> &'static str {
        match (self, key) {
            (Self::First, Key::Old) => "canary-license-key",
            (Self::First, Key::New) => "canary-new-license-key",
            (Self::Second, Key::Old) => "canary-second-key",
            (Self::Second, Key::New) => "canary-new-second-key",
        }
    }

    fn parameter(self) -> String {
        match self {
            Self::First => format!("/waypost/{STAGE}/sources/shipway/secret"),
            Self::Second => format!("/waypost/{STAGE}/accounts/{}/shipway", ACCOUNTS[1]),
        }
    }

    /// Stores the credentials: these keys, the current one first.
    pub(crate) fn put(self, keys: &[Key], ssm: &mut Ssm, now: u64) {
        let keys: Vec<&str> = keys.iter().map(|key| self.license_key(*key)).collect();
        let secret = json!({ "email": self.email(), "license_key": keys });
        ssm.put(&self.parameter(), Kind::SecureString, &secret.to_string(), now);
    }

    pub(crate) fn remove(self, ssm: &mut Ssm) {
        ssm.remove(&self.parameter());
    }
}

/// How the second account is polled. The first one has the source's credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Own,
    /// With the source's credentials.
    Shared,
    Nobody,
}

/// How a run polls.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Polling {
    pub(crate) access: Access,
    pub(crate) calls_per_second: f64,
}

impl Polling {
    pub(crate) fn draw(random: &mut Rng) -> Self {
        let access = match random.u8(..5) {
            0 => Access::Nobody,
            1 | 2 => Access::Shared,
            _ => Access::Own,
        };
        let rates = [5.0, 1.0, 0.2];
        Self { access, calls_per_second: rates[random.usize(..rates.len())] }
    }

    /// The shop whose credentials may be used for the account. `None`: it is not polled.
    pub(crate) fn shop(self, account: &AccountCode) -> Option<Shop> {
        match self.access {
            _ if account.as_str() == ACCOUNTS[0] => Some(Shop::First),
            Access::Shared => Some(Shop::First),
            Access::Own => Some(Shop::Second),
            Access::Nobody => None,
        }
    }

    pub(crate) fn put(self, ssm: &mut Ssm, now: u64) {
        self.put_settings(ssm, now);
        Shop::First.put(&[Key::Old], ssm, now);
        if self.access == Access::Own {
            Shop::Second.put(&[Key::Old], ssm, now);
        }
    }

    pub(crate) fn put_settings(self, ssm: &mut Ssm, now: u64) {
        let name = format!("/waypost/{STAGE}/sources/shipway/settings");
        ssm.put(&name, Kind::String, &self.settings().to_string(), now);
    }

    fn settings(self) -> Value {
        let shared_with = if self.access == Access::Shared { &ACCOUNTS[1..] } else { &[] };
        json!({
            "account": ACCOUNTS[0], "shared_with": shared_with,
            "base_url": format!("https://{CARRIER}"),
            "calls_per_second": self.calls_per_second,
        })
    }
}
