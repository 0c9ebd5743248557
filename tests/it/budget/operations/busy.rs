//! A busy queue: one invocation gets ten messages, and what it writes once serves all of them.

use aws::clock::now;
use aws::lambda::sqs_batch::RecordOutcome;
use aws_sdk_sqs::types::Message;
use serde_json::{Value, json};

use super::super::installation::Installation;
use super::Operations;
use super::parcels::Shipment;
use crate::support::seconds_from_now;

/// Shiprocket's numbers of the statuses after the pickup of an order that takes three attempts. Each
/// is a change.
const LIFE: [(u32, &str); 10] = [
    (18, "IN TRANSIT"),
    (22, "DELAYED"),
    (18, "IN TRANSIT"),
    (17, "OUT FOR DELIVERY"),
    (21, "UNDELIVERED"),
    (18, "IN TRANSIT"),
    (17, "OUT FOR DELIVERY"),
    (21, "UNDELIVERED"),
    (17, "OUT FOR DELIVERY"),
    (7, "DELIVERED"),
];

impl Operations {
    pub async fn measure_busy_queues(&mut self) {
        let shipment = Shipment::new();
        self.create(&shipment.order()).await;
        // It learns the provider's id.
        self.post(&shipment.report("picked_up")).await;
        self.process_next().await;
        self.receive_all("deliveries").await;
        let mut events = Vec::new();
        for step in 0..LIFE.len() {
            self.post(&shipment.step(step)).await;
            events.push(self.receive("events").await);
        }
        self.measure_as("apply ten status changes of an order's life", async |shop| {
            process_all(shop, &events).await;
        })
        .await;
        let mut deliveries = Vec::new();
        for _ in LIFE {
            let message = self.receive("deliveries").await;
            self.delete("deliveries", &message).await;
            deliveries.push(message);
        }
        assert!(self.deliver_all_as("deliver ten", &deliveries).await);
    }
}

impl Shipment {
    /// A report of its life, an hour after the one before, with one more scan.
    fn step(&self, step: usize) -> Value {
        let (status, label) = LIFE[step];
        let at = |step: usize| format!("23 05 2023 {:02}:15:07", 12 + step);
        let mut body = self.report("in_transit");
        for (name, value) in [
            ("current_status", json!(label)),
            ("shipment_status", json!(label)),
            ("shipment_status_id", json!(status)),
            ("current_timestamp", json!(at(step))),
        ] {
            body[name] = value;
        }
        let scans = body["scans"].as_array_mut().unwrap();
        for (step, (status, label)) in LIFE.iter().enumerate().take(step + 1) {
            scans.push(json!({
                "date": at(step), "status": format!("X-{status}"), "activity": label,
                "location": "Sampleville_H (Maharashtra)", "sr-status": status.to_string(),
                "sr-status-label": label,
            }));
        }
        body
    }
}

async fn process_all(shop: &Installation, messages: &[Message]) {
    for message in messages {
        let handled = shop.process.handle(message.body().unwrap(), seconds_from_now(60));
        assert_eq!(Box::pin(handled).await.unwrap(), RecordOutcome::Ack);
    }
    shop.process.report(&shop.counters, now()).await;
}
