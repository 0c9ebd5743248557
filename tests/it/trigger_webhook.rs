//! `trigger-webhook`: an operator sends the current status of orders to their endpoints.

use std::time::Instant;

use serde_json::{Value, json};

use crate::support::{
    Answer, TestEndpoint, check_delivery, eventually, settings_to_expire, stack, unique,
};

const TRIGGER: &str = "/api/orders/trigger-webhook";

/// An account of one test.
struct Shop {
    account: String,
}

impl Shop {
    fn new() -> Self {
        Self { account: unique("ACC-") }
    }

    async fn create(&self) -> String {
        let id = unique("TRIGGER-");
        let order = json!({
            "orderId": id, "awb": unique("77"),
            "customer": {"phone": "canary-phone", "firstName": "canary-name"},
        });
        stack().create_order_in(&self.account, &order).await;
        id
    }

    /// An order in version 3: assigned, then in transit.
    async fn create_in_transit(&self) -> String {
        let id = self.create().await;
        for (version, status) in [(2, "assigned"), (3, "in_transit")] {
            let path = format!("/api/external/orders/{id}");
            let report = json!({"accountCode": self.account, "status": status});
            let reported =
                stack().user("admin", "POST", &format!("{path}/status"), Some(&report)).await;
            assert_eq!(reported.status, 202, "{}", reported.json);
            eventually(&format!("{id} to be {status}"), async || {
                let path = format!("{path}?account_code={}", self.account);
                let order = stack().user("admin", "GET", &path, None).await;
                (order.json["version"] == version).then_some(())
            })
            .await;
        }
        id
    }

    /// An endpoint for this account that every function knows.
    async fn endpoint(&self, settings: Value, responses: Value) -> TestEndpoint {
        let mut settings = settings;
        settings["accounts"] = json!([self.account]);
        let endpoint = TestEndpoint::new(settings, responses).await;
        settings_to_expire().await;
        endpoint
    }

    async fn trigger(&self, orders: &[&str]) -> Answer {
        let body = json!({"order_ids": orders, "account_code": self.account});
        stack().user("admin", "POST", TRIGGER, Some(&body)).await
    }
}

