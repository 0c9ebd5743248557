//! The SQS worker of `deliver`: partial batch failures, bugs and the deadline.

use std::time::Duration;

use aws::error::IoError;
use aws::lambda::sqs_batch::{RecordOutcome, Worker};
use aws::sqs::Queue;
use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use aws_sdk_sqs::types::MessageSystemAttributeName;
use domain::core::timestamp::Timestamp;
use futures::future::join_all;
use serde_json::{Value, json};

use super::row;
use crate::support::{Calls, TestEndpoint, stack, take_unreadable_dead_letter, unique};

fn record(id: &str, body: &str, attributes: &Value) -> Value {
    json!({"messageId": id, "receiptHandle": "not a receipt", "body": body,
           "attributes": attributes, "messageAttributes": {}})
}

fn batch(records: &[Value]) -> SqsEvent {
    serde_json::from_value(json!({ "Records": records })).unwrap()
}

fn failed_ids(response: &SqsBatchResponse) -> Vec<&str> {
    let failures = response.batch_item_failures.iter();
    failures.map(|failure| failure.item_identifier.as_str()).collect()
}

#[tokio::test]
async fn delivers_a_batch_despite_a_panic_and_messages_that_it_cannot_read() {
    let endpoint = TestEndpoint::new(json!({}), json!([])).await;
    let mut bodies: Vec<String> = (0..8).map(|_| endpoint.delivery().to_message()).collect();
    let unreadable = unique("unreadable ");
    bodies.insert(2, "panic".to_owned());
    bodies.insert(5, unreadable.clone());
    bodies.push(json!({"v": 3, "id": "of a newer release"}).to_string());
    let records: Vec<Value> = bodies
        .iter()
        .enumerate()
        .map(|(index, body)| record(&index.to_string(), body, &json!({})))
        .collect();
    let no_deadline = Timestamp::parse("9999-01-01T00:00:00Z").unwrap();
    let (worker, deliver) = (stack().worker(), stack().deliver());
    let response = worker.run(batch(&records), async |message| {
        assert!(message != "panic", "a record may panic");
        deliver.handle(message, no_deadline).await
    });
    assert_eq!(failed_ids(&response.await), ["2", "10"]);
    assert_eq!(endpoint.received_so_far().await.len(), 8);
    take_unreadable_dead_letter(&unreadable).await;
}

#[tokio::test]
async fn dead_letters_a_message_in_its_group_after_five_bugs() {
    let sqs = stack().sqs(&Calls::default());
    let created = sqs.create_queue().queue_name(unique("it-dlq-")).send().await.unwrap();
    let url = created.queue_url.unwrap();
    let worker = Worker { dead_letters: Queue::new(sqs.clone(), url.clone()), ..stack().worker() };
    let received = |id: &str, count: u32| {
        let attributes =
            json!({"ApproximateReceiveCount": count.to_string(), "MessageGroupId": "crm"});
        record(id, id, &attributes)
    };
    let records = [
        received("bug early", 4),
        received("bug", 5),
        received("panic", 5),
        received("outage", 99),
    ];
    let handle = async |message: &str| match message {
        "panic" => panic!("a record may panic"),
        "outage" => Err(IoError::Transient { call: "test", code: "away".to_owned() }),
        _ => Err(IoError::unreadable("test", "row")),
    };
    let response = worker.run(batch(&records), handle).await;
    assert_eq!(failed_ids(&response), ["bug early", "outage"]);
    let receive = sqs.receive_message().queue_url(&url).max_number_of_messages(10);
    let receive = receive.message_attribute_names("All");
    let letters = receive.message_system_attribute_names("All".into()).send().await.unwrap();
    let mut found: Vec<_> = letters
        .messages()
        .iter()
        .map(|message| {
            let group =
                message.attributes().unwrap()[&MessageSystemAttributeName::MessageGroupId].as_str();
            (
                message.body().unwrap(),
                message.message_attributes().unwrap()["reason"].string_value().unwrap(),
                group,
            )
        })
        .collect();
    found.sort_unstable();
    assert_eq!(found, [("bug", "bug", "crm"), ("panic", "bug", "crm")]);
    sqs.delete_queue().queue_url(url).send().await.unwrap();
}

#[tokio::test]
async fn starts_no_attempt_that_could_exceed_the_deadline() {
    let endpoint = TestEndpoint::new(json!({"timeout_seconds": 20}), json!([])).await;
    let delivery = endpoint.delivery();
    let soon = aws::clock::now().after(Duration::from_secs(25));
    let outcome = stack().deliver().handle(&delivery.to_message(), soon).await.unwrap();
    assert!(matches!(outcome, RecordOutcome::RetryAfter(_)));
    assert!(row(&delivery.id).await.is_empty());
}

/// The others go back to the queue, and the rest of their batch does not wait for them.
#[tokio::test]
async fn a_worker_sends_few_requests_at_once_to_a_slow_endpoint() {
    let slow = json!({"status": 200, "delay_ms": 3000});
    let settings = json!({"max_in_flight": 2, "timeout_seconds": 10});
    let endpoint = TestEndpoint::new(settings, json!(vec![slow; 4])).await;
    let deliveries: Vec<_> = (0..4).map(|_| endpoint.delivery()).collect();
    let deliver = stack().deliver();
    let deadline = aws::clock::now().after(Duration::from_secs(60));
    let outcomes = join_all(
        deliveries
            .iter()
            .map(async |delivery| deliver.handle(&delivery.to_message(), deadline).await.unwrap()),
    )
    .await;
    let sent = outcomes.iter().filter(|outcome| **outcome == RecordOutcome::Ack).count();
    assert_eq!((sent, endpoint.received_so_far().await.len()), (2, 2), "{outcomes:?}");
    let back = RecordOutcome::RetryAfter(Duration::from_secs(1));
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == back).count(), 2);
}
