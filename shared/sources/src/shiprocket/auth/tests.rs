#![expect(clippy::unwrap_used)]

use std::net::IpAddr;

use data_encoding::{HEXLOWER, HEXUPPER};

use super::*;
use crate::testing::{
    assert_accepts_two_secrets, assert_invalid, assert_requires_secret, hmac_tag,
    malformed_signatures, sign,
};
use crate::{AuthError, Request};

const TOKEN: &str = r#"{"mode":"token","account":"STORE001"}"#;
const HMAC: &str = r#"{"mode":"hmac","account":"STORE001"}"#;

fn authenticator(
    settings: &str,
    secret: Option<&str>,
) -> Result<Box<dyn Authenticator>, InvalidSetting> {
    configure(&Setup { settings, secret, hook: None })
}

fn authenticate(
    settings: &str,
    headers: &[(&str, &str)],
    ip: Option<&str>,
) -> Result<Tenant, AuthError> {
    let source_ip = ip.map(|ip| ip.parse::<IpAddr>().unwrap());
    let authenticator = authenticator(settings, Some("good")).ok().unwrap();
    authenticator
        .authenticate(&Request { headers, source_ip, body: b"{}", ..Request::default() })
        .map(|()| authenticator.tenant())
}

fn store() -> Result<Tenant, AuthError> {
    Ok(Tenant::Account(AccountCode::parse("STORE001").unwrap()))
}

#[test]
fn rejects_other_tokens() {
    assert_eq!(authenticate(TOKEN, &[("X-API-Key", "good")], None), store());
    let huge = "x".repeat(8192);
    for wrong in
        ["", "wrong", "goo", "goods", "good ", " good", "Good", "good,bad", "good, good", &huge]
    {
        assert_eq!(
            authenticate(TOKEN, &[("x-api-key", wrong)], None),
            Err(AuthError::Credentials),
            "{wrong}"
        );
    }
    assert_eq!(authenticate(TOKEN, &[], None), Err(AuthError::Credentials));
    assert_eq!(
        authenticate(TOKEN, &[("x-api-key", "good"), ("x-api-key", "bad")], None),
        Err(AuthError::Credentials)
    );
}

/// Some accounts' panels send `anx-api-key`.
#[test]
fn accepts_the_token_in_either_header() {
    for (headers, expected) in [
        (&[("anx-api-key", "good")][..], store()),
        (&[("ANX-API-KEY", "good")], store()),
        (&[("x-api-key", "good"), ("anx-api-key", "good")], store()),
        (&[("x-api-key", "bad"), ("anx-api-key", "good")], store()),
        (&[("x-api-key", "good"), ("anx-api-key", "bad")], store()),
        (&[("x-api-key", ""), ("anx-api-key", "good")], store()),
        (&[("anx-api-key", "bad")], Err(AuthError::Credentials)),
        (&[("anx-api-key", "")], Err(AuthError::Credentials)),
        (&[("x-api-key", "bad"), ("anx-api-key", "bad")], Err(AuthError::Credentials)),
        (&[("anx-api-key", "good"), ("anx-api-key", "bad")], Err(AuthError::Credentials)),
        (&[("x-anx-api-key", "good")], Err(AuthError::Credentials)),
    ] {
        assert_eq!(authenticate(TOKEN, headers, None), expected, "{headers:?}");
        assert_eq!(authenticate(HMAC, headers, None), Err(AuthError::Credentials), "{headers:?}");
    }
}

#[test]
fn checks_the_signature_over_the_raw_body() {
    let tag = hmac_tag("good", b"{}");
    for digits in [HEXLOWER.encode(&tag), HEXUPPER.encode(&tag)] {
        let signature = format!("sha256={digits}");
        assert_eq!(
            authenticate(HMAC, &[("x-webhook-signature", &signature)], None),
            store(),
            "{signature}"
        );
    }
}

#[test]
fn rejects_other_signatures() {
    let tag = hmac_tag("good", b"{}");
    let mut wrong = malformed_signatures(&tag);
    wrong.extend([sign("bad", b"{}"), sign("good", b"{ }")]);
    wrong.extend((0..256).map(|bit| {
        let mut tag = tag.clone();
        tag[bit / 8] ^= 1 << (bit % 8);
        format!("sha256={}", HEXLOWER.encode(&tag))
    }));
    for signature in wrong {
        let headers = [("x-webhook-signature", signature.as_str()), ("x-api-key", "good")];
        assert_eq!(authenticate(HMAC, &headers, None), Err(AuthError::Credentials), "{signature}");
    }
    assert_eq!(authenticate(HMAC, &[("x-api-key", "good")], None), Err(AuthError::Credentials));
}

