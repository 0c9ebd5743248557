//! What Meta asks before it sends.

use crate::support::{Answer, http, stack};

async fn ask(query: &[(&str, &str)]) -> Answer {
    let mut url: reqwest::Url = stack().url("/webhooks/whatsapp").parse().unwrap();
    url.query_pairs_mut().extend_pairs(query);
    http::send(http::client().get(url)).await
}

#[tokio::test]
async fn the_challenge_comes_back_as_plain_text() {
    let token = stack().sources["whatsapp"]["verify_token"].as_str();
    let long = "7".repeat(1024);
    for challenge in ["1158201444", "<script>alert(1)</script>", "{\"a\":1}", "a b+c&d", &long] {
        let answer = ask(&[
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
async fn whoever_asks_otherwise_is_refused() {
    let token = stack().sources["whatsapp"]["verify_token"].as_str();
    let (mode, shown, challenge) =
        (("hub.mode", "subscribe"), ("hub.verify_token", token), ("hub.challenge", "1"));
    let long = "7".repeat(10 * 1024);
    for (name, query) in [
        ("hub.mode other", vec![("hub.mode", "unsubscribe"), shown, challenge]),
        ("hub.mode absent", vec![shown, challenge]),
        ("token absent", vec![mode, challenge]),
        ("token empty", vec![mode, ("hub.verify_token", ""), challenge]),
        ("token wrong", vec![mode, ("hub.verify_token", "canary-token"), challenge]),
        ("token prefix", vec![mode, ("hub.verify_token", &token[1..]), challenge]),
        ("token array", vec![mode, ("hub.verify_token[]", token), challenge]),
        ("token twice", vec![mode, shown, shown, challenge]),
        ("challenge absent", vec![mode, shown]),
        ("challenge empty", vec![mode, shown, ("hub.challenge", "")]),
        ("challenge twice", vec![mode, shown, challenge, challenge]),
        ("challenge 10 KB", vec![mode, shown, ("hub.challenge", &long)]),
        ("nothing", vec![]),
    ] {
        assert_eq!(ask(&query).await.error(), (403, "forbidden", None), "{name}");
    }
}

#[tokio::test]
async fn other_sources_ask_nothing() {
    for path in ["/webhooks/carrier", "/webhooks/shipway", "/webhooks/esahayak", "/webhooks/nobody"]
    {
        let answer =
            http::send(http::client().get(stack().url(&format!("{path}?hub.mode=subscribe"))))
                .await;
        assert_eq!(answer.error(), (404, "not_found", None), "{path}");
    }
}
