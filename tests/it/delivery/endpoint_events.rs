//! Endpoints that are notified of other endpoints.

use aws::tables::endpoint_health::HealthReason;
use domain::core::id::EndpointName;

use super::*;
use crate::support::{Received, check_delivery, seconds_from_now};

async fn sweep() {
    stack().parked_deliveries().run(aws::clock::now(), seconds_from_now(60)).await.unwrap();
}

/// Those about this endpoint: tests at the same time pause others.
async fn received(watching: &TestEndpoint, about: &TestEndpoint) -> Vec<Received> {
    let received = watching.received_so_far().await.into_iter();
    received.filter(|request| request.json()["data"]["endpoint"] == about.name()).collect()
}

#[tokio::test]
async fn notifies_of_endpoints_that_are_paused_disabled_and_recovered() {
    let events = json!(["endpoint.paused", "endpoint.disabled", "endpoint.recovered"]);
    let watching = TestEndpoint::new(json!({"accounts": ["*"], "events": events}), json!([])).await;
    let other = TestEndpoint::new(json!({"accounts": ["STORE001"]}), json!([])).await;
    let failing = TestEndpoint::new(json!({"accounts": ["STORE002"]}), json!([])).await;
    let name = EndpointName::parse(failing.name()).unwrap();
    let (health, now) = (stack().health(), aws::clock::now());
    for (event, state, reason) in [
        ("paused", "paused", Some("failing")),
        ("recovered", "recovering", None),
        ("disabled", "disabled", Some("disabled_by_receiver")),
    ] {
        let is_changed = match event {
            "paused" => health.pause(&name, HealthReason::Failing, now).await,
            "recovered" => health.recover(&name, now).await,
            _ => health.disable(&name, now).await,
        };
        assert!(is_changed.unwrap());
        let before = received(&watching, &failing).await.len();
        let what = format!("a notification of {event}");
        let notified = eventually(&what, async || {
            // The settings are cached for a second, so the first run may not know the endpoint.
            sweep().await;
            received(&watching, &failing).await.into_iter().nth(before)
        });
        let notified = notified.await;
        let since = health.read(&name).await.unwrap().since.unwrap();
        let expected = json!({
            "type": format!("endpoint.{event}"), "timestamp": since.to_string(),
            "data": {
                "endpoint": failing.name(), "state": state, "reason": reason,
                "since": since.to_string(),
            },
        });
        assert_eq!(notified.json(), expected);
        check_delivery("standard", &notified);
        let row = row(notified.id()).await;
        assert_eq!(text(&row, "event"), format!("endpoint.{event}"));
        sweep().await;
        assert_eq!(received(&watching, &failing).await.len(), before + 1, "once");
    }
    assert!(other.received_so_far().await.is_empty() && failing.received_so_far().await.is_empty());
}
