//! Credentials that are missing, malformed or of somebody else, at each route.

use data_encoding::BASE64;
use reqwest::RequestBuilder;

use super::{Route, Untouched};
use crate::support::{http, stack};

/// A request to each route that would be answered.
fn requests(order: &str) -> Vec<(String, RequestBuilder)> {
    let post = |route: Route| {
        let body = route.body(order);
        (route.path().to_owned(), http::with_json(route.request(), Some(&body)))
    };
    let gets = [
        format!("/api/orders/{order}/messages"),
        "/api/messages?account_code=STORE001".to_owned(),
        "/api/messages/stats?account_code=STORE001".to_owned(),
    ];
    let gets = gets.into_iter().map(|path| {
        let request = http::client().get(stack().url(&path));
        (path, request)
    });
    Route::ALL.map(post).into_iter().chain(gets).collect()
}

fn basic(credentials: &str) -> Vec<u8> {
    format!("Basic {}", BASE64.encode(credentials.as_bytes())).into_bytes()
}

fn headers() -> Vec<(&'static str, Vec<Vec<u8>>)> {
    let partner = &stack().users["partner"];
    let good = basic(&format!("{}:{}", partner.name, partner.password));
    vec![
        ("none", vec![]),
        ("empty", vec![Vec::new()]),
        ("no credential", vec![b"Basic".to_vec()]),
        ("not base64", vec![b"Basic !!!".to_vec()]),
        ("no colon", vec![basic(&partner.name)]),
        ("no user", vec![basic(&format!(":{}", partner.password))]),
        ("no password", vec![basic(&format!("{}:", partner.name))]),
        ("not UTF-8", vec![b"Basic \xff\xfe".to_vec()]),
        ("8 KB", vec![basic(&format!("partner:canary-{}", "x".repeat(6000)))]),
        ("Bearer", vec![[b"Bearer ", &good[6..]].concat()]),
        ("two", vec![good.clone(), good]),
    ]
}

#[tokio::test]
async fn rejects_missing_and_malformed_credentials() {
    let order = Untouched::new().await;
    for (name, values) in headers() {
        for (path, request) in requests(&order.0) {
            let request = values
                .iter()
                .fold(request, |request, value| request.header("authorization", value.as_slice()));
            let answer = http::send(request).await.of_first_failure();
            assert_eq!(answer.error(), (401, "unauthorized", None), "{name} at {path}");
        }
    }
    order.check().await;
}

/// A shop's server has its orders; messages are those of users.
#[tokio::test]
async fn takes_no_secret_of_a_shops_server() {
    let order = Untouched::new().await;
    for (path, request) in requests(&order.0) {
        let request = request.header("x-vendor-server-secret", &stack().vendor_secret);
        assert_eq!(http::send(request).await.status, 403, "{path}");
    }
    order.check().await;
}

#[tokio::test]
async fn the_scheme_is_of_any_case() {
    let order = Untouched::new().await;
    let partner = &stack().users["partner"];
    let good = basic(&format!("{}:{}", partner.name, partner.password));
    let lower = [b"basic ", &good[6..]].concat();
    for (path, request) in requests(&order.0) {
        let answer = http::send(request.header("authorization", lower.as_slice())).await;
        assert!((200..300).contains(&answer.status), "{path}: {}", answer.json);
    }
}
