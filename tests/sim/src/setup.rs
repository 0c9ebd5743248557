//! The settings of the simulated installation: accounts, callers, sources and endpoints.

use data_encoding::{BASE64, HEXLOWER};
use doubles::ssm::{Kind, Ssm};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

pub(crate) mod messages;
pub(crate) mod polling;

pub(crate) const STAGE: &str = "sim";

/// The accounts. The first owns the sources' default URLs.
pub(crate) const ACCOUNTS: [&str; 2] = ["STORE001", "STORE002"];

/// The endpoints, their formats and accounts.
pub(crate) const ENDPOINTS: [(&str, &str, &[&str]); 4] = [
    ("both", "standard", &["*"]),
    ("first", "order.status_changed", &["STORE001"]),
    ("second", "standard", &["STORE002"]),
    ("updates", "status_update", &["*"]),
];

/// The waits of the endpoints between their attempts, but for long scenarios.
pub(crate) const BACKOFF_SECONDS: [u64; 5] = [1, 2, 5, 10, 20];

/// Personal data and secrets contain one of these. No log line may.
pub(crate) const CANARIES: [&str; 2] = ["canary", PHONE];
/// The beginning of every phone number.
pub(crate) const PHONE: &str = "9876543";

pub(crate) const SOURCE_SECRET: &str = "canary-source-token-0123456789abcdef";
/// A user who may do everything in all accounts.
pub(crate) const ADMIN: &str = "admin";
/// Of every user.
pub(crate) const PASSWORD: &str = "canary-password";

/// The hook by which sources report about the second account.
pub(crate) const HOOK: &str = "hookofthesecondaccount";

const SHIPWAY_SECRET: &str =
    r#"{"email":"shop@example.invalid","license_key":"canary-license-key"}"#;
/// The MD5 of e-mail and license key.
pub(crate) const SHIPWAY_HASH: &str = "379900d635c1241e8ddd98f901d1a730";

pub(crate) fn vendor_secret(account: &str) -> String {
    format!("canary-vendor-secret-of-{account}")
}

pub(crate) fn signing_key(endpoint: &str) -> Vec<u8> {
    Sha256::digest(format!("canary-{endpoint}")).to_vec()
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
pub(crate) fn settings(patience: Patience, now: u64) -> Ssm {
    let mut ssm = Ssm::default();
    let mut put = |name: &str, kind, value: &str| {
        ssm.put(&format!("/waypost/{STAGE}/{name}"), kind, value, now);
    };
    for account in ACCOUNTS {
        let vendor = json!({ "secret": vendor_secret(account), "account": account });
        put(&format!("vendors/{account}"), Kind::SecureString, &vendor.to_string());
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
    for (name, format, accounts) in ENDPOINTS {
        put(&format!("endpoints/{name}/secret"), Kind::SecureString, &whsec(name));
        let settings = endpoint_settings(name, format, accounts, patience).to_string();
        put(&format!("endpoints/{name}/settings"), Kind::String, &settings);
        put(&format!("endpoints/{name}/url"), Kind::String, &url(name));
    }
    ssm
}

fn endpoint_settings(name: &str, format: &str, accounts: &[&str], patience: Patience) -> Value {
    let mut settings = json!({ "format": format, "accounts": accounts, "timeout_seconds": 5 });
    match patience {
        Patience::Short => settings["backoff"] = json!(BACKOFF_SECONDS),
        Patience::Long if name == "both" => settings["retry_count"] = json!(12),
        Patience::Long => {}
    }
    settings
}

fn password_hash() -> String {
    HEXLOWER.encode(&Sha256::digest(PASSWORD))
}

fn whsec(endpoint: &str) -> String {
    format!("whsec_{}", BASE64.encode(&signing_key(endpoint)))
}

fn url(endpoint: &str) -> String {
    format!("https://{endpoint}.hooks.example/waypost?token=canary-token")
}
