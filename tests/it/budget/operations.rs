//! The operations of the budget, one after another in one installation.

mod busy;
mod messages;
mod parcels;
mod polling;
mod requests;

use aws::clock::now;
use aws::lambda::sqs_batch::RecordOutcome;
use aws_lambda_events::event::sqs::SqsEvent;
use aws_sdk_sqs::types::Message;
use serde_json::json;

use super::installation::Installation;
use crate::support::{Calls, Usage, eventually, seconds_from_now, stack};

/// The measured operations, in order, and the size of the state row of an order with one parcel.
#[derive(Debug)]
pub struct Measured {
    pub operations: Vec<(&'static str, Usage)>,
    pub state_row: usize,
}

struct Operations {
    shop: Installation,
    measured: Vec<(&'static str, Usage)>,
}

/// The first of two rounds warms the functions up.
pub async fn measure() -> Measured {
    let mut operations = Operations { shop: Installation::new().await, measured: Vec::new() };
    Box::pin(operations.measure_parcels()).await;
    operations.measured.clear();
    let state_row = Box::pin(operations.measure_parcels()).await;
    Box::pin(operations.measure_busy_queues()).await;
    let before = operations.measured.len();
    Box::pin(operations.measure_messages()).await;
    operations.measured.truncate(before);
    Box::pin(operations.measure_messages()).await;
    Box::pin(operations.measure_polling()).await;
    operations.shop.remove().await;
    Measured { operations: operations.measured, state_row }
}

impl Operations {
    async fn measure_as<T>(
        &mut self,
        name: &'static str,
        operation: impl AsyncFn(&Installation) -> T,
    ) -> T {
        let (result, usage) = self.shop.meter.measure(Box::pin(operation(&self.shop))).await;
        self.measured.push((name, usage));
        result
    }

    /// Processes the only message of the events queue.
    async fn process_as(&mut self, name: &'static str) {
        let message = self.receive("events").await;
        self.measure_as(name, async |shop| process(shop, &message).await).await;
    }

    async fn process_next(&self) {
        let message = self.receive("events").await;
        process(&self.shop, &message).await;
    }

    /// Hands a message to `deliver`, as Lambda does. Returns whether it is done.
    async fn deliver_as(&mut self, name: &'static str, message: &Message) -> bool {
        self.deliver_all_as(name, std::slice::from_ref(message)).await
    }

    async fn deliver_all_as(&mut self, name: &'static str, messages: &[Message]) -> bool {
        let records = messages.iter().map(|message| {
            json!({
                "messageId": message.message_id(), "receiptHandle": message.receipt_handle(),
                "body": message.body(), "attributes": {}, "messageAttributes": {},
            })
        });
        let records: Vec<_> = records.collect();
        let batch: SqsEvent = serde_json::from_value(json!({"Records": records})).unwrap();
        let deadline = seconds_from_now(600);
        let deliver = async |shop: &Installation| {
            let handle = async |message: &str| shop.deliver.handle(message, deadline).await;
            let response = shop.worker.run(batch.clone(), handle).await;
            shop.deliver.report(&shop.counters, now()).await;
            response
        };
        self.measure_as(name, deliver).await.batch_item_failures.is_empty()
    }

    /// Waits for a message. A delivery stays in the queue, for its attempt may fail.
    async fn receive(&self, queue: &str) -> Message {
        let received = async || self.receive_one(queue).await;
        let message = eventually(&format!("a message in {queue}"), received).await;
        if queue != "deliveries" {
            self.delete(queue, &message).await;
        }
        message
    }

    /// Empties a queue.
    async fn receive_all(&self, queue: &str) -> Vec<Message> {
        let mut messages = Vec::new();
        while let Some(message) = self.receive_one(queue).await {
            self.delete(queue, &message).await;
            messages.push(message);
        }
        messages
    }

    async fn receive_one(&self, queue: &str) -> Option<Message> {
        let receive = stack().sqs(&Calls::default()).receive_message();
        let received = receive.queue_url(self.shop.queue_url(queue)).send().await.unwrap();
        received.messages.unwrap_or_default().pop()
    }

    async fn delete(&self, queue: &str, message: &Message) {
        let delete = stack().sqs(&Calls::default()).delete_message();
        let delete = delete.queue_url(self.shop.queue_url(queue));
        delete.set_receipt_handle(message.receipt_handle.clone()).send().await.unwrap();
    }
}

async fn process(shop: &Installation, message: &Message) {
    let handled = shop.process.handle(message.body().unwrap(), seconds_from_now(60));
    let outcome = Box::pin(handled).await;
    assert_eq!(outcome.unwrap(), RecordOutcome::Ack);
    shop.process.report(&shop.counters, now()).await;
}
