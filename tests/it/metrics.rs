//! `GET /metrics`: the counts of requests to endpoints and of processed events.

use domain::core::hash::Fingerprint;
use serde_json::{Value, json};

use crate::support::http::{client, send};
use crate::support::{
    Answer, Calls, OURS, Parcel, TestEndpoint, caller, eventually, settings_to_expire, stack,
};

async fn metrics(caller_name: &str, query: &str) -> Answer {
    let request = client().get(stack().url(&format!("/metrics{query}")));
    send(caller(caller_name).await.sign(request)).await
}

/// The counts of an endpoint, once it was sent this many requests.
async fn counted(endpoint: &TestEndpoint, requests: u64) -> Value {
    eventually("the counts", async || {
        let answer = metrics("viewer", &format!("?endpoint={}", endpoint.name())).await;
        assert_eq!(answer.status, 200, "{}", answer.json);
        Some(answer.json).filter(|json| json["total"].as_u64() >= Some(requests))
    })
    .await
}

async fn send_delivery(endpoint: &TestEndpoint) {
    let deliveries = vec![endpoint.delivery()];
    let queue = stack().queue("deliveries", &Calls::default());
    let event = Fingerprint::of("test").with(&deliveries[0].id).into();
    queue.send_deliveries(&event, &deliveries).await.unwrap();
}

#[tokio::test]
async fn counts_the_requests_to_an_endpoint_by_the_hour() {
    // Without accounts: it gets the deliveries of this test only.
    let settings = json!({"backoff": [1, 1]});
    let responses = json!([{"status": 500}, {"status": 200}, {"status": 410}]);
    let endpoint = TestEndpoint::new(settings, responses).await;
    settings_to_expire().await;
    send_delivery(&endpoint).await;
    let retried = counted(&endpoint, 2).await;
    let of = |json: &Value| {
        ["total", "success", "errors", "retries", "dead"].map(|name| json[name].as_u64().unwrap())
    };
    assert_eq!(of(&retried), [2, 1, 1, 1, 0]);
    assert_eq!((&retried["successRate"], &retried["errorRate"]), (&json!(0.5), &json!(0.5)));
    assert_eq!(of(&retried["endpoints"][endpoint.name()]), [2, 1, 1, 1, 0]);
    assert_eq!(retried["endpoints"].as_object().unwrap().len(), 1, "only this endpoint");
    assert_eq!(retried["sources"], json!({}), "sources belong to no endpoint");

    send_delivery(&endpoint).await;
    let dead = counted(&endpoint, 3).await;
    assert_eq!(of(&dead), [3, 1, 2, 1, 1]);
    let hours = dead["hours"].as_array().unwrap();
    let sum: u64 = hours.iter().map(|hour| hour["total"].as_u64().unwrap()).sum();
    assert_eq!(sum, 3);
}

#[tokio::test]
async fn counts_no_request_to_a_url_that_is_refused() {
    let endpoint = TestEndpoint::new(json!({}), json!([])).await;
    endpoint.set("url", "https://169.254.169.254/").await;
    settings_to_expire().await;
    send_delivery(&endpoint).await;
    let counts = eventually("the dead delivery", async || {
        let query = format!("?endpoint={}", endpoint.name());
        Some(metrics("viewer", &query).await.json).filter(|json| json["dead"] == 1)
    })
    .await;
    assert_eq!((&counts["total"], &counts["errors"]), (&json!(0), &json!(0)));
}

#[tokio::test]
async fn shows_an_endpoint_only_to_callers_with_all_its_accounts() {
    let endpoint = TestEndpoint::new(json!({"accounts": [OURS]}), json!([])).await;
    settings_to_expire().await;
    send_delivery(&endpoint).await;
    counted(&endpoint, 1).await;
    let query = format!("?endpoint={}", endpoint.name());
    for (name, status, total) in [
        ("admin", 200, json!(1)),
        ("their viewer", 200, json!(0)),
        ("our partner", 403, Value::Null),
        ("our vendor", 403, Value::Null),
        ("no credentials", 401, Value::Null),
    ] {
        let answer = metrics(name, &query).await;
        assert_eq!((answer.status, &answer.json["total"]), (status, &total), "{name}");
    }
    let theirs = metrics("their viewer", "").await.json;
    assert_eq!(theirs["endpoints"].get(endpoint.name()), None);
    assert_eq!(theirs["sources"], json!({}), "events of sources are of all accounts");
}

#[tokio::test]
async fn counts_how_events_end_by_source() {
    let unmatched = async || {
        let all = metrics("viewer", "").await.json;
        all["sources"]["shiprocket"]["unmatched"].as_u64().unwrap_or_default()
    };
    let before = unmatched().await;
    let answer = stack().webhook(&Parcel::new().in_transit()).await;
    assert_eq!(answer.status, 200, "{}", answer.json);
    eventually("one more unmatched event", async || {
        Some(unmatched().await).filter(|now| *now > before)
    })
    .await;
}

#[tokio::test]
async fn names_an_invalid_parameter() {
    for (query, field) in [
        ("?from=yesterday", "from"),
        ("?to=2026-01-20", "to"),
        ("?from=2026-01-20T10:00:00Z&to=2026-01-20T09:00:00Z", "from"),
        ("?from=2026-01-20T10:00:00Z&to=2026-02-20T09:00:00Z", "from"),
    ] {
        let answer = metrics("viewer", query).await;
        assert_eq!(answer.error(), (422, "invalid", Some(field)), "{query}");
    }
}
