//! Endpoints that fail are paused, and those that ask for it are disabled.

use aws::tables::counters::CountsOf;
use domain::core::id::EndpointName;
use domain::messaging::send::endpoint_of_number;
use domain::webhooks::health::{EndpointState, Health};

use super::*;
use crate::support::seconds_from_now;

fn name(endpoint: &TestEndpoint) -> EndpointName {
    EndpointName::parse(endpoint.name()).unwrap()
}

async fn health(endpoint: &TestEndpoint) -> Health {
    stack().health().read(&name(endpoint)).await.unwrap()
}

async fn health_in(endpoint: &TestEndpoint, state: EndpointState) {
    eventually(&format!("{} {state:?}", endpoint.name()), async || {
        Some(health(endpoint).await).filter(|health| health.state == state)
    })
    .await;
}

/// Looks after paused endpoints, as `sweep` does once a probe is due.
async fn sweep_at_next_probe(endpoint: &TestEndpoint) {
    let dynamodb = stack().dynamodb(&Calls::default());
    let update = dynamodb.update_item().table_name(&stack().tables["state"]);
    let past = AttributeValue::S(seconds_from_now(-1).to_string());
    let update = update
        .key("pk", AttributeValue::S("endpoints".to_owned()))
        .key("sk", AttributeValue::S(endpoint.name().to_owned()))
        .update_expression("SET probe_at = :past")
        .condition_expression("attribute_exists(probe_at)")
        .expression_attribute_values(":past", past);
    update.send().await.unwrap();
    sweep().await;
}

async fn sweep() {
    stack().parked_deliveries().run(aws::clock::now(), seconds_from_now(60)).await.unwrap();
}

#[tokio::test]
async fn parks_the_deliveries_of_a_failing_endpoint_until_a_probe_succeeds() {
    let mut responses = vec![json!({"status": 503}); 11];
    responses.push(json!({"status": 200}));
    let settings = json!({"backoff": [0], "retry_count": 20});
    let endpoint = TestEndpoint::new(settings, json!(responses)).await;
    // By one worker: others learn within ten seconds that it is paused.
    let worker = stack().deliver();
    let deadline = seconds_from_now(60);
    let handle =
        async |delivery: &Delivery| worker.handle(&delivery.to_message(), deadline).await.unwrap();
    let failing = endpoint.delivery();
    for _ in 0..10 {
        assert_eq!(handle(&failing).await, RecordOutcome::RetryAfter(Duration::ZERO));
    }
    assert_eq!(health(&endpoint).await.state, EndpointState::Paused);
    let others = [endpoint.delivery(), endpoint.delivery()];
    for delivery in [&failing, &others[0], &others[1]] {
        assert_eq!(handle(delivery).await, RecordOutcome::Ack);
        assert_eq!(text(&row(&delivery.id).await, "state"), "parked");
    }
    assert_eq!(row(&failing.id).await["attempts"].as_n().unwrap(), "10");
    assert_eq!(endpoint.received_so_far().await.len(), 10, "nothing is sent while it is paused");

    // The first probe fails: it is no attempt, and the delivery stays parked.
    sweep_at_next_probe(&endpoint).await;
    endpoint.received(11).await;
    row_in(&failing.id, "parked").await;
    let health_after_probe = health(&endpoint).await;
    assert_eq!((health_after_probe.state, health_after_probe.probes), (EndpointState::Paused, 1));

    sweep_at_next_probe(&endpoint).await;
    health_in(&endpoint, EndpointState::Recovering).await;
    for delivery in [&failing, &others[0], &others[1]] {
        eventually(&format!("{} delivered", delivery.id), async || {
            // Workers that have not read of the recovery yet park a delivery again.
            sweep().await;
            Some(row(&delivery.id).await).filter(|row| text(row, "state") == "delivered")
        })
        .await;
    }
    let received = endpoint.received(14).await;
    let taken = received.iter().skip(11).map(|request| request.id()).collect::<Vec<_>>();
    for delivery in [&failing, &others[0], &others[1]] {
        let times = taken.iter().filter(|id| **id == delivery.id).count();
        assert_eq!(times, 1, "{} of {taken:?}", delivery.id);
    }
    let row = row(&failing.id).await;
    assert_eq!(attempts(&row).len(), 11, "a failed probe is not in the log");
    assert!(!row.contains_key("parked_since"));
}

#[tokio::test]
async fn gives_up_what_was_parked_for_three_days() {
    let endpoint = TestEndpoint::new(json!({}), json!([])).await;
    let reason = aws::tables::endpoint_health::HealthReason::PausedByAdmin;
    stack().health().pause(&name(&endpoint), reason, aws::clock::now()).await.unwrap();
    let delivery = endpoint.delivery();
    enqueue(&delivery).await;
    row_in(&delivery.id, "parked").await;
    let days_ago = seconds_from_now(-73 * 60 * 60);
    set_number(&delivery.id, "parked_since", days_ago.millis()).await;
    enqueue(&delivery).await;
    let (_, reason) = take_dead_letter(&delivery.id).await;
    assert_eq!(reason, "parked_too_long");
    assert!(endpoint.received_so_far().await.is_empty());
}

