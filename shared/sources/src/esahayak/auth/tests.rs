#![expect(clippy::unwrap_used)]

use std::net::IpAddr;

use super::*;
use crate::testing::{assert_accepts_two_secrets, assert_invalid, assert_requires_secret, sign};
use crate::{AuthError, Hook, Request, Tenant};

const NETWORK: &str = r#"{"mode":"network","account":"STORE001","plain_path":true,
    "allowed_cidrs":["52.66.123.0/24","13.127.45.0/24"]}"#;
const HMAC: &str = r#"{"mode":"hmac","account":"STORE001"}"#;
const BOTH: &str = r#"{"mode":"hmac","account":"STORE001","allowed_cidrs":["52.66.123.0/24"]}"#;
const BODY: &[u8] = br#"{"id":"webhook_unique_id_1"}"#;

fn authenticator(
    settings: &str,
    secret: Option<&str>,
) -> Result<Box<dyn Authenticator>, InvalidSetting> {
    configure(&Setup { settings, secret, hook: None })
}

fn check(settings: &str, headers: &[(&str, &str)], ip: Option<&str>) -> Result<(), AuthError> {
    let source_ip = ip.map(|ip| ip.parse::<IpAddr>().unwrap());
    authenticator(settings, Some("good")).ok().unwrap().authenticate(&Request {
        headers,
        source_ip,
        body: BODY,
        ..Request::default()
    })
}

#[test]
fn network_mode_checks_the_bounds_of_its_ranges() {
    for (ip, admitted) in [
        ("52.66.122.255", false),
        ("52.66.123.0", true),
        ("52.66.123.7", true),
        ("52.66.123.255", true),
        ("52.66.124.0", false),
        ("13.127.44.255", false),
        ("13.127.45.0", true),
        ("13.127.45.255", true),
        ("13.127.46.0", false),
        ("::ffff:52.66.123.7", true),
        ("::ffff:52.66.124.0", false),
        ("::52.66.123.7", false),
        ("2001:db8::3442:7b07", false),
        ("::1", false),
        ("127.0.0.1", false),
    ] {
        let expected = if admitted { Ok(()) } else { Err(AuthError::Address) };
        assert_eq!(check(NETWORK, &[], Some(ip)), expected, "{ip}");
    }
    assert_eq!(check(NETWORK, &[], None), Err(AuthError::Address));
}

#[test]
fn ignores_headers_that_claim_an_address() {
    for name in ["X-Forwarded-For", "x-real-ip", "Forwarded", "X-Esahayak-Event"] {
        for value in ["52.66.123.7", "for=52.66.123.7", "52.66.123.7, 203.0.113.9", "203.0.113.9"] {
            assert_eq!(
                check(NETWORK, &[(name, value)], Some("203.0.113.9")),
                Err(AuthError::Address),
                "{name}: {value}"
            );
            assert_eq!(
                check(NETWORK, &[(name, value)], None),
                Err(AuthError::Address),
                "{name}: {value}"
            );
            assert_eq!(
                check(NETWORK, &[(name, value)], Some("52.66.123.7")),
                Ok(()),
                "{name}: {value}"
            );
        }
    }
}

#[test]
fn network_mode_ignores_signatures_and_secrets() {
    let good = sign("good", BODY);
    for value in [good.as_str(), "sha256=00", ""] {
        let headers = [("x-webhook-signature", value)];
        assert_eq!(check(NETWORK, &headers, Some("52.66.123.7")), Ok(()), "{value}");
        assert_eq!(
            check(NETWORK, &headers, Some("52.66.124.0")),
            Err(AuthError::Address),
            "{value}"
        );
    }
    for secret in [None, Some(""), Some(" "), Some("good")] {
        assert!(authenticator(NETWORK, secret).is_ok(), "{secret:?}");
    }
}

