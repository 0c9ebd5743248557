//! Authentication: Basic auth, vendor secrets and the address allow list.

use data_encoding::BASE64;
use serde_json::json;

use crate::support::{Answer, OURS, Parcel, api_request, caller, http, stack};

const ORDERS: &str = "/api/external/orders";

#[tokio::test]
async fn rejects_missing_and_wrong_credentials() {
    let parcel = Parcel::new();
    stack().create_order(&parcel.order()).await;
    let path = format!("{ORDERS}/{}", parcel.order_id);
    let get = || http::client().get(stack().url(&path));
    let partner = &stack().users["partner"];
    for request in [
        get(),
        get().basic_auth(&partner.name, Some("canary-password")),
        get().basic_auth("nobody", Some(&partner.password)),
        get().basic_auth("../vendors/demo", Some("x")),
        get().header("authorization", "Basic !!!"),
        get().header("authorization", "Bearer x"),
        get().header("x-vendor-server-secret", ""),
        // A correct password does not make up for a wrong secret.
        get()
            .header("x-vendor-server-secret", "canary-secret")
            .basic_auth(&partner.name, Some(&partner.password)),
    ] {
        let answer = http::send(request).await;
        assert_eq!(answer.error(), (401, "unauthorized", None));
        assert!(!answer.headers.contains_key("www-authenticate"), "browsers would ask");
    }
}

/// Called directly, with its own settings: the deployed source has no allow list.
#[tokio::test]
async fn ignores_forwarding_headers_in_the_allow_list_check() {
    const LISTED: &str = "203.0.113.7";
    let settings = json!({"mode": "token", "account": OURS, "allowed_ips": [LISTED]});
    let parameters = [
        ("sources/shiprocket/settings", settings.to_string()),
        ("sources/shiprocket/secret", "canary-secret".to_owned()),
    ];
    let parameters = parameters.each_ref().map(|(name, value)| (*name, value.as_str()));
    let inbound = stack().installation(&parameters).await;
    let forwarded = format!("for={LISTED}");
    let headers = [
        ("x-api-key", "canary-secret"),
        ("x-forwarded-for", LISTED),
        ("x-real-ip", LISTED),
        ("forwarded", &forwarded),
        ("content-type", "application/json"),
    ];
    for (source_ip, status) in [(LISTED, 200), ("203.0.113.8", 403), ("127.0.0.1", 403), ("", 403)]
    {
        let body = Parcel::new().in_transit().to_string();
        let (route, path) = ("POST /webhooks/{source}", "/webhooks/carrier");
        let request = api_request(route, path, &headers, source_ip, Some(&body));
        assert_eq!(inbound.handle(request).await.unwrap().status(), status, "{source_ip}");
    }
}

async fn list_orders(authorization: &[&[u8]]) -> Answer {
    let request = http::client().get(stack().url("/api/external/orders?limit=1"));
    let headers = authorization.iter();
    http::send(headers.fold(request, |request, value| request.header("authorization", *value)))
        .await
}

fn basic(credentials: &[u8]) -> Vec<u8> {
    format!("Basic {}", BASE64.encode(credentials)).into_bytes()
}

fn partner_credentials() -> Vec<u8> {
    let partner = &stack().users["partner"];
    basic(format!("{}:{}", partner.name, partner.password).as_bytes())
}

#[tokio::test]
async fn accepts_well_formed_basic_credentials() {
    let good = partner_credentials();
    let lower_case = [b"basic ", &good[6..]].concat();
    for (case, header) in [("good", &good), ("lower case", &lower_case)] {
        assert_eq!(list_orders(&[header]).await.status, 200, "{case}");
    }
    let with_colons = caller("their partner").await;
    let list = http::client().get(stack().url("/api/external/orders?limit=1"));
    let answer = http::send(with_colons.sign(list)).await;
    assert_eq!(answer.status, 200, "a password may have colons");
}

#[tokio::test]
async fn rejects_malformed_and_repeated_basic_credentials() {
    let partner = &stack().users["partner"];
    let good = partner_credentials();
    let invalid: [(&str, Vec<u8>); 16] = [
        ("empty", Vec::new()),
        ("no credential", b"Basic".to_vec()),
        ("empty credential", b"Basic ".to_vec()),
        ("not base64", b"Basic !!!".to_vec()),
        ("no colon", basic(partner.name.as_bytes())),
        ("no user", basic(format!(":{}", partner.password).as_bytes())),
        ("no password", basic(format!("{}:", partner.name).as_bytes())),
        ("only a colon", basic(b":")),
        (
            "a short password",
            basic(format!("{}:{}", partner.name, &partner.password[..19]).as_bytes()),
        ),
        ("a longer password", basic(format!("{}:{}:", partner.name, partner.password).as_bytes())),
        ("wrong case", basic(format!("PARTNER:{}", partner.password).as_bytes())),
        ("a path", basic(format!("../users/partner:{}", partner.password).as_bytes())),
        ("not UTF-8 inside", basic(b"partn\xff\xfe:canary-password")),
        ("not UTF-8 outside", b"Basic \xff\xfe".to_vec()),
        ("8 KB", basic(format!("partner:canary-password-{}", "x".repeat(6000)).as_bytes())),
        ("Bearer", [b"Bearer ", &good[6..]].concat()),
    ];
    for (case, header) in &invalid {
        let answer = list_orders(&[header]).await;
        assert_eq!(answer.error(), (401, "unauthorized", None), "{case}");
        assert!(!answer.headers.contains_key("www-authenticate"), "{case}");
    }
    let comma_separated = [&good[..], b",", &good].concat();
    for (case, headers) in [
        ("two headers", vec![&good[..], &good]),
        ("second good", vec![b"Basic eDp5", &good]),
        ("a list", vec![&comma_separated]),
    ] {
        assert_eq!(list_orders(&headers).await.status, 401, "{case}");
    }
}
