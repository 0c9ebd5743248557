//! Endpoints that answer slowly are served by a queue and a function of their own.

use aws::tables::endpoint_health::HealthReason;
use deliver::{Deliver, HEALTH_TTL, HealthMonitor};
use domain::core::id::EndpointName;
use domain::webhooks::health::Health;
use egress::Http;
use futures::future::join_all;

use super::*;
use crate::support::seconds_from_now;

async fn health(endpoint: &TestEndpoint) -> Health {
    stack().health().read(&EndpointName::parse(endpoint.name()).unwrap()).await.unwrap()
}

/// `deliver` or `deliver-slow`.
fn worker(queue_of_slow_lane: Option<&str>) -> Deliver {
    let calls = Calls::default();
    let (health, http) =
        (HealthMonitor::new(stack().health(), HEALTH_TTL), Http::new(aws::clock::system_time));
    Deliver::new(
        stack().deliveries(&calls),
        health,
        stack().queue("deliveries_dlq", &calls),
        queue_of_slow_lane.map(|name| stack().queue(name, &calls)),
        None,
        stack().settings(&calls),
        http.unwrap(),
    )
}

async fn handle_five(worker: &Deliver, endpoint: &TestEndpoint) -> Vec<Delivery> {
    let deliveries: Vec<_> = (0..5).map(|_| endpoint.delivery()).collect();
    let deadline = seconds_from_now(60);
    let handled = deliveries
        .iter()
        .map(async |delivery| worker.handle(&delivery.to_message(), deadline).await.unwrap());
    assert_eq!(join_all(handled).await, [RecordOutcome::Ack; 5]);
    deliveries
}

#[tokio::test]
async fn a_slow_endpoint_takes_the_slow_lane_until_it_is_fast_again() {
    let slow = json!({"status": 200, "delay_ms": 3200});
    let endpoint = TestEndpoint::new(json!({}), json!(vec![slow; 5])).await;
    handle_five(&worker(Some("slow_deliveries")), &endpoint).await;
    assert!(health(&endpoint).await.is_slow, "five answers took over three seconds");

    // A new worker has no health in its cache, so it moves the next one.
    let sent_before = endpoint.received_so_far().await.len();
    let fast = worker(Some("slow_deliveries"));
    let moved = endpoint.delivery();
    let handled = fast.handle(&moved.to_message(), seconds_from_now(60)).await.unwrap();
    assert_eq!((handled, sent_before), (RecordOutcome::Ack, 5));
    row_in(&moved.id, "delivered").await;

    // The deployed functions do the same.
    let queued = endpoint.delivery();
    enqueue(&queued).await;
    row_in(&queued.id, "delivered").await;

    handle_five(&worker(None), &endpoint).await;
    assert!(!health(&endpoint).await.is_slow, "the answers came at once");
}

/// A worker of the main lane waits ten seconds. The receiver gets the delivery once more.
#[tokio::test]
async fn the_slow_lane_takes_over_a_request_that_hangs() {
    let hangs = json!({"status": 200, "delay_ms": 11_500});
    let settings = json!({"timeout_seconds": 15});
    let endpoint = TestEndpoint::new(settings, json!([hangs, {"status": 200}])).await;
    let delivery = endpoint.delivery();
    let main_lane = worker(Some("slow_deliveries"));
    let handled = main_lane.handle(&delivery.to_message(), seconds_from_now(60)).await;
    assert_eq!(handled, Ok(RecordOutcome::Ack));
    let health = health(&endpoint).await;
    assert_eq!((health.is_slow, health.failures, health.timeouts), (true, 0, 0));

    let row = row_in(&delivery.id, "delivered").await;
    assert_eq!(attempts(&row).len(), 1, "a request that is handed over is no attempt");
    assert_eq!(row["attempts"].as_n().unwrap(), "1");
    let received = endpoint.received(2).await;
    assert_eq!(received[0].id(), received[1].id());
}

/// An endpoint that hangs is paused, and its lane is none of the pause.
#[tokio::test]
async fn a_pause_holds_in_both_lanes() {
    let endpoint = TestEndpoint::new(json!({}), json!([])).await;
    let name = EndpointName::parse(endpoint.name()).unwrap();
    let now = aws::clock::now();
    assert!(stack().health().set_slow(&name, true, now).await.unwrap());
    assert!(!stack().health().set_slow(&name, true, now).await.unwrap(), "it was slow");
    stack().health().pause(&name, HealthReason::PausedByAdmin, now).await.unwrap();
    let delivery = endpoint.delivery();
    enqueue(&delivery).await;
    row_in(&delivery.id, "parked").await;
    assert!(endpoint.received_so_far().await.is_empty());
}
