//! Signatures of WhatsApp's webhook.

use super::*;
use crate::bad_inputs::request::Transport;
use crate::support::hmac;

fn signed(body: &str, signature: &str) -> WebhookRequest {
    WebhookRequest::json(PATH, body).with_header("x-hub-signature-256", signature)
}

#[tokio::test]
async fn rejects_missing_and_wrong_signatures() {
    type Sign = fn(&[u8]) -> String;
    let signatures: [(&str, Sign, bool); 12] = [
        ("valid", |body| hmac_signature(app_secret(), body), true),
        ("upper hex", |body| format!("sha256={}", hmac(app_secret(), body).to_uppercase()), true),
        ("sha1=", |body| format!("sha1={}", hmac(app_secret(), body)), false),
        ("sha256=", |_| "sha256=".to_owned(), false),
        ("SHA256=", |body| format!("SHA256={}", hmac(app_secret(), body)), false),
        ("bare hex", |body| hmac(app_secret(), body), false),
        ("63 hex", |body| hmac_signature(app_secret(), body)[..70].to_owned(), false),
        ("65 hex", |body| hmac_signature(app_secret(), body) + "0", false),
        ("no hex", |_| format!("sha256={}", "g".repeat(64)), false),
        ("a,b", |body| format!("{0},{0}", hmac_signature(app_secret(), body)), false),
        ("other key", |body| hmac_signature("another", body), false),
        ("empty", |_| String::new(), false),
    ];
    let case = |(name, sign, is_valid): (&str, Sign, bool)| {
        let tag = unique("");
        let body = valid_body(&tag).to_string();
        let outcome = if is_valid { accepted(Processed) } else { rejected(401) };
        TestCase::new(name, signed(&body, &sign(body.as_bytes())), outcome).for_order(order(&tag))
    };
    let mut cases: Vec<TestCase<'_>> = signatures.into_iter().map(case).collect();
    let tag = unique("");
    let unsigned = WebhookRequest::json(PATH, valid_body(&tag).to_string());
    let sha1 = format!("sha1={}", hmac(app_secret(), &unsigned.body));
    let old_header = unsigned.clone().with_header("x-hub-signature", sha1);
    cases.push(TestCase::new("none", unsigned, rejected(401)).for_order(order(&tag)));
    cases.push(TestCase::new("only the old header", old_header, rejected(401)));
    check(&fixture(), &cases).await;
}

/// Meta escapes slashes and characters outside ASCII: the signature of a reserialized body
/// differs.
#[tokio::test]
async fn verifies_the_signature_over_the_raw_body() {
    let mut cases = Vec::new();
    for (name, text) in [
        ("\\u00e4", r"\u00e4\u00f6"),
        ("\\/", r"https:\/\/example.invalid"),
        ("emoji", "\u{1f4e6}\u{e4}"),
    ] {
        let tag = unique("");
        let note = format!("\"{text} {tag}\"");
        let body = fixture().body_with_text(&tag, "/entry/0/changes/0/value/note", &note);
        let reserialized = format!("{:#}", serde_json::from_str::<Value>(&body).unwrap());
        let signed_with =
            |text: &str| signed(&body, &hmac_signature(app_secret(), text.as_bytes()));
        let of_reserialized = signed_with(&reserialized);
        cases.push(TestCase::new(format!("{name}, reserialized"), of_reserialized, rejected(401)));
        cases.push(
            TestCase::new(name, signed_with(&body), accepted(Processed)).for_order(order(&tag)),
        );
    }
    check(&fixture(), &cases).await;
}

/// In this process: the deployed source has one secret.
#[tokio::test]
async fn accepts_the_previous_secret_after_a_rotation() {
    let number = &stack().sources["whatsapp"]["phone_number_id"];
    let settings = json!({"phone_numbers": {number: ACCOUNT}}).to_string();
    let secrets = json!({
        "app_secret": ["canary-secret-new", "canary-secret-old"], "verify_token": "canary-token",
    });
    let parameters = [
        ("sources/whatsapp/settings", settings.as_str()),
        ("sources/whatsapp/secret", &secrets.to_string()),
    ];
    let inbound = stack().installation(&parameters).await;
    let case = |secret: &str, outcome| {
        let tag = unique("");
        let body = valid_body(&tag).to_string();
        let request = signed(&body, &hmac_signature(secret, body.as_bytes()));
        TestCase::new(secret, request, outcome)
            .for_order(order(&tag))
            .via(Transport::Function(&inbound, Some("127.0.0.1")))
    };
    let cases = [
        case("canary-secret-new", accepted(Processed)),
        case("canary-secret-old", accepted(Processed)),
        case("canary-secret-older", rejected(401)),
        case(app_secret(), rejected(401)),
    ];
    check(&fixture(), &cases).await;
}