fn results(answer: &Answer) -> &Vec<Value> {
    answer.json["data"]["webhookResult"].as_array().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sends_the_current_status_of_orders() {
    let shop = Shop::new();
    let (new, moved) = (shop.create().await, shop.create_in_transit().await);
    let endpoint =
        shop.endpoint(json!({"format": "status_update", "events": ["delivered"]}), json!([])).await;
    let _other = shop.endpoint(json!({"format": "standard"}), json!([])).await;
    let answer = shop.trigger(&[&new, &moved]).await;
    assert_eq!((answer.status, &answer.json["success"]), (200, &json!(true)), "{}", answer.json);
    assert_eq!(answer.json["message"], "1 of 1 delivered");
    assert_eq!(answer.json["data"]["unknown"], json!([]));
    let summary = |id: &str, label: &str, status: &str, sequence: u64| {
        json!({"order_id": id, "account_code": shop.account, "current_shipment_status": label,
               "status": status, "sequence": sequence})
    };
    let expected = json!([
        summary(&new, "Pending", "pending", 1),
        summary(&moved, "In Transit", "in_transit", 3)
    ]);
    assert_eq!(answer.json["data"]["orders"], expected);

    let received = endpoint.received(1).await;
    let delivery_id = received[0].id();
    let expected = json!([{"endpoint": endpoint.name(), "delivery_id": delivery_id,
                           "state": "delivered", "status": 200, "error": null}]);
    assert_eq!(answer.json["data"]["webhookResult"], expected);
    check_delivery("status_update", &received[0]);
    let body = received[0].json();
    let orders = body["orders"].as_array().unwrap();
    let of = |id: &str| orders.iter().find(|order| order["order_id"] == id).unwrap();
    assert_eq!((orders.len(), &body["event"]), (2, &json!("status_update")));
    assert_eq!((&of(&new)["previous_status"], &of(&new)["sequence"]), (&json!(null), &json!(1)));
    assert_eq!(
        (&of(&moved)["previous_status"], &of(&moved)["sequence"]),
        (&json!("Assigned"), &json!(3))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sends_a_new_delivery_per_request() {
    let shop = Shop::new();
    let order = shop.create().await;
    let endpoint = shop.endpoint(json!({"format": "status_update"}), json!([])).await;
    for _ in 0..2 {
        assert_eq!(shop.trigger(&[&order]).await.json["success"], true);
    }
    let received = endpoint.received(2).await;
    assert_ne!(received[0].id(), received[1].id());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shows_the_result_of_each_endpoint() {
    let shop = Shop::new();
    let order = shop.create().await;
    let good = shop.endpoint(json!({"format": "status_update"}), json!([])).await;
    let settings = json!({"format": "status_update", "backoff": [1]});
    let bad = shop.endpoint(settings, json!([{"status": 500}, {"status": 503}])).await;
    let answer = shop.trigger(&[&order]).await;
    assert_eq!((answer.status, &answer.json["success"]), (200, &json!(false)), "{}", answer.json);
    assert_eq!(answer.json["message"], "1 of 2 delivered");
    let of = |endpoint: &TestEndpoint| {
        results(&answer).iter().find(|sent| sent["endpoint"] == endpoint.name()).unwrap()
    };
    assert_eq!((&of(&good)["state"], &of(&good)["status"]), (&json!("delivered"), &json!(200)));
    assert_eq!((&of(&bad)["state"], &of(&bad)["status"]), (&json!("dead"), &json!(503)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_within_twenty_seconds_while_an_endpoint_retries() {
    let shop = Shop::new();
    let order = shop.create().await;
    let slow = json!({"format": "status_update", "backoff": [600]});
    let _slow = shop.endpoint(slow, json!([{"status": 500}])).await;
    let start = Instant::now();
    let answer = shop.trigger(&[&order]).await;
    let waited = start.elapsed().as_secs();
    assert!((15..25).contains(&waited), "{waited} s");
    let sent = &results(&answer)[0];
    assert_eq!(
        (&sent["state"], &sent["status"], &answer.json["success"]),
        (&json!("retrying"), &json!(500), &json!(false))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reports_no_success_without_a_usable_endpoint() {
    let shop = Shop::new();
    let order = shop.create().await;
    let answer = shop.trigger(&[&order]).await;
    let message = "no endpoint receives status_update for this account";
    assert_eq!((answer.status, &answer.json["message"]), (200, &json!(message)));
    assert_eq!((&answer.json["success"], results(&answer).len()), (&json!(false), 0));

    let invalid = shop.endpoint(json!({"format": "fax"}), json!([])).await;
    let _disabled =
        shop.endpoint(json!({"format": "status_update", "enabled": false}), json!([])).await;
    let answer = shop.trigger(&[&order]).await;
    let expected = json!([{"endpoint": invalid.name(), "delivery_id": null, "state": "not_sent",
                           "status": null, "error": "settings_wrong"}]);
    assert_eq!(answer.json["data"]["webhookResult"], expected);
    assert_eq!(answer.json["success"], false);
}

#[tokio::test]
async fn lists_unknown_orders_and_sends_the_others() {
    let shop = Shop::new();
    let (order, missing) = (shop.create().await, unique("MISSING-"));
    let foreign = Shop::new().create().await;
    let answer = shop.trigger(&[&missing, &order, &foreign]).await;
    assert_eq!((answer.status, &answer.json["data"]["unknown"]), (200, &json!([missing, foreign])));
    assert_eq!(answer.json["data"]["orders"].as_array().unwrap().len(), 1);
    let none = shop.trigger(&[&missing, &foreign]).await;
    assert_eq!(none.error(), (404, "not_found", None));
}

#[tokio::test]
async fn rejects_invalid_order_lists() {
    let ids = |count: usize| (0..count).map(|number| format!("ORD-{number}")).collect::<Vec<_>>();
    let trigger = async |body: &Value| stack().user("admin", "POST", TRIGGER, Some(body)).await;
    for (body, field) in [
        (json!({"account_code": "A"}), "order_ids"),
        (json!({"account_code": "A", "order_ids": []}), "order_ids"),
        (json!({"account_code": "A", "order_ids": ids(101)}), "order_ids"),
        (json!({"account_code": "A", "order_ids": ["A", "B", "A"]}), "order_ids"),
        (json!({"account_code": "A", "order_ids": "A"}), "order_ids"),
        (json!({"account_code": "A", "order_ids": ["A", {}]}), "order_ids[1]"),
        (json!({"account_code": 7, "order_ids": ["A"]}), "account_code"),
        (json!({"order_ids": ["A"]}), "account_code"),
    ] {
        assert_eq!(trigger(&body).await.error(), (422, "invalid", Some(field)), "{body}");
    }
    assert_eq!(trigger(&json!({"account_code": "A", "order_ids": ids(100)})).await.status, 404);
    assert_eq!(trigger(&json!([])).await.error(), (400, "malformed", None));
    let large = json!({"account_code": "A", "order_ids": ["A"], "note": "x".repeat(256 * 1024)});
    assert_eq!(trigger(&large).await.status, 413);
}
