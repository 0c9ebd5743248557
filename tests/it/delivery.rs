//! Deliveries: retries, dead letters and redrive. Tests queue messages to `deliver` and look at the
//! receiver, at rows and at the dead-letter queue.

mod api;
mod endpoint_events;
mod endpoint_settings;
mod latest_only;
mod of_order;
mod older_receivers;
mod pausing;
mod redrive;
mod settings_calls;
mod slow_lane;
mod tls;
mod waiting;
mod worker;

use std::collections::HashMap;
use std::time::Duration;

use aws::lambda::sqs_batch::RecordOutcome;
use aws::sqs::Outgoing;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::core::timestamp::Timestamp;
use domain::webhooks::delivery::Delivery;
use domain::webhooks::endpoint::{EventType, Format};
use domain::webhooks::kind::Kind;
use domain::webhooks::signing::SigningKeys;
use serde_json::{Value, json};

use crate::support::{
    Calls, SIGNING_SECRET, TestEndpoint, eventually, seconds_from_now, stack, take_dead_letter,
};

async fn enqueue(delivery: &Delivery) {
    send(delivery.to_message()).await;
}

async fn send(body: String) {
    let message = Outgoing { body, group: "test".to_owned() };
    stack().queue("deliveries", &Calls::default()).send(message).await.unwrap();
}

async fn row(id: &str) -> HashMap<String, AttributeValue> {
    let dynamodb = stack().dynamodb(&Calls::default());
    let get = dynamodb.get_item().table_name(&stack().tables["deliveries"]).consistent_read(true);
    let found = get.key("pk", AttributeValue::S(id.to_owned())).send().await.unwrap();
    found.item.unwrap_or_default()
}

fn text<'a>(row: &'a HashMap<String, AttributeValue>, name: &str) -> &'a str {
    row.get(name).and_then(|value| value.as_s().ok()).map_or("", String::as_str)
}

/// Sets an attribute of a delivery's row, as time would.
async fn set_number(id: &str, name: &str, value: i64) {
    set(id, name, AttributeValue::N(value.to_string())).await;
}

async fn set(id: &str, name: &str, value: AttributeValue) {
    let dynamodb = stack().dynamodb(&Calls::default());
    let update = dynamodb.update_item().table_name(&stack().tables["deliveries"]);
    let update = update
        .key("pk", AttributeValue::S(id.to_owned()))
        .update_expression("SET #name = :value")
        .expression_attribute_names("#name", name)
        .expression_attribute_values(":value", value);
    update.send().await.unwrap();
}

/// Changes a delivery's row by an update expression, with its `:value`.
async fn change(id: &str, expression: &str, value: Option<AttributeValue>) {
    let dynamodb = stack().dynamodb(&Calls::default());
    let update = dynamodb.update_item().table_name(&stack().tables["deliveries"]);
    let update = update
        .key("pk", AttributeValue::S(id.to_owned()))
        .update_expression(expression)
        .set_expression_attribute_values(
            value.map(|it| HashMap::from([(":value".to_owned(), it)])),
        );
    update.send().await.unwrap();
}

fn attempts(row: &HashMap<String, AttributeValue>) -> Vec<Value> {
    let log = row["attempt_log"].as_l().unwrap().iter();
    log.map(|attempt| serde_json::from_str(attempt.as_s().unwrap()).unwrap()).collect()
}

/// Waits until a delivery is in this state.
async fn row_in(id: &str, state: &str) -> HashMap<String, AttributeValue> {
    eventually(&format!("{id} {state}"), async || {
        Some(row(id).await).filter(|row| text(row, "state") == state)
    })
    .await
}