#[test]
fn checks_the_signature_over_the_raw_body() {
    let good = sign("good", BODY);
    for ip in [None, Some("203.0.113.9"), Some("52.66.123.7")] {
        assert_eq!(check(HMAC, &[("X-Webhook-Signature", &good)], ip), Ok(()), "{ip:?}");
        for wrong in [
            "",
            "sha256=",
            &good["sha256=".len()..],
            &good[..good.len() - 1],
            &good.replace("sha256", "sha1"),
            &sign("bad", BODY),
            &sign("good", br#"{"id": "webhook_unique_id_1"}"#),
        ] {
            assert_eq!(
                check(HMAC, &[("x-webhook-signature", wrong)], ip),
                Err(AuthError::Credentials),
                "{wrong}"
            );
        }
        assert_eq!(check(HMAC, &[], ip), Err(AuthError::Credentials), "{ip:?}");
        let twice =
            [("x-webhook-signature", good.as_str()), ("X-Webhook-Signature", good.as_str())];
        assert_eq!(check(HMAC, &twice, ip), Err(AuthError::Credentials), "{ip:?}");
    }
}

#[test]
fn checks_the_address_before_the_signature() {
    let (good, bad) = (sign("good", BODY), sign("bad", BODY));
    for (ip, value, expected) in [
        (Some("52.66.123.7"), good.as_str(), Ok(())),
        (Some("::ffff:52.66.123.7"), &good, Ok(())),
        (Some("52.66.123.7"), &bad, Err(AuthError::Credentials)),
        (Some("13.127.45.0"), &good, Err(AuthError::Address)),
        (Some("52.66.124.0"), &good, Err(AuthError::Address)),
        (Some("52.66.124.0"), &bad, Err(AuthError::Address)),
        (None, &good, Err(AuthError::Address)),
    ] {
        let headers = [("x-webhook-signature", value), ("x-forwarded-for", "52.66.123.7")];
        assert_eq!(check(BOTH, &headers, ip), expected, "{ip:?} {value}");
    }
}

#[test]
fn plain_path_is_unassigned_without_an_account() {
    let tenant = |settings| authenticator(settings, Some("good")).ok().unwrap().tenant();
    let store = Tenant::Account(AccountCode::parse("STORE001").unwrap());
    for settings in [NETWORK, HMAC, BOTH] {
        assert_eq!(tenant(settings), store, "{settings}");
    }
    for settings in [
        r#"{"mode":"network","allowed_cidrs":["52.66.123.0/24"]}"#,
        r#"{"mode":"hmac","account":null}"#,
        r#"{"mode":"hmac"}"#,
    ] {
        assert_eq!(tenant(settings), Tenant::Unassigned, "{settings}");
    }
}

#[test]
fn rejects_invalid_settings_without_quoting_them() {
    let allow =
        |list: &str| format!(r#"{{"mode":"network","account":"A","allowed_cidrs":{list}}}"#);
    for (settings, field) in [
        ("", None),
        ("[]", None),
        ("canary", None),
        ("{}", Some("mode")),
        (r#"{"mode":"canary"}"#, Some("mode")),
        (r#"{"mode":"Network"}"#, Some("mode")),
        (r#"{"mode":"token","allowed_cidrs":["10.0.0.1"]}"#, Some("mode")),
        (r#"{"mode":"network","account":"A"}"#, Some("allowed_cidrs")),
        (
            r#"{"mode":"network","allowed_cidrs":["10.0.0.1"],"plain_path":"yes"}"#,
            Some("plain_path"),
        ),
        (r#"{"mode":"hmac","account":"canary/"}"#, Some("account")),
        (r#"{"mode":"hmac","account":" "}"#, Some("account")),
        (r#"{"mode":"hmac","allowed_ips":["10.0.0.1"]}"#, Some("allowed_ips")),
        (r#"{"mode":"hmac","allowed_cidrs":[]}"#, Some("allowed_cidrs")),
        (&allow("null"), Some("allowed_cidrs")),
        (&allow("[]"), Some("allowed_cidrs")),
        (&allow(r#""canary""#), Some("allowed_cidrs")),
        (&allow(r#"["52.66.123.0/24","canary"]"#), Some("allowed_cidrs[1]")),
        (&allow(r#"["52.66.123.0/33"]"#), Some("allowed_cidrs[0]")),
    ] {
        assert_invalid(authenticator(settings, Some("good")), ("settings", field), settings);
    }
}

#[test]
fn hmac_mode_requires_a_secret() {
    for settings in [HMAC, BOTH] {
        assert_requires_secret(configure, settings);
    }
}

#[test]
fn two_keys_count_while_one_is_replaced() {
    let hmac = |secret: &str| authenticator(HMAC, Some(secret));
    let proof = |secret: &str| sign(secret, BODY);
    assert_accepts_two_secrets(hmac, proof, |authenticator, value| {
        let headers = [("x-webhook-signature", value)];
        authenticator.authenticate(&Request { headers: &headers, body: BODY, ..Request::default() })
    });
}

/// The addresses are AWS's, and everybody knows the plain path.
#[test]
fn network_mode_opens_the_plain_path_only_if_the_setting_says_so() {
    let settings = |plain_path: &str| {
        format!(r#"{{"mode":"network","allowed_cidrs":["52.66.123.0/24"]{plain_path}}}"#)
    };
    for (plain_path, expected) in [
        ("", Err(AuthError::Path)),
        (r#","plain_path":false"#, Err(AuthError::Path)),
        (r#","plain_path":true"#, Ok(())),
    ] {
        let settings = settings(plain_path);
        assert_eq!(check(&settings, &[], Some("52.66.123.7")), expected, "{plain_path}");
        let other = check(&settings, &[], Some("203.0.113.9"));
        assert_eq!(other, Err(AuthError::Address), "{plain_path}");
    }
    assert_eq!(
        check(BOTH, &[("x-webhook-signature", &sign("good", BODY))], Some("52.66.123.7")),
        Ok(())
    );
}

#[test]
fn network_mode_requires_hooks_with_long_ids() {
    for (id, is_long) in [("abcdefghijlmno", false), ("abcdefghijlmnopq", true)] {
        for has_secret in [false, true] {
            let hook = Some(Hook { id, has_secret });
            let setup = |settings| Setup { settings, secret: Some("good"), hook };
            let network = configure(&setup(NETWORK));
            if is_long {
                let source_ip = Some("52.66.123.7".parse().unwrap());
                let request = Request { source_ip, body: BODY, ..Request::default() };
                assert_eq!(network.ok().unwrap().authenticate(&request), Ok(()));
            } else {
                assert_invalid(network, ("hooks", None), id);
            }
            assert!(configure(&setup(HMAC)).is_ok(), "a secret goes with any id");
        }
    }
}
