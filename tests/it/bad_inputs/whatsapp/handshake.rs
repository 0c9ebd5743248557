//! The handshake in which Meta verifies the endpoint.

use crate::support::{Answer, http, stack};

async fn handshake(query: &[(&str, &str)]) -> Answer {
    let mut url: reqwest::Url = stack().url("/webhooks/whatsapp").parse().unwrap();
    url.query_pairs_mut().extend_pairs(query);
    http::send(http::client().get(url)).await
}

#[tokio::test]
async fn echoes_the_challenge_as_plain_text() {
    let token = stack().sources["whatsapp"]["verify_token"].as_str();
    let long = "7".repeat(1024);
    for challenge in ["1158201444", "<script>alert(1)</script>", "{\"a\":1}", "a b+c&d", &long] {
        let answer = handshake(&[
            ("hub.mode", "subscribe"),
            ("hub.verify_token", token),
            ("hub.challenge", challenge),
        ])
        .await;
        let text = answer.json.as_str().map_or_else(|| answer.json.to_string(), str::to_owned);
        assert_eq!((answer.status, text.as_str()), (200, challenge));
        let header = |name: &str| answer.headers[name].to_str().unwrap();
        assert!(header("content-type").starts_with("text/plain"));
        assert_eq!(header("x-content-type-options"), "nosniff");
    }
}

#[tokio::test]
async fn rejects_invalid_handshakes() {
    let token = stack().sources["whatsapp"]["verify_token"].as_str();
    let (mode, valid_token, challenge) =
        (("hub.mode", "subscribe"), ("hub.verify_token", token), ("hub.challenge", "1"));
    let long = "7".repeat(10 * 1024);
    for (name, query) in [
        ("hub.mode other", vec![("hub.mode", "unsubscribe"), valid_token, challenge]),
        ("hub.mode absent", vec![valid_token, challenge]),
        ("token absent", vec![mode, challenge]),
        ("token empty", vec![mode, ("hub.verify_token", ""), challenge]),
        ("token wrong", vec![mode, ("hub.verify_token", "canary-token"), challenge]),
        ("token prefix", vec![mode, ("hub.verify_token", &token[1..]), challenge]),
        ("token array", vec![mode, ("hub.verify_token[]", token), challenge]),
        ("token twice", vec![mode, valid_token, valid_token, challenge]),
        ("challenge absent", vec![mode, valid_token]),
        ("challenge empty", vec![mode, valid_token, ("hub.challenge", "")]),
        ("challenge twice", vec![mode, valid_token, challenge, challenge]),
        ("challenge 10 KB", vec![mode, valid_token, ("hub.challenge", &long)]),
        ("empty query", vec![]),
    ] {
        assert_eq!(handshake(&query).await.error(), (403, "forbidden", None), "{name}");
    }
}

#[tokio::test]
async fn answers_404_to_handshakes_of_other_sources() {
    for source in ["shipway", "esahayak", "nobody"] {
        let path = format!("/webhooks/{source}?hub.mode=subscribe");
        let answer = http::send(http::client().get(stack().url(&path))).await;
        assert_eq!(answer.error(), (404, "not_found", None), "{path}");
    }
}