#[tokio::test]
async fn retries_with_the_same_id_and_body() {
    let excerpt = "canary-excerpt <b>no way</b>";
    let responses = json!([{"status": 500, "body": excerpt}, {"status": 429}, {"status": 200}]);
    let settings = json!({"backoff": [1, 2], "timeout_seconds": 5});
    let endpoint = TestEndpoint::new(settings, responses).await;
    let delivery = endpoint.delivery();
    enqueue(&delivery).await;
    let received = endpoint.received(3).await;
    let row = row_in(&delivery.id, "delivered").await;
    let keys = SigningKeys::parse(SIGNING_SECRET).unwrap();
    for request in &received {
        assert_eq!((request.id(), &request.body), (delivery.id.as_str(), &delivery.body));
        let seconds: i64 = request.headers["webhook-timestamp"].parse().unwrap();
        let at = Timestamp::from_millis(seconds * 1000).unwrap();
        assert_eq!(
            request.headers["webhook-signature"],
            keys.sign(&delivery.id, at, delivery.body.as_bytes())
        );
    }
    let timestamps: Vec<i64> =
        received.iter().map(|r| r.headers["webhook-timestamp"].parse().unwrap()).collect();
    assert!(
        timestamps[0] < timestamps[1] && timestamps[1] < timestamps[2],
        "each attempt has its own timestamp: {timestamps:?}"
    );
    let log = attempts(&row);
    let codes: Vec<_> = log.iter().map(|attempt| attempt["status"].as_u64().unwrap()).collect();
    assert_eq!((codes, &log[0]["excerpt"]), (vec![500, 429, 200], &json!(excerpt)));
    assert!(
        row.contains_key("ttl") && !row.contains_key("owner") && !row.contains_key("lease_until")
    );
}

fn stalled() -> Kind {
    Kind::Webhook { format: Format::Standard, event: EventType::Stalled }
}

#[tokio::test]
async fn names_the_stored_event_type_in_a_header() {
    for (event, name) in
        [(EventType::Stalled, "order.stalled"), (EventType::StatusChanged, "order.status_changed")]
    {
        let endpoint =
            TestEndpoint::new(json!({"backoff": [0]}), json!([{"status": 500}, {"status": 200}]))
                .await;
        let of = |event| Kind::Webhook { format: Format::OrderStatusChanged, event };
        let first = Delivery { kind: of(event), ..endpoint.delivery() };
        let again = Delivery { kind: of(EventType::default()), ..first.clone() };
        let deadline = aws::clock::now().after(Duration::from_secs(60));
        for delivery in [&first, &again] {
            stack().deliver().handle(&delivery.to_message(), deadline).await.unwrap();
        }
        let events: Vec<_> = endpoint
            .received_so_far()
            .await
            .iter()
            .map(|r| r.headers["x-webhook-event"].clone())
            .collect();
        assert_eq!(events, [name, name]);
        assert_eq!(text(&row_in(&first.id, "delivered").await, "event"), name);
    }
}

#[tokio::test]
async fn dead_letters_a_final_failure_without_retry() {
    let elsewhere = format!("{}/elsewhere", stack().receiver_url);
    let abort = json!({"webhook-delivery": "abort-message"});
    for (response, retry_4xx, reason) in [
        (json!({"status": 400}), false, "rejected"),
        (json!({"status": 302, "headers": {"location": elsewhere}}), false, "redirect"),
        (json!({"status": 410}), true, "gone"),
        (json!({"status": 503, "headers": abort}), true, "aborted"),
    ] {
        let settings = json!({"backoff": [1], "retry_4xx": retry_4xx});
        let endpoint = TestEndpoint::new(settings, json!([response])).await;
        let delivery = endpoint.delivery();
        enqueue(&delivery).await;
        let (letter, dead_reason) = take_dead_letter(&delivery.id).await;
        assert_eq!((dead_reason.as_str(), letter.run, letter.body.as_str()), (reason, 2, ""));
        let row = row_in(&delivery.id, "dead").await;
        assert_eq!((text(&row, "reason"), endpoint.received_so_far().await.len()), (reason, 1));
        assert!(stack().received("").await.iter().all(|request| request.path != "/elsewhere"));
    }
}

