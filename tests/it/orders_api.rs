//! What partners can do with orders.

use serde_json::{Value, json};

use crate::main_way::Parcel;
use crate::support::{Answer, http, stack, unique};

const ORDERS: &str = "/api/external/orders";

async fn create(body: &Value) -> Answer {
    stack().vendor("POST", ORDERS, Some(body)).await
}

#[tokio::test]
async fn creating_twice_is_creating_once() {
    let parcel = Parcel::new();
    let first = create(&parcel.order()).await;
    assert_eq!((first.status, &first.json["orderId"]), (201, &json!(parcel.order_id)));
    let second = create(&parcel.order()).await;
    assert_eq!((second.status, &second.json), (200, &first.json));
    let mut other = parcel.order();
    other["fare"] = json!(301);
    assert_eq!(create(&other).await.error(), (409, "conflict", Some("orderId")));
}

#[tokio::test]
async fn an_awb_means_one_order() {
    let parcel = Parcel::new();
    stack().create_order(&parcel.order()).await;
    let mut other = Parcel::new().order();
    other["awb"] = json!(parcel.awb);
    assert_eq!(create(&other).await.error(), (409, "conflict", Some("awb")));
    // Nothing of the refused order is left: its id is free.
    other["awb"] = json!(unique("19"));
    assert_eq!(create(&other).await.status, 201);
    let path = format!("{ORDERS}/{}", other["orderId"].as_str().unwrap());
    let taken = stack().vendor("PATCH", &path, Some(&json!({"returnAwb": parcel.awb}))).await;
    assert_eq!(taken.error(), (409, "conflict", Some("awb")));
}

#[tokio::test]
async fn what_is_wrong_is_named() {
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
    let mut nameless = good.clone();
    nameless.as_object_mut().unwrap().remove("orderId");
    assert_eq!(create(&nameless).await.error(), (422, "invalid", Some("orderId")));
}

#[tokio::test]
async fn bodies_that_are_no_orders() {
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
async fn who_may() {
    let parcel = Parcel::new();
    stack().create_order(&parcel.order()).await;
    let path = format!("{ORDERS}/{}", parcel.order_id);
    assert_eq!(stack().user("partner", "GET", &path, None).await.status, 200);
    // An admin sees all accounts, so has to name one.
    assert_eq!(
        stack().user("admin", "GET", &path, None).await.error(),
        (422, "invalid", Some("accountCode"))
    );
    assert_eq!(
        stack().user("admin", "GET", &format!("{path}?accountCode=STORE001"), None).await.status,
        200
    );
    assert_eq!(
        stack()
            .user("admin", "GET", &format!("{path}?account_code=STORE002"), None)
            .await
            .error()
            .0,
        404
    );
    let foreign = format!("{path}?accountCode=STORE002");
    assert_eq!(
        stack().user("partner", "GET", &foreign, None).await.error(),
        (403, "forbidden", Some("accountCode"))
    );
    assert_eq!(stack().vendor("GET", &foreign, None).await.error().0, 403);

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
        // A wrong secret is not made good by a right password.
        get()
            .header("x-vendor-server-secret", "canary-secret")
            .basic_auth(&partner.name, Some(&partner.password)),
    ] {
        let answer = http::send(request).await;
        assert_eq!(answer.error(), (401, "unauthorized", None));
        assert!(answer.headers.contains_key("www-authenticate"));
    }
}

#[tokio::test]
async fn an_order_that_is_not_there() {
    let path = format!("{ORDERS}/{}", unique("nowhere-"));
    assert_eq!(stack().vendor("GET", &path, None).await.error(), (404, "not_found", None));
    assert_eq!(
        stack().vendor("PATCH", &path, Some(&json!({}))).await.error(),
        (404, "not_found", None)
    );
}

