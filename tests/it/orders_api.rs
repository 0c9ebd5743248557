//! The orders API: create, read, change and list orders.

mod parcels;
mod search;
mod status_reports;
mod unknown_names;

use serde_json::{Value, json};

use crate::support::{Answer, Parcel, detail_in_status, http, stack, unique};

const ORDERS: &str = "/api/external/orders";

async fn create(body: &Value) -> Answer {
    stack().vendor("POST", ORDERS, Some(body)).await
}

#[tokio::test]
async fn creates_an_order_once_after_a_repeated_request() {
    let parcel = Parcel::new();
    let first = create(&parcel.order()).await;
    assert_eq!((first.status, &first.json["orderId"]), (201, &json!(parcel.order_id)));
    let second = create(&parcel.order()).await;
    assert_eq!((second.status, &second.json), (200, &first.json));
    let spelled = parcel.order().to_string().replace(r#""fare":300"#, "\"fare\" :\n3.00e2");
    let request = http::client().post(stack().url(ORDERS));
    let request = request.header("x-vendor-server-secret", &stack().vendor_secret);
    let request = request.header("content-type", "application/json");
    let third = http::send(request.body(spelled)).await;
    assert_eq!((third.status, &third.json), (200, &first.json), "{}", third.json);
    let mut other = parcel.order();
    other["fare"] = json!(301);
    assert_eq!(create(&other).await.error(), (409, "conflict", Some("orderId")));
}

#[tokio::test]
async fn rejects_an_awb_that_another_order_has() {
    let parcel = Parcel::new();
    stack().create_order(&parcel.order()).await;
    let mut other = Parcel::new().order();
    other["awb"] = json!(parcel.awb);
    assert_eq!(create(&other).await.error(), (409, "conflict", Some("awb")));
    // The rejected request leaves no rows: the order id is free.
    other["awb"] = json!(unique("19"));
    assert_eq!(create(&other).await.status, 201);
    let path = format!("{ORDERS}/{}", other["orderId"].as_str().unwrap());
    let taken = stack().vendor("PATCH", &path, Some(&json!({"returnAwb": parcel.awb}))).await;
    assert_eq!(taken.error(), (409, "conflict", Some("awb")));
}

#[tokio::test]
async fn rejects_invalid_fields_by_name() {
    let good = Parcel::new().order();
    for (field, value, expected) in [
        ("orderId", json!(7), (422, "invalid", Some("orderId"))),
        ("orderId", json!(" a"), (422, "invalid", Some("orderId"))),
        ("orderId", json!("a/b"), (422, "invalid", Some("orderId"))),
        ("status", json!("unknown"), (422, "invalid", Some("status"))),
        ("status", json!("teleported"), (422, "invalid", Some("status"))),
        ("items", json!([{"title": "Tea", "qty": 1.5}]), (422, "invalid", Some("items[0].qty"))),
        ("pickup", json!("here"), (422, "invalid", Some("pickup"))),
        ("refs", json!({"nobody": 1}), (422, "invalid", Some("refs.nobody"))),
        ("customer", json!({"phone": ["canary-phone"]}), (422, "invalid", Some("customer.phone"))),
        ("poll", json!("hourly"), (422, "invalid", Some("poll"))),
        ("scheduledAt", json!("canary-body"), (422, "invalid", Some("scheduledAt"))),
        ("accountCode", json!("STORE002"), (403, "forbidden", Some("accountCode"))),
    ] {
        let mut body = good.clone();
        body[field] = value;
        assert_eq!(create(&body).await.error(), expected, "{field}");
    }
    let mut without_id = good.clone();
    without_id.as_object_mut().unwrap().remove("orderId");
    assert_eq!(create(&without_id).await.error(), (422, "invalid", Some("orderId")));
}

#[tokio::test]
async fn rejects_bodies_that_are_not_json_objects() {
    let post = |body: &str, content_type: &str| {
        let request = http::client().post(stack().url(ORDERS)).header("content-type", content_type);
        http::send(
            request.header("x-vendor-server-secret", &stack().vendor_secret).body(body.to_owned()),
        )
    };
    assert_eq!(post("{\"canary-body", "application/json").await.error(), (400, "malformed", None));
    assert_eq!(
        post("[]", "application/json; charset=utf-8").await.error(),
        (400, "malformed", None)
    );
    assert_eq!(post("{}", "text/plain").await.error(), (415, "unsupported_media_type", None));
    let large = post(&" ".repeat(64 * 1024 + 1), "application/json").await;
    assert_eq!(large.error(), (413, "too_large", None));
}

#[tokio::test]
async fn answers_404_for_an_unknown_order() {
    let path = format!("{ORDERS}/{}", unique("nowhere-"));
    assert_eq!(stack().vendor("GET", &path, None).await.error(), (404, "not_found", None));
    assert_eq!(
        stack().vendor("PATCH", &path, Some(&json!({}))).await.error(),
        (404, "not_found", None)
    );
}

#[tokio::test]
async fn decodes_unusual_order_ids_in_paths() {
    let tag = unique("");
    for (name, in_path) in [("a b#", "a%20b%23"), ("&=", "%26%3D"), ("ü", "u%CC%88"), ("..", "..x")]
    {
        let mut order = Parcel::new().order();
        let id = if name == ".." { format!("..x{tag}") } else { format!("{name}{tag}") };
        order["orderId"] = json!(id);
        stack().create_order(&order).await;
        let seen = stack().order(&format!("{in_path}{tag}")).await;
        assert_eq!(seen["orderId"], order["orderId"]);
    }
}

#[tokio::test]
async fn refuses_new_ids_that_paths_escape_differently() {
    let parcel = Parcel::new();
    let with = |field: &str, value: Value| {
        let mut order = parcel.order();
        order[field] = value;
        order
    };
    for (order, field) in [
        (with("orderId", json!("a?b")), "orderId"),
        (with("orderId", json!("a%20b")), "orderId"),
        (with("awb", json!("19%")), "awb"),
        (with("returnAwb", json!("19?")), "returnAwb"),
        (with("refs", json!({"shiprocket": "1?"})), "refs.shiprocket"),
    ] {
        let answer = stack().vendor("POST", ORDERS, Some(&order)).await;
        assert_eq!(answer.error(), (422, "invalid", Some(field)));
        let message = answer.json["error"]["message"].as_str().unwrap();
        assert!(message.contains("must not contain `?` or `%`"), "{message}");
    }
    stack().create_order(&parcel.order()).await;
    let path = format!("{ORDERS}/{}", parcel.order_id);
    let patch = stack().vendor("PATCH", &path, Some(&json!({"awb": "19?"}))).await;
    assert_eq!(patch.error(), (422, "invalid", Some("awb")));
    let shipment = json!({"awb": "19%"});
    let added = stack().vendor("POST", &format!("{path}/shipments"), Some(&shipment)).await;
    assert_eq!(added.error(), (422, "invalid", Some("awb")));
}

#[tokio::test]
async fn keeps_a_carriers_report_about_such_an_id() {
    let (order_id, awb) = (unique("100%?"), unique("19?%"));
    let mut report = Parcel::new().in_transit();
    report["order_id"] = json!(order_id);
    report["awb"] = json!(awb);
    let answer = stack().webhook(&report).await;
    let event = detail_in_status(&answer.event_id(), "unmatched").await;
    assert_eq!(event["status"], "unmatched");
}

#[tokio::test]
async fn changes_only_the_fields_of_a_patch() {
    let parcel = Parcel::new();
    stack().create_order(&parcel.order()).await;
    let path = format!("{ORDERS}/{}", parcel.order_id);
    let patch = json!({
        "carrierName": null, "carrierId": 30, "customer": {"lastName": "canary-name-Iyer"},
        "refs": {"esahayak": "order_12345-x"}, "items": [{"title": "Pot", "qty": 1, "price": 5}],
        "paymentStatus": "paid", "metadata": {"note": "canary-body"}, "vendorNotes": "canary-note",
        "vendorDetails": {"mobile": "canary-phone"}, "scheduledAt": "2026-01-21T15:30:00+05:30",
    });
    let answer = stack().vendor("PATCH", &path, Some(&patch)).await;
    assert_eq!(answer.status, 200, "{}", answer.json);
    let order = answer.json;
    assert_eq!((&order["carrierName"], &order["carrierId"]), (&json!(null), &json!(30)));
    assert_eq!(
        order["customer"],
        json!({"phone": "canary-phone-1", "firstName": "canary-name-Asha",
               "lastName": "canary-name-Iyer"})
    );
    assert_eq!(
        (&order["refs"]["esahayak"], &order["awb"]),
        (&json!("order_12345-x"), &json!(parcel.awb))
    );
    for field in ["items", "paymentStatus", "metadata", "vendorNotes"] {
        assert_eq!(order[field], patch[field], "{field}");
    }
    assert_eq!(order["scheduledAt"], "2026-01-21T10:00:00.000Z");
    let vendor = &order["vendorDetails"];
    assert_eq!((&vendor["mobile"], &vendor["vendorId"]), (&json!("canary-phone"), &json!("V-1")));
    assert_eq!((&order["status"], &order["version"]), (&json!("pending"), &json!(1)));
    let freed = stack().vendor("PATCH", &path, Some(&json!({"refs": {"esahayak": null}}))).await;
    assert_eq!(freed.json["refs"], json!({}));
    assert_eq!(
        stack().vendor("PATCH", &path, Some(&json!({"awb": []}))).await.error(),
        (422, "invalid", Some("awb"))
    );
}

#[tokio::test]
async fn rejects_a_field_that_a_patch_cannot_set() {
    let parcel = Parcel::new();
    stack().create_order(&parcel.order()).await;
    let path = format!("{ORDERS}/{}", parcel.order_id);
    for (field, value) in [
        ("orderId", json!(parcel.order_id)),
        ("status", json!("delivered")),
        ("version", json!(7)),
        ("createdAt", json!("2026-01-20T10:15:30Z")),
        ("timeline", json!([])),
    ] {
        let patch = json!({"carrierName": "canary-body", field: value});
        let answer = stack().vendor("PATCH", &path, Some(&patch)).await;
        assert_eq!(answer.error(), (422, "invalid", Some(field)));
    }
    assert_eq!(stack().order(&parcel.order_id).await["carrierName"], "Delhivery");
}

#[tokio::test]
async fn accepts_snake_case() {
    let parcel = Parcel::new();
    stack().create_order(&parcel.order()).await;
    let url = stack().url(&format!("{ORDERS}/{}", parcel.order_id));
    let request = http::client()
        .patch(url)
        .basic_auth(&stack().users["partner"].name, Some(&stack().users["partner"].password));
    let patch = json!({"account_code": "STORE001", "carrier_id": 31,
                       "customer": {"first_name": "canary-name"}});
    let answer = http::send_undocumented(http::with_json(request, Some(&patch))).await;
    assert_eq!(answer.status, 200, "{}", answer.json);
    assert_eq!(answer.json["carrierId"], 31);
    assert_eq!(answer.json["customer"]["firstName"], "canary-name");
}

#[tokio::test]
async fn lists_orders_newest_first_in_pages() {
    let parcels: Vec<Parcel> = (0..3).map(|_| Parcel::new()).collect();
    for parcel in &parcels {
        stack().create_order(&parcel.order()).await;
    }
    stack().webhook(&parcels[1].report(12, "LOST", "08:00:00")).await;
    stack().order_with_entries(&parcels[1].order_id, 1).await;

    // Other tests create orders at the same time.
    let mut seen = Vec::new();
    let mut query = "?limit=20".to_owned();
    while seen.len() < parcels.len() {
        let page = stack().vendor("GET", &format!("{ORDERS}{query}"), None).await;
        assert_eq!(page.status, 200, "{}", page.json);
        assert!(page.json["items"].as_array().unwrap().len() <= 20);
        let ids = page.json["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["orderId"].as_str().unwrap());
        seen.extend(
            ids.filter(|id| parcels.iter().any(|parcel| parcel.order_id == *id)).map(str::to_owned),
        );
        // Absent at the end of the list, which a new stack may reach with these orders.
        let Some(next) = page.json["next_page"].as_str() else { break };
        query = format!("?limit=20&page={next}");
    }
    let newest_first: Vec<_> = parcels.iter().rev().map(|parcel| parcel.order_id.clone()).collect();
    assert_eq!(seen, newest_first);

    let lost = stack().vendor("GET", &format!("{ORDERS}?status=lost&limit=100"), None).await.json;
    let lost = lost["items"].as_array().unwrap();
    assert!(lost.iter().all(|item| item["status"] == "lost"));
    let ours = lost.iter().find(|item| item["orderId"] == parcels[1].order_id.as_str()).unwrap();
    assert_eq!((&ours["awb"], &ours["version"]), (&json!(parcels[1].awb), &json!(2)));
    for (query, field) in [("status=gone", "status"), ("limit=0", "limit"), ("page=%21", "page")] {
        assert_eq!(
            stack().vendor("GET", &format!("{ORDERS}?{query}"), None).await.error(),
            (422, "invalid", Some(field))
        );
    }
}
