#![expect(clippy::unwrap_used)]

use super::*;
use crate::core::id::OrderId;

const KEY: &str = "0123456789abcdef0123456789abcdef";

fn with(fields: &str) -> Result<TrackingLinks, InvalidPageSetting> {
    TrackingLinks::parse(&format!(r#"{{"keys":["{KEY}"],{fields}}}"#))
}

fn order(account: &str, order: &str) -> OrderKey {
    OrderKey {
        account: AccountCode::parse(account).unwrap(),
        order: OrderId::parse(order).unwrap(),
    }
}

#[test]
fn a_link_lives_for_the_days_after_the_last_change() {
    let links = with(r#""public_url":"https://t.example/","days":2"#).unwrap();
    let order = order("STORE001", "ORD-1001");
    let changed_at = Timestamp::parse("2026-12-01T23:59:59Z").unwrap();
    let url = links.url(&order, changed_at);
    let (page, token) = url.split_once("?t=").unwrap();
    assert_eq!(page, "https://t.example/track/STORE001/ORD-1001");
    for (now, expected) in [
        ("2026-12-01T23:59:59Z", Ok(())),
        ("2026-12-03T23:59:59.999Z", Ok(())),
        ("2026-12-04T00:00:00Z", Err(TokenError::Expired)),
    ] {
        assert_eq!(links.check(&order, token, Timestamp::parse(now).unwrap()), expected, "{now}");
    }
    assert_eq!(links.url(&order, changed_at), url);
}

#[test]
fn escapes_ids() {
    let links = with(r#""public_url":"http://127.0.0.1:4000""#).unwrap();
    for (id, escaped) in [
        ("#1001", "%231001"),
        ("A B&c=1+2", "A%20B%26c%3D1%2B2"),
        ("100%?", "100%25%3F"),
        ("a-b._~", "a-b._~"),
        ("ऑ", "%E0%A4%91"),
    ] {
        let url = links.url(&order("A", id), Timestamp::EPOCH);
        let expected = format!("http://127.0.0.1:4000/track/A/{escaped}?t=90-");
        assert!(url.starts_with(&expected), "{url}");
    }
}

#[test]
fn origins_are_of_one_account() {
    let origins = r#"{"A":["https://a.example","https://b.example:8443"],"B":[]}"#;
    let links = with(&format!(r#""public_url":"https://t.example","origins":{origins}"#)).unwrap();
    let of = |account: &str| links.origins(&AccountCode::parse(account).unwrap()).to_vec();
    assert_eq!(of("A"), ["https://a.example", "https://b.example:8443"]);
    assert!(of("B").is_empty() && of("C").is_empty());
    for (origin, is_known) in [
        ("https://b.example:8443", true),
        ("https://t.example", true),
        ("https://b.example", false),
        ("null", false),
    ] {
        assert_eq!(links.knows_origin(origin), is_known, "{origin}");
    }
}

#[test]
fn rejects_invalid_settings() {
    for (text, field) in [
        ("", "."),
        ("[]", "."),
        ("{}", "keys"),
        (r#"{"keys":"canary","public_url":"https://t.example"}"#, "keys"),
        (r#"{"keys":["canary"],"public_url":"https://t.example"}"#, "keys"),
        (r#"{"keys":[],"public_url":"https://t.example"}"#, "keys"),
    ] {
        let error = TrackingLinks::parse(text).unwrap_err();
        assert_eq!(error.field, field, "{text}: {error}");
        assert!(!error.to_string().contains("canary"), "{error}");
    }
    for (fields, field) in [
        (r#""days":90"#, "public_url"),
        (r#""public_url":"t.example""#, "public_url"),
        (r#""public_url":"ftp://t.example""#, "public_url"),
        (r#""public_url":"https://""#, "public_url"),
        (r#""public_url":"https:///canary""#, "public_url"),
        (r#""public_url":"https://t.example/?canary""#, "public_url"),
        (r#""public_url":"https://canary@t.example""#, "public_url"),
        (r#""public_url":"https://t.example","days":0"#, "days"),
        (r#""public_url":"https://t.example","days":3651"#, "days"),
        (r#""public_url":"https://t.example","day":3"#, "day"),
        (r#""public_url":"https://t.example","origins":{"A":["*"]}"#, "origins.A"),
        (r#""public_url":"https://t.example","origins":{"A":["https://*.canary"]}"#, "origins.A"),
        (r#""public_url":"https://t.example","origins":{"A":["https://a.example/"]}"#, "origins.A"),
        (r#""public_url":"https://t.example","origins":{"A":["https://Canary"]}"#, "origins.A"),
    ] {
        let error = with(fields).unwrap_err();
        assert_eq!(error.field, field, "{fields}: {error}");
        assert!(!error.to_string().contains("canary"), "{error}");
    }
}

#[test]
fn allows_the_sites_of_the_account_and_of_the_pages() {
    let origins = r#""origins":{"A":["https://shop.example"]}"#;
    let links = with(&format!(r#""public_url":"https://t.example/track/me",{origins}"#)).unwrap();
    let account = |code: &str| AccountCode::parse(code).unwrap();
    for (code, origin, expected) in [
        ("A", "https://shop.example", true),
        ("A", "https://t.example", true),
        ("B", "https://t.example", true),
        ("B", "https://shop.example", false),
        ("A", "http://shop.example", false),
        ("A", "https://shop.example.evil", false),
        ("A", "https://evil-shop.example", false),
        ("A", "https://t.example/track/me", false),
        ("A", "null", false),
        ("A", "", false),
    ] {
        assert_eq!(links.allows_origin(&account(code), origin), expected, "{code} {origin}");
    }
}
