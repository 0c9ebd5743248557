//! Test data and checks that the tests of several sources share.

#![expect(clippy::unwrap_used)]

use std::fmt::Debug;

use data_encoding::{BASE64, HEXLOWER};
use domain::core::timestamp::Timestamp;
use domain::tracking::report::Report;
use hmac::{Hmac, KeyInit, Mac};
use proptest::prelude::*;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::scans::MAX_SCANS;
use crate::text::{LABEL, REMARK};
use crate::{AuthError, Authenticator, InvalidSetting, Setup, Unreadable};

type Configure = fn(&Setup<'_>) -> Result<Box<dyn Authenticator>, InvalidSetting>;

/// Checks that bodies other than JSON objects are unreadable, as are too deeply nested ones.
/// `field` is a text field of the envelope.
pub(crate) fn assert_rejects_non_objects<T: Debug>(
    field: &str,
    read: impl Fn(&[u8]) -> Result<T, Unreadable>,
) {
    let nested =
        |levels| format!(r#"{{"{field}":"x","a":{}1{}}}"#, "[".repeat(levels), "]".repeat(levels));
    let with_field = [
        format!(r#"{{"{field}":"canary""#),
        format!("\u{feff}{{\"{field}\":\"x\"}}"),
        format!(r#"{{"{field}":007}}"#),
        nested(32),
        nested(200_000),
    ];
    let others: [&[u8]; 9] =
        [b"", b" ", b"null", b"[]", b"\"x\"", b"{", b"{}x", b"\xff\xfe", b"{\0\"\0a\0"];
    for body in with_field.iter().map(String::as_bytes).chain(others) {
        let error = read(body).unwrap_err();
        assert!(matches!(error, Unreadable::Body(_)), "{error:?}");
        assert!(!error.to_string().contains("canary"), "{error}");
    }
}

/// Values that no source accepts for a time, a list or a place.
pub(crate) fn unusual_values() -> [Value; 7] {
    [
        json!(null),
        json!(""),
        json!(" "),
        json!({"a": 1}),
        json!([1]),
        json!(true),
        json!("🎉\u{202e}"),
    ]
}

pub(crate) fn time(text: &str) -> Option<Timestamp> {
    Some(Timestamp::parse(text).unwrap())
}

/// Checks that the error names this parameter and field, and does not quote `canary`.
pub(crate) fn assert_invalid<T>(
    result: Result<T, InvalidSetting>,
    (parameter, field): (&str, Option<&str>),
    case: impl Debug,
) {
    let error = result.err().unwrap();
    assert_eq!((error.parameter, error.field.as_deref()), (parameter, field), "{case:?}: {error}");
    assert!(!error.to_string().contains("canary"), "{error}");
}

pub(crate) fn assert_requires_secret(configure: Configure, settings: &str) {
    for secret in [None, Some(""), Some(" \n")] {
        let error = configure(&Setup { settings, secret, hook: None }).err().unwrap();
        assert_eq!(error.parameter, "secret", "{secret:?}");
    }
}

/// Checks that two secrets count, separated by white space, and no more than two. `proof` is the
/// value of a request that proves a secret.
pub(crate) fn assert_accepts_two_secrets(
    configure: impl Fn(&str) -> Result<Box<dyn Authenticator>, InvalidSetting>,
    proof: impl Fn(&str) -> String,
    check: impl Fn(&dyn Authenticator, &str) -> Result<(), AuthError>,
) {
    for secret in ["new old", "new  old", " new\told\n"] {
        let authenticator = configure(secret).ok().unwrap();
        for (own, expected) in [
            ("new", Ok(())),
            ("old", Ok(())),
            ("older", Err(AuthError::Credentials)),
            ("", Err(AuthError::Credentials)),
            (secret, Err(AuthError::Credentials)),
        ] {
            assert_eq!(check(&*authenticator, &proof(own)), expected, "{secret:?} {own:?}");
        }
    }
    let alone = configure("new").ok().unwrap();
    assert_eq!(check(&*alone, &proof("new")), Ok(()));
    assert_eq!(check(&*alone, &proof("old")), Err(AuthError::Credentials));
    assert_invalid(configure("canary b c"), ("secret", None), "three secrets");
}

pub(crate) fn hmac_tag(key: &str, body: &[u8]) -> Vec<u8> {
    Hmac::<Sha256>::new_from_slice(key.as_bytes())
        .unwrap()
        .chain_update(body)
        .finalize()
        .into_bytes()
        .to_vec()
}

/// The value of a signature header.
pub(crate) fn sign(key: &str, body: &[u8]) -> String {
    format!("sha256={}", HEXLOWER.encode(&hmac_tag(key, body)))
}

/// Malformed header values made of the valid tag.
pub(crate) fn malformed_signatures(tag: &[u8]) -> Vec<String> {
    let digits = HEXLOWER.encode(tag);
    let valid = format!("sha256={digits}");
    vec![
        String::new(),
        "sha256=".to_owned(),
        digits.clone(),
        format!("sha1={digits}"),
        format!("SHA256={digits}"),
        format!("sha256={}", &digits[..63]),
        format!("{valid}0"),
        format!(" {valid}"),
        format!("{valid},{valid}"),
        format!("{valid}, sha256=bad"),
        format!("sha256= {}", &digits[..63]),
        format!("sha256={}", BASE64.encode(tag)),
        format!("sha256={}", "é".repeat(32)),
        "sha256=".repeat(1000),
    ]
}

/// Any value that is no text, list or object.
pub(crate) fn non_text() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
    ]
}

/// True if the texts and scans of a report are within their limits, without control characters.
pub(crate) fn is_clean(report: &Report) -> bool {
    let is_clean = |text: &Option<String>, limit| {
        text.as_ref().is_none_or(|text| {
            (1..=limit).contains(&text.chars().count()) && !text.contains(char::is_control)
        })
    };
    report.scans.len() <= MAX_SCANS
        && is_clean(&report.source_status, LABEL)
        && is_clean(&report.location, LABEL)
        && is_clean(&report.note, REMARK)
        && report
            .scans
            .iter()
            .all(|scan| is_clean(&scan.activity, REMARK) && is_clean(&scan.location, LABEL))
}
