//! The main path: a carrier's webhook in, the order's timeline, signed webhooks out.

use futures::future::join_all;
use serde_json::{Value, json};

use crate::support::{Parcel, Received, stack};

/// The only delivery on a path.
fn delivery_on<'a>(received: &'a [Received], path: &str) -> &'a Received {
    let mut on_path = received.iter().filter(|request| request.path == path);
    let first = on_path.next().unwrap_or_else(|| panic!("no delivery on {path}"));
    assert!(on_path.next().is_none(), "{path} got more than one delivery");
    first
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[tokio::test]
async fn sends_one_delivery_per_format_after_a_webhook() {
    let parcel = Parcel::new();
    stack().create_order(&parcel.order()).await;
    let answer = stack().webhook(&parcel.report(18, "IN TRANSIT", "11:43:52")).await;
    assert_eq!(answer.status, 200, "{}", answer.json);

    let received = stack().received_at_least(&parcel.order_id, 3).await;
    let order = stack().order(&parcel.order_id).await;
    assert_eq!((&order["status"], &order["version"]), (&json!("in_transit"), &json!(2)));
    assert_eq!(order["previousStatus"], "pending");
    assert_eq!(order["currentShipmentStatus"], "IN TRANSIT");
    assert_eq!(order["orderStatus"], "shipped");
    assert_eq!(order["location"], "Sampleville_H (Maharashtra)");
    assert_eq!(order["eta"], "2023-05-25T10:10:19.000Z");
    let entry = &order["timeline"][0];
    assert_eq!(entry["occurredAt"], "2023-05-23T06:13:52.000Z");
    assert_eq!(
        (&entry["applied"], &entry["reason"], &entry["late"]),
        (&json!(true), &json!(null), &json!(false))
    );

    assert!(
        received.iter().all(|request| request.verified == Some(true) && request.method == "POST")
    );
    for endpoint in stack().endpoints.values() {
        let request = delivery_on(&received, &endpoint.path());
        assert_eq!(request.headers["content-type"], "application/json");
        match endpoint.format.as_str() {
            "status_update" => check_status_update(request, &parcel),
            "order.status_changed" => check_order_status_changed(request, &parcel),
            _ => check_standard(request, &parcel),
        }
    }
}

fn is_link_of(url: &Value, parcel: &Parcel) -> bool {
    let page = stack().url(&format!("/track/STORE001/{}?t=", parcel.order_id));
    url.as_str().is_some_and(|url| url.starts_with(&page))
}

fn check_status_update(request: &Received, parcel: &Parcel) {
    let mut body = request.json();
    let url = body["orders"][0].as_object_mut().unwrap().remove("tracking_url").unwrap();
    assert!(is_link_of(&url, parcel), "{url}");
    assert_eq!(keys(&body), ["event", "orders", "timestamp"]);
    assert_eq!(body["event"], "status_update");
    let expected = json!([{
        "order_id": parcel.order_id, "account_code": "STORE001", "carrier_id": 28,
        "awb": parcel.awb, "current_shipment_status": "IN TRANSIT", "previous_status": "Pending",
        "status": "in_transit", "shipping_phone": "canary-phone-1",
        "shipping_firstname": "canary-name-Asha", "shipping_lastname": "canary-name-Rao",
        "number_of_product": 2, "number_of_quantity": 4, "latest_message_status": null,
        "sequence": 2, "occurred_at": "2023-05-23T06:13:52.000Z", "delivery_attempts": 0,
    }]);
    assert_eq!(body["orders"], expected);
    assert!(request.headers["user-agent"].starts_with("Waypost/"));
}

fn check_order_status_changed(request: &Received, parcel: &Parcel) {
    let headers = &request.headers;
    assert_eq!(headers["x-webhook-event"], "order.status_changed");
    assert_eq!(headers["x-webhook-order-id"], parcel.order_id);
    assert_eq!(headers["user-agent"], "VendorServer-Webhook/1.0");
    assert!(headers["x-webhook-timestamp"].ends_with('Z'));
    assert!(headers.contains_key("x-vendor-server-secret"));
    check_changed_order(&request.json(), parcel);
}

fn check_standard(request: &Received, parcel: &Parcel) {
    let body = request.json();
    assert_eq!(keys(&body), ["data", "timestamp", "type"]);
    assert_eq!(body["type"], "order.status_changed");
    assert_eq!(body["timestamp"], "2023-05-23T06:13:52.000Z");
    assert!(request.headers["user-agent"].starts_with("Waypost/"));
    assert!(!request.headers.contains_key("x-vendor-server-secret"));
    check_changed_order(&body["data"], parcel);
}

