#![expect(clippy::unwrap_used, clippy::panic)]

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::messaging::recipient::CountryCode;

const COMPONENTS: &str =
    r#"[ {"type":"body", "parameters":[{"type":"text","text":"\u0041 1.10"},1.10]} ]"#;

fn request(to: &str, components: Option<&str>) -> TemplateRequest {
    let recipient = Recipient::parse(to, &CountryCode::default()).unwrap();
    let components = components.map(|json| serde_json::from_str(json).unwrap());
    let name = TemplateName::try_from("order_shipped".to_owned()).unwrap();
    let language = LanguageCode::parse("en_US").unwrap();
    TemplateRequest::new(&recipient, Template::new(name, language, components), "wa_1")
}

#[test]
fn a_phone_number_has_a_plus_and_components_stay_as_they_are() {
    let expected = [
        r#"{"messaging_product":"whatsapp","recipient_type":"individual","to":"+919876543210","#,
        r#""type":"template","template":{"name":"order_shipped","language":{"code":"en_US"},"#,
        r#""components":"#,
        COMPONENTS,
        r#"},"biz_opaque_callback_data":"wa_1"}"#,
    ];
    assert_eq!(request("91 98765-43210", Some(COMPONENTS)).to_json(), expected.concat());
}

#[test]
fn a_user_id_is_never_in_the_field_of_phone_numbers() {
    let expected = [
        r#"{"messaging_product":"whatsapp","recipient_type":"individual","recipient":"US.1349","#,
        r#""type":"template","template":{"name":"order_shipped","language":{"code":"en_US"}},"#,
        r#""biz_opaque_callback_data":"wa_1"}"#,
    ];
    assert_eq!(request("US.1349", None).to_json(), expected.concat());
}

#[test]
fn debug_output_of_a_request_has_no_personal_data() {
    for to in ["+919876543210", "US.1349"] {
        let shown = format!("{:?}", request(to, Some(COMPONENTS)));
        assert!(shown.contains("wa_1") && shown.contains("order_shipped"), "{shown}");
        assert!(
            !shown.contains(to) && !shown.contains("9876") && !shown.contains("1.10"),
            "{shown}"
        );
    }
}

#[test]
fn language_codes_are_letters() {
    for (text, is_code) in [
        ("en", true),
        ("pt_BR", true),
        ("zh-HK", true),
        ("fil", true),
        ("", false),
        ("e", false),
        ("en_", false),
        ("_en", false),
        ("en US", false),
        ("en1", false),
        ("हिन्दी", false),
        ("abcdefghijklmnopq", false),
    ] {
        assert_eq!(LanguageCode::parse(text).is_some(), is_code, "{text}");
    }
}

#[test]
fn every_error_code_has_its_reaction() {
    use SendFailure::{Final, PairLimit, PauseNumber, Retry, RetryOnce};
    let (credentials, number) = (PauseNumber(Refusal::Credentials), PauseNumber(Refusal::Number));
    for (codes, expected) in [
        (&[2, 4, 80007, 130429, 131000, 131016, 131057, 133004][..], Retry),
        (&[1], RetryOnce),
        (&[131056], PairLimit),
        (&[0, 3, 10, 190, 200, 250, 299], credentials),
        (&[368, 131005, 131031, 131037, 131042, 131045, 133010, 133016], number),
        (&[131048, 131064], number),
        (&[131021, 131026, 131047, 131049, 131050, 130472, 130497, 137000], Final),
        (&[33, 100, 131008, 131009, 131051, 131052, 131053], Final),
        (&[132000, 132001, 132005, 132007, 132012, 132015, 132016, 132018, 132068, 132069], Final),
    ] {
        for code in codes {
            // Not even an HTTP status that says something else changes it.
            for status in [200, 400, 401, 404, 429, 500, 503] {
                assert_eq!(SendFailure::of(Some(*code), status), expected, "{code} {status}");
            }
        }
    }
}

#[test]
fn the_http_status_decides_about_other_codes() {
    use SendFailure::{Final, PauseNumber, Retry, Unknown};
    let (credentials, number) = (PauseNumber(Refusal::Credentials), PauseNumber(Refusal::Number));
    for (status, without_code, unknown_code) in [
        (200, Unknown, Unknown),
        (204, Unknown, Unknown),
        (302, number, Final),
        (400, Final, Final),
        (401, credentials, credentials),
        (403, credentials, credentials),
        (404, number, Final),
        (405, number, Final),
        (408, Unknown, Unknown),
        (409, Final, Final),
        (413, Final, Final),
        (429, Retry, Retry),
        (499, Final, Final),
        (500, Unknown, Unknown),
        (502, Unknown, Unknown),
        (503, Unknown, Unknown),
        (100, Unknown, Unknown),
        (0, Unknown, Unknown),
    ] {
        assert_eq!(SendFailure::of(None, status), without_code, "{status}");
        for code in [5, 199, 300, 131_999, 133_000, i64::MAX, -1] {
            assert_eq!(SendFailure::of(Some(code), status), unknown_code, "{status} {code}");
        }
    }
}

fn read(status: u16, body: &Value) -> SendAnswer {
    SendAnswer::read(status, body.to_string().as_bytes())
}

