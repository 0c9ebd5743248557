//! Search by AWB and phone number.

use serde_json::{Value, json};

use super::ORDERS;
use crate::support::{OURS, Parcel, THEIRS, stack, unique};

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
