//! Authentication of Shiprocket's webhook.

use data_encoding::BASE64;

use super::*;
use crate::bad_inputs::request::Transport;
use crate::support::{Calls, hmac, hmac_bytes, hmac_signature};

const ACCOUNT: &str = "STORE001";
const PATH: &str = "/webhooks/carrier";

async fn plain_path() -> SourceFixture {
    fixture().await.at(ACCOUNT, PATH)
}

/// A valid body that matches no order, with these headers only.
fn request(headers: &[(&'static str, &str)]) -> WebhookRequest {
    let request = WebhookRequest::json(PATH, valid_body(&unique("")).to_string());
    headers.iter().fold(request, |request, (name, value)| request.and_header(name, *value))
}

#[tokio::test]
async fn rejects_a_missing_or_wrong_token() {
    let (token, inbound) = (token(), stack().inbound(&Calls::default()));
    let in_query = WebhookRequest { path: format!("{PATH}?x-api-key={token}"), ..request(&[]) };
    let function = Transport::Function(&inbound, Some("127.0.0.1"));
    let case = |name: &str, headers: &[(&'static str, &str)], expected| {
        TestCase::new(name, request(headers), expected)
    };
    let cases = [
        case("valid", &[("x-api-key", token)], accepted(Unmatched)),
        case("upper-case name", &[("X-API-KEY", token)], accepted(Unmatched)),
        case("other name", &[("anx-api-key", token)], accepted(Unmatched)),
        case("one right", &[("x-api-key", "bad"), ("anx-api-key", token)], accepted(Unmatched)),
        case("other name, wrong", &[("anx-api-key", "canary-key")], rejected(401)),
        case("absent", &[], rejected(401)),
        case("empty", &[("x-api-key", "")], rejected(401)),
        case("wrong", &[("x-api-key", "canary-key")], rejected(401)),
        case("prefix", &[("x-api-key", &token[1..])], rejected(401)),
        // HTTP clients trim the space.
        case("trailing space", &[("x-api-key", &format!("{token} "))], rejected(401)).via(function),
        case("8 KB", &[("x-api-key", &"x".repeat(8192))], rejected(401)),
        case("valid,bad", &[("x-api-key", &format!("{token},bad"))], rejected(401)),
        case("valid and bad", &[("x-api-key", token), ("x-api-key", "bad")], rejected(401)),
        TestCase::new("in query", in_query, rejected(401)),
        case("as Bearer", &[("authorization", &format!("Bearer {token}"))], rejected(401)),
    ];
    check(&plain_path().await, &cases).await;
}

/// In this process: the deployed source is in mode `token`.
#[tokio::test]
async fn requires_only_the_signature_in_hmac_mode() {
    const KEY: &str = "canary-key";
    let settings = json!({"mode": "hmac", "account": ACCOUNT}).to_string();
    let parameters =
        [("sources/shiprocket/settings", settings.as_str()), ("sources/shiprocket/secret", KEY)];
    let inbound = stack().installation(&parameters).await;
    let transport = Transport::Function(&inbound, Some("127.0.0.1"));
    let case = |name: &str, sign: fn(&[u8]) -> String, expected| {
        let request = request(&[("x-api-key", KEY)]);
        let signature = sign(&request.body);
        TestCase::new(name, request.and_header("x-webhook-signature", signature), expected)
            .via(transport)
    };
    let cases = [
        case("valid", |body| hmac_signature(KEY, body), accepted(Unmatched)),
        case(
            "upper hex",
            |body| format!("sha256={}", hmac(KEY, body).to_uppercase()),
            accepted(Unmatched),
        ),
        case("wrong HMAC, valid token", |body| hmac_signature("bad", body), rejected(401)),
        case(
            "base64",
            |body| format!("sha256={}", BASE64.encode(&hmac_bytes(KEY, body))),
            rejected(401),
        ),
        case("bare hex", |body| hmac(KEY, body), rejected(401)),
        case("sha256=", |_| "sha256=".to_owned(), rejected(401)),
        case("a,b", |body| format!("{0},{0}", hmac_signature(KEY, body)), rejected(401)),
        case(
            "of base64",
            |body| hmac_signature(KEY, BASE64.encode(body).as_bytes()),
            rejected(401),
        ),
        case("of another body", |_| hmac_signature(KEY, b"{}"), rejected(401)),
        TestCase::new("valid token only", request(&[("x-api-key", KEY)]), rejected(401))
            .via(transport),
    ];
    check(&plain_path().await, &cases).await;
}

/// In this process: the deployed source has no address list.
#[tokio::test]
async fn checks_only_the_peer_address() {
    const LISTED: &str = "13.234.161.44";
    let settings =
        json!({"mode": "token", "account": ACCOUNT, "allowed_ips": [LISTED]}).to_string();
    let parameters = [
        ("sources/shiprocket/settings", settings.as_str()),
        ("sources/shiprocket/secret", "canary-key"),
    ];
    let inbound = stack().installation(&parameters).await;
    let case = |name: &str, address: Option<&'static str>, expected| {
        let request = request(&[
            ("x-api-key", "canary-key"),
            ("x-forwarded-for", LISTED),
            ("x-real-ip", LISTED),
        ]);
        TestCase::new(name, request, expected).via(Transport::Function(&inbound, address))
    };
    let cases = [
        case("listed", Some(LISTED), accepted(Unmatched)),
        case("listed, as IPv6", Some("::ffff:13.234.161.44"), accepted(Unmatched)),
        case("listed only in XFF", Some("127.0.0.1"), rejected(403)),
        case("next address", Some("13.234.161.45"), rejected(403)),
        case("no address", None, rejected(403)),
        case("address with port", Some("13.234.161.44:443"), rejected(403)),
        TestCase::new("listed, no token", request(&[]), rejected(401))
            .via(Transport::Function(&inbound, Some(LISTED))),
    ];
    check(&plain_path().await, &cases).await;
}

/// API Gateway never sets the flag on a body that is not base64.
#[tokio::test]
async fn serves_the_next_request_after_a_wrong_base64_flag() {
    let source = fixture().await;
    let (tag, no_base64) = (unique(""), "{\"awb\":\"not base64\"}");
    let mut event = source.valid_request(&tag).api_gateway_event(Some("127.0.0.1"));
    event["body"] = no_base64.into();
    let result = stack().invoke("inbound", &event).await;
    assert!(result["errorMessage"].is_string() && result.get("statusCode").is_none(), "{result}");
    let stored = TestCase::new("as text", source.request(no_base64), accepted(Unmatched));
    let next = TestCase::new("next request", source.valid_request(&tag), accepted(Processed))
        .for_order(source.order(&tag));
    check(source, &[next, stored]).await;
}
