//! The settings of the measured installation, and the requests of its partners.

use std::net::SocketAddr;

use data_encoding::BASE64;
use doubles::ssm::Kind;
use serde_json::{Value, json};

pub(super) const STAGE: &str = "bench";
const ACCOUNT: &str = "STORE001";
const SECRET: &str = "secret-of-the-benchmark-0123456789abcdef";

/// By name. The customer's server is at `address`.
pub(super) fn all(address: SocketAddr) -> Vec<(&'static str, Kind, String)> {
    let vendor = json!({ "secret": SECRET, "account": ACCOUNT });
    let tracking = json!({ "keys": [SECRET], "public_url": "https://track.example.com" });
    let port = address.port();
    vec![
        ("vendors/shop", Kind::SecureString, vendor.to_string()),
        ("tracking", Kind::SecureString, tracking.to_string()),
        (
            "sources/shiprocket/settings",
            Kind::String,
            json!({ "mode": "token", "account": ACCOUNT }).to_string(),
        ),
        ("sources/shiprocket/secret", Kind::SecureString, SECRET.to_owned()),
        (
            "endpoints/customer/secret",
            Kind::SecureString,
            format!("whsec_{}", BASE64.encode(SECRET.as_bytes())),
        ),
        (
            "endpoints/customer/settings",
            Kind::String,
            json!({ "format": "standard", "accounts": ["*"] }).to_string(),
        ),
        ("endpoints/customer/url", Kind::String, format!("https://localhost:{port}/hook")),
    ]
}

/// A request that creates the order of this number.
pub(super) fn creation(number: u64) -> Value {
    let body = json!({
        "orderId": format!("ORD-{number}"), "awb": awb(number),
        "customer": { "phone": "9876543210", "firstName": "Asha" },
        "items": [{ "title": "Kurta", "qty": 1, "price": "99.00" }],
    });
    http(
        "POST /api/external/orders",
        "/api/external/orders",
        &body,
        "x-vendor-server-secret",
        SECRET,
    )
}

/// Shiprocket's webhook about this order's parcel.
pub(super) fn webhook(number: u64, status: u32, label: &str, minute: u64) -> Value {
    let body = json!({
        "awb": awb(number), "courier_name": "Delhivery", "current_status": label,
        "current_status_id": status, "shipment_status": label, "shipment_status_id": status,
        "current_timestamp": format!("02 03 2026 06:{:02}:00", minute),
        "order_id": format!("ORD-{number}"),
    });
    http("POST /webhooks/carrier", "/webhooks/carrier", &body, "x-api-key", SECRET)
}

fn awb(number: u64) -> String {
    format!("19{number:010}")
}

/// An event of API Gateway, format 2.0.
fn http(route: &str, path: &str, body: &Value, header: &str, value: &str) -> Value {
    let method = route.split(' ').next();
    json!({
        "version": "2.0", "routeKey": route, "rawPath": path, "rawQueryString": "",
        "headers": { "content-type": "application/json", header: value },
        "requestContext": {
            "accountId": "000000000000", "apiId": "api", "domainName": "api.invalid",
            "domainPrefix": "api", "requestId": "request", "routeKey": route, "stage": "$default",
            "http": {
                "method": method, "path": path, "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.7", "userAgent": "bench",
            },
            "time": "02/Mar/2026:06:00:00 +0000", "timeEpoch": 1_772_431_200_000_u64,
        },
        "body": body.to_string(), "isBase64Encoded": false,
    })
}
