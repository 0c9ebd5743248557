//! The parcels of an order: added, replaced, learnt; withdrawn reports; pages of the timeline.

use serde_json::{Value, json};

use super::ORDERS;
use crate::support::{
    Parcel, TestEndpoint, check_delivery, eventually, settings_to_expire, stack, unique,
};

/// Another parcel of the same order.
fn beside(parcel: &Parcel) -> Parcel {
    Parcel { order_id: parcel.order_id.clone(), awb: unique("19") }
}

async fn add(parcel: &Parcel) -> u16 {
    let path = format!("{ORDERS}/{}/shipments", parcel.order_id);
    let body = json!({"awb": parcel.awb, "carrierId": 30, "carrierName": "Blue Dart"});
    let answer = stack().vendor("POST", &path, Some(&body)).await;
    assert_eq!(answer.json["awb"], body["awb"], "{}", answer.json);
    answer.status
}

async fn order_when(parcel: &Parcel, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    eventually(&format!("{what}: {}", parcel.order_id), async || {
        Some(stack().order(&parcel.order_id).await).filter(|order| is_so(order))
    })
    .await
}

fn shipment<'a>(order: &'a Value, parcel: &Parcel) -> &'a Value {
    let shipments = order["shipments"].as_array().unwrap();
    shipments.iter().find(|shipment| shipment["awb"] == parcel.awb).unwrap()
}

fn has_parcels(count: usize) -> impl Fn(&Value) -> bool {
    move |order| order["shipments"].as_array().unwrap().len() == count
}

#[tokio::test]
async fn a_split_order_waits_for_its_last_parcel() {
    let first = Parcel::new();
    let second = beside(&first);
    stack().create_order(&first.order()).await;
    assert_eq!(add(&second).await, 201);
    order_when(&first, "two parcels", has_parcels(2)).await;
    assert_eq!(add(&second).await, 200);
    for (parcel, report, expected) in [
        (&first, first.report(7, "DELIVERED", "09:00:00"), "picked_up"),
        (&second, second.report(18, "IN TRANSIT", "10:00:00"), "in_transit"),
        (&second, second.report(7, "DELIVERED", "11:00:00"), "delivered"),
    ] {
        stack().webhook(&report).await;
        let label = report["shipment_status"].as_str().unwrap();
        let is_there = |order: &Value| shipment(order, parcel)["currentShipmentStatus"] == label;
        let order = order_when(parcel, label, is_there).await;
        assert_eq!(order["status"], expected, "{label}");
    }
    let order = stack().order(&first.order_id).await;
    assert_eq!(order["version"], 4);
    assert_eq!(shipment(&order, &second)["carrierName"], "Blue Dart");
    assert_eq!(shipment(&order, &second)["checkpoints"].as_array().unwrap().len(), 1);
}

/// In an account of its own, whose deliveries no other test counts.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn endpoints_that_ask_are_told_of_each_parcel() {
    let (first, account) = (Parcel::new(), unique("ACC-"));
    let second = beside(&first);
    let events = json!(["order.status_changed", "shipment.status_changed"]);
    let settings = json!({"format": "standard", "accounts": [account], "events": events});
    let endpoint = TestEndpoint::new(settings, json!([])).await;
    settings_to_expire().await;
    stack().create_order_in(&account, &first.order()).await;
    let post = async |route: &str, body: Value| {
        let path = format!("{ORDERS}/{}/{route}?accountCode={account}", first.order_id);
        let answer = stack().user("admin", "POST", &path, Some(&body)).await;
        assert!(answer.status < 300, "{}", answer.json);
    };
    post("shipments", json!({"awb": second.awb})).await;
    let order = format!("{ORDERS}/{}?accountCode={account}", first.order_id);
    eventually("two parcels", async || {
        let answer = stack().user("admin", "GET", &order, None).await;
        has_parcels(2)(&answer.json).then_some(())
    })
    .await;
    let mut told: Vec<(u64, String, String, String)> = Vec::new();
    for (count, awb, status) in [
        (2, &first.awb, "in_transit"),
        (4, &second.awb, "in_transit"),
        (5, &first.awb, "out_for_delivery"),
    ] {
        post("status", json!({"awb": awb, "status": status})).await;
        let received = endpoint.received(count).await;
        received.iter().for_each(|request| check_delivery("standard", request));
        told = received.iter().map(|request| summary(&request.json())).collect();
    }
    told.sort();
    let expected = |sequence, event: &str, status: &str, parcel: &Parcel| {
        (sequence, format!("{event}.status_changed"), status.to_owned(), parcel.awb.clone())
    };
    assert_eq!(
        told,
        [
            expected(2, "order", "picked_up", &first),
            expected(2, "shipment", "picked_up", &first),
            expected(3, "order", "in_transit", &second),
            expected(3, "shipment", "in_transit", &second),
            expected(4, "shipment", "in_transit", &first),
        ]
    );
}

fn summary(body: &Value) -> (u64, String, String, String) {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let data = &body["data"];
    let sequence = data["sequence"].as_u64().unwrap();
    (sequence, text(&body["type"]), text(&data["status"]), text(&data["awb"]))
}

