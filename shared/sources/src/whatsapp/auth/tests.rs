#![expect(clippy::unwrap_used)]

use data_encoding::{BASE64, HEXLOWER, HEXUPPER};
use serde_json::{Value as RawJson, json};

use domain::core::timestamp::Timestamp;

use super::*;
use crate::Source;
use crate::testing::{hmac_tag, malformed_signatures, sign};
use crate::whatsapp::WhatsApp;

const SETTINGS: &str = r#"{"phone_numbers":{"1":"STORE001","2":"STORE001","3":"STORE002"}}"#;
const SECRET: &str =
    r#"{"app_secret":["current","previous"],"verify_token":"good","access_token":"x"}"#;

fn authenticator_with(secret: &str) -> Box<dyn Authenticator> {
    configure(&Setup { settings: SETTINGS, secret: Some(secret), hook: None }).ok().unwrap()
}

fn authenticator() -> Box<dyn Authenticator> {
    authenticator_with(SECRET)
}

fn authenticate(headers: &[(&str, &str)], body: &[u8]) -> Result<(), AuthError> {
    authenticator().authenticate(&Request { headers, body, ..Request::default() })
}

#[test]
fn accepts_the_current_and_the_previous_secret() {
    for key in ["current", "previous"] {
        assert_eq!(
            authenticate(&[("X-Hub-Signature-256", &sign(key, b"{}"))], b"{}"),
            Ok(()),
            "{key}"
        );
        let upper = format!("sha256={}", HEXUPPER.encode(&hmac_tag(key, b"{}")));
        assert_eq!(authenticate(&[("x-hub-signature-256", &upper)], b"{}"), Ok(()), "{key}");
    }
    for key in ["other", "", "good", "x", "currentprevious", "current "] {
        let signature = sign(key, b"{}");
        assert_eq!(
            authenticate(&[("x-hub-signature-256", &signature)], b"{}"),
            Err(AuthError::Credentials),
            "{key}"
        );
    }
}

#[test]
fn accepts_a_single_secret() {
    for secrets in [r#""current""#, r#"["current"]"#] {
        let authenticator =
            authenticator_with(&format!(r#"{{"app_secret":{secrets},"verify_token":"good"}}"#));
        let check = |key| {
            let signature = sign(key, b"{}");
            authenticator.authenticate(&Request {
                headers: &[("x-hub-signature-256", &signature)],
                body: b"{}",
                ..Request::default()
            })
        };
        assert_eq!(
            (check("current"), check("previous")),
            (Ok(()), Err(AuthError::Credentials)),
            "{secrets}"
        );
    }
}

/// Meta escapes slashes and non-ASCII characters; re-serialised JSON does not.
#[test]
fn checks_the_signature_over_the_raw_bytes() {
    let bodies = [
        r#"{"name":"J\u00e4ger"}"#,
        r#"{"url":"https:\/\/example.invalid\/"}"#,
        r#"{"body":"\ud83d\ude00"}"#,
        "{\"body\":\"😀 é\"}",
        r#"{ "b" : 1.50, "a" : 1 }"#,
    ];
    for body in bodies {
        let signature = sign("current", body.as_bytes());
        assert_eq!(
            authenticate(&[("x-hub-signature-256", &signature)], body.as_bytes()),
            Ok(()),
            "{body}"
        );
        let reserialised = serde_json::from_str::<RawJson>(body).unwrap().to_string();
        assert_eq!(reserialised == body, body.contains('😀'), "{reserialised}");
        let signature = sign("current", reserialised.as_bytes());
        let expected = if reserialised == body { Ok(()) } else { Err(AuthError::Credentials) };
        assert_eq!(
            authenticate(&[("x-hub-signature-256", &signature)], body.as_bytes()),
            expected,
            "{body}"
        );
    }
    let bytes = b"\xff\xfe\x00";
    assert_eq!(authenticate(&[("x-hub-signature-256", &sign("current", bytes))], bytes), Ok(()));
    let base64 = sign("current", BASE64.encode(b"{}").as_bytes());
    assert_eq!(
        authenticate(&[("x-hub-signature-256", &base64)], b"{}"),
        Err(AuthError::Credentials)
    );
}

#[test]
fn rejects_other_signatures() {
    let good = sign("current", b"{}");
    for wrong in malformed_signatures(&hmac_tag("current", b"{}")) {
        assert_eq!(
            authenticate(&[("x-hub-signature-256", &wrong)], b"{}"),
            Err(AuthError::Credentials),
            "{wrong}"
        );
    }
    let twice = [("x-hub-signature-256", good.as_str()), ("X-Hub-Signature-256", good.as_str())];
    assert_eq!(authenticate(&twice, b"{}"), Err(AuthError::Credentials));
    for name in ["x-hub-signature", "x-webhook-signature", "x-api-key", "authorization"] {
        assert_eq!(authenticate(&[(name, &good)], b"{}"), Err(AuthError::Credentials), "{name}");
    }
    assert_eq!(authenticate(&[], b"{}"), Err(AuthError::Credentials));
}

#[test]
fn rejects_one_flipped_bit() {
    let body = br#"{"a":1}"#;
    for key in ["current", "previous"] {
        for bit in 0..256 {
            let mut tag = hmac_tag(key, body);
            tag[bit / 8] ^= 1 << (bit % 8);
            let signature = format!("sha256={}", HEXLOWER.encode(&tag));
            assert_eq!(
                authenticate(&[("x-hub-signature-256", &signature)], body),
                Err(AuthError::Credentials),
                "{bit}"
            );
        }
        let signature = sign(key, body);
        for bit in 0..8 * body.len() {
            let mut changed = body.to_vec();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(
                authenticate(&[("x-hub-signature-256", &signature)], &changed),
                Err(AuthError::Credentials),
                "{bit}"
            );
        }
    }
}

/// The account of an unauthenticated body, as `inbound` resolves it.
fn account_of(body: &[u8]) -> Option<AccountCode> {
    let authenticator = authenticator();
    assert_eq!(authenticator.tenant(), Tenant::PerUpdate);
    let parsed = WhatsApp.parse(&Request::stored(None, body), Timestamp::EPOCH).ok()?;
    authenticator.account_of(&parsed.tenant)
}

#[test]
fn maps_a_body_to_the_account_of_its_numbers() {
    let about =
        |id: RawJson| json!({"field": "messages", "value": {"metadata": {"phone_number_id": id}}});
    let other_field = json!({"field": "history", "value": {"metadata": {"phone_number_id": "3"}}});
    let nameless = json!({"field": "messages", "value": {"statuses": []}});
    for (changes, account) in [
        (vec![about(json!("1"))], Some("STORE001")),
        (vec![about(json!(1))], Some("STORE001")),
        (vec![about(json!("1")), about(json!("2")), about(json!("1"))], Some("STORE001")),
        (vec![about(json!("3")), json!(null)], Some("STORE002")),
        // Whoever sees the event sees all of its body.
        (vec![about(json!("1")), other_field.clone()], None),
        (vec![about(json!("3")), other_field.clone()], Some("STORE002")),
        (vec![about(json!("1")), about(json!("3"))], None),
        (vec![about(json!("1")), about(json!("4"))], None),
        (vec![about(json!("4"))], None),
        (vec![about(json!("01"))], None),
        (vec![about(json!(null)), about(json!("1"))], None),
        (vec![nameless, about(json!("1"))], None),
        (vec![other_field], Some("STORE002")),
        (vec![], None),
    ] {
        let body = json!({"object": "whatsapp_business_account", "entry": [{"changes": changes}]});
        let account = account.map(|code| AccountCode::parse(code).unwrap());
        assert_eq!(account_of(body.to_string().as_bytes()), account, "{body}");
    }
}

#[test]
fn unreadable_or_foreign_body_has_no_account() {
    let page = r#"{"object":"page","entry":[{"changes":[
        {"field":"messages","value":{"metadata":{"phone_number_id":"1"}}}]}]}"#;
    for body in
        ["", "null", "{", "{}", "[]", "\u{0}", page, r#"{"object":"whatsapp_business_account"}"#]
    {
        assert_eq!(account_of(body.as_bytes()), None, "{body}");
    }
}

