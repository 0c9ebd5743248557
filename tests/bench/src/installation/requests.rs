//! Requests of partners, as API Gateway hands them to a function.

use data_encoding::BASE64;
use domain::core::id::{AccountCode, OrderId, OrderKey};
use domain::page::TokenKeys;
use serde_json::{Value, json};

use crate::Error;

pub(crate) const ACCOUNT: &str = "STORE001";
pub(crate) const SECRET: &str = "secret-of-the-benchmark-0123456789abcdef";
pub(super) const USER: &str = "bench";
/// WhatsApp's id of a phone number.
pub(super) const NUMBER: &str = "100000001";
/// As Shiprocket sent it.
const WEBHOOK: &str = include_str!("../../../../events/shiprocket/in_transit.json");
/// The last day of the year 9999, in days since 1970.
const LAST_DAY: i64 = 2_932_896;

/// A status of Shiprocket: its id, its label, and the minute of the webhook.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step {
    id: u32,
    label: &'static str,
    day: u32,
}

/// Each changes the status of an order.
pub(crate) const STEPS: [Step; 4] = [
    Step { id: 42, label: "PICKED UP", day: 1 },
    Step { id: 18, label: "IN TRANSIT", day: 2 },
    Step { id: 17, label: "OUT FOR DELIVERY", day: 3 },
    Step { id: 7, label: "DELIVERED", day: 4 },
];

pub(crate) fn order_id(number: u64) -> String {
    format!("ORD-{number:08}")
}

/// As the doubles of the carrier number parcels.
fn awb(number: u64) -> String {
    format!("190{number:011}")
}

/// Creates the order of this number.
pub(crate) fn creation(number: u64) -> Value {
    create(number, json!({}))
}

/// Creates an order that the carrier is asked about.
pub(crate) fn polled_creation(number: u64) -> Value {
    create(number, json!({ "poll": "shipway" }))
}

/// The row of its delivery has well over a kilobyte: it costs the same write units in every run.
fn create(number: u64, more: Value) -> Value {
    let mut body = json!({
        "orderId": order_id(number), "awb": awb(number),
        "customer": { "phone": "9876543210", "firstName": "Asha" },
        "items": [{ "title": "Kurta, block print, indigo", "qty": 1, "price": "1299.00" },
                  { "title": "Dupatta, chanderi silk", "qty": 2, "price": "849.50" },
                  { "title": "Juttis, hand embroidered", "qty": 1, "price": "1749.00" }],
    });
    for (name, value) in more.as_object().into_iter().flatten() {
        body[name] = value.clone();
    }
    Http::post("/api/external/orders", &body).with("x-vendor-server-secret", SECRET).event()
}

/// Shiprocket's webhook about this order's parcel.
pub(crate) fn webhook(number: u64, step: Step) -> Value {
    let mut body: Value = serde_json::from_str(WEBHOOK).unwrap_or_default();
    let scan = json!({
        "date": format!("2026-03-{:02} 06:00:00", step.day), "status": "X", "activity": step.label,
        "location": "Exampletown_Gateway (Karnataka)", "sr-status": step.id.to_string(),
        "sr-status-label": step.label,
    });
    if let Some(scans) = body["scans"].as_array_mut() {
        scans.push(scan);
    }
    for (name, value) in [
        ("awb", json!(awb(number))),
        ("order_id", json!(order_id(number))),
        ("sr_order_id", json!(348_450_001 + number)),
        ("current_status", json!(step.label)),
        ("shipment_status", json!(step.label)),
        ("current_status_id", json!(step.id)),
        ("shipment_status_id", json!(step.id)),
        ("current_timestamp", json!(format!("{:02} 03 2026 06:00:00", step.day))),
    ] {
        body[name] = value;
    }
    Http::post("/webhooks/carrier", &body).with("x-api-key", SECRET).event()
}