#[tokio::test]
async fn gives_up_what_is_parked_for_a_removed_endpoint() {
    let endpoint = TestEndpoint::new(json!({}), json!([])).await;
    let name = name(&endpoint);
    let reason = aws::tables::endpoint_health::HealthReason::PausedByAdmin;
    stack().health().pause(&name, reason, aws::clock::now()).await.unwrap();
    let delivery = endpoint.delivery();
    enqueue(&delivery).await;
    row_in(&delivery.id, "parked").await;
    sweep().await;
    assert_eq!(stack().health().read(&name).await.unwrap().state, EndpointState::Paused);

    drop(endpoint);
    let row_of_health = async || {
        let mut rows = stack().health().list().await.unwrap().into_iter().flatten();
        rows.find(|row| row.endpoint == name).unwrap()
    };
    eventually("the removal to be noticed", async || {
        sweep().await;
        row_of_health().await.missing_since
    })
    .await;
    assert_eq!(row_of_health().await.health.state, EndpointState::Paused, "not for an hour");
    let long_ago = seconds_from_now(-61 * 60);
    stack().health().note_missing(&name, Some(long_ago)).await.unwrap();
    eventually(&format!("{} dead", delivery.id), async || {
        // Functions that have not read of the removal or the recovery yet park it again.
        sweep().await;
        Some(row(&delivery.id).await).filter(|row| text(row, "state") == "dead")
    })
    .await;
    let (_, reason) = take_dead_letter(&delivery.id).await;
    assert_eq!(reason, "endpoint_removed");
    let health = stack().health().read(&name).await.unwrap();
    assert_eq!(health.state, EndpointState::Recovering);

    // An hour later it has recovered, and another hour later the row is gone: an endpoint that is
    // added under its name is new.
    set_since(&name, seconds_from_now(-61 * 60)).await;
    eventually("the end of the recovery", async || {
        sweep().await;
        (row_of_health().await.health.state == EndpointState::Active).then_some(())
    })
    .await;
    stack().health().note_missing(&name, Some(long_ago)).await.unwrap();
    eventually("the end of the row", async || {
        sweep().await;
        let rows = stack().health().list().await.unwrap();
        rows.into_iter().flatten().all(|row| row.endpoint != name).then_some(())
    })
    .await;
}

/// A phone number has its row as an endpoint has: paused for its credentials, no probe would end it.
#[tokio::test]
async fn ends_the_pause_of_a_phone_number_without_settings() {
    let health = stack().health();
    let reason = aws::tables::endpoint_health::HealthReason::CredentialsRefused;
    let [configured, removed] =
        ["106540352242933", "99"].map(|number| endpoint_of_number(number).unwrap());
    let long_ago = seconds_from_now(-61 * 60);
    health.count_failure(&configured, false).await.unwrap();
    health.note_missing(&configured, Some(long_ago)).await.unwrap();
    health.pause(&removed, reason, aws::clock::now()).await.unwrap();
    let state = async |name: &EndpointName| health.read(name).await.unwrap().state;
    eventually("the removal to be noticed", async || {
        sweep().await;
        let rows = health.list().await.unwrap();
        rows.into_iter().flatten().find(|row| row.endpoint == removed)?.missing_since
    })
    .await;
    assert_eq!(state(&removed).await, EndpointState::Paused, "not for an hour");
    health.note_missing(&removed, Some(long_ago)).await.unwrap();
    eventually("the end of the pause", async || {
        sweep().await;
        (state(&removed).await == EndpointState::Recovering).then_some(())
    })
    .await;
    let rows = health.list().await.unwrap();
    let row = rows.into_iter().flatten().find(|row| row.endpoint == configured).unwrap();
    assert_eq!(row.missing_since, None);
}

/// Sets since when the state is in force.
async fn set_since(endpoint: &EndpointName, since: Timestamp) {
    let dynamodb = stack().dynamodb(&Calls::default());
    let update = dynamodb.update_item().table_name(&stack().tables["state"]);
    let update = update
        .key("pk", AttributeValue::S("endpoints".to_owned()))
        .key("sk", AttributeValue::S(endpoint.as_str().to_owned()))
        .update_expression("SET since = :since")
        .condition_expression("attribute_exists(since)")
        .expression_attribute_values(":since", AttributeValue::S(since.to_string()));
    update.send().await.unwrap();
}

