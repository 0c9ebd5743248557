//! Status reports through the API, and a new parcel for an order.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{ORDERS, create};
use crate::support::{Parcel, http, stack, unique};

#[tokio::test]
async fn restarts_tracking_after_a_new_awb() {
    let parcel = Parcel::new();
    stack().create_order(&parcel.order()).await;
    stack().webhook(&parcel.report(18, "IN TRANSIT", "07:00:00")).await;
    stack().order_with_entries(&parcel.order_id, 1).await;
    stack().webhook(&parcel.report(12, "LOST", "08:00:00")).await;
    assert_eq!(stack().order_with_entries(&parcel.order_id, 2).await["status"], "lost");

    let path = format!("{ORDERS}/{}", parcel.order_id);
    let next = Parcel { order_id: parcel.order_id.clone(), awb: unique("19") };
    stack().vendor("PATCH", &path, Some(&json!({"awb": next.awb}))).await;
    let order = stack().order_with_entries(&parcel.order_id, 3).await;
    assert_eq!(
        (&order["status"], &order["previousStatus"]),
        (&json!("processing"), &json!("lost"))
    );

    // Reports about the old parcel no longer change the status.
    stack().webhook(&parcel.report(17, "OUT FOR DELIVERY", "09:00:00")).await;
    let order = stack().order_with_entries(&parcel.order_id, 4).await;
    let entries = order["timeline"].as_array().unwrap();
    let late = entries.iter().find(|entry| entry["status"] == "out_for_delivery").unwrap();
    assert_eq!(
        (&late["reason"], &late["awb"], &order["status"]),
        (&json!("replaced_parcel"), &json!(parcel.awb), &json!("processing"))
    );
    // The old AWB is free for another order.
    let mut other = Parcel::new().order();
    other["awb"] = json!(parcel.awb);
    assert_eq!(create(&other).await.status, 201);
}

#[tokio::test]
async fn applies_a_status_reported_by_a_partner() {
    let parcel = Parcel::new();
    stack().create_order(&parcel.order()).await;
    let path = format!("{ORDERS}/{}/status", parcel.order_id);
    let report = json!({
        "status": "assigned", "occurredAt": "2026-01-20T10:15:30+05:30", "note": "canary-note",
    });
    let answer = stack().vendor("POST", &path, Some(&report)).await;
    assert_eq!(
        (answer.status, &answer.json["status"]),
        (202, &json!("assigned")),
        "{}",
        answer.json
    );

    let order = stack().order_with_entries(&parcel.order_id, 1).await;
    assert_eq!(
        (&order["status"], &order["currentShipmentStatus"]),
        (&json!("assigned"), &json!("Assigned"))
    );
    let entry = &order["timeline"][0];
    assert_eq!((&entry["source"], &entry["note"]), (&json!("api"), &json!("canary-note")));
    assert_eq!(
        (&entry["reportId"], &entry["occurredAt"]),
        (&answer.json["reportId"], &json!("2026-01-20T04:45:30.000Z"))
    );
    let received = stack().received_at_least(&parcel.order_id, 3).await;
    let standard = received.iter().find(|request| request.path.ends_with("standard")).unwrap();
    assert_eq!(standard.json()["data"]["orderData"]["assignedAt"], "2026-01-20T04:45:30.000Z");
}

#[tokio::test]
async fn a_status_report_names_a_parcel_of_its_own_order_only() {
    let (parcel, other) = (Parcel::new(), Parcel::new());
    for order in [&parcel, &other] {
        stack().create_order(&order.order()).await;
    }
    let path = format!("{ORDERS}/{}/status", parcel.order_id);
    let report = async |awb: &str| {
        let time = "2026-01-20T10:15:30+05:30";
        let body = json!({"status": "picked_up", "occurredAt": time, "awb": awb});
        stack().vendor("POST", &path, Some(&body)).await
    };
    assert_eq!(report(&other.awb).await.error(), (422, "invalid", Some("awb")));
    assert_eq!(report(&unique("19")).await.error(), (422, "invalid", Some("awb")));
    let own = report(&parcel.awb).await;
    assert_eq!(own.status, 202, "{}", own.json);
    let order = stack().order_with_entries(&parcel.order_id, 1).await;
    assert_eq!(order["status"], "picked_up");
    let foreign = stack().order_with_entries(&other.order_id, 0).await;
    assert_eq!(foreign["status"], "pending");
}

