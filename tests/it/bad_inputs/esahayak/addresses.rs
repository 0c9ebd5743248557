//! Authentication of eSahayak's webhook by address. In this process: the deployed source allows
//! other addresses than eSahayak's.

use data_encoding::BASE64;

use super::*;
use crate::bad_inputs::request::Transport;
use crate::support::{Calls, hmac_signature};

const ACCOUNT: &str = "STORE001";
const PATH: &str = "/webhooks/esahayak";
/// From eSahayak's guide.
const NETWORKS: [&str; 2] = ["52.66.123.0/24", "13.127.45.0/24"];

async fn plain_path() -> SourceFixture {
    fixture().await.at(ACCOUNT, PATH)
}

/// A valid request that matches no order.
fn request() -> WebhookRequest {
    WebhookRequest::json(PATH, valid_body(&unique("")).to_string())
        .with_header(EVENT_TYPE.0, EVENT_TYPE.1)
}

#[tokio::test]
async fn accepts_only_addresses_of_both_networks() {
    let settings = json!({"mode": "network", "account": ACCOUNT, "allowed_cidrs": NETWORKS,
                          "plain_path": true});
    let settings = settings.to_string();
    let inbound = stack().installation(&[("sources/esahayak/settings", &settings)]).await;
    let inside =
        ["52.66.123.0", "52.66.123.255", "13.127.45.0", "13.127.45.255", "::ffff:52.66.123.7"];
    let outside = [
        "52.66.122.255",
        "52.66.124.0",
        "13.127.44.255",
        "13.127.46.0",
        "127.0.0.1",
        "::1",
        "2001:db8::1",
        "",
    ];
    let case = |address, outcome| {
        // Forwarding headers do not count.
        let request = request()
            .with_header("x-forwarded-for", "52.66.123.7")
            .with_header("x-real-ip", "52.66.123.7");
        TestCase::new(format!("from {address:?}"), request, outcome)
            .via(Transport::Function(&inbound, address))
    };
    let mut cases: Vec<TestCase<'_>> =
        inside.into_iter().map(|address| case(Some(address), accepted(Unmatched))).collect();
    cases.extend(outside.into_iter().map(|address| case(Some(address), rejected(403))));
    cases.push(case(None, rejected(403)));
    check(&plain_path().await, &cases).await;
}

#[tokio::test]
async fn checks_the_address_in_the_deployed_source() {
    let inbound = stack().inbound(&Calls::default());
    let case = |name: &str, address: Option<&'static str>, outcome| {
        let request = request().with_header("x-forwarded-for", "127.0.0.1");
        TestCase::new(name, request, outcome).via(Transport::Function(&inbound, address))
    };
    let cases = [
        case("this machine", Some("127.0.0.1"), accepted(Unmatched)),
        case("eSahayak's", Some("52.66.123.7"), rejected(403)),
        case("no address", None, rejected(403)),
    ];
    check(&plain_path().await, &cases).await;
    for (address, status) in [(Some("127.0.0.1"), 200), (Some("52.66.123.7"), 403), (None, 403)] {
        let answer = stack().invoke("inbound", &request().api_gateway_event(address)).await;
        assert_eq!(answer["statusCode"], status, "{address:?}");
    }
}

/// eSahayak does not sign its webhooks yet.
#[tokio::test]
async fn requires_signature_and_address_in_hmac_mode() {
    const KEY: &str = "canary-key";
    let settings =
        json!({"mode": "hmac", "account": ACCOUNT, "allowed_cidrs": NETWORKS}).to_string();
    let parameters =
        [("sources/esahayak/settings", settings.as_str()), ("sources/esahayak/secret", KEY)];
    let inbound = stack().installation(&parameters).await;
    let case = |name: &str, address, sign: fn(&[u8]) -> String, outcome| {
        let request = request();
        let signature = sign(&request.body);
        TestCase::new(name, request.with_header("x-webhook-signature", signature), outcome)
            .via(Transport::Function(&inbound, Some(address)))
    };
    let valid = |body: &[u8]| hmac_signature(KEY, body);
    let of_base64 = |body: &[u8]| hmac_signature(KEY, BASE64.encode(body).as_bytes());
    let repeated = |body: &[u8]| format!("{0},{0}", hmac_signature(KEY, body));
    let cases = [
        case("valid", "52.66.123.7", valid, accepted(Unmatched)),
        case("valid, other address", "52.66.124.0", valid, rejected(403)),
        case("of base64", "52.66.123.7", of_base64, rejected(401)),
        case("a,b", "52.66.123.7", repeated, rejected(401)),
        case("other key", "52.66.123.7", |body| hmac_signature("another", body), rejected(401)),
        case("empty", "52.66.123.7", |_| String::new(), rejected(401)),
    ];
    check(&plain_path().await, &cases).await;
}

/// The addresses can be rented, so a secret path has to go with them.
#[tokio::test]
async fn rejects_the_plain_path_unless_the_setting_opens_it() {
    let hook = json!({"account": ACCOUNT}).to_string();
    for settings in [
        json!({"mode": "network", "account": ACCOUNT, "allowed_cidrs": NETWORKS}),
        // Without an account, only hooks are open.
        json!({"mode": "network", "allowed_cidrs": NETWORKS, "plain_path": true}),
        json!({"mode": "network", "allowed_cidrs": NETWORKS}),
    ] {
        let settings = settings.to_string();
        let parameters = [
            ("sources/esahayak/settings", settings.as_str()),
            ("sources/esahayak/hooks/abcdefghijlmnopq", &hook),
            ("sources/esahayak/hooks/short", &hook),
        ];
        let inbound = stack().installation(&parameters).await;
        let from = |address| Transport::Function(&inbound, Some(address));
        let listed = from("52.66.123.7");
        let to = |hook: &str| WebhookRequest { path: format!("{PATH}/{hook}"), ..request() };
        let cases = [
            TestCase::new("plain", request(), rejected(403)).via(listed),
            TestCase::new("hook", to("abcdefghijlmnopq"), accepted(Unmatched)).via(listed),
            TestCase::new("other address", to("abcdefghijlmnopq"), rejected(403))
                .via(from("52.66.124.0")),
            TestCase::new("other hook", to("abcdefghijlmnopr"), rejected(401)).via(listed),
            TestCase::new("short id", to("short"), rejected(401)).via(listed),
            TestCase::new("below a hook", to("abcdefghijlmnopq/x"), rejected(401)).via(listed),
        ];
        check(&plain_path().await, &cases).await;
    }
}
