#![expect(clippy::unwrap_used)]

use domain::core::id::AccountCode;
use serde_json::{Value, json};

use super::*;
use crate::testing::{assert_accepts_two_secrets, assert_invalid};

const SETTINGS: &str = r#"{"base_url":"https://app.shipway.invalid","account":"STORE001"}"#;
const SECRET: &str = r#"{"email":"merchant@example.invalid","license_key":"LICENSEKEY"}"#;
/// MD5 of `merchant@example.invalid:LICENSEKEY`.
const HASH: &str = "ff9eee4e5674e80ff7a08ef685209267";
const OWN: Hook<'static> = Hook { id: "abc", has_secret: true };
const BARE: Hook<'static> = Hook { id: "anidthatnobodyfindg", has_secret: false };

fn authenticator(
    settings: &str,
    secret: Option<&str>,
    hook: Option<Hook<'_>>,
) -> Result<Box<dyn Authenticator>, InvalidSetting> {
    configure(&Setup { settings, secret, hook })
}

fn plain() -> Box<dyn Authenticator> {
    authenticator(SETTINGS, Some(SECRET), None).ok().unwrap()
}

fn check(
    authenticator: &dyn Authenticator,
    headers: &[(&str, &str)],
    body: &str,
) -> Result<(), AuthError> {
    authenticator.authenticate(&Request { headers, body: body.as_bytes(), ..Request::default() })
}

fn feed(hash: Value) -> String {
    json!({"hash": hash, "status_feed": []}).to_string()
}