#[tokio::test]
async fn odd_ids_are_one_order_each() {
    let tag = unique("");
    for (name, in_path) in
        [("a b#", "a%20b%23"), ("?&=", "%3F%26%3D"), ("ü", "u%CC%88"), ("..", "..x")]
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
async fn a_patch_sets_what_it_names() {
    let parcel = Parcel::new();
    stack().create_order(&parcel.order()).await;
    let path = format!("{ORDERS}/{}", parcel.order_id);
    let patch = json!({"carrierName": null, "carrier_id": 30, "customer": {"lastName": "canary-name-Iyer"},
                       "refs": {"esahayak": "order_12345-x"}, "status": "delivered"});
    let answer = stack().vendor("PATCH", &path, Some(&patch)).await;
    assert_eq!(answer.status, 200, "{}", answer.json);
    let order = answer.json;
    assert_eq!((&order["carrierName"], &order["carrierId"]), (&json!(null), &json!(30)));
    assert_eq!(
        order["customer"],
        json!({"phone": "canary-phone-1", "firstName": "canary-name-Asha", "lastName": "canary-name-Iyer"})
    );
    assert_eq!(
        (&order["refs"]["esahayak"], &order["awb"]),
        (&json!("order_12345-x"), &json!(parcel.awb))
    );
    assert_eq!(
        (&order["status"], &order["version"]),
        (&json!("pending"), &json!(1)),
        "a patch sets no status"
    );
    let freed = stack().vendor("PATCH", &path, Some(&json!({"refs": {"esahayak": null}}))).await;
    assert_eq!(freed.json["refs"], json!({}));
    assert_eq!(
        stack().vendor("PATCH", &path, Some(&json!({"awb": []}))).await.error(),
        (422, "invalid", Some("awb"))
    );
}

#[tokio::test]
async fn a_new_parcel_starts_the_way_anew() {
    let parcel = Parcel::new();
    stack().create_order(&parcel.order()).await;
    stack().webhook(&parcel.report(12, "LOST", "08:00:00")).await;
    assert_eq!(stack().order_with_entries(&parcel.order_id, 1).await["status"], "lost");

    let path = format!("{ORDERS}/{}", parcel.order_id);
    let next = Parcel { order_id: parcel.order_id.clone(), awb: unique("19") };
    stack().vendor("PATCH", &path, Some(&json!({"awb": next.awb}))).await;
    let order = stack().order_with_entries(&parcel.order_id, 2).await;
    assert_eq!(
        (&order["status"], &order["previousStatus"]),
        (&json!("processing"), &json!("lost"))
    );

    // What comes of the old parcel is no news of this order any more; the new one's is.
    let mut late = parcel.report(7, "DELIVERED", "09:00:00");
    late["order_id"] = json!(parcel.order_id);
    stack().webhook(&late).await;
    let order = stack().order_with_entries(&parcel.order_id, 3).await;
    let foreign = order["timeline"]
        .as_array()
        .unwrap()
        .iter()
        .find(|entry| entry["status"] == "delivered")
        .unwrap();
    assert_eq!(
        (&foreign["reason"], &order["status"]),
        (&json!("other_shipment"), &json!("processing"))
    );
    // The old number is free for another order.
    let mut other = Parcel::new().order();
    other["awb"] = json!(parcel.awb);
    assert_eq!(create(&other).await.status, 201);
}

#[tokio::test]
async fn a_partner_reports_a_status() {
    let parcel = Parcel::new();
    stack().create_order(&parcel.order()).await;
    let path = format!("{ORDERS}/{}/status", parcel.order_id);
    let report = json!({"status": "assigned", "occurredAt": "2026-01-20T10:15:30+05:30", "note": "canary-note"});
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
    let told = received.iter().find(|request| request.path.ends_with("standard")).unwrap().json();
    assert_eq!(told["data"]["orderData"]["assignedAt"], "2026-01-20T04:45:30.000Z");

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
    let nowhere = format!("{ORDERS}/{}/status", unique("nowhere-"));
    assert_eq!(
        stack().vendor("POST", &nowhere, Some(&report)).await.error(),
        (404, "not_found", None)
    );
}

#[tokio::test]
async fn a_key_names_a_report() {
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

#[tokio::test]
async fn orders_are_listed_newest_first_in_pages() {
    let parcels: Vec<Parcel> = (0..3).map(|_| Parcel::new()).collect();
    for parcel in &parcels {
        stack().create_order(&parcel.order()).await;
    }
    stack().webhook(&parcels[1].report(12, "LOST", "08:00:00")).await;
    stack().order_with_entries(&parcels[1].order_id, 1).await;

    // Other tests create orders at the same time: these three keep their order among them.
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
        query = format!(
            "?limit=20&page={}",
            page.json["next_page"].as_str().unwrap_or_else(|| panic!("ends at {seen:?}"))
        );
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
