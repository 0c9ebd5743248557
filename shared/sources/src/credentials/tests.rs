#![expect(clippy::unwrap_used)]

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::SOURCES;

const NAMES: [&str; 1] = ["hash"];

fn cut(body: &str) -> String {
    String::from_utf8(without_credentials(body.as_bytes(), &NAMES).into_owned()).unwrap()
}

#[test]
fn replaces_the_value_and_no_other_byte() {
    for (body, expected) in [
        (r#"{"hash":"canary"}"#, r#"{"hash":"[REDACTED]"}"#),
        (
            "{ \"hash\" :\n \"canary\" , \"a\":1.50e3}",
            "{ \"hash\" :\n \"[REDACTED]\" , \"a\":1.50e3}",
        ),
        (
            r#"{"weight":0.10,"id":19000000007001000000000,"\u0068ash":"c\u0061nary","hash":"canary"}"#,
            r#"{"weight":0.10,"id":19000000007001000000000,"\u0068ash":"[REDACTED]","hash":"[REDACTED]"}"#,
        ),
        (r#"{"hash":"can\"ary\\","b":"\\"}"#, r#"{"hash":"[REDACTED]","b":"\\"}"#),
        (r#"{"hash":-12.5e3,"b":[]}"#, r#"{"hash":"[REDACTED]","b":[]}"#),
        (r#"{"a":[{"hash":1}]}"#, r#"{"a":[{"hash":"[REDACTED]"}]}"#),
        (r#"{"hash":""}"#, r#"{"hash":"[REDACTED]"}"#),
        // Bodies that are stored although nobody can read them.
        (r#"{"hash":"canary"#, r#"{"hash":"[REDACTED]""#),
        (r#"{"hash":"canary","#, r#"{"hash":"[REDACTED]","#),
        (r#"{"hash":"canary\"#, r#"{"hash":"[REDACTED]""#),
        (r#"x"hash":1"#, r#"x"hash":"[REDACTED]""#),
    ] {
        assert_eq!(cut(body), expected, "{body}");
        assert_eq!(cut(expected), expected, "{expected}");
    }
}

#[test]
fn keeps_bodies_without_a_credential() {
    for body in [
        "",
        "\"",
        "{}",
        r#"{"hash""#,
        r#"{"hash":"#,
        r#"{"hash":null,"a":true}"#,
        r#"{"Hash":"a","hashes":"b","a":"hash","b":["hash","c"],"has\\h":"d"}"#,
        r#"{"a":"\"hash\":\"b\""}"#,
        "{\"hash\0\":1}",
    ] {
        assert_eq!(cut(body), body);
        assert!(matches!(without_credentials(body.as_bytes(), &NAMES), Cow::Borrowed(_)), "{body}");
    }
    let body = br#"{"hash":"a"}"#;
    assert_eq!(without_credentials(body, &[]), Cow::Borrowed(&body[..]));
}

fn redacted(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let members = members.into_iter().map(|(name, value)| {
                let is_credential = name == "hash" && (value.is_string() || value.is_number());
                let value = if is_credential { json!("[REDACTED]") } else { redacted(value) };
                (name, value)
            });
            Value::Object(members.collect::<Map<_, _>>())
        }
        Value::Array(items) => items.into_iter().map(redacted).collect(),
        other => other,
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".*".prop_map(Value::from),
        Just(json!("hash")),
        Just(json!("\"hash\":\"x\"")),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        let name = prop_oneof![Just("hash".to_owned()), ".*"];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((name, inner), 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn changes_the_credentials_of_any_json_and_nothing_else(value in any_json()) {
        for body in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
            let cut: Value = serde_json::from_str(&cut(&body)).unwrap();
            prop_assert_eq!(cut, redacted(serde_json::from_str(&body).unwrap()));
        }
    }

    #[test]
    fn takes_any_bytes(body in prop::collection::vec(any::<u8>(), 0..200), head in 0..4_usize) {
        let head = [&b""[..], b"{\"hash\":", b"{\"hash\": \"", b"{\"hash\":1"][head];
        let body = [head, &body].concat();
        let cut = without_credentials(&body, &NAMES);
        prop_assert_eq!(&*without_credentials(&cut, &NAMES), &*cut);
    }
}

/// The part of a stored webhook's processing that a retry repeats.
#[test]
fn a_body_reads_the_same_without_its_credentials() {
    let body = include_bytes!("../../../../events/shipway/feed.json");
    let shipway = SOURCES.iter().find(|source| source.name().as_str() == "shipway").unwrap();
    let stored = shipway.without_credentials(body);
    assert_ne!(&*stored, &body[..]);
    let parse = |body: &[u8]| {
        let at = domain::core::timestamp::Timestamp::EPOCH;
        format!("{:?}", shipway.parse(&crate::Request::stored(None, body), at).unwrap())
    };
    assert_eq!(parse(&stored), parse(body));
}