#[test]
fn accepts_the_hash_of_the_credentials() {
    assert_eq!(check(&*plain(), &[], &feed(json!(HASH))), Ok(()));
    assert_eq!(
        check(&*plain(), &[], include_str!("../../../../../events/shipway/feed.json")),
        Ok(())
    );
    let escaped = format!(r#"{{"\u0068ash":"\u0066{}"}}"#, &HASH[1..]);
    assert_eq!(check(&*plain(), &[], &escaped), Ok(()));
}

#[test]
fn accepts_the_hashes_of_both_keys_while_the_key_changes() {
    let secret = r#"{"email":"merchant@example.invalid","license_key":["NEWKEY","LICENSEKEY"]}"#;
    let authenticator = authenticator(SETTINGS, Some(secret), None).ok().unwrap();
    let credentials = Credentials::read(Some(secret)).unwrap();
    let hashes: Vec<String> = credentials.hashes().collect();
    assert_eq!((hashes.len(), hashes[1].as_str()), (2, HASH));
    for hash in hashes {
        assert_eq!(check(&*authenticator, &[], &feed(json!(hash))), Ok(()));
    }
    for wrong in [json!(null), json!(""), json!(format!("{HASH} "))] {
        assert_eq!(check(&*authenticator, &[], &feed(wrong)), Err(AuthError::Credentials));
    }
    assert_eq!(credentials.pair(), "merchant@example.invalid:NEWKEY", "polls use the new key");
}

#[test]
fn accepts_the_hashes_of_both_pairs_while_the_address_changes() {
    for (keys, pairs) in [
        (r#"["NEW","OLD"]"#, ["new@a.invalid:NEW", "old@a.invalid:OLD"]),
        (r#""KEY""#, ["new@a.invalid:KEY", "old@a.invalid:KEY"]),
    ] {
        let secret =
            format!(r#"{{"email":["new@a.invalid","old@a.invalid"],"license_key":{keys}}}"#);
        let credentials = Credentials::read(Some(&secret)).unwrap();
        assert_eq!(credentials.pairs().collect::<Vec<_>>(), pairs);
        assert_eq!(credentials.pair(), pairs[0], "polls use the new pair");
        let authenticator = authenticator(SETTINGS, Some(&secret), None).ok().unwrap();
        for hash in credentials.hashes() {
            assert_eq!(check(&*authenticator, &[], &feed(json!(hash))), Ok(()));
        }
    }
}

#[test]
fn two_secrets_of_a_hook_count_while_one_is_replaced() {
    let own = |secret: &str| authenticator(SETTINGS, Some(secret), Some(OWN));
    assert_accepts_two_secrets(own, str::to_owned, |authenticator, value| {
        check(authenticator, &[("x-api-key", value)], "{}")
    });
    assert_accepts_two_secrets(own, str::to_owned, |authenticator, value| {
        check(authenticator, &[], &feed(json!(value)))
    });
}

#[test]
fn rejects_other_hashes() {
    let digits = |n: usize| Value::from(&HASH[..n]);
    let mut wrong = vec![
        json!(null),
        json!(""),
        json!(" "),
        json!(HASH.to_uppercase()),
        json!(format!("{HASH} ")),
        json!(format!(" {HASH}")),
        json!(format!("{HASH}0")),
        json!(format!("md5={HASH}")),
        json!(format!("{HASH},{HASH}")),
        json!([HASH]),
        json!({"hash": HASH}),
        json!(true),
        json!(0),
        json!("merchant@example.invalid:LICENSEKEY"),
        json!("x".repeat(100_000)),
        json!("\u{0}"),
    ];
    wrong.extend((1..32).map(digits));
    wrong.extend((0..32).map(|n| {
        let mut flipped = HASH.as_bytes().to_vec();
        flipped[n] ^= 1;
        json!(String::from_utf8(flipped).unwrap())
    }));
    for hash in wrong {
        assert_eq!(
            check(&*plain(), &[], &feed(hash.clone())),
            Err(AuthError::Credentials),
            "{hash}"
        );
    }
}

#[test]
fn rejects_bodies_without_exactly_one_hash() {
    let headers = [("x-api-key", HASH), ("hash", HASH), ("authorization", HASH)];
    for body in [
        "",
        "null",
        HASH,
        "{",
        "[]",
        r#"{"order_id":"99999999","current_status":"DEL"}"#,
        &format!("[{}]", feed(json!(HASH))),
        &format!("{}x", feed(json!(HASH))),
        &format!(r#"{{"Hash":"{HASH}"}}"#),
        &format!(r#"{{"a":{{"hash":"{HASH}"}}}}"#),
        &format!(r#"{{"hash":"{HASH}","hash":"{HASH}"}}"#),
        &format!(r#"{{"hash":"{HASH}","hash":"x"}}"#),
        &format!(r#"{{"hash":"{HASH}","a":{}{}}}"#, "[".repeat(32), "]".repeat(32)),
    ] {
        assert_eq!(check(&*plain(), &headers, body), Err(AuthError::Credentials), "{body}");
    }
}

#[test]
fn hook_accepts_its_secret_in_body_or_header() {
    let authenticator = authenticator(SETTINGS, Some("own"), Some(OWN)).ok().unwrap();
    let right = feed(json!("own"));
    let wrong = feed(json!(HASH));
    for (headers, body, admitted) in [
        (&[][..], right.as_str(), true),
        (&[("X-API-Key", "own")], "", true),
        (&[("x-api-key", "own")], &wrong, true),
        (&[("x-api-key", "bad")], &right, true),
        (&[], &wrong, false),
        (&[], "", false),
        (&[], "{}", false),
        (&[("x-api-key", "")], "{}", false),
        (&[("x-api-key", "ow")], "{}", false),
        (&[("x-api-key", "own ")], "{}", false),
        (&[("x-api-key", "own"), ("x-api-key", "own")], "{}", false),
        (&[("hash", "own")], &wrong, false),
    ] {
        let expected = if admitted { Ok(()) } else { Err(AuthError::Credentials) };
        assert_eq!(check(&*authenticator, headers, body), expected, "{headers:?} {body}");
    }
}

#[test]
fn hook_secret_in_the_body_must_be_a_string() {
    let authenticator = authenticator(SETTINGS, Some("12345"), Some(OWN)).ok().unwrap();
    assert_eq!(check(&*authenticator, &[], &feed(json!("12345"))), Ok(()));
    assert_eq!(check(&*authenticator, &[], &feed(json!(12345))), Err(AuthError::Credentials));
}

#[test]
fn hook_without_a_secret_accepts_every_request() {
    for secret in [None, Some(SECRET), Some("canary")] {
        let authenticator = authenticator("{}", secret, Some(BARE)).ok().unwrap();
        for body in ["", "{}", &feed(json!(HASH)), &feed(json!("wrong"))] {
            assert_eq!(
                check(&*authenticator, &[("x-api-key", "wrong")], body),
                Ok(()),
                "{secret:?} {body}"
            );
        }
    }
}

#[test]
fn hook_without_a_secret_requires_a_long_id() {
    for (id, long) in [
        ("", false),
        ("canarycanaryabc", false),
        ("canarycanaryabcd", true),
        (&"é".repeat(8), false),
    ] {
        let result = authenticator(SETTINGS, None, Some(Hook { id, has_secret: false }));
        assert_eq!(result.is_ok(), long, "{id}");
        if let Err(error) = result {
            assert_eq!((error.parameter, &error.field), ("hooks", &None));
            assert!(
                error.to_string().contains("16") && !error.to_string().contains("canary"),
                "{error}"
            );
        }
        assert!(
            authenticator(SETTINGS, Some("own"), Some(Hook { id, has_secret: true })).is_ok(),
            "{id}"
        );
    }
}

#[test]
fn plain_path_belongs_to_the_account_of_the_settings() {
    let tenant = |settings| authenticator(settings, Some(SECRET), None).ok().unwrap().tenant();
    assert_eq!(tenant(SETTINGS), Tenant::Account(AccountCode::parse("STORE001").unwrap()));
    assert_eq!(tenant("{}"), Tenant::Unassigned);
    assert_eq!(tenant(r#"{"account":null,"calls_per_second":0.5}"#), Tenant::Unassigned);
}

#[test]
fn rejects_invalid_settings_without_quoting_them() {
    for (settings, field) in [
        ("", None),
        ("[]", None),
        ("canary", None),
        (r#"{"account":"canary/"}"#, Some("account")),
        (r#"{"account":""}"#, Some("account")),
        (r#"{"account":["canary"]}"#, Some("account")),
        (r#"{"base_url":1}"#, Some("base_url")),
        (r#"{"calls_per_second":0}"#, Some("calls_per_second")),
        (r#"{"calls_per_second":-1}"#, Some("calls_per_second")),
        (r#"{"calls_per_second":"canary"}"#, Some("calls_per_second")),
        (r#"{"calls_per_second":null}"#, Some("calls_per_second")),
        (r#"{"stalled_after_days":0}"#, Some("stalled_after_days")),
        (r#"{"stalled_after_days":1.5}"#, Some("stalled_after_days")),
        (r#"{"acount":"canary"}"#, Some("acount")),
        (r#"{"secret":"canary"}"#, Some("secret")),
    ] {
        for hook in [None, Some(OWN), Some(BARE)] {
            let result = authenticator(settings, Some(SECRET), hook);
            assert_invalid(result, ("settings", field), settings);
        }
    }
}

#[test]
fn rejects_invalid_secrets_without_quoting_them() {
    for (secret, field) in [
        (None, None),
        (Some(""), None),
        (Some(" \n"), None),
        (Some("canary"), None),
        (Some(r#"["canary","canary"]"#), None),
        (Some(r#"{"email":"canary"}"#), Some("license_key")),
        (Some(r#"{"license_key":"canary"}"#), Some("email")),
        (Some(r#"{"email":"canary","license_key":" "}"#), Some("license_key")),
        (Some(r#"{"email":"","license_key":"canary"}"#), Some("email")),
        (Some(r#"{"email":["a","canary","c"],"license_key":"canary"}"#), Some("email")),
        (Some(r#"{"email":"canary","license_key":1}"#), Some("license_key")),
        (Some(r#"{"email":"canary","license_key":[]}"#), Some("license_key")),
        (Some(r#"{"email":"canary","license_key":["canary",""]}"#), Some("license_key")),
        (Some(r#"{"email":"canary","license_key":["a","canary","c"]}"#), Some("license_key")),
        (Some(r#"{"email":"canary","license_key":"canary","key":"canary"}"#), Some("key")),
    ] {
        assert_invalid(authenticator(SETTINGS, secret, None), ("secret", field), secret);
    }
    for secret in [None, Some(""), Some(" ")] {
        assert_eq!(
            authenticator(SETTINGS, secret, Some(OWN)).err().unwrap().parameter,
            "secret",
            "{secret:?}"
        );
    }
}

#[test]
fn settings_include_polling() {
    let settings = Settings::read(SETTINGS).unwrap();
    assert_eq!(settings.base_url.as_deref(), Some("https://app.shipway.invalid"));
    assert_eq!(settings.calls_per_second.get().to_string(), "5");
    let slow = Settings::read(r#"{"calls_per_second":0.5}"#).unwrap();
    assert_eq!(slow.calls_per_second.get().to_string(), "0.5");
    assert_eq!(slow.stalled_after_days, None);
    let days = Settings::read(r#"{"stalled_after_days":5}"#).unwrap().stalled_after_days;
    assert_eq!(days.map(std::num::NonZeroU32::get), Some(5));
}

#[test]
fn settings_list_the_accounts_that_share_the_sources_credentials() {
    let text = r#"{"account":"STORE001","shared_with":["STORE002"]}"#;
    let settings = Settings::read(text).unwrap();
    let is_shared = |account: &str| settings.are_shared_with(&AccountCode::parse(account).unwrap());
    assert_eq!(["STORE001", "STORE002", "STORE003"].map(is_shared), [true, true, false]);
    assert_eq!(Settings::read("{}").unwrap().shared_with, []);
    for wrong in [r#"{"shared_with":"STORE002"}"#, r#"{"shared_with":["*"]}"#] {
        assert!(Settings::read(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn debug_output_redacts_credentials() {
    let credentials = Credentials::read(Some(SECRET)).unwrap();
    assert_eq!(format!("{credentials:?}"), "Credentials([REDACTED])");
    assert_eq!(credentials.hashes().collect::<Vec<_>>(), [HASH]);
}