/// A receiver answers so for minutes while it is deployed.
#[tokio::test]
async fn retries_3xx_and_4xx_by_default() {
    let responses = json!([{"status": 404}, {"status": 302}, {"status": 401}, {"status": 200}]);
    let endpoint = TestEndpoint::new(json!({"backoff": [0], "retry_count": 3}), responses).await;
    let delivery = endpoint.delivery();
    enqueue(&delivery).await;
    let log = attempts(&row_in(&delivery.id, "delivered").await);
    let codes: Vec<_> = log.iter().map(|attempt| attempt["status"].as_u64().unwrap()).collect();
    assert_eq!(codes, [404, 302, 401, 200]);
}

#[tokio::test]
async fn restarts_retries_after_a_redrive() {
    let endpoint = TestEndpoint::new(
        json!({"retry_count": 1, "backoff": [1]}),
        json!([{"status": 500}, {"status": 503}]),
    )
    .await;
    let delivery = endpoint.delivery();
    enqueue(&delivery).await;
    let (letter, reason) = take_dead_letter(&delivery.id).await;
    assert_eq!((reason.as_str(), endpoint.received_so_far().await.len()), ("exhausted", 2));
    row_in(&delivery.id, "dead").await;

    // The redrive sends the dead letter; a late duplicate of the original message has no effect.
    enqueue(&delivery).await;
    enqueue(&letter).await;
    enqueue(&letter).await;
    let row = row_in(&delivery.id, "delivered").await;
    assert_eq!(
        (row["run"].as_n().unwrap().as_str(), row["attempts"].as_n().unwrap().as_str()),
        ("2", "1")
    );
    assert_eq!(endpoint.received(3).await.len(), 3);
}

#[tokio::test]
async fn retries_after_a_timeout() {
    let responses = json!([{"status": 200, "delay_ms": 3000}, {"status": 200}]);
    let endpoint =
        TestEndpoint::new(json!({"timeout_seconds": 1, "backoff": [1]}), responses).await;
    let delivery = endpoint.delivery();
    enqueue(&delivery).await;
    let log = attempts(&row_in(&delivery.id, "delivered").await);
    assert_eq!((&log[0]["error"], &log[1]["status"]), (&json!("timeout"), &json!(200)));
}

#[tokio::test]
async fn exhausts_retries_after_connection_errors() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let resetting = listener.local_addr().unwrap();
    let accepting = tokio::spawn(async move { while listener.accept().await.is_ok() {} });
    for (port, error) in [(1, "connect_refused"), (resetting.port(), "closed")] {
        let endpoint =
            TestEndpoint::new(json!({"backoff": [1], "retry_count": 2}), json!([])).await;
        endpoint.set("url", &format!("http://127.0.0.1:{port}/")).await;
        let delivery = endpoint.delivery();
        enqueue(&delivery).await;
        let (letter, reason) = take_dead_letter(&delivery.id).await;
        assert_eq!((letter.run, reason.as_str()), (2, "exhausted"));
        let log = attempts(&row_in(&delivery.id, "dead").await);
        let errors: Vec<_> = log.iter().map(|attempt| attempt["error"].as_str().unwrap()).collect();
        assert_eq!(errors, [error; 3]);
    }
    accepting.abort();
}

#[tokio::test]
async fn waits_for_retry_after() {
    let responses = json!([{"status": 429, "headers": {"retry-after": "3"}}, {"status": 200}]);
    let endpoint = TestEndpoint::new(json!({"backoff": [1]}), responses).await;
    let delivery = endpoint.delivery();
    enqueue(&delivery).await;
    let log = attempts(&row_in(&delivery.id, "delivered").await);
    let at = |index: usize| Timestamp::parse(log[index]["at"].as_str().unwrap()).unwrap();
    assert!(at(1).since(at(0)) >= Duration::from_secs(3), "{log:?}");
}