#[test]
fn considers_the_numbers_of_all_entries() {
    let entry = |id: &str| json!({"changes": [{"field": "messages", "value": {"metadata": {"phone_number_id": id}}}]});
    let account = |ids: [&str; 2]| {
        let body = json!({"object": "whatsapp_business_account", "entry": ids.map(entry)});
        account_of(body.to_string().as_bytes())
    };
    assert_eq!(account(["1", "2"]), AccountCode::parse("STORE001").ok());
    assert_eq!(account(["1", "3"]), None);
}

#[test]
fn echoes_the_challenge_for_the_verify_token() {
    let longest = "x".repeat(1024);
    for challenge in
        ["1158201444", " 1 ", "<script>alert(1)</script>", "\r\n", "é😀", "{}", &longest]
    {
        let query =
            [("hub.mode", "subscribe"), ("hub.challenge", challenge), ("hub.verify_token", "good")];
        assert_eq!(
            authenticator().handshake(&query),
            Handshake::Echo(challenge.to_owned()),
            "{challenge}"
        );
        let more = [query[2], ("x", "1"), query[1], ("x", "2"), query[0]];
        assert_eq!(
            authenticator().handshake(&more),
            Handshake::Echo(challenge.to_owned()),
            "{challenge}"
        );
    }
}

#[test]
fn refuses_other_handshakes() {
    let (mode, challenge, token) =
        (("hub.mode", "subscribe"), ("hub.challenge", "1"), ("hub.verify_token", "good"));
    let long = "x".repeat(1025);
    let huge = "x".repeat(10_240);
    let queries: &[&[(&str, &str)]] = &[
        &[],
        &[challenge, token],
        &[mode, token],
        &[mode, challenge],
        &[("hub.mode", "unsubscribe"), challenge, token],
        &[("hub.mode", "Subscribe"), challenge, token],
        &[("hub.mode", ""), challenge, token],
        &[mode, ("hub.challenge", ""), token],
        &[mode, ("hub.challenge", &long), token],
        &[mode, ("hub.challenge", &huge), token],
        &[mode, challenge, ("hub.verify_token", "")],
        &[mode, challenge, ("hub.verify_token", "goo")],
        &[mode, challenge, ("hub.verify_token", "goods")],
        &[mode, challenge, ("hub.verify_token", "good ")],
        &[mode, challenge, ("hub.verify_token", "Good")],
        &[mode, challenge, ("hub.verify_token", "current")],
        &[mode, challenge, ("hub.verify_token", &huge)],
        &[mode, challenge, ("hub.verify_token[]", "good")],
        &[mode, challenge, ("hub_verify_token", "good")],
        &[mode, challenge, ("HUB.VERIFY_TOKEN", "good")],
        &[mode, challenge, token, token],
        &[mode, challenge, token, ("hub.verify_token", "bad")],
        &[mode, challenge, challenge, token],
        &[mode, mode, challenge, token],
    ];
    for query in queries {
        assert_eq!(authenticator().handshake(query), Handshake::Refused, "{query:?}");
    }
}
