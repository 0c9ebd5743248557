//! The settings of the measured installation.

use data_encoding::BASE64;
use doubles::ssm::Kind;
use serde_json::{Value, json};

use super::requests::{ACCOUNT, NUMBER, SECRET, USER};

pub(super) const STAGE: &str = "bench";
/// Never reached: the programs' own time is measured.
const CALLS_PER_SECOND: u32 = 10_000;

const SECRET_SHA256: &str = "9c8b8c99167e2448b878edfb49806261699e170647681920d8949f4ae2aef441";

type Setting = (String, Kind, String);

/// By name. The servers of others are at `url`.
pub(super) fn all(url: &str) -> Vec<Setting> {
    let admin = json!({ "password_sha256": SECRET_SHA256, "role": "admin", "accounts": ["*"] });
    let shipway = json!({ "base_url": url, "calls_per_second": CALLS_PER_SECOND,
                          "shared_with": [ACCOUNT] });
    let key = json!({ "email": "merchant@example.invalid", "license_key": SECRET });
    let whatsapp = json!({ "phone_numbers": { NUMBER: ACCOUNT }, "graph_url": url,
                           "messages_per_second": 1_000 });
    let app = json!({ "app_secret": [SECRET], "verify_token": SECRET, "access_token": SECRET });
    let secret =
        |name: &str, value: &Value| (name.to_owned(), Kind::SecureString, value.to_string());
    let setting = |name: &str, value: &Value| (name.to_owned(), Kind::String, value.to_string());
    let mut all = vec![
        secret("vendors/shop", &json!({ "secret": SECRET, "account": ACCOUNT })),
        secret(&format!("users/{USER}"), &admin),
        secret("tracking", &json!({ "keys": [SECRET], "public_url": "https://track.example.com" })),
        setting("sources/shiprocket/settings", &json!({ "mode": "token", "account": ACCOUNT })),
        ("sources/shiprocket/secret".to_owned(), Kind::SecureString, SECRET.to_owned()),
        setting("sources/shipway/settings", &shipway),
        secret("sources/shipway/secret", &key),
        setting("sources/whatsapp/settings", &whatsapp),
        secret("sources/whatsapp/secret", &app),
    ];
    all.extend(endpoint("customer", &format!("{url}/hook"), &json!({ "max_in_flight": 10 })));
    all
}

/// An endpoint that gets the changes of all accounts.
pub(super) fn endpoint(name: &str, url: &str, more: &Value) -> Vec<Setting> {
    let mut settings = json!({ "format": "standard", "accounts": ["*"] });
    for (name, value) in more.as_object().into_iter().flatten() {
        settings[name] = value.clone();
    }
    let secret = format!("whsec_{}", BASE64.encode(SECRET.as_bytes()));
    vec![
        (format!("endpoints/{name}/secret"), Kind::SecureString, secret),
        (format!("endpoints/{name}/settings"), Kind::String, settings.to_string()),
        (format!("endpoints/{name}/url"), Kind::String, url.to_owned()),
    ]
}
