//! Search by AWB, phone number and status.

use serde_json::{Value, json};

use super::ORDERS;
use crate::support::{OURS, Parcel, THEIRS, eventually, stack, unique};

/// The ids of the found orders and the next page of a search as the demo vendor.
async fn search(query: &str) -> (Vec<String>, Option<String>) {
    let answer = stack().vendor("GET", &format!("{ORDERS}?{query}"), None).await;
    assert_eq!(answer.status, 200, "{}", answer.json);
    let items = answer.json["items"].as_array().unwrap();
    let ids = items.iter().map(|item| item["orderId"].as_str().unwrap().to_owned());
    (ids.collect(), answer.json["next_page"].as_str().map(str::to_owned))
}

async fn found(query: &str) -> Vec<String> {
    search(query).await.0
}

async fn patch(order_id: &str, body: Value) {
    let answer = stack().vendor("PATCH", &format!("{ORDERS}/{order_id}"), Some(&body)).await;
    assert_eq!(answer.status, 200, "{}", answer.json);
}

/// An unused number of ten digits.
fn phone() -> String {
    let digits: String = unique("").bytes().map(|byte| char::from(b'0' + byte % 10)).collect();
    format!("{:0>10}", &digits[digits.len().saturating_sub(10)..])
}

async fn order_with_phone(account: &str, phone: &str) -> String {
    let parcel = Parcel::new();
    let mut order = parcel.order();
    order["customer"]["phone"] = json!(phone);
    stack().create_order_in(account, &order).await;
    parcel.order_id
}

#[tokio::test]
async fn finds_an_order_by_awb() {
    let parcel = Parcel::new();
    let (awb, return_awb) = (format!("00{}", parcel.awb), unique("R"));
    let mut order = parcel.order();
    (order["awb"], order["returnAwb"]) = (json!(awb), json!(return_awb));
    stack().create_order(&order).await;
    for spelling in [&awb, &return_awb] {
        assert_eq!(found(&format!("awb={spelling}&limit=1")).await, [parcel.order_id.as_str()]);
    }
    assert_eq!(found(&format!("awb={}", unique("19"))).await, [""; 0]);
    // A replaced parcel still belongs to its order.
    let next = unique("19");
    patch(&parcel.order_id, json!({"awb": next})).await;
    for spelling in [&awb, &next] {
        assert_eq!(found(&format!("awb={spelling}")).await, [parcel.order_id.as_str()]);
    }
}

#[tokio::test]
async fn finds_orders_by_phone_in_pages_newest_first() {
    let phone = phone();
    let mut ids = Vec::new();
    for spelling in [phone.clone(), format!("+91 {phone}"), format!("0{phone}")] {
        ids.insert(0, order_with_phone(OURS, &spelling).await);
    }
    assert_eq!(search(&format!("phone=%2B91{phone}")).await, (ids.clone(), None));
    let (first, next) = search(&format!("phone={phone}&limit=2")).await;
    assert_eq!(first, ids[..2]);
    let rest = search(&format!("phone={phone}&limit=2&page={}", next.unwrap())).await;
    assert_eq!(rest, (ids[2..].to_vec(), None));
}

#[tokio::test]
async fn finds_an_order_by_its_current_phone_only() {
    let (old, new) = (phone(), phone());
    let id = order_with_phone(OURS, &old).await;
    patch(&id, json!({"customer": {"phone": new}})).await;
    assert_eq!(found(&format!("phone={old}")).await, [""; 0]);
    assert_eq!(found(&format!("phone={new}")).await, [id.as_str()]);
    patch(&id, json!({"carrierName": null})).await;
    assert_eq!(found(&format!("phone={new}")).await, [id.as_str()]);
    patch(&id, json!({"customer": null})).await;
    assert_eq!(found(&format!("phone={new}")).await, [""; 0]);
    patch(&id, json!({"customer": {"phone": old}})).await;
    assert_eq!(found(&format!("phone={old}")).await, [id.as_str()]);
}

#[tokio::test]
async fn finds_orders_of_the_own_account_only() {
    let (phone, parcel) = (phone(), Parcel::new());
    let mut order = parcel.order();
    order["customer"]["phone"] = json!(phone);
    stack().create_order_in(THEIRS, &order).await;
    for query in [format!("awb={}", parcel.awb), format!("phone={phone}")] {
        assert_eq!(found(&query).await, [""; 0], "{query}");
        let path = format!("{ORDERS}?accountCode={THEIRS}&{query}");
        assert_eq!(stack().vendor("GET", &path, None).await.status, 403);
        let answer = stack().user("admin", "GET", &path, None).await;
        assert_eq!(answer.json["items"][0]["orderId"], parcel.order_id.as_str());
    }
}

async fn report(order_id: &str, status: &str) {
    let path = format!("{ORDERS}/{order_id}/status");
    let answer = stack().vendor("POST", &path, Some(&json!({"status": status}))).await;
    assert_eq!(answer.status, 202, "{}", answer.json);
}

/// All orders with a status, in pages of two.
async fn with_status(status: &str) -> Vec<String> {
    let query = format!("status={status}&limit=2");
    let (mut ids, mut next) = search(&query).await;
    while let Some(page) = next {
        let (more, after) = search(&format!("{query}&page={page}")).await;
        assert!(more.len() <= 2, "{more:?}");
        ids.extend(more);
        next = after;
    }
    ids
}

/// Waits until a search by status finds exactly these orders, of all of `own`, in this order.
async fn finds_by_status(status: &str, own: &[String], expected: &[&String]) {
    eventually(&format!("orders that are {status}"), async || {
        let found = with_status(status).await;
        let found: Vec<&String> = found.iter().filter(|id| own.contains(id)).collect();
        (found == expected).then_some(())
    })
    .await;
}

/// `failed` has a search key of its own, `accepted` and `assigned` share one, `delivered` has none.
#[tokio::test]
async fn finds_orders_by_their_current_status_newest_first() {
    let mut own = Vec::new();
    for _ in 0..3 {
        let parcel = Parcel::new();
        stack().create_order(&parcel.order()).await;
        report(&parcel.order_id, "failed").await;
        own.insert(0, parcel.order_id);
    }
    finds_by_status("failed", &own, &[&own[0], &own[1], &own[2]]).await;
    for (order_id, status) in [(&own[1], "accepted"), (&own[2], "assigned")] {
        report(order_id, status).await;
        finds_by_status(status, &own, &[order_id]).await;
    }
    finds_by_status("failed", &own, &[&own[0]]).await;
    report(&own[1], "assigned").await;
    finds_by_status("assigned", &own, &[&own[1], &own[2]]).await;
    finds_by_status("accepted", &own, &[]).await;
    report(&own[0], "delivered").await;
    finds_by_status("failed", &own, &[]).await;
    finds_by_status("delivered", &own, &[&own[0]]).await;
}

#[tokio::test]
async fn rejects_invalid_and_combined_filters() {
    for (query, field) in [
        ("awb=", "awb"),
        ("awb=a%2Fb", "awb"),
        ("phone=", "phone"),
        ("phone=canary-phone", "phone"),
        ("status=lost&awb=19", "awb"),
        ("awb=19&phone=9876543210", "phone"),
        ("phone=9876543210&page=%21", "page"),
    ] {
        let answer = stack().vendor("GET", &format!("{ORDERS}?{query}"), None).await;
        assert_eq!(answer.error(), (422, "invalid", Some(field)), "{query}");
        assert!(!answer.json.to_string().contains("canary"), "{}", answer.json);
    }
}
