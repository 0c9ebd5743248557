//! The settings of polling: whose credentials are used for whose parcels.

use domain::core::id::AccountCode;
use doubles::ssm::{Kind, Ssm};
use fastrand::Rng;
use serde_json::{Value, json};

use super::{ACCOUNTS, SHIPWAY_SECRET, STAGE};

/// The host of the carrier's tracking API.
pub(crate) const CARRIER: &str = "carrier.example";

/// `Authorization` of the source's credentials.
const BASIC: &str = "Basic c2hvcEBleGFtcGxlLmludmFsaWQ6Y2FuYXJ5LWxpY2Vuc2Uta2V5";
const SECOND_SECRET: &str =
    r#"{"email":"second@example.invalid","license_key":"canary-second-key"}"#;
const SECOND_BASIC: &str = "Basic c2Vjb25kQGV4YW1wbGUuaW52YWxpZDpjYW5hcnktc2Vjb25kLWtleQ==";

/// A customer of the carrier, who sees the own parcels only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Shop {
    /// Has the source's credentials.
    First,
    Second,
}

impl Shop {
    pub(crate) fn by_authorization(text: &str) -> Option<Self> {
        match text {
            BASIC => Some(Self::First),
            SECOND_BASIC => Some(Self::Second),
            _ => None,
        }
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
        let mut put = |name: &str, kind, value: &str| {
            ssm.put(&format!("/waypost/{STAGE}/{name}"), kind, value, now);
        };
        put("sources/shipway/settings", Kind::String, &self.settings().to_string());
        put("sources/shipway/secret", Kind::SecureString, SHIPWAY_SECRET);
        if self.access == Access::Own {
            let name = format!("accounts/{}/shipway", ACCOUNTS[1]);
            put(&name, Kind::SecureString, SECOND_SECRET);
        }
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
