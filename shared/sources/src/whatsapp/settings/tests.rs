#![expect(clippy::unwrap_used)]

use super::*;
use crate::testing::assert_invalid;

#[test]
fn finds_the_account_of_a_number() {
    let settings = r#"{"phone_numbers":{"106540352242922":"STORE001","7":"STORE002"},
        "graph_url":"https://graph.example.invalid","graph_version":"v26.0"}"#;
    let numbers = Numbers::read(settings).unwrap();
    let account = |number| numbers.account(number).map(AccountCode::as_str);
    assert_eq!((account("106540352242922"), account("7")), (Some("STORE001"), Some("STORE002")));
    for other in ["", "8", "07", " 7", "10654035224292", "STORE001"] {
        assert_eq!(account(other), None, "{other}");
    }
    assert_eq!(Numbers::read(r#"{"phone_numbers":{}}"#).unwrap().account("7"), None);
}

#[test]
fn finds_the_account_of_a_business_account() {
    let settings = r#"{"phone_numbers":{"7":"STORE001"},"business_accounts":{"8":"STORE002"}}"#;
    let numbers = Numbers::read(settings).unwrap();
    let of_business = |id| numbers.account_of_business(id).map(AccountCode::as_str);
    assert_eq!((of_business("8"), of_business("7")), (Some("STORE002"), None));
    assert_eq!(numbers.account("8"), None);
    let owner = |id| numbers.owner(id).map(AccountCode::as_str);
    assert_eq!((owner("7"), owner("8"), owner("9")), (Some("STORE001"), Some("STORE002"), None));
}

#[test]
fn rejects_invalid_settings_without_quoting_them() {
    for (settings, field) in [
        ("", None),
        ("canary", None),
        ("[]", None),
        ("{}", Some("phone_numbers")),
        (r#"{"phone_numbers":["canary"]}"#, Some("phone_numbers")),
        (r#"{"phone_numbers":"canary"}"#, Some("phone_numbers")),
        (r#"{"phone_numbers":{"+1 650":"canary"}}"#, Some("phone_numbers.+1 650")),
        (r#"{"phone_numbers":{"":"canary"}}"#, Some("phone_numbers.")),
        (r#"{"phone_numbers":{"7":"canary/"}}"#, Some("phone_numbers.7")),
        (r#"{"phone_numbers":{"7":1}}"#, Some("phone_numbers.7")),
        (r#"{"phone_numbers":{},"graph_url":7}"#, Some("graph_url")),
        (r#"{"phone_numbers":{},"graph_version":["canary"]}"#, Some("graph_version")),
        (r#"{"phone_numbers":{},"graph_version":"canary"}"#, Some("graph_version")),
        (r#"{"phone_numbers":{},"graph_version":"v25.0/canary"}"#, Some("graph_version")),
        (r#"{"phone_numbers":{},"messages_per_second":1}"#, Some("messages_per_second")),
        (r#"{"phone_numbers":{},"messages_per_second":1001}"#, Some("messages_per_second")),
        (r#"{"phone_numbers":{},"phone_number":{}}"#, Some("phone_number")),
        (r#"{"phone_numbers":{},"business_accounts":7}"#, Some("business_accounts")),
        (r#"{"phone_numbers":{},"business_accounts":{"x":"A"}}"#, Some("business_accounts.x")),
        (r#"{"phone_numbers":{"7":"A"},"business_accounts":{"7":"A"}}"#, Some("business_accounts")),
    ] {
        assert_invalid(Numbers::read(settings), ("settings", field), settings);
    }
}

#[test]
fn reads_one_or_two_app_secrets() {
    for (app_secret, expected) in [
        (r#""a""#, vec!["a"]),
        (r#"["a"]"#, vec!["a"]),
        (r#"["a","b"]"#, vec!["a", "b"]),
        (r#"["a","a"]"#, vec!["a", "a"]),
        (r#"" a, ""#, vec![" a, "]),
    ] {
        let text = format!(r#"{{"app_secret":{app_secret},"verify_token":"t"}}"#);
        let secret = Secret::read(Some(&text)).ok().unwrap();
        assert_eq!(secret.app_secrets.iter().collect::<Vec<_>>(), expected, "{app_secret}");
    }
}

#[test]
fn rejects_invalid_secrets_without_quoting_them() {
    let app = |secret: &str| format!(r#"{{"app_secret":{secret},"verify_token":"canary"}}"#);
    let token = |token: &str| format!(r#"{{"app_secret":"canary","verify_token":{token}}}"#);
    for (secret, field) in [
        (None, None),
        (Some(String::new()), None),
        (Some("canary".to_owned()), None),
        (Some(r#"["canary"]"#.to_owned()), None),
        (Some("{}".to_owned()), Some("app_secret")),
        (Some(r#"{"app_secret":"canary"}"#.to_owned()), Some("verify_token")),
        (Some(app(r#""""#)), Some("app_secret")),
        (Some(app(r#"" ""#)), Some("app_secret")),
        (Some(app("[]")), Some("app_secret")),
        (Some(app(r#"["canary",""]"#)), Some("app_secret")),
        (Some(app(r#"["canary","b","c"]"#)), Some("app_secret")),
        (Some(app(r#"["canary",1]"#)), Some("app_secret")),
        (Some(app(r#"{"canary":"canary"}"#)), Some("app_secret")),
        (Some(app("null")), Some("app_secret")),
        (Some(app("7")), Some("app_secret")),
        (Some(token(r#""""#)), Some("verify_token")),
        (Some(token(r#"" ""#)), Some("verify_token")),
        (Some(token("null")), Some("verify_token")),
        (Some(token("7")), Some("verify_token")),
        (Some(token(r#"["canary"]"#)), Some("verify_token")),
        (Some(token(r#""a","access_token":["canary"]"#)), Some("access_token")),
        (Some(token(r#""a","access_token":"""#)), Some("access_token")),
        (Some(token(r#""a","access_token":"can ary""#)), Some("access_token")),
        (Some(token(r#""a","verify_token":"canary""#)), Some("verify_token")),
        (Some(token(r#""a","canary":"x""#)), None),
        (Some(token(r#""a","x":"canary""#)), None),
    ] {
        assert_invalid(Secret::read(secret.as_deref()), ("secret", field), &secret);
    }
}

#[test]
fn sends_by_the_graph_api_of_the_settings() {
    let secret = Some(r#"{"app_secret":"a","verify_token":"t","access_token":"EAAG"}"#);
    let api = CloudApi::read(r#"{"phone_numbers":{"7":"A","8":"B","9":"A"}}"#, secret).unwrap();
    assert_eq!(api.messages_url("7"), "https://graph.facebook.com/v25.0/7/messages");
    assert_eq!((api.authorization().as_str(), api.messages_per_second), ("Bearer EAAG", 80));
    let account = AccountCode::parse("A").unwrap();
    assert_eq!(api.numbers.of_account(&account).collect::<Vec<_>>(), ["7", "9"]);
    assert!(!format!("{api:?}").contains("EAAG"));
    let settings = r#"{"phone_numbers":{},"graph_url":"http://127.0.0.1:9/","graph_version":"v26.1",
        "messages_per_second":20}"#;
    let api = CloudApi::read(settings, secret).unwrap();
    assert_eq!(api.messages_url("7"), "http://127.0.0.1:9/v26.1/7/messages");
    assert_eq!(api.messages_per_second, 20);
    let without = Some(r#"{"app_secret":"a","verify_token":"t"}"#);
    assert_invalid(CloudApi::read(settings, without), ("secret", Some("access_token")), "");
}
