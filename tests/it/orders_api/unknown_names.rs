//! Unknown fields and query parameters are answered with their names, on every route.

use serde_json::{Value, json};

use super::{ORDERS, create};
use crate::support::{Parcel, messages, stack, unique};

#[tokio::test]
async fn rejects_unknown_fields_by_name() {
    let parcel = Parcel::new();
    let with = |field: &str, value: Value| {
        let mut order = parcel.order();
        order[field] = value;
        order
    };
    for (order, field) in [
        (with("custumer", json!({"phone": "canary-phone"})), "custumer"),
        (with("customer", json!({"email": "canary-body"})), "customer.email"),
        (with("vendorDetails", json!({"gstin": "canary-body"})), "vendorDetails.gstin"),
        (with("refs", json!({"shipway": 1})), "refs.shipway"),
    ] {
        assert_eq!(create(&order).await.error(), (422, "invalid", Some(field)));
    }
    let passed_through = with("metadata", json!({"custumer": {"any": ["thing"]}}));
    assert_eq!(create(&passed_through).await.status, 201);

    let order = format!("{ORDERS}/{}", parcel.order_id);
    let status = format!("{order}/status");
    let shipments = format!("{order}/shipments");
    let (report, patch) = (json!({"status": "assigned"}), json!({"carrierName": "x"}));
    let message = messages::tracking_body(&parcel.order_id, "sent");
    let trigger = json!({"order_ids": [parcel.order_id], "account_code": "STORE001"});
    for (user, method, path, body) in [
        ("partner", "PATCH", order.as_str(), patch),
        ("partner", "POST", &status, report),
        ("partner", "POST", &shipments, json!({"awb": unique("19")})),
        ("partner", "POST", messages::TRACK, message),
        ("admin", "POST", "/api/orders/trigger-webhook", trigger),
    ] {
        let mut body = body.clone();
        body["later"] = Value::Null;
        let answer = stack().user(user, method, path, Some(&body)).await;
        assert_eq!(answer.error(), (422, "invalid", Some("later")), "{method} {path}");
    }
}

#[tokio::test]
async fn rejects_unknown_query_parameters_by_name() {
    let parcel = Parcel::new();
    stack().create_order(&parcel.order()).await;
    let order = format!("{ORDERS}/{}", parcel.order_id);
    let status = format!("{order}/status");
    let (shipments, report) = (format!("{order}/shipments"), format!("{order}/timeline/none"));
    let of_order = format!("/api/orders/{}/messages", parcel.order_id);
    for (user, method, path, allowed) in [
        ("partner", "GET", ORDERS, "accountCode, account_code, status, awb, phone, limit, page"),
        ("partner", "POST", ORDERS, ""),
        ("partner", "GET", &order, "accountCode, account_code, limit, page"),
        ("partner", "PATCH", &order, "accountCode, account_code"),
        ("partner", "POST", &status, "accountCode, account_code"),
        ("partner", "POST", &shipments, "accountCode, account_code"),
        ("partner", "DELETE", &report, "accountCode, account_code"),
        ("partner", "POST", messages::TRACK, ""),
        ("partner", "GET", &of_order, "account_code, accountCode, limit, page"),
        (
            "partner",
            "GET",
            messages::CONVERSATION,
            "account_code, accountCode, phone, user_id, limit, page",
        ),
        (
            "viewer",
            "GET",
            "/api/webhooks/logs",
            "account_code, accountCode, order_id, status, source, from, to, limit, page",
        ),
        ("viewer", "GET", "/api/webhooks/logs/nowhere", "reveal"),
        ("viewer", "GET", "/api/webhooks/denied", "limit, page"),
        ("viewer", "GET", "/metrics", "from, to, endpoint"),
        ("admin", "POST", "/api/webhooks/retry/nowhere", ""),
        ("admin", "GET", "/api/orders/stale", "account_code, accountCode, limit, page"),
        ("admin", "POST", "/api/orders/trigger-webhook", ""),
        ("admin", "GET", "/api/sync/runs", "limit, page"),
    ] {
        let body = matches!(method, "POST" | "PATCH").then(|| json!({}));
        let answer = stack().user(user, method, &format!("{path}?custumer=7"), body.as_ref()).await;
        assert_eq!(answer.error(), (422, "invalid", Some("custumer")), "{method} {path}");
        let message = answer.json["error"]["message"].as_str().unwrap();
        let expected = match allowed {
            "" => "unknown query parameter, this route has none".to_owned(),
            allowed => format!("unknown query parameter, must be one of {allowed}"),
        };
        assert_eq!(message, expected, "{method} {path}");
    }
}
