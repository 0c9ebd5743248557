//! The settings of the simulated installation: accounts, callers, sources and endpoints.

use data_encoding::HEXLOWER;
use doubles::ssm::{Kind, Ssm};
use serde_json::json;
use sha2::{Digest, Sha256};

use endpoints::{Endpoints, url, whsec};

pub(crate) mod endpoints;
pub(crate) mod messages;
pub(crate) mod polling;
pub(crate) mod tracking;

pub(crate) const STAGE: &str = "sim";

/// The accounts. The first owns the sources' default URLs.
pub(crate) const ACCOUNTS: [&str; 2] = ["STORE001", "STORE002"];

/// Personal data and secrets contain one of these. No log line may.
pub(crate) const CANARIES: [&str; 2] = ["canary", PHONE];
/// The beginning of every phone number.
pub(crate) const PHONE: &str = "9876543";

pub(crate) const SOURCE_SECRET: &str = "canary-source-token-0123456789abcdef";
/// A user who may do everything in all accounts.
pub(crate) const ADMIN: &str = "admin";
/// Of every user.
pub(crate) const PASSWORD: &str = "canary-password-of-everybody";

/// The hook by which sources report about the second account.
pub(crate) const HOOK: &str = "hookofthesecondaccount";

const SHIPWAY_SECRET: &str =
    r#"{"email":"shop@example.invalid","license_key":"canary-license-key"}"#;
/// The MD5 of e-mail and license key.
pub(crate) const SHIPWAY_HASH: &str = "379900d635c1241e8ddd98f901d1a730";

/// The secret that a shop's server has at first.
pub(crate) fn vendor_secret(account: &str) -> String {
    format!("canary-vendor-secret-of-{account}")
}

/// The setting of a shop's server.
pub(crate) fn vendor(account: &str, secret: &str) -> String {
    json!({ "secret": secret, "account": account }).to_string()
}

/// How long endpoints want deliveries to be retried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Patience {
    /// For less than a minute: such a run ends within virtual minutes.
    Short,
    /// By the default of the format, and days more for one endpoint.
    Long,
}

/// Writes every setting.
pub(crate) fn settings(patience: Patience, endpoints: &Endpoints, now: u64) -> Ssm {
    let mut ssm = Ssm::default();
    let mut put = |name: &str, kind, value: &str| {
        ssm.put(&format!("/waypost/{STAGE}/{name}"), kind, value, now);
    };
    for account in ACCOUNTS {
        let vendor = vendor(account, &vendor_secret(account));
        put(&format!("vendors/{account}"), Kind::SecureString, &vendor);
    }
    let hash = password_hash();
    let admin = json!({ "password_sha256": hash, "role": "admin", "accounts": ["*"] });
    put(&format!("users/{ADMIN}"), Kind::SecureString, &admin.to_string());
    put("sources/shiprocket/settings", Kind::String, r#"{"mode":"token","account":"STORE001"}"#);
    put("sources/shiprocket/secret", Kind::SecureString, SOURCE_SECRET);
    put("sources/shipway/settings", Kind::String, r#"{"account":"STORE001"}"#);
    put("sources/shipway/secret", Kind::SecureString, SHIPWAY_SECRET);
    put("sources/esahayak/settings", Kind::String, r#"{"mode":"hmac","account":"STORE001"}"#);
    put("sources/esahayak/secret", Kind::SecureString, SOURCE_SECRET);
    let hook = json!({ "account": "STORE002" }).to_string();
    for source in ["shiprocket", "shipway", "esahayak"] {
        put(&format!("sources/{source}/hooks/{HOOK}"), Kind::SecureString, &hook);
    }
    put("tracking", Kind::SecureString, &tracking::setting());
    for endpoint in endpoints.all() {
        let name = endpoint.name;
        let secret = whsec(endpoints.key(name));
        put(&format!("endpoints/{name}/secret"), Kind::SecureString, &secret);
        let settings = endpoint.settings(patience).to_string();
        put(&format!("endpoints/{name}/settings"), Kind::String, &settings);
        put(&format!("endpoints/{name}/url"), Kind::String, &url(name));
    }
    ssm
}

fn password_hash() -> String {
    HEXLOWER.encode(&Sha256::digest(PASSWORD))
}
