//! A busy queue: one invocation gets ten messages, and its counters serve all of them.

use aws::clock::now;
use aws::lambda::sqs_batch::RecordOutcome;
use aws_sdk_sqs::types::Message;
use serde_json::{Value, json};

use super::super::installation::Installation;
use super::Operations;
use super::parcels::Shipment;
use crate::support::seconds_from_now;

/// Shiprocket's reports of two orders after the pickup was scheduled, each a change: its number of
/// the status, and its name.
const LIVES: [&[(u32, &str)]; 2] = [
    &[(42, "PICKED UP"), (18, "IN TRANSIT"), (17, "OUT FOR DELIVERY"), (7, "DELIVERED")],
    &[
        (42, "PICKED UP"),
        (18, "IN TRANSIT"),
        (17, "OUT FOR DELIVERY"),
        (21, "UNDELIVERED"),
        (17, "OUT FOR DELIVERY"),
        (7, "DELIVERED"),
    ],
];

impl Operations {
    pub async fn measure_busy_queues(&mut self) {
        let mut events = Vec::new();
        for life in LIVES {
            let shipment = Shipment::new();
            self.create(&shipment.order()).await;
            // The first report tells the carrier's id of the order.
            self.post(&shipment.step(&[(19, "PICKUP SCHEDULED")])).await;
            self.process_next().await;
            for step in 1..=life.len() {
                self.post(&shipment.step(&life[..step])).await;
                events.push(self.receive("events").await);
            }
        }
        self.receive_all("deliveries").await;
        self.measure_as("apply ten status changes of two orders", async |shop| {
            process_all(shop, &events).await;
        })
        .await;
        let mut deliveries = Vec::new();
        for _ in &events {
            let message = self.receive("deliveries").await;
            self.delete("deliveries", &message).await;
            deliveries.push(message);
        }
        assert!(self.deliver_all_as("deliver ten", &deliveries).await);
    }
}

impl Shipment {
    /// The report of the last step, an hour after the one before, with a scan of each.
    fn step(&self, life: &[(u32, &str)]) -> Value {
        let at = |step: usize| format!("23 05 2023 {:02}:15:07", 12 + step);
        let mut body = self.report("in_transit");
        for (step, (status, label)) in life.iter().enumerate() {
            for (name, value) in [
                ("current_status", json!(label)),
                ("shipment_status", json!(label)),
                ("shipment_status_id", json!(status)),
                ("current_timestamp", json!(at(step))),
            ] {
                body[name] = value;
            }
            body["scans"].as_array_mut().unwrap().push(json!({
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
