//! Endpoints with `latest_only`: a retry is superseded by a newer delivery.

use domain::core::id::Awb;

use super::*;
use crate::support::seconds_from_now;

async fn handle(delivery: &Delivery) -> RecordOutcome {
    let deadline = seconds_from_now(60);
    stack().deliver().handle(&delivery.to_message(), deadline).await.unwrap()
}

/// Handles the first attempt of a delivery, which fails, then those of the newer ones, then the
/// retry. Returns the state of the first delivery.
async fn state_after(settings: Value, newer: impl Fn(Delivery) -> Vec<Delivery>) -> String {
    let endpoint = TestEndpoint::new(settings, json!([{"status": 500}])).await;
    let first = endpoint.delivery();
    assert_eq!(handle(&first).await, RecordOutcome::RetryAfter(Duration::ZERO));
    for newer in newer(endpoint.delivery()) {
        assert_eq!(handle(&newer).await, RecordOutcome::Ack);
        row_in(&newer.id, "delivered").await;
    }
    assert_eq!(handle(&first).await, RecordOutcome::Ack);
    let row = row(&first.id).await;
    let is_sent = text(&row, "state") == "delivered";
    assert_eq!(attempts(&row).len(), if is_sent { 2 } else { 1 });
    assert_eq!(row["attempts"].as_n().unwrap(), if is_sent { "2" } else { "1" });
    text(&row, "state").to_owned()
}

#[tokio::test]
async fn a_newer_delivery_supersedes_a_retry() {
    let latest = || json!({"backoff": [0], "latest_only": true});
    let version = |version| move |it| vec![Delivery { version: Some(version), ..it }];
    assert_eq!(state_after(latest(), version(3)).await, "superseded");
    for (case, state) in [
        ("without the setting", state_after(json!({"backoff": [0]}), version(3)).await),
        ("an older delivery", state_after(latest(), version(1)).await),
        ("the same version", state_after(latest(), version(2)).await),
        (
            "another order, type or parcel, or a batch",
            state_after(latest(), |it| {
                let newer = Delivery { version: Some(3), ..it };
                let id = |name: &str| format!("{}-{name}", newer.id);
                let order_id = domain::core::id::OrderId::parse("O-2").ok();
                vec![
                    Delivery { id: id("order"), order_id, ..newer.clone() },
                    Delivery { id: id("type"), kind: stalled(), ..newer.clone() },
                    Delivery { id: id("parcel"), awb: Awb::parse("A1").ok(), ..newer.clone() },
                    Delivery { id: id("batch"), order_id: None, version: None, ..newer.clone() },
                    // The order was erased, and created again under its id.
                    Delivery {
                        id: id("life"),
                        order_created_at: Some(seconds_from_now(0)),
                        ..newer.clone()
                    },
                ]
            })
            .await,
        ),
    ] {
        assert_eq!(state, "delivered", "{case}");
    }
}

/// An operator asked for it.
#[tokio::test]
async fn a_replay_is_not_superseded() {
    let settings = json!({"backoff": [0], "retry_count": 1, "latest_only": true});
    let [fails, taken] = [500, 200].map(|status| json!({"status": status}));
    let responses = [&fails, &fails, &taken, &fails, &taken];
    let endpoint = TestEndpoint::new(settings, json!(responses)).await;
    let first = endpoint.delivery();
    let retry = RecordOutcome::RetryAfter(Duration::ZERO);
    assert_eq!(handle(&first).await, retry);
    assert_eq!(handle(&first).await, RecordOutcome::Ack);
    row_in(&first.id, "dead").await;
    let newer = Delivery { version: Some(3), ..endpoint.delivery() };
    assert_eq!(handle(&newer).await, RecordOutcome::Ack);
    let again = Delivery { run: 2, body: String::new(), ..first };
    assert_eq!(handle(&again).await, retry);
    assert_eq!(handle(&again).await, RecordOutcome::Ack);
    row_in(&again.id, "delivered").await;
    assert_eq!(endpoint.received_so_far().await.len(), 5);
}

/// The first attempt of a delivery is always made: the newer one may lack its news.
#[tokio::test]
async fn a_first_attempt_is_not_superseded() {
    let endpoint = TestEndpoint::new(json!({"latest_only": true}), json!([])).await;
    for version in [3, 2] {
        let delivery = Delivery { version: Some(version), ..endpoint.delivery() };
        assert_eq!(handle(&delivery).await, RecordOutcome::Ack);
        row_in(&delivery.id, "delivered").await;
    }
}

/// After a pause, an endpoint gets the newest delivery of each order only.
#[tokio::test]
async fn a_newer_delivery_supersedes_those_that_were_parked() {
    let endpoint = TestEndpoint::new(json!({"latest_only": true}), json!([])).await;
    let name = domain::core::id::EndpointName::parse(endpoint.name()).unwrap();
    let (health, now) = (stack().health(), aws::clock::now());
    let failing = aws::tables::endpoint_health::HealthReason::Failing;
    health.pause(&name, failing, now).await.unwrap();
    let parked =
        [2, 3, 4].map(|version| Delivery { version: Some(version), ..endpoint.delivery() });
    for delivery in &parked {
        assert_eq!(handle(delivery).await, RecordOutcome::Ack);
        row_in(&delivery.id, "parked").await;
    }

    // A superseded probe sends no request, so the next one is due at once.
    handle(&Delivery { probe: true, ..parked[0].clone() }).await;
    row_in(&parked[0].id, "superseded").await;
    assert!(health.read(&name).await.unwrap().probe_at.unwrap() < seconds_from_now(1));

    assert!(health.recover(&name, now).await.unwrap());
    handle(&parked[1]).await;
    row_in(&parked[1].id, "superseded").await;
    handle(&parked[2]).await;
    row_in(&parked[2].id, "delivered").await;
    assert_eq!(endpoint.received_so_far().await.len(), 1);
}
