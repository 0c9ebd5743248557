#![expect(clippy::unwrap_used)]

use proptest::prelude::*;
use serde_json::{Value, json};
use strum::VariantArray;

use super::*;

fn parse(json: &str) -> Result<Components, String> {
    Components::parse(&serde_json::from_str(json).unwrap())
}

/// Every value is its name in capitals.
fn render(json: &str) -> String {
    parse(json).unwrap().render_with(|it| Some(it.as_str().to_uppercase())).unwrap()
}

#[test]
fn values_take_the_place_of_placeholders() {
    for (json, expected) in [
        ("[]", "[]"),
        (r#"[{"text":"{first_name}"}]"#, r#"[{"text":"FIRST_NAME"}]"#),
        (
            r#"[{"text":"Order {order_id}, {awb}: {awb}"}]"#,
            r#"[{"text":"Order ORDER_ID, AWB: AWB"}]"#,
        ),
        (r#"[{"a":["{eta}",{"b":"{status}"}]}]"#, r#"[{"a":["ETA",{"b":"STATUS"}]}]"#),
        // Names of fields are no values.
        (r#"[{"{eta}" : "{eta}"}]"#, r#"[{"{eta}" : "ETA"}]"#),
        // Texts without placeholders, numbers and white space stay as they are.
        (
            "[ {\"a\":\"\\u0041\\/ \\\"x\\\"\",\n\"n\":1.10e0} ]",
            "[ {\"a\":\"\\u0041\\/ \\\"x\\\"\",\n\"n\":1.10e0} ]",
        ),
        (r#"[{"a":"\u0041\/ \"{awb}\""}]"#, r#"[{"a":"A/ \"AWB\""}]"#),
        (r#"[{"a":"\"{awb}\""}]"#, r#"[{"a":"\"AWB\""}]"#),
        (r#"[{"a":"{awb}\\"}]"#, r#"[{"a":"AWB\\"}]"#),
        // Other braces.
        (r#"[{"a":"{","b":"}","c":"{}","d":"{ }"}]"#, r#"[{"a":"{","b":"}","c":"{}","d":"{ }"}]"#),
        (r#"[{"a":"\u007bawb}"}]"#, r#"[{"a":"\u007bawb}"}]"#),
        (
            r#"[{"payload":"{\"id\":\"{order_id}\",\"n\":1}"}]"#,
            r#"[{"payload":"{\"id\":\"ORDER_ID\",\"n\":1}"}]"#,
        ),
        (r#"[{"payload":"{\"a\":1}"}]"#, r#"[{"payload":"{\"a\":1}"}]"#),
        (r#"[{"a":"{awb"}]"#, r#"[{"a":"{awb"}]"#),
        (r#"[{"a":"{{awb}}"}]"#, r#"[{"a":"{AWB}"}]"#),
        (r#"[{"a":"é📦{awb}पुणे"}]"#, r#"[{"a":"é📦AWBपुणे"}]"#),
    ] {
        assert_eq!(render(json), expected, "{json}");
    }
}

#[test]
fn every_placeholder_is_known() {
    for placeholder in Placeholder::VARIANTS {
        let name = placeholder.as_str();
        let rendered = render(&format!(r#"[{{"a":"{{{name}}}"}}]"#));
        assert_eq!(rendered, format!(r#"[{{"a":"{}"}}]"#, name.to_uppercase()));
    }
}

#[test]
fn rejects_unknown_placeholders_by_name() {
    let error = parse(r#"[{"a":"canary {frist_name}"}]"#).unwrap_err();
    let expected = "has the unknown placeholder `frist_name`; known are first_name, last_name, \
                    order_id, status, shipment_status, awb, carrier, location, eta, tracking_url, \
                    account_code";
    assert_eq!(error, expected);
    for name in ["1", "{1}", " awb", "awb ", "AWB", "first-name", "first name", "a.b", "_x"] {
        assert!(parse(&json!([{"a": format!("{{{name}}}")}]).to_string()).is_err(), "{name}");
    }
}

#[test]
fn rejects_what_is_no_list_of_objects() {
    let deep = format!(r#"[{{"a":{}1{}}}]"#, "[".repeat(31), "]".repeat(31));
    let long = format!(r#"[{{"a":"{}"}}]"#, "x".repeat(8200));
    for json in ["{}", "null", "7", r#""canary""#, "[7]", r#"["canary"]"#, "[[]]", &deep, &long] {
        let error = parse(json).unwrap_err();
        assert!(!error.contains("canary"), "{error}");
    }
    assert!(parse(r#"[{"a":"\ud83d{awb}"}]"#).is_err(), "half of a character");
}

#[test]
fn a_missing_value_is_named() {
    let components = parse(r#"[{"a":"{awb} {eta} {location}"}]"#).unwrap();
    let missing = components.render_with(|it| (it == Placeholder::Awb).then(|| "1".to_owned()));
    assert_eq!(missing, Err(MissingValue(Placeholder::Eta)));
}

#[test]
fn texts_are_bounded() {
    let components = parse(r#"[{"a":"{awb}{eta}"}]"#).unwrap();
    let json = components.render_with(|_| Some("é".repeat(1000))).unwrap();
    assert_eq!(json, format!(r#"[{{"a":"{}"}}]"#, "é".repeat(1024)));
}

/// Texts in which every brace belongs to a placeholder or to none.
fn text() -> impl Strategy<Value = String> {
    let plain = any::<String>().prop_map(|text| text.replace(['{', '}'], "\""));
    let placeholder =
        prop::sample::select(Placeholder::VARIANTS).prop_map(|it| format!("{{{}}}", it.as_str()));
    let brace = prop::sample::select(vec!["{\"", "}", "{}", "{,"]).prop_map(str::to_owned);
    let piece = prop_oneof![2 => plain, 2 => placeholder, 1 => brace];
    prop::collection::vec(piece, 0..4).prop_map(|pieces| pieces.concat())
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        3 => text().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => Just(Value::Null),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::hash_map(text(), inner, 0..3).prop_map(|fields| json!(fields)),
        ]
    })
}

/// The same by another way: in the value instead of the text.
fn expected(value: &Value, replacement: &str) -> Value {
    match value {
        Value::String(text) => {
            let names = Placeholder::VARIANTS.iter().map(|it| format!("{{{}}}", it.as_str()));
            // A character that is in no text keeps braces of values from being read.
            let marked = names.fold(text.clone(), |text, name| text.replace(&name, "\u{10fffe}"));
            if marked == *text {
                return value.clone();
            }
            let filled = marked.replace('\u{10fffe}', replacement);
            Value::from(filled.chars().take(1024).collect::<String>())
        }
        Value::Array(items) => items.iter().map(|item| expected(item, replacement)).collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (name.clone(), expected(value, replacement)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        other => other.clone(),
    }
}

proptest! {
    #[test]
    fn any_value_gives_valid_json(
        fields in prop::collection::vec(prop::collection::hash_map(text(), value(), 0..3), 0..3),
        replacement in any::<String>(),
        is_pretty in any::<bool>(),
    ) {
        prop_assume!(!format!("{fields:?}").contains("10fffe"));
        let value = json!(fields);
        let write = if is_pretty { serde_json::to_string_pretty } else { serde_json::to_string };
        let components = parse(&write(&value).unwrap()).unwrap();
        let rendered = components.render_with(|_| Some(replacement.clone())).unwrap();
        let rendered: Value = serde_json::from_str(&rendered).unwrap();
        prop_assert_eq!(rendered, expected(&value, &replacement));
    }
}
