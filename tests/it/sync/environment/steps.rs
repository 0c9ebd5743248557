//! The steps of a run: opening it, handling queued messages, and its totals.

use std::time::Duration;

use aws::error::IoError;
use aws::lambda::sqs_batch::{DeadLetterReason, RecordOutcome};
use aws::sqs::Outgoing;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::polling::{PlanMessage, Run, SHARDS, Totals};
use domain::webhooks::delivery::Delivery;
use serde_json::Value;

use super::Environment;
use crate::support::{Calls, Fault, stack};

impl Environment {
    /// Handles an event of the schedule. Returns the result and the AWS calls.
    pub async fn open_run(
        &self,
        event: &Value,
        fault: Option<Fault>,
    ) -> (Result<Value, IoError>, Vec<String>) {
        let calls = Calls::killed(fault);
        let result = self.sync(&calls).open_run(event).await;
        (result, calls.names())
    }

    /// Handles a message of a queue. Returns the result and the AWS calls.
    pub async fn handle(
        &self,
        queue: &str,
        message: &str,
        fault: Option<Fault>,
    ) -> (Result<RecordOutcome, IoError>, Vec<String>) {
        let calls = Calls::killed(fault);
        let deadline = aws::clock::now().after(Duration::from_secs(60));
        let result = match queue {
            "shards" => self.sync(&calls).plan(message, deadline).await,
            "batches" => self.poll(&calls).handle(message, deadline).await,
            _ => self.process(&calls).handle(message, deadline).await,
        };
        (result, calls.names())
    }

    pub async fn handle_without_fault(&self, queue: &str, message: &str) -> RecordOutcome {
        self.handle(queue, message, None).await.0.unwrap()
    }

    /// Records that a bug sent this message to the dead-letter queue.
    pub async fn record_bug(&self, queue: &str, message: &str) {
        let (calls, bug) = (Calls::default(), DeadLetterReason::Bug);
        let recorded = match queue {
            "shards" => self.sync(&calls).record_dead_letter(message, bug).await,
            _ => self.poll(&calls).record_dead_letter(message, bug).await,
        };
        recorded.unwrap();
    }

    /// Handles all queued messages. Returns those that are not acknowledged.
    pub async fn handle_all(&self) -> Vec<(String, RecordOutcome)> {
        let mut others = Vec::new();
        for queue in ["shards", "batches", "events"] {
            for message in self.receive_all(queue).await {
                match self.handle_without_fault(queue, &message).await {
                    RecordOutcome::Ack => {}
                    outcome => others.push((message, outcome)),
                }
            }
        }
        others
    }

    /// Plans a shard of a run whose other shards have planners of their own, which are finished.
    pub async fn plan(&self, run: &Run, shard: u8) {
        self.open_last_planner(run, shard, SHARDS).await;
        for message in self.receive_all("shards").await {
            assert_eq!(self.handle_without_fault("shards", &message).await, RecordOutcome::Ack);
        }
    }

    pub async fn totals(&self, run: &Run) -> Totals {
        self.runs(&Calls::default()).totals(&run.id).await.unwrap()
    }

    /// Receives all messages of a queue.
    pub async fn receive_all(&self, queue: &str) -> Vec<String> {
        let (sqs, url) = (stack().sqs(&Calls::default()), &self.queues[queue]);
        let mut bodies = Vec::new();
        loop {
            let receive = sqs.receive_message().queue_url(url).max_number_of_messages(10);
            let batch = receive.send().await.unwrap();
            if batch.messages().is_empty() {
                return bodies;
            }
            let messages = batch.messages().iter();
            bodies.extend(messages.map(|message| message.body().unwrap().to_owned()));
        }
    }

    /// Receives all deliveries, repeated ones included.
    pub async fn deliveries(&self) -> Vec<Delivery> {
        let bodies = self.receive_all("deliveries").await;
        bodies.iter().map(|body| Delivery::from_message(body).unwrap()).collect()
    }

    /// Opens a run whose other planners are finished, and queues the last planner.
    pub async fn open_last_planner(&self, run: &Run, last: u8, planners: u8) {
        let others = (0..planners).filter(|planner| *planner != last);
        let others: Vec<String> = others.map(|planner| format!("{planner:02}")).collect();
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let put = stack().dynamodb(&Calls::default()).put_item().table_name(&self.name);
        let put = put
            .item("pk", text("runs"))
            .item("sk", text(&format!("{}/{}", run.started_at, run.id)))
            .item("id", text(&run.id))
            .item("kind", text("hourly"))
            .item("calls_per_second", text("1000"))
            .item("planners", AttributeValue::N(planners.to_string()))
            .item("started_at", text(&run.started_at.to_string()));
        let others = Some(others).filter(|others| !others.is_empty());
        let put = others
            .into_iter()
            .fold(put, |put, others| put.item("finished", AttributeValue::Ss(others)));
        put.send().await.unwrap();
        let body = PlanMessage::new(run.clone(), last, planners, 1000.0).write();
        let message = Outgoing { body, group: "test".to_owned() };
        self.queue("shards", &Calls::default()).send(message).await.unwrap();
    }

    /// Ends the pause of a credential, if there is one, as time would.
    pub async fn expire_pause(&self, run: &str, credential: &str) {
        let update = stack().dynamodb(&Calls::default()).update_item().table_name(&self.name);
        let update = update
            .key("pk", AttributeValue::S(format!("run:{run}")))
            .key("sk", AttributeValue::S(format!("pause:{credential}")))
            .update_expression("SET #until = :past")
            .expression_attribute_names("#until", "until")
            .expression_attribute_values(
                ":past",
                AttributeValue::S("2026-01-01T00:00:00.000Z".to_owned()),
            )
            .condition_expression("attribute_exists(pk)");
        let result = update.send().await;
        // The condition fails if there is no pause.
        assert!(result.is_ok() || result.unwrap_err().as_service_error().is_some());
    }

    /// Stores a run that is over, with the number of orders that it planned.
    pub async fn put_closed_run(&self, run: &Run, planned: u64) {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let put = stack().dynamodb(&Calls::default()).put_item().table_name(&self.name);
        let put = put
            .item("pk", text("runs"))
            .item("sk", text(&format!("{}/{}", run.started_at, run.id)))
            .item("kind", text("hourly"))
            .item("closed_at", text(&run.started_at.to_string()))
            .item("planned", AttributeValue::N(planned.to_string()));
        put.send().await.unwrap();
    }
}