#[tokio::test]
async fn rejects_invalid_status_reports() {
    let parcel = Parcel::new();
    stack().create_order(&parcel.order()).await;
    let path = format!("{ORDERS}/{}/status", parcel.order_id);
    for (body, error) in [
        (json!({"status": "unknown"}), (422, "invalid", Some("status"))),
        (json!({"note": "x"}), (422, "invalid", Some("status"))),
        (json!({"status": "sent"}), (422, "invalid", Some("status"))),
        (
            json!({"status": "accepted", "occurredAt": "yesterday"}),
            (422, "invalid", Some("occurredAt")),
        ),
        (json!({"status": "accepted", "note": "x".repeat(1001)}), (422, "invalid", Some("note"))),
        (
            json!({"status": "accepted", "accountCode": "STORE002"}),
            (403, "forbidden", Some("accountCode")),
        ),
    ] {
        assert_eq!(stack().vendor("POST", &path, Some(&body)).await.error(), error, "{body}");
    }
    let unknown = format!("{ORDERS}/{}/status", unique("unknown-"));
    assert_eq!(
        stack().vendor("POST", &unknown, Some(&json!({"status": "assigned"}))).await.error(),
        (404, "not_found", None)
    );
}

#[tokio::test]
async fn deduplicates_status_reports_by_their_body_if_it_has_a_time() {
    let parcel = Parcel::new();
    stack().create_order(&parcel.order()).await;
    let path = format!("{ORDERS}/{}/status", parcel.order_id);
    let report = async |body: &Value| {
        let answer = stack().vendor("POST", &path, Some(body)).await;
        assert_eq!(answer.status, 202, "{}", answer.json);
        answer.json["reportId"].clone()
    };
    let timed = json!({"status": "assigned", "occurredAt": "2026-01-20T10:15:30+05:30"});
    let elsewhere = json!({"status": "assigned", "occurredAt": "2026-01-20T04:45:30Z"});
    let mut noted = timed.clone();
    noted["note"] = json!("canary-note");
    let untimed = json!({"status": "accepted"});
    let first = report(&timed).await;
    assert_eq!([report(&timed).await, report(&elsewhere).await], [first.clone(), first.clone()]);
    let ids = [first, report(&noted).await, report(&untimed).await, report(&untimed).await];
    assert_eq!(ids.iter().map(Value::to_string).collect::<BTreeSet<_>>().len(), 4);
    let order = stack().order_with_entries(&parcel.order_id, 4).await;
    assert_eq!(order["timeline"].as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn deduplicates_status_reports_by_idempotency_key() {
    let parcel = Parcel::new();
    stack().create_order(&parcel.order()).await;
    let report = async |key: &str, body: Value| {
        let request =
            http::client().post(stack().url(&format!("{ORDERS}/{}/status", parcel.order_id)));
        let request = request
            .header("x-vendor-server-secret", &stack().vendor_secret)
            .header("idempotency-key", key);
        http::send(http::with_json(request, Some(&body))).await
    };
    let first = report("canary-key-1", json!({"status": "assigned"})).await;
    let again = report("canary-key-1", json!({"status": "assigned"})).await;
    assert_eq!((first.status, again.status, &again.json), (202, 202, &first.json));
    assert_eq!(
        report("canary-key-1", json!({"status": "accepted"})).await.error(),
        (409, "conflict", None)
    );
    report("canary-key-2", json!({"status": "accepted"})).await;
    let order = stack().order_with_entries(&parcel.order_id, 2).await;
    assert_eq!(
        (order["timeline"].as_array().unwrap().len(), &order["status"]),
        (2, &json!("accepted"))
    );
}
