//! Who may send them.

use aws::tables::inbound::EventState::{Processed, Unmatched};
use data_encoding::BASE64;
use serde_json::json;

use super::*;
use crate::bad_inputs::post::{Door, hmac, hmac_bytes, signature};
use crate::support::Calls;

const ACCOUNT: &str = "STORE001";
const PATH: &str = "/webhooks/carrier";

/// The source's plain path.
async fn plain() -> Surface {
    surface().await.at(ACCOUNT, PATH)
}

/// A good body of nobody's order, with these headers only.
fn post(headers: &[(&'static str, &str)]) -> Post {
    let post = Post::to(PATH, good(&unique("")).to_string());
    headers.iter().fold(post, |post, (name, value)| post.and(name, *value))
}

#[tokio::test]
async fn the_token_is_in_its_header_and_exactly_it() {
    let (good, inbound) = (token(), stack().inbound(&Calls::default()));
    let in_query = Post { path: format!("{PATH}?x-api-key={good}"), ..post(&[]) };
    let function = Door::Function(&inbound, Some("127.0.0.1"));
    let case = |name: &str, headers: &[(&'static str, &str)], expected| {
        Case::new(name, post(headers), expected)
    };
    let cases = [
        case("good", &[("x-api-key", good)], taken(Unmatched)),
        case("upper-case name", &[("X-API-KEY", good)], taken(Unmatched)),
        case("absent", &[], refused(401)),
        case("empty", &[("x-api-key", "")], refused(401)),
        case("wrong", &[("x-api-key", "canary-key")], refused(401)),
        case("prefix", &[("x-api-key", &good[1..])], refused(401)),
        // HTTP itself drops the space.
        case("trailing space", &[("x-api-key", &format!("{good} "))], refused(401)).by(function),
        case("8 KB", &[("x-api-key", &"x".repeat(8192))], refused(401)),
        case("good,bad", &[("x-api-key", &format!("{good},bad"))], refused(401)),
        case("good and bad", &[("x-api-key", good), ("x-api-key", "bad")], refused(401)),
        Case::new("in query", in_query, refused(401)),
        case("as Bearer", &[("authorization", &format!("Bearer {good}"))], refused(401)),
    ];
    check(&plain().await, &cases).await;
}

/// In this process: the deployed source asks for the token.
#[tokio::test]
async fn in_mode_hmac_only_the_signature_counts() {
    const KEY: &str = "canary-key";
    let settings = json!({"mode": "hmac", "account": ACCOUNT}).to_string();
    let parameters =
        [("sources/shiprocket/settings", settings.as_str()), ("sources/shiprocket/secret", KEY)];
    let inbound = stack().installation(&parameters).await;
    let door = Door::Function(&inbound, Some("127.0.0.1"));
    let case = |name: &str, sign: fn(&[u8]) -> String, expected| {
        let post = post(&[("x-api-key", KEY)]);
        let signature = sign(&post.body);
        Case::new(name, post.and("x-webhook-signature", signature), expected).by(door)
    };
    let cases = [
        case("good", |body| signature(KEY, body), taken(Unmatched)),
        case(
            "upper hex",
            |body| format!("sha256={}", hmac(KEY, body).to_uppercase()),
            taken(Unmatched),
        ),
        case("bad HMAC + good token", |body| signature("bad", body), refused(401)),
        case(
            "base64",
            |body| format!("sha256={}", BASE64.encode(&hmac_bytes(KEY, body))),
            refused(401),
        ),
        case("bare hex", |body| hmac(KEY, body), refused(401)),
        case("sha256=", |_| "sha256=".to_owned(), refused(401)),
        case("a,b", |body| format!("{0},{0}", signature(KEY, body)), refused(401)),
        case("of base64", |body| signature(KEY, BASE64.encode(body).as_bytes()), refused(401)),
        case("of another body", |_| signature(KEY, b"{}"), refused(401)),
        Case::new("good token alone", post(&[("x-api-key", KEY)]), refused(401)).by(door),
    ];
    check(&plain().await, &cases).await;
}

/// In this process: the deployed source has no list.
#[tokio::test]
async fn only_the_peers_address_counts() {
    const LISTED: &str = "13.234.161.44";
    let settings =
        json!({"mode": "token", "account": ACCOUNT, "allowed_ips": [LISTED]}).to_string();
    let parameters = [
        ("sources/shiprocket/settings", settings.as_str()),
        ("sources/shiprocket/secret", "canary-key"),
    ];
    let inbound = stack().installation(&parameters).await;
    let case = |name: &str, address: Option<&'static str>, expected| {
        let post = post(&[
            ("x-api-key", "canary-key"),
            ("x-forwarded-for", LISTED),
            ("x-real-ip", LISTED),
        ]);
        Case::new(name, post, expected).by(Door::Function(&inbound, address))
    };
    let cases = [
        case("listed", Some(LISTED), taken(Unmatched)),
        case("listed, as IPv6", Some("::ffff:13.234.161.44"), taken(Unmatched)),
        case("listed only in XFF", Some("127.0.0.1"), refused(403)),
        case("the next", Some("13.234.161.45"), refused(403)),
        case("none", None, refused(403)),
        case("no address", Some("13.234.161.44:443"), refused(403)),
        Case::new("listed, no token", post(&[]), refused(401))
            .by(Door::Function(&inbound, Some(LISTED))),
    ];
    check(&plain().await, &cases).await;
}

/// What says that it is base64 and is not cannot come from API Gateway. It ends with an error, and the next is served.
#[tokio::test]
async fn a_wrong_base64_flag_hurts_no_other_request() {
    let surface = surface().await;
    let (tag, no_base64) = (unique(""), "{\"awb\":\"not base64\"}");
    let mut event = surface.good(&tag).event(Some("127.0.0.1"));
    event["body"] = no_base64.into();
    let ended = stack().invoke("inbound", &event).await;
    assert!(ended["errorMessage"].is_string() && ended.get("statusCode").is_none(), "{ended}");
    let kept = Case::new("as text", surface.post(no_base64), taken(Unmatched));
    let next =
        Case::new("the next", surface.good(&tag), taken(Processed)).on(surface.subject(&tag));
    check(surface, &[next, kept]).await;
}