fn check_changed_order(data: &Value, parcel: &Parcel) {
    assert_eq!(
        keys(data),
        [
            "accountCode",
            "awb",
            "currentShipmentStatus",
            "customerId",
            "deliveryAttempts",
            "eta",
            "location",
            "note",
            "occurredAt",
            "orderData",
            "orderId",
            "previousStatus",
            "sequence",
            "shipments",
            "status",
            "trackingUrl",
            "updatedAt",
            "vendorDetails"
        ]
    );
    let shipment = json!([{
        "awb": parcel.awb, "direction": "forward", "carrierName": "Delhivery Surface",
        "status": "in_transit", "currentShipmentStatus": "IN TRANSIT", "deliveryAttempts": 0,
        "replaced": false,
    }]);
    assert_eq!(data["shipments"], shipment);
    assert!(is_link_of(&data["trackingUrl"], parcel), "{}", data["trackingUrl"]);
    assert_eq!((&data["accountCode"], &data["awb"]), (&json!("STORE001"), &json!(parcel.awb)));
    assert_eq!(data["location"], "Sampleville_H (Maharashtra)");
    assert_eq!((&data["orderId"], &data["customerId"]), (&json!(parcel.order_id), &json!("C-7")));
    assert_eq!(
        (&data["status"], &data["previousStatus"]),
        (&json!("in_transit"), &json!("pending"))
    );
    assert_eq!(data["sequence"], 2);
    let expected = json!({
        "fare": 300, "paymentMethod": "cod", "paymentStatus": null, "drop": null,
        "pickup": {"address": "canary-address", "coordinates": [77.1, 12.9]},
        "items": parcel.order()["items"], "customerNotes": null, "vendorNotes": null,
        "scheduledAt": null, "assignedAt": null, "acceptedAt": null, "completedAt": null,
        "cancelledAt": null, "cancellationReason": null, "cancelledBy": null,
        "createdAt": data["orderData"]["createdAt"], "metadata": {"channel": "canary-body"},
    });
    assert_eq!(data["orderData"], expected);
    let vendor = json!({"vendorId": "V-1", "vendorName": "Tea House", "mobile": null,
                        "businessAddress": null, "selectedServices": null});
    assert_eq!(data["vendorDetails"], vendor);
}

#[tokio::test]
async fn deduplicates_sixteen_concurrent_copies_of_a_webhook() {
    let parcel = Parcel::new();
    stack().create_order(&parcel.order()).await;
    let body = parcel.report(18, "IN TRANSIT", "11:43:52");
    let answers = join_all((0..16).map(|_| stack().webhook(&body))).await;
    assert!(answers.iter().all(|answer| answer.status == 200));
    stack().received_at_least(&parcel.order_id, 3).await;

    // A newer report of the same order queues behind the effects of the copies.
    stack().webhook(&parcel.report(17, "OUT FOR DELIVERY", "12:00:00")).await;
    let received = stack().received_at_least(&parcel.order_id, 6).await;
    let order = stack().order_with_entries(&parcel.order_id, 2).await;
    assert_eq!((&order["version"], order["timeline"].as_array().unwrap().len()), (&json!(3), 2));
    for endpoint in stack().endpoints.values() {
        assert_eq!(received.iter().filter(|request| request.path == endpoint.path()).count(), 2);
    }
}

fn permutations<T: Clone>(items: &[T]) -> Vec<Vec<T>> {
    if items.len() <= 1 {
        return vec![items.to_vec()];
    }
    let with_first = |first: usize| {
        let mut rest = items.to_vec();
        let head = rest.remove(first);
        permutations(&rest).into_iter().map(move |tail| [vec![head.clone()], tail].concat())
    };
    (0..items.len()).flat_map(with_first).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ends_in_the_same_state_after_any_order_of_arrival() {
    let steps = [
        (42, "PICKED UP", "08:00:00"),
        (18, "IN TRANSIT", "09:00:00"),
        (17, "OUT FOR DELIVERY", "10:00:00"),
        (7, "DELIVERED", "11:00:00"),
    ];
    let orders = permutations(&steps);
    assert_eq!(orders.len(), 24);
    let check = async |order: &Vec<(u32, &str, &str)>| {
        let parcel = Parcel::new();
        stack().create_order(&parcel.order()).await;
        for (index, (id, label, time)) in order.iter().enumerate() {
            assert_eq!(stack().webhook(&parcel.report(*id, label, time)).await.status, 200);
            stack().order_with_entries(&parcel.order_id, index + 1).await;
        }
        let seen = stack().order(&parcel.order_id).await;
        assert_eq!(seen["status"], "delivered", "{order:?}");
        let timeline = seen["timeline"].as_array().unwrap();
        let statuses: Vec<_> =
            timeline.iter().map(|entry| entry["status"].as_str().unwrap()).collect();
        assert_eq!(
            statuses,
            ["delivered", "out_for_delivery", "in_transit", "picked_up"],
            "{order:?}"
        );
        assert!(timeline.iter().all(|entry| entry["applied"] == true), "{order:?}");
    };
    // Six at a time: the stack takes about 200 requests a second.
    for batch in orders.chunks(6) {
        join_all(batch.iter().map(check)).await;
    }
}

#[tokio::test]
async fn applies_a_return_after_delivery() {
    let parcel = Parcel::new();
    stack().create_order(&parcel.order()).await;
    stack().webhook(&parcel.report(7, "DELIVERED", "08:00:00")).await;
    stack().order_with_entries(&parcel.order_id, 1).await;
    stack().webhook(&parcel.report(18, "IN TRANSIT", "09:00:00")).await;
    stack().order_with_entries(&parcel.order_id, 2).await;
    stack().webhook(&parcel.report(9, "RTO INITIATED", "10:00:00")).await;
    stack().order_with_entries(&parcel.order_id, 3).await;
    let mut back = parcel.report(7, "DELIVERED", "11:00:00");
    back["is_return"] = json!(1);
    stack().webhook(&back).await;
    let order = stack().order_with_entries(&parcel.order_id, 4).await;
    assert_eq!(
        (&order["status"], &order["orderStatus"]),
        (&json!("returned"), &json!("cancelled"))
    );
    let timeline = order["timeline"].as_array().unwrap();
    let seen: Vec<_> = timeline
        .iter()
        .map(|entry| (entry["status"].as_str().unwrap(), entry["reason"].as_str()))
        .collect();
    assert_eq!(
        seen,
        [
            ("returned", None),
            ("return_initiated", None),
            ("in_transit", Some("after_terminal")),
            ("delivered", None)
        ]
    );
}