#[tokio::test]
async fn follows_an_awb_that_the_carrier_reassigned() {
    let given = Parcel::new();
    let used = beside(&given);
    stack().create_order(&given.order()).await;
    stack().webhook(&used.in_transit()).await;
    let order = order_when(&given, "a learnt parcel", has_parcels(2)).await;
    assert_eq!(order["status"], "in_transit");
    let marks = |parcel| {
        let shipment = shipment(&order, parcel);
        (shipment["learnt"].clone(), shipment["replaced"].clone())
    };
    assert_eq!(marks(&given), (json!(false), json!(true)));
    assert_eq!(marks(&used), (json!(true), json!(false)));
    // The order is found by the learnt AWB.
    stack()
        .webhook(&{
            let mut report = used.report(7, "DELIVERED", "12:00:00");
            report["order_id"] = json!(unique("not-ours-"));
            report
        })
        .await;
    order_when(&given, "delivered", |order| order["status"] == "delivered").await;
}

#[tokio::test]
async fn rejects_the_parcel_of_another_order() {
    let (own, other) = (Parcel::new(), Parcel::new());
    for parcel in [&own, &other] {
        stack().create_order(&parcel.order()).await;
    }
    let path = format!("{ORDERS}/{}/shipments", own.order_id);
    let post = async |body: Value| stack().vendor("POST", &path, Some(&body)).await;
    assert_eq!(post(json!({"awb": other.awb})).await.error(), (409, "conflict", Some("awb")));
    let long = "x".repeat(201);
    for (body, field) in [
        (json!({"awb": unique("19"), "carrierName": long}), "carrierName"),
        (json!({"awb": unique("19"), "carrierId": {}}), "carrierId"),
        (json!({"awb": ""}), "awb"),
    ] {
        assert_eq!(post(body).await.error(), (422, "invalid", Some(field)));
    }
    let unknown = format!("{ORDERS}/{}/shipments", unique("unknown-"));
    let answer = stack().vendor("POST", &unknown, Some(&json!({"awb": unique("19")}))).await;
    assert_eq!(answer.error(), (404, "not_found", None));
}

#[tokio::test]
async fn a_withdrawn_report_no_longer_counts() {
    let parcel = Parcel::new();
    stack().create_order(&parcel.order()).await;
    stack().webhook(&parcel.in_transit()).await;
    stack().order_with_entries(&parcel.order_id, 1).await;
    let status = format!("{ORDERS}/{}/status", parcel.order_id);
    let report = stack().vendor("POST", &status, Some(&json!({"status": "delivered"}))).await;
    let order = stack().order_with_entries(&parcel.order_id, 2).await;
    assert_eq!(order["status"], "delivered");
    let id = report.json["reportId"].as_str().unwrap();
    let path =
        |id: &str| format!("{ORDERS}/{}/timeline/{id}?accountCode=STORE001", parcel.order_id);

    let denied = stack().vendor("DELETE", &path(id), None).await;
    assert_eq!(denied.error(), (403, "forbidden", None));
    let carriers = order["timeline"].as_array().unwrap().iter();
    let carriers = carriers.filter(|entry| entry["source"] == "shiprocket");
    let carriers: Vec<&str> = carriers.filter_map(|entry| entry["reportId"].as_str()).collect();
    let denied = stack().user("partner", "DELETE", &path(carriers[0]), None).await;
    assert_eq!(denied.error(), (403, "forbidden", None));
    let unknown = stack().user("partner", "DELETE", &path(&"a".repeat(32)), None).await;
    assert_eq!(unknown.error(), (404, "not_found", None));

    let answer = stack().user("partner", "DELETE", &path(id), None).await;
    assert_eq!((answer.status, &answer.json["state"]), (202, &json!("accepted")));
    let order = stack().order_with_entries(&parcel.order_id, 3).await;
    assert_eq!(
        (&order["status"], &order["previousStatus"], &order["version"]),
        (&json!("in_transit"), &json!("delivered"), &json!(4))
    );
    let again = stack().user("partner", "DELETE", &path(id), None).await;
    assert_eq!((again.status, &again.json["state"]), (200, &json!("withdrawn")));
    let withdrawal = order["timeline"][0]["reportId"].as_str().unwrap();
    let answer = stack().user("admin", "DELETE", &path(withdrawal), None).await;
    assert_eq!(answer.error(), (422, "invalid", Some("report_id")));
}

/// The role decides before anything is read.
#[tokio::test]
async fn rejects_a_vendors_withdrawal_of_an_unknown_report() {
    let path = format!("{ORDERS}/{}/timeline/{}", unique("unknown-"), "a".repeat(32));
    let answer = stack().vendor("DELETE", &path, None).await;
    assert_eq!(answer.error(), (403, "forbidden", None));
}

#[tokio::test]
async fn pages_through_a_timeline() {
    let parcel = Parcel::new();
    stack().create_order(&parcel.order()).await;
    for time in ["09:00:00", "10:00:00", "11:00:00"] {
        stack().webhook(&parcel.report(18, "IN TRANSIT", time)).await;
    }
    let whole = stack().order_with_entries(&parcel.order_id, 3).await;
    assert_eq!(whole.get("next_page"), None);
    let mut read = Vec::new();
    let mut page = String::new();
    loop {
        let path = format!("{ORDERS}/{}?limit=2{page}", parcel.order_id);
        let answer = stack().vendor("GET", &path, None).await;
        assert_eq!(answer.status, 200, "{}", answer.json);
        read.extend(answer.json["timeline"].as_array().unwrap().clone());
        let Some(next) = answer.json["next_page"].as_str() else { break };
        page = format!("&page={next}");
    }
    assert_eq!(Value::from(read), whole["timeline"]);
    for (query, field) in [("limit=0", "limit"), ("limit=101", "limit"), ("page=%21", "page")] {
        let path = format!("{ORDERS}/{}?{query}", parcel.order_id);
        let answer = stack().vendor("GET", &path, None).await;
        assert_eq!(answer.error(), (422, "invalid", Some(field)), "{query}");
    }
}
