//! Where they may come from. In this process, where the deployed source's list holds other addresses than eSahayak's.

use data_encoding::BASE64;

use super::*;
use crate::bad_inputs::post::{Door, signature};
use crate::support::Calls;

const ACCOUNT: &str = "STORE001";
const PATH: &str = "/webhooks/esahayak";
/// Those that eSahayak's guide names.
const NETWORKS: [&str; 2] = ["52.66.123.0/24", "13.127.45.0/24"];

async fn plain() -> Surface {
    surface().await.at(ACCOUNT, PATH)
}

fn post() -> Post {
    Post::to(PATH, good(&unique("")).to_string()).with(KIND.0, KIND.1)
}

#[tokio::test]
async fn both_networks_to_their_last_address_and_nobody_else() {
    let settings =
        json!({"mode": "network", "account": ACCOUNT, "allowed_cidrs": NETWORKS}).to_string();
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
        // Whatever headers say of it.
        let post = post().with("x-forwarded-for", "52.66.123.7").with("x-real-ip", "52.66.123.7");
        Case::new(format!("from {address:?}"), post, outcome).by(Door::Function(&inbound, address))
    };
    let mut cases: Vec<Case<'_>> =
        inside.into_iter().map(|address| case(Some(address), taken(Unmatched))).collect();
    cases.extend(outside.into_iter().map(|address| case(Some(address), refused(403))));
    cases.push(case(None, refused(403)));
    check(&plain().await, &cases).await;
}

#[tokio::test]
async fn the_deployed_source_asks_for_the_address_too() {
    let inbound = stack().inbound(&Calls::default());
    let case = |name: &str, address: Option<&'static str>, outcome| {
        let post = post().with("x-forwarded-for", "127.0.0.1");
        Case::new(name, post, outcome).by(Door::Function(&inbound, address))
    };
    let cases = [
        case("this machine", Some("127.0.0.1"), taken(Unmatched)),
        case("eSahayak's", Some("52.66.123.7"), refused(403)),
        case("none", None, refused(403)),
    ];
    check(&plain().await, &cases).await;
    for (address, status) in [(Some("127.0.0.1"), 200), (Some("52.66.123.7"), 403), (None, 403)] {
        let answer = stack().invoke("inbound", &post().event(address)).await;
        assert_eq!(answer["statusCode"], status, "{address:?}");
    }
}

/// For the day that eSahayak signs.
#[tokio::test]
async fn in_mode_hmac_the_signature_counts_too() {
    const KEY: &str = "canary-key";
    let settings =
        json!({"mode": "hmac", "account": ACCOUNT, "allowed_cidrs": NETWORKS}).to_string();
    let parameters =
        [("sources/esahayak/settings", settings.as_str()), ("sources/esahayak/secret", KEY)];
    let inbound = stack().installation(&parameters).await;
    let case = |name: &str, address, sign: fn(&[u8]) -> String, outcome| {
        let post = post();
        let signature = sign(&post.body);
        let door = Door::Function(&inbound, Some(address));
        Case::new(name, post.with("x-webhook-signature", signature), outcome).by(door)
    };
    let cases = [
        case("good", "52.66.123.7", |body| signature(KEY, body), taken(Unmatched)),
        case("good, from elsewhere", "52.66.124.0", |body| signature(KEY, body), refused(403)),
        case(
            "of base64",
            "52.66.123.7",
            |body| signature(KEY, BASE64.encode(body).as_bytes()),
            refused(401),
        ),
        case("a,b", "52.66.123.7", |body| format!("{0},{0}", signature(KEY, body)), refused(401)),
        case("another's", "52.66.123.7", |body| signature("another", body), refused(401)),
        case("empty", "52.66.123.7", |_| String::new(), refused(401)),
    ];
    check(&plain().await, &cases).await;
}

/// Without an account of its own, only hooks say whose a webhook is.
#[tokio::test]
async fn the_plain_path_of_nobody_is_closed() {
    let settings = json!({"mode": "network", "allowed_cidrs": NETWORKS}).to_string();
    let hook = json!({"account": ACCOUNT}).to_string();
    let parameters = [
        ("sources/esahayak/settings", settings.as_str()),
        ("sources/esahayak/hooks/abcdef", &hook),
    ];
    let inbound = stack().installation(&parameters).await;
    let door = Door::Function(&inbound, Some("52.66.123.7"));
    let to = |path: &str| Post { path: path.to_owned(), ..post() };
    let cases = [
        Case::new("plain", post(), refused(403)).by(door),
        Case::new("hook", to("/webhooks/esahayak/abcdef"), taken(Unmatched)).by(door),
        Case::new("another hook", to("/webhooks/esahayak/abcdeg"), refused(401)).by(door),
        Case::new("below a hook", to("/webhooks/esahayak/abcdef/x"), refused(401)).by(door),
    ];
    check(&plain().await, &cases).await;
}