#[test]
fn token_mode_ignores_signatures() {
    let signature = sign("good", b"{}");
    let headers = [("x-webhook-signature", signature.as_str()), ("x-api-key", "bad")];
    assert_eq!(authenticate(TOKEN, &headers, None), Err(AuthError::Credentials));
}

#[test]
fn checks_the_address_first() {
    let settings = r#"{"mode":"token","account":"STORE001",
        "allowed_ips":["13.234.161.44","10.1.0.0/16","2001:db8::/32","::ffff:10.2.0.0/112"]}"#;
    let good = [("x-api-key", "good"), ("x-forwarded-for", "13.234.161.44")];
    for ip in ["13.234.161.44", "10.1.255.255", "2001:db8::1", "10.2.3.4", "::ffff:13.234.161.44"] {
        assert_eq!(authenticate(settings, &good, Some(ip)), store(), "{ip}");
        assert_eq!(authenticate(settings, &[], Some(ip)), Err(AuthError::Credentials), "{ip}");
    }
    for ip in
        ["13.234.161.45", "13.234.161.43", "10.3.0.0", "::ffff:13.234.161.45", "2001:db9::1", "::1"]
    {
        assert_eq!(authenticate(settings, &good, Some(ip)), Err(AuthError::Address), "{ip}");
        assert_eq!(authenticate(settings, &[], Some(ip)), Err(AuthError::Address), "{ip}");
    }
    assert_eq!(authenticate(settings, &good, None), Err(AuthError::Address));
    assert_eq!(authenticate(TOKEN, &good, Some("203.0.113.9")), store());
}

#[test]
fn ipv6_range_contains_no_ipv4_address() {
    for range in ["::/0", "::ffff:0:0/95"] {
        let settings =
            format!(r#"{{"mode":"token","account":"STORE001","allowed_ips":["{range}"]}}"#);
        let result = |ip| authenticate(&settings, &[("x-api-key", "good")], Some(ip));
        assert_eq!(result("10.0.0.1"), Err(AuthError::Address), "{range}");
        assert_eq!(result("::ffff:10.0.0.1"), Err(AuthError::Address), "{range}");
    }
}

#[test]
fn rejects_invalid_settings_without_quoting_them() {
    let allow = |list: &str| format!(r#"{{"mode":"token","account":"A","allowed_ips":{list}}}"#);
    for (settings, field) in [
        ("", None),
        ("[]", None),
        ("canary", None),
        ("{}", Some("mode")),
        (r#"{"mode":"token"}"#, Some("account")),
        (r#"{"mode":"canary","account":"A"}"#, Some("mode")),
        (r#"{"mode":"Token","account":"A"}"#, Some("mode")),
        (r#"{"mode":"token","account":"canary/"}"#, Some("account")),
        (r#"{"mode":"token","account":" "}"#, Some("account")),
        (r#"{"mode":"token","account":"A","allowed_ip":[]}"#, Some("allowed_ip")),
        (&allow("[]"), Some("allowed_ips")),
        (&allow(r#""canary""#), Some("allowed_ips")),
        (&allow(r#"["10.0.0.1","canary"]"#), Some("allowed_ips[1]")),
        (&allow(r#"["10.0.0.0/33"]"#), Some("allowed_ips[0]")),
        (&allow(r#"["10.0.0.1:80"]"#), Some("allowed_ips[0]")),
    ] {
        assert_invalid(authenticator(settings, Some("good")), ("settings", field), settings);
    }
}

#[test]
fn requires_a_secret() {
    for settings in [TOKEN, HMAC] {
        assert_requires_secret(configure, settings);
    }
}

#[test]
fn two_secrets_count_while_one_is_replaced() {
    let check = |name: &'static str| {
        move |authenticator: &dyn Authenticator, value: &str| {
            let headers = [(name, value)];
            authenticator.authenticate(&Request {
                headers: &headers,
                body: b"{}",
                ..Request::default()
            })
        }
    };
    let token = |secret: &str| authenticator(TOKEN, Some(secret));
    for name in TOKEN_HEADERS {
        assert_accepts_two_secrets(token, str::to_owned, check(name));
    }
    let hmac = |secret: &str| authenticator(HMAC, Some(secret));
    assert_accepts_two_secrets(hmac, |secret| sign(secret, b"{}"), check("x-webhook-signature"));
}