#[test]
fn an_accepted_message_has_its_id() {
    let answer = |message: Value| {
        read(
            200,
            &json!({
                "messaging_product": "whatsapp",
                "contacts": [{"input": "+16505551234", "wa_id": "16505551234"}],
                "messages": [message],
            }),
        )
    };
    for (status, expected) in [
        (json!("accepted"), "accepted"),
        (json!("held_for_quality_assessment"), "held_for_quality_assessment"),
        (json!("paused"), "paused"),
        (json!("of_another_version"), "accepted"),
        (json!(7), "accepted"),
        (Value::Null, "accepted"),
    ] {
        let SendAnswer::Accepted { message, acceptance } =
            answer(json!({"id": "wamid.HBgL==", "message_status": status}))
        else {
            panic!("{status}");
        };
        assert_eq!((message.as_str(), acceptance.as_str()), ("wamid.HBgL==", expected));
    }
    for message in [json!({}), json!({"id": ""}), json!({"id": 7}), json!({"id": "a b"}), json!(1)]
    {
        let SendAnswer::Failed { failure, .. } = answer(message.clone()) else {
            panic!("{message}");
        };
        assert_eq!(failure, SendFailure::Unknown, "{message}");
    }
}

/// As (failure, code, title, details).
fn failed(status: u16, body: &[u8]) -> (SendFailure, Option<String>, String, Option<String>) {
    let SendAnswer::Failed { failure, error } = SendAnswer::read(status, body) else {
        panic!("accepted");
    };
    (failure, error.code, error.title.unwrap(), error.details)
}

#[test]
fn an_error_has_code_title_and_details() {
    let body = json!({"error": {
        "message": "(#130429) Rate limit hit", "type": "OAuthException", "code": 130429,
        "error_data": {"messaging_product": "whatsapp", "details": "too many\nmessages"},
        "fbtrace_id": "Acanary",
    }});
    let text = |text: &str| Some(text.to_owned());
    let expected = (
        SendFailure::Retry,
        text("130429"),
        "(#130429) Rate limit hit".to_owned(),
        text("too many messages"),
    );
    assert_eq!(failed(400, body.to_string().as_bytes()), expected);
    assert!(!format!("{:?}", read(400, &body)).contains("canary"));
    for (status, body, expected) in [
        // An error counts whatever the status is.
        (
            200,
            r#"{"error":{"code":190}}"#,
            (SendFailure::PauseNumber(Refusal::Credentials), text("190")),
        ),
        (400, r#"{"error":{"code":"131056"}}"#, (SendFailure::PairLimit, text("131056"))),
        (
            400,
            r#"{"error":{"code":100},"messages":[{"id":"wamid.A"}]}"#,
            (SendFailure::Final, text("100")),
        ),
        (
            400,
            r#"{"error":{"code":100,"error_subcode":33}}"#,
            (SendFailure::PauseNumber(Refusal::Number), text("100")),
        ),
        (500, r#"{"error":{"code":131000}}"#, (SendFailure::Retry, text("131000"))),
        (400, r#"{"error":{"code":-1}}"#, (SendFailure::Final, None)),
        (400, r#"{"error":{"code":1.5,"message":7,"error_data":"x"}}"#, (SendFailure::Final, None)),
        (500, r#"{"error":"text"}"#, (SendFailure::Unknown, None)),
        // Accepted and refused at once: an answer of something else.
        (500, r#"{"messages":[{"id":"wamid.A"}]}"#, (SendFailure::Unknown, None)),
        (200, r#"{"error":null,"messages":[]}"#, (SendFailure::Unknown, None)),
        (502, "<html>Bad Gateway</html>", (SendFailure::Unknown, None)),
        (404, "", (SendFailure::PauseNumber(Refusal::Number), None)),
        (429, "\u{0}", (SendFailure::Retry, None)),
    ] {
        let (failure, code, title, details) = failed(status, body.as_bytes());
        assert_eq!((failure, code), expected, "{body}");
        assert_eq!((title, details), (format!("HTTP {status}"), None), "{body}");
    }
}

#[test]
fn an_id_says_that_a_message_was_sent() {
    let body = r#"{"error":{"code":131000},"messages":[{"id":"wamid.A"}]}"#;
    assert!(matches!(SendAnswer::read(200, body.as_bytes()), SendAnswer::Accepted { .. }));
}

#[test]
fn texts_of_errors_are_bounded() {
    let long = "é".repeat(5000);
    let body = json!({"error": {"code": 1, "message": long, "error_data": {"details": long}}});
    let (.., title, details) = failed(400, body.to_string().as_bytes());
    assert_eq!((title.chars().count(), details.unwrap().chars().count()), (256, 1024));
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(failed(200, deep.as_bytes()).0, SendFailure::Unknown);
}

const NAMES: [&str; 8] =
    ["error", "code", "message", "error_data", "details", "messages", "id", "message_status"];

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        Just(json!(131_056)),
        Just(json!("wamid.A")),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 30, 5, |inner| {
        let name = prop::sample::select(&NAMES[..]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::hash_map(name, inner, 0..4).prop_map(|fields| json!(fields)),
        ]
    })
}

proptest! {
    #[test]
    fn reads_any_answer(status in any::<u16>(), body in value()) {
        let is_accepted = matches!(read(status, &body), SendAnswer::Accepted { .. });
        prop_assert!(!is_accepted || (200..300).contains(&status));
    }

    #[test]
    fn reads_any_bytes(status in any::<u16>(), body in prop::collection::vec(any::<u8>(), 0..200)) {
        let is_failed = matches!(SendAnswer::read(status, &body), SendAnswer::Failed { .. });
        prop_assert!(is_failed);
    }
}
