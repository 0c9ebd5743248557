#![expect(clippy::unwrap_used)]

use super::*;
use crate::testing::{assert_accepts_two_secrets, assert_invalid, sign};

const SETTINGS: &str = r#"{"account":"STORE001","allowed_ips":["192.0.2.0/24"]}"#;
const HEADER: &str = "x-bluebird-signature";
/// HMAC-SHA256 of `{}` under `key`.
const SIGNATURE: &str = "sha256=a777724d943eb48dc69bca8a4a6d57a04db3f9ec7e1de4e581e860265bdf3032";

fn setup<'a>(settings: &'a str, secret: Option<&'a str>) -> Setup<'a> {
    Setup { settings, secret, hook: None }
}

fn check(
    authenticator: &dyn Authenticator,
    value: Option<&str>,
    ip: &str,
) -> Result<(), AuthError> {
    let headers: Vec<(&str, &str)> = value.map(|value| (HEADER, value)).into_iter().collect();
    let source_ip = Some(ip.parse().unwrap());
    authenticator.authenticate(&Request {
        headers: &headers,
        source_ip,
        body: b"{}",
        ..Request::default()
    })
}

#[test]
fn hmac_and_token_check_the_address_and_then_the_header() {
    let setup = setup(SETTINGS, Some("key"));
    let by_signature = hmac(&setup, HEADER).ok().unwrap();
    let by_token = token(&setup, HEADER).ok().unwrap();
    for (authenticator, valid, invalid) in
        [(by_signature, SIGNATURE, "key"), (by_token, "key", SIGNATURE)]
    {
        for (value, ip, expected) in [
            (Some(valid), "192.0.2.1", Ok(())),
            (Some(invalid), "192.0.2.1", Err(AuthError::Credentials)),
            (None, "192.0.2.1", Err(AuthError::Credentials)),
            (Some(valid), "198.51.100.1", Err(AuthError::Address)),
            (Some(invalid), "198.51.100.1", Err(AuthError::Address)),
        ] {
            assert_eq!(check(&*authenticator, value, ip), expected, "{value:?} {ip}");
        }
        let account = AccountCode::parse("STORE001").unwrap();
        assert_eq!(authenticator.tenant(), Tenant::Account(account));
        assert_eq!(authenticator.handshake(&[]), Handshake::Unsupported);
    }
}

#[test]
fn without_account_only_hooks_are_open() {
    let authenticator = hmac(&setup("{}", Some("key")), HEADER).ok().unwrap();
    assert_eq!(authenticator.tenant(), Tenant::Unassigned);
}

#[test]
fn rejects_invalid_settings_without_quoting_them() {
    for (settings, secret, parameter, field) in [
        ("", Some("canary"), "settings", None),
        (r#"{"acount":"canary"}"#, Some("canary"), "settings", Some("acount")),
        (r#"{"allowed_ips":[]}"#, Some("canary"), "settings", Some("allowed_ips")),
        (r#"{"allowed_ips":["canary"]}"#, Some("canary"), "settings", Some("allowed_ips[0]")),
        (SETTINGS, None, "secret", None),
        (SETTINGS, Some(" "), "secret", None),
    ] {
        for configure in [hmac, token] {
            let result = configure(&setup(settings, secret), HEADER);
            assert_invalid(result, (parameter, field), settings);
        }
    }
}

#[test]
fn two_secrets_count_while_one_is_replaced() {
    let check = |authenticator: &dyn Authenticator, value: &str| {
        check(authenticator, Some(value), "192.0.2.1")
    };
    let of_token = |secret: &str| token(&setup(SETTINGS, Some(secret)), HEADER);
    assert_accepts_two_secrets(of_token, str::to_owned, check);
    let of_hmac = |secret: &str| hmac(&setup(SETTINGS, Some(secret)), HEADER);
    assert_accepts_two_secrets(of_hmac, |secret| sign(secret, b"{}"), check);
}
