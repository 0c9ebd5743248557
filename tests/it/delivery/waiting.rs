//! Long waits: a delivery waits in the index, without a message, until `sweep` queues it.

use std::time::Duration;

use super::*;
use crate::support::seconds_from_now;

/// Sets the times at which an attempt is due, as if its wait had passed.
async fn age(id: &str) {
    let past = seconds_from_now(-1);
    let dynamodb = stack().dynamodb(&Calls::default());
    let update = dynamodb.update_item().table_name(&stack().tables["deliveries"]);
    let update = update
        .key("pk", AttributeValue::S(id.to_owned()))
        .update_expression("SET next_attempt_at = :millis, due_at = :text")
        .condition_expression("attribute_exists(due_at)")
        .expression_attribute_values(":millis", AttributeValue::N(past.millis().to_string()))
        .expression_attribute_values(":text", AttributeValue::S(past.to_string()));
    update.send().await.unwrap();
}

async fn sweep() {
    stack().due_deliveries().run(aws::clock::now(), seconds_from_now(60)).await.unwrap();
}

/// Waits until this many attempts are recorded, and the delivery waits for the next.
async fn waiting_after(id: &str, attempts: usize) -> HashMap<String, AttributeValue> {
    eventually(&format!("{id} waits"), async || {
        let row = row(id).await;
        let recorded = row.get("attempt_log").and_then(|log| log.as_l().ok()).map_or(0, Vec::len);
        (recorded == attempts && text(&row, "state") == "retrying").then_some(row)
    })
    .await
}

#[tokio::test]
async fn waits_in_the_index_until_the_attempt_is_due() {
    let responses = json!([{"status": 500}, {"status": 503}, {"status": 200}]);
    let endpoint = TestEndpoint::new(json!({"backoff": [61, 61]}), responses).await;
    let delivery = Delivery {
        body: r#"{"canary":"a"}"#.to_owned(),
        order_created_at: Some(seconds_from_now(-60)),
        ..endpoint.delivery()
    };
    enqueue(&delivery).await;
    let row = waiting_after(&delivery.id, 1).await;
    assert!(row.contains_key("due") && row.contains_key("due_at"), "{row:?}");

    // Not due for a minute: the message that comes too early is not kept.
    set_number(&delivery.id, "next_attempt_at", seconds_from_now(120).millis()).await;
    let deadline = seconds_from_now(60);
    let outcome = stack().deliver().handle(&delivery.to_message(), deadline).await;
    assert_eq!(outcome, Ok(RecordOutcome::Ack));

    age(&delivery.id).await;
    sweep().await;
    assert!(waiting_after(&delivery.id, 2).await.contains_key("due"), "it waits again");

    age(&delivery.id).await;
    sweep().await;
    let row = row_in(&delivery.id, "delivered").await;
    assert!(!row.contains_key("due") && !row.contains_key("due_at"), "{row:?}");
    assert!(row.contains_key("order_created_at"), "the messages of `sweep` have it too");
    // Neither another sweep nor a message without a row sends anything.
    sweep().await;
    let gone = Delivery { id: format!("{}-gone", delivery.id), body: String::new(), ..delivery };
    let outcome = stack().deliver().handle(&gone.to_message(), deadline).await;
    assert_eq!(outcome, Ok(RecordOutcome::Ack));
    let received = endpoint.received(3).await;
    assert!(received.iter().all(|request| request.body == r#"{"canary":"a"}"#));
    assert_eq!(endpoint.received_so_far().await.len(), 3);
}

/// A message can get lost: SQS deletes it after 14 days, or an operator purges the queue.
#[tokio::test]
async fn queues_a_delivery_again_if_its_message_is_lost() {
    let responses = json!([{"status": 500}, {"status": 200}]);
    let endpoint = TestEndpoint::new(json!({"backoff": [3600]}), responses).await;
    let delivery = endpoint.delivery();
    enqueue(&delivery).await;
    waiting_after(&delivery.id, 1).await;

    // Due in half a minute: queued with a delay, and to be queued again after a quarter of an hour.
    let due = seconds_from_now(30);
    set_due(&delivery.id, due).await;
    sweep().await;
    let again = Timestamp::parse(text(&row(&delivery.id).await, "due_at")).unwrap();
    assert_eq!(again.since(due), Duration::from_secs(15 * 60));
    assert_eq!(endpoint.received_so_far().await.len(), 1, "the attempt is not due yet");

    age(&delivery.id).await;
    sweep().await;
    row_in(&delivery.id, "delivered").await;
}

async fn set_due(id: &str, due: Timestamp) {
    set_number(id, "next_attempt_at", due.millis()).await;
    let dynamodb = stack().dynamodb(&Calls::default());
    let update = dynamodb.update_item().table_name(&stack().tables["deliveries"]);
    let update = update
        .key("pk", AttributeValue::S(id.to_owned()))
        .update_expression("SET due_at = :due")
        .expression_attribute_values(":due", AttributeValue::S(due.to_string()));
    update.send().await.unwrap();
}

/// The default schedule of 46.7 hours: each wait is over at once. 404 pauses no endpoint.
#[tokio::test]
async fn makes_eleven_attempts_over_two_days() {
    let endpoint = TestEndpoint::new(json!({}), json!(vec![json!({"status": 404}); 11])).await;
    let delivery = endpoint.delivery();
    enqueue(&delivery).await;
    for attempts in 1..=10 {
        let row = waiting_after(&delivery.id, attempts).await;
        let is_long = row.contains_key("due");
        assert_eq!(is_long, attempts > 2, "attempt {attempts}: 5 s and 30 s are in flight");
        if is_long {
            age(&delivery.id).await;
            sweep().await;
        } else {
            set_number(&delivery.id, "next_attempt_at", seconds_from_now(-1).millis()).await;
            enqueue(&delivery).await;
        }
    }
    let (letter, reason) = take_dead_letter(&delivery.id).await;
    assert_eq!((letter.run, reason.as_str()), (2, "exhausted"));
    assert_eq!(endpoint.received_so_far().await.len(), 11);
}