/// Sends a message about this order.
pub(crate) fn message(number: u64) -> Value {
    let id = order_id(number);
    let texts = ["Asha", &id, "on its way"].map(|text| json!({ "type": "text", "text": text }));
    let body = json!({
        "account_code": ACCOUNT, "order_id": id, "to": "+919876543210",
        "template": { "name": "order_update", "language": "en",
                      "components": [{ "type": "body", "parameters": texts }] },
    });
    Http::post("/api/messages/whatsapp", &body).by_user().with("idempotency-key", &id).event()
}

/// The latest event of the inbound log. A page that is not full costs hundreds of calls in a young
/// installation: the log is read back to its beginning.
pub(crate) fn log() -> Value {
    let log = Http::get("GET /api/webhooks/logs", "/api/webhooks/logs").by_user();
    let mut event = log.event();
    event["rawQueryString"] = json!("limit=1");
    event["queryStringParameters"] = json!({ "limit": "1" });
    event
}

/// A test delivery to the customer's endpoint.
pub(crate) fn test() -> Value {
    let body = json!({ "endpoint": "customer" });
    Http::post("/api/external/webhook-test", &body).by_user().event()
}

/// A ticket for a socket that shows this order.
pub(crate) fn ticket(number: u64) -> Value {
    let body = json!({ "account_code": ACCOUNT, "order_id": order_id(number) });
    Http::post("/api/realtime/ticket", &body).by_user().event()
}

/// An event of a socket: `CONNECT` with a ticket, or `MESSAGE` with a frame.
pub(crate) fn socket(connection: &str, kind: &str, ticket: &str, frame: &str) -> Value {
    json!({
        "requestContext": { "connectionId": connection, "eventType": kind },
        "multiValueQueryStringParameters": { "ticket": [ticket] },
        "body": frame, "isBase64Encoded": false,
    })
}

/// The tracking page of this order.
pub(crate) fn page(number: u64) -> Result<Value, Error> {
    let (account, order) = (AccountCode::parse(ACCOUNT)?, OrderId::parse(&order_id(number))?);
    let key = OrderKey { account, order };
    let token = TokenKeys::new([SECRET])?.sign(&key, LAST_DAY);
    let id = order_id(number);
    let route = "GET /track/{account_code}/{order_id}";
    let mut event = Http::get(route, &format!("/track/{ACCOUNT}/{id}")).event();
    event["pathParameters"] = json!({ "account_code": ACCOUNT, "order_id": id });
    event["rawQueryString"] = json!(format!("t={token}"));
    event["queryStringParameters"] = json!({ "t": token });
    Ok(event)
}

struct Http {
    route: String,
    path: String,
    headers: Value,
    body: Option<String>,
}

impl Http {
    fn get(route: &str, path: &str) -> Self {
        Self { route: route.to_owned(), path: path.to_owned(), headers: json!({}), body: None }
    }

    fn post(path: &str, body: &Value) -> Self {
        let headers = json!({ "content-type": "application/json" });
        let (route, path) = (format!("POST {path}"), path.to_owned());
        Self { route, path, headers, body: Some(body.to_string()) }
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.headers[name] = json!(value);
        self
    }

    fn by_user(self) -> Self {
        let pair = BASE64.encode(format!("{USER}:{SECRET}").as_bytes());
        self.with("authorization", &format!("Basic {pair}"))
    }

    /// An event of API Gateway, format 2.0.
    fn event(self) -> Value {
        let Self { route, path, headers, body } = self;
        json!({
            "version": "2.0", "routeKey": route, "rawPath": path, "rawQueryString": "",
            "headers": headers, "body": body, "isBase64Encoded": false,
            "requestContext": {
                "accountId": "000000000000", "apiId": "api", "domainName": "api.invalid",
                "domainPrefix": "api", "requestId": "request", "routeKey": route,
                "stage": "$default", "time": "02/Mar/2026:06:00:00 +0000",
                "timeEpoch": 1_772_431_200_000_u64,
                "http": {
                    "method": route.split(' ').next(), "path": path, "protocol": "HTTP/1.1",
                    "sourceIp": "192.0.2.7", "userAgent": "bench",
                },
            },
        })
    }
}
