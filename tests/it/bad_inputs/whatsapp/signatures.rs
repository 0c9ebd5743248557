//! Who may send them.

use super::*;
use crate::bad_inputs::post::{Door, hmac};

fn secret() -> &'static str {
    &stack().sources["whatsapp"]["app_secret"]
}

fn signed(body: &str, signature: &str) -> Post {
    Post::to("/webhooks/whatsapp", body).with("x-hub-signature-256", signature)
}

#[tokio::test]
async fn the_signature_is_there_and_over_these_bytes() {
    type Sign = fn(&[u8]) -> String;
    let signs: [(&str, Sign, bool); 12] = [
        ("good", |body| signature(secret(), body), true),
        ("upper hex", |body| format!("sha256={}", hmac(secret(), body).to_uppercase()), true),
        ("sha1=", |body| format!("sha1={}", hmac(secret(), body)), false),
        ("sha256=", |_| "sha256=".to_owned(), false),
        ("SHA256=", |body| format!("SHA256={}", hmac(secret(), body)), false),
        ("bare hex", |body| hmac(secret(), body), false),
        ("63 hex", |body| signature(secret(), body)[..70].to_owned(), false),
        ("65 hex", |body| signature(secret(), body) + "0", false),
        ("no hex", |_| format!("sha256={}", "g".repeat(64)), false),
        ("a,b", |body| format!("{0},{0}", signature(secret(), body)), false),
        ("another's", |body| signature("another", body), false),
        ("empty", |_| String::new(), false),
    ];
    let case = |(name, sign, passes): (&str, Sign, bool)| {
        let tag = unique("");
        let body = good(&tag).to_string();
        let outcome = if passes { taken(Processed) } else { refused(401) };
        Case::new(name, signed(&body, &sign(body.as_bytes())), outcome).on(subject(&tag))
    };
    let mut cases: Vec<Case<'_>> = signs.into_iter().map(case).collect();
    let tag = unique("");
    let unsigned = Post::to("/webhooks/whatsapp", good(&tag).to_string());
    let old = unsigned
        .clone()
        .with("x-hub-signature", format!("sha1={}", hmac(secret(), &unsigned.body)));
    cases.push(Case::new("none", unsigned, refused(401)).on(subject(&tag)));
    cases.push(Case::new("only the old header", old, refused(401)));
    check(&surface(), &cases).await;
}

/// Meta escapes what is no ASCII, and slashes; whoever reads the body before checking it signs another.
#[tokio::test]
async fn bodies_are_signed_as_they_are_written() {
    let mut cases = Vec::new();
    for (name, text) in [
        ("\\u00e4", r"\u00e4\u00f6"),
        ("\\/", r"https:\/\/example.invalid"),
        ("emoji", "\u{1f4e6}\u{e4}"),
    ] {
        let tag = unique("");
        let body =
            surface().with(&tag, "/entry/0/changes/0/value/note", &format!("\"{text} {tag}\""));
        let again = format!("{:#}", serde_json::from_str::<Value>(&body).unwrap());
        let of_another = signed(&body, &signature(secret(), again.as_bytes()));
        cases.push(Case::new(format!("{name}, written anew"), of_another, refused(401)));
        cases.push(
            Case::new(name, signed(&body, &signature(secret(), body.as_bytes())), taken(Processed))
                .on(subject(&tag)),
        );
    }
    check(&surface(), &cases).await;
}

/// In this process: the deployed source has one secret.
#[tokio::test]
async fn the_previous_secret_still_passes() {
    let number = &stack().sources["whatsapp"]["phone_number_id"];
    let settings = json!({"phone_numbers": {number: ACCOUNT}}).to_string();
    let secrets = json!({"app_secret": ["canary-secret-new", "canary-secret-old"], "verify_token": "canary-token"});
    let parameters = [
        ("sources/whatsapp/settings", settings.as_str()),
        ("sources/whatsapp/secret", &secrets.to_string()),
    ];
    let inbound = stack().installation(&parameters).await;
    let case = |secret: &str, outcome| {
        let tag = unique("");
        let body = good(&tag).to_string();
        let post = signed(&body, &signature(secret, body.as_bytes()));
        Case::new(secret, post, outcome)
            .on(subject(&tag))
            .by(Door::Function(&inbound, Some("127.0.0.1")))
    };
    let cases = [
        case("canary-secret-new", taken(Processed)),
        case("canary-secret-old", taken(Processed)),
        case("canary-secret-older", refused(401)),
        case(secret(), refused(401)),
    ];
    check(&surface(), &cases).await;
}
