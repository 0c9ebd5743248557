//! The setting `realtime/pusher`: the app that events are published to.

use serde::Deserialize;

use crate::core::deserialize::Object;
use crate::core::id::AccountCode;
use crate::core::request_body::field_path;

/// Of an advanced parameter of SSM.
const MAX_BYTES: usize = 8 * 1024;
const HTTPS: u16 = 443;

/// Without it, events are not published.
#[derive(Clone, PartialEq, Eq)]
pub struct PusherSetting {
    pub(super) app_id: String,
    pub(super) key: String,
    pub(super) secret: String,
    host: String,
    port: u16,
    tls: bool,
    /// Also tells orders on channels that every holder of the key may read.
    pub(super) public_channels: bool,
    /// Its channels have names without an account.
    pub(super) account: Option<AccountCode>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSetting {
    app_id: String,
    key: String,
    secret: String,
    host: String,
    port: Option<u16>,
    tls: Option<bool>,
    #[serde(default)]
    public_channels: bool,
    account: Option<AccountCode>,
}

/// The message quotes no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {message}")]
pub struct InvalidPusherSetting {
    pub field: String,
    pub message: &'static str,
}

impl std::fmt::Debug for PusherSetting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let server = (&self.host, self.port, self.tls);
        f.debug_struct("PusherSetting").field("server", &server).finish_non_exhaustive()
    }
}

impl PusherSetting {
    pub fn parse(text: &str) -> Result<Self, InvalidPusherSetting> {
        if text.len() > MAX_BYTES {
            return invalid(".", "must not have over 8192 bytes");
        }
        let RawSetting { app_id, key, secret, host, port, tls, public_channels, account } =
            read(text)?;
        let (port, tls) = (port.unwrap_or(HTTPS), tls.unwrap_or(true));
        // They stand in the signed text and in the URL as they are.
        if !is_made_of(&app_id, 64, b"_-") {
            return invalid("app_id", "must be 1 to 64 letters, digits, `_` or `-`");
        }
        if !is_made_of(&key, 128, b"_-") {
            return invalid("key", "must be 1 to 128 letters, digits, `_` or `-`");
        }
        if !(1..=256).contains(&secret.len()) || !secret.bytes().all(|byte| byte.is_ascii_graphic())
        {
            return invalid("secret", "must be 1 to 256 visible ASCII characters");
        }
        if !is_made_of(&host, 253, b".-") {
            return invalid("host", "must be a host name, without scheme and port");
        }
        if port == 0 {
            return invalid("port", "must be 1 to 65535");
        }
        Ok(Self { app_id, key, secret, host, port, tls, public_channels, account })
    }

    /// Of the server, without a path.
    pub fn base_url(&self) -> String {
        let scheme = if self.tls { "https" } else { "http" };
        format!("{scheme}://{}:{}", self.host, self.port)
    }
}

fn read(text: &str) -> Result<RawSetting, InvalidPusherSetting> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let raw: Result<Object<RawSetting>, _> = serde_path_to_error::deserialize(&mut reader);
    let Object(raw) = raw.or_else(|error| {
        invalid(field_path(&error), "is missing or unknown, or has the wrong type or value")
    })?;
    if reader.end().is_err() {
        return invalid(".", "must be one JSON object");
    }
    Ok(raw)
}

fn is_made_of(text: &str, max: usize, others: &[u8]) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || others.contains(&byte);
    (1..=max).contains(&text.len()) && text.bytes().all(is_allowed)
}

fn invalid<T>(field: impl Into<String>, message: &'static str) -> Result<T, InvalidPusherSetting> {
    Err(InvalidPusherSetting { field: field.into(), message })
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
pub(super) mod tests {
    use serde_json::{Value, json};

    use super::*;

    pub(in crate::live::pusher) fn setting(changes: Value) -> PusherSetting {
        parse(changes).unwrap()
    }

    fn parse(changes: Value) -> Result<PusherSetting, InvalidPusherSetting> {
        let mut setting = json!({
            "app_id": "3", "key": "278d425bdf160c739803", "secret": "7ad3773142a6692b25b8",
            "host": "api-ap2.pusher.com",
        });
        for (name, value) in changes.as_object().unwrap() {
            setting[name] = value.clone();
        }
        PusherSetting::parse(&setting.to_string())
    }

    #[test]
    fn the_server_is_pusher_over_tls_unless_the_setting_says_otherwise() {
        assert_eq!(setting(json!({})).base_url(), "https://api-ap2.pusher.com:443");
        let own = json!({"host": "127.0.0.1", "port": 6001, "tls": false});
        assert_eq!(setting(own).base_url(), "http://127.0.0.1:6001");
        assert!(!setting(json!({})).public_channels);
    }

    #[test]
    fn rejects_a_setting_by_field_without_its_content() {
        for (changes, field) in [
            (json!({"app_id": ""}), "app_id"),
            (json!({"app_id": "canary/../1"}), "app_id"),
            (json!({"app_id": 3}), "app_id"),
            (json!({"key": "canary:x"}), "key"),
            (json!({"key": "a&auth_version=canary"}), "key"),
            (json!({"secret": ""}), "secret"),
            (json!({"secret": "canary\n"}), "secret"),
            (json!({"secret": null}), "secret"),
            (json!({"host": "https://canary"}), "host"),
            (json!({"host": "canary:6001"}), "host"),
            (json!({"host": "canary@evil.example"}), "host"),
            (json!({"port": 0}), "port"),
            (json!({"port": 65536}), "port"),
            (json!({"port": "443"}), "port"),
            (json!({"tls": "yes"}), "tls"),
            (json!({"account": ""}), "account"),
            (json!({"cluster": "canary"}), "cluster"),
        ] {
            let error = parse(changes.clone()).unwrap_err();
            assert_eq!(error.field, field, "{changes}");
            assert!(!error.to_string().contains("canary"), "{error}");
        }
        for text in ["", "[]", "null", "{", "{}", r#"{"key":1,"key":2}"#] {
            assert!(PusherSetting::parse(text).is_err(), "{text}");
        }
        let twice = r#"{"app_id":"3","key":"k","secret":"s","host":"h.example"} {}"#;
        assert_eq!(PusherSetting::parse(twice).unwrap_err().field, ".");
    }

    #[test]
    fn debug_output_has_no_secrets() {
        let setting = setting(json!({"key": "canary-key", "secret": "canary-secret"}));
        assert!(!format!("{setting:?}").contains("canary"));
    }
}