#[tokio::test]
async fn the_row_of_an_endpoint_with_settings_stays() {
    let endpoint = TestEndpoint::new(json!({}), json!([])).await;
    let (name, health) = (name(&endpoint), stack().health());
    let long_ago = seconds_from_now(-61 * 60);
    eventually("the sweep to see the endpoint", async || {
        health.count_failure(&name, false).await.unwrap();
        health.note_missing(&name, Some(long_ago)).await.unwrap();
        // Its settings are cached for a second.
        sweep().await;
        let rows = health.list().await.unwrap();
        let row = rows.into_iter().flatten().find(|row| row.endpoint == name)?;
        row.missing_since.is_none().then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_receiver_disables_its_endpoint() {
    let disable = json!({"webhook-delivery": "disable"});
    for (response, state) in [
        (json!({"status": 410}), "dead"),
        (json!({"status": 200, "headers": disable}), "delivered"),
    ] {
        let endpoint = TestEndpoint::new(json!({}), json!([response])).await;
        let first = endpoint.delivery();
        enqueue(&first).await;
        row_in(&first.id, state).await;
        health_in(&endpoint, EndpointState::Disabled).await;

        let second = endpoint.delivery();
        enqueue(&second).await;
        let (letter, reason) = take_dead_letter(&second.id).await;
        assert_eq!(reason, "endpoint_disabled");
        assert_eq!(endpoint.received_so_far().await.len(), 1);

        // Enabled by an admin, and redriven.
        assert!(stack().health().enable(&name(&endpoint), aws::clock::now()).await.unwrap());
        let deadline = seconds_from_now(60);
        stack().deliver().handle(&letter.to_message(), deadline).await.unwrap();
        row_in(&second.id, "delivered").await;
    }
}

#[tokio::test]
async fn counts_a_parked_delivery_once() {
    let endpoint = TestEndpoint::new(json!({}), json!([{"status": 500}, {"status": 500}])).await;
    let failing = aws::tables::endpoint_health::HealthReason::Failing;
    stack().health().pause(&name(&endpoint), failing, aws::clock::now()).await.unwrap();
    let (deliver, delivery) = (stack().deliver(), endpoint.delivery());
    for probe in [false, true, true] {
        let message = Delivery { probe, ..delivery.clone() }.to_message();
        let outcome = deliver.handle(&message, seconds_from_now(60)).await;
        assert_eq!(outcome, Ok(RecordOutcome::Ack));
        assert_eq!(text(&row(&delivery.id).await, "state"), "parked");
    }
    assert_eq!(endpoint.received_so_far().await.len(), 2);
    let (counters, now) = (stack().counters(), aws::clock::now());
    deliver.report(&counters, now).await;
    let counted = counters.read(now, now).await.unwrap();
    let parked: Vec<u64> = counted
        .into_iter()
        .filter_map(|counted| match counted.of {
            CountsOf::Endpoint(name, counts) if name == endpoint.name() => Some(counts.parked),
            _ => None,
        })
        .collect();
    assert_eq!(parked, [1]);
}

/// SQS may deliver a message once more after it was acknowledged. The retry that it begins must not
/// depend on it.
#[tokio::test]
async fn a_repeated_message_does_not_strand_a_parked_delivery() {
    let responses = json!([{"status": 500}, {"status": 200}]);
    let endpoint = TestEndpoint::new(json!({"backoff": [30]}), responses).await;
    let reason = aws::tables::endpoint_health::HealthReason::PausedByAdmin;
    let health = stack().health();
    health.pause(&name(&endpoint), reason, aws::clock::now()).await.unwrap();
    let delivery = endpoint.delivery();
    let deadline = seconds_from_now(60);
    let handle = async || stack().deliver().handle(&delivery.to_message(), deadline).await.unwrap();
    assert_eq!(handle().await, RecordOutcome::Ack);
    assert_eq!(text(&row(&delivery.id).await, "state"), "parked");

    assert!(health.enable(&name(&endpoint), aws::clock::now()).await.unwrap());
    assert!(matches!(handle().await, RecordOutcome::RetryAfter(_)), "this wait is lost");
    let waiting = row(&delivery.id).await;
    assert_eq!(text(&waiting, "state"), "retrying");
    let due = Timestamp::parse(text(&waiting, "due_at")).unwrap();
    assert!(due > seconds_from_now(14 * 60), "{due}: queued if the message does not come");
}

/// What an admin decided is not undone by a probe, and a failing endpoint can be paused for good.
#[tokio::test]
async fn a_probe_does_not_end_the_pause_of_an_admin() {
    let endpoint = TestEndpoint::new(json!({}), json!([])).await;
    let name = name(&endpoint);
    let (health, now) = (stack().health(), aws::clock::now());
    use aws::tables::endpoint_health::HealthReason::{Failing, PausedByAdmin};
    assert!(health.pause(&name, Failing, now).await.unwrap());
    assert!(health.read(&name).await.unwrap().probe_at.is_some());
    assert!(health.pause(&name, PausedByAdmin, now).await.unwrap());
    assert_eq!(health.read(&name).await.unwrap().probe_at, None);
    assert!(!health.pause(&name, PausedByAdmin, now).await.unwrap(), "a second click");

    let delivery = Delivery { probe: true, ..endpoint.delivery() };
    stack().deliver().handle(&delivery.to_message(), seconds_from_now(60)).await.unwrap();
    assert_eq!(health.read(&name).await.unwrap().state, EndpointState::Paused);
    assert!(health.disable(&name, now).await.unwrap());
    assert!(!health.recover(&name, now).await.unwrap());
    assert!(health.enable(&name, now).await.unwrap());
}
