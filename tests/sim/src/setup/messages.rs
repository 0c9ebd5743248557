//! The settings of WhatsApp, and the users who see its messages.

use doubles::ssm::{Kind, Ssm};
use serde_json::{Map, Value, json};

use super::{ACCOUNTS, STAGE, password_hash};

/// Meta's ids of the business's phone numbers, and their accounts.
pub(crate) const NUMBERS: [(&str, &str); 3] =
    [("100001", ACCOUNTS[0]), ("100002", ACCOUNTS[0]), ("200001", ACCOUNTS[1])];
/// A number of nobody.
pub(crate) const FOREIGN_NUMBER: &str = "900009";

/// The current secret and the one before.
pub(crate) const APP_SECRETS: [&str; 2] = ["canary-app-secret", "canary-old-app-secret"];
pub(crate) const VERIFY_TOKEN: &str = "canary-verify-token";
/// With which messages are sent.
pub(crate) const ACCESS_TOKEN: &str = "canary-access-token";
/// The host of the Cloud API.
pub(crate) const CLOUD_API: &str = "graph.facebook.com";
/// So few that messages which leave together wait.
const MESSAGES_PER_SECOND: u32 = 2;

/// What a number may send by default, and what the double allows.
pub(crate) const DEFAULT_PER_SECOND: usize = 80;
/// Until then messages of the second account are put off: 2026-03-02T06:20:00Z, in milliseconds.
pub(crate) const MORNING: u64 = 1_772_432_400_000;
/// The status of which a rule tells.
pub(crate) const TOLD_STATUS: &str = "out_for_delivery";

/// The account of a number. `None`: nobody's.
pub(crate) fn account_of(number: &str) -> Option<&'static str> {
    NUMBERS.iter().find(|(id, _)| *id == number).map(|(_, account)| *account)
}

/// The user who is a partner of one account.
pub(crate) fn partner(account: &str) -> String {
    format!("partner-{account}")
}

pub(crate) fn put(ssm: &mut Ssm, now: u64) {
    let mut put = |name: &str, kind, value: &Value| {
        ssm.put(&format!("/waypost/{STAGE}/{name}"), kind, &value.to_string(), now);
    };
    let settings =
        json!({ "phone_numbers": numbers(), "messages_per_second": MESSAGES_PER_SECOND });
    put("sources/whatsapp/settings", Kind::String, &settings);
    let secret = json!({
        "app_secret": APP_SECRETS, "verify_token": VERIFY_TOKEN, "access_token": ACCESS_TOKEN,
    });
    put("sources/whatsapp/secret", Kind::SecureString, &secret);
    for account in ACCOUNTS {
        let user =
            json!({ "password_sha256": password_hash(), "role": "partner", "accounts": [account] });
        put(&format!("users/{}", partner(account)), Kind::SecureString, &user);
    }
}

/// The rules of an account: both tell shoppers of two statuses. The first one limits how often.
pub(crate) fn rules_of(account: &str) -> String {
    let number = NUMBERS.iter().find(|(_, owner)| *owner == account).map(|(id, _)| *id);
    let rule = |status: &str| {
        json!({
            "on": status, "template": "order_update", "language": "en",
            "max_age_minutes": 7 * 24 * 60,
        })
    };
    let mut rules =
        json!({ "phone_number_id": number, "rules": [rule(TOLD_STATUS), rule("delivered")] });
    if account == ACCOUNTS[0] {
        rules["daily_cap"] = 2.into();
    }
    rules.to_string()
}

pub(crate) fn put_rules(ssm: &mut Ssm, now: u64) {
    for account in ACCOUNTS {
        let name = format!("/waypost/{STAGE}/accounts/{account}/messages");
        ssm.put(&name, Kind::String, &rules_of(account), now);
    }
}

/// Each account tells its shoppers of a status, by its first number, as fast as numbers may by
/// default; the second one in the morning.
pub(crate) fn put_rules_of_crowd(ssm: &mut Ssm, now: u64) {
    let mut put = |name: &str, value: &Value| {
        ssm.put(&format!("/waypost/{STAGE}/{name}"), Kind::String, &value.to_string(), now);
    };
    put("sources/whatsapp/settings", &json!({ "phone_numbers": numbers() }));
    let texts = ["{first_name}", "{order_id}", "{status}"];
    let parameters = texts.map(|text| json!({ "type": "text", "text": text }));
    for account in ACCOUNTS {
        let number = NUMBERS.iter().find(|(_, owner)| *owner == account).map(|(id, _)| *id);
        let rule = json!({
            "on": TOLD_STATUS, "template": "order_update", "language": "en",
            "components": [{ "type": "body", "parameters": parameters }],
            "max_age_minutes": 7 * 24 * 60,
        });
        let mut rules = json!({ "phone_number_id": number, "rules": [rule] });
        if account == ACCOUNTS[1] {
            let zone = "Asia/Kolkata";
            rules["quiet_hours"] = json!({ "from": "11:00", "to": "11:50", "zone": zone });
        }
        put(&format!("accounts/{account}/messages"), &rules);
    }
}

fn numbers() -> Map<String, Value> {
    NUMBERS.iter().map(|(id, account)| ((*id).to_owned(), json!(account))).collect()
}
