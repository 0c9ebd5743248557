//! Runs that poll fifty orders with one call of the carrier.

use aws::lambda::sqs_batch::RecordOutcome;
use domain::core::id::{AccountCode, OrderId, OrderKey};
use domain::polling::shard;
use serde_json::json;

use super::Operations;
use super::requests::call;
use crate::support::{OURS, seconds_from_now, unique};
use crate::sync::shipway_double::{set_parcels, tracking_item};

const ORDERS: usize = 50;

impl Operations {
    pub async fn measure_polling(&mut self) {
        let awbs = self.create_polled().await;
        let in_transit = tracking_item("INT", "2026-11-20 09:00:00");
        set_parcels(awbs.iter().map(|awb| (awb.clone(), in_transit.clone()))).await;
        // This run warms the functions up and brings the first report of each order.
        self.plan().await;
        self.poll_as("").await;
        self.process_next().await;
        self.measured.retain(|(name, _)| !name.is_empty());

        self.plan().await;
        self.poll_as("poll 50 orders without news").await;
        let news = tracking_item("OOD", "2026-11-20 15:00:00");
        set_parcels([(awbs[0].clone(), news)]).await;
        self.plan().await;
        self.poll_as("poll 50 orders, one with news").await;
        self.process_as("apply the news of a polled order").await;
        self.receive_all("deliveries").await;
    }

    /// Creates orders of one shard. Returns their AWBs.
    async fn create_polled(&self) -> Vec<String> {
        let mut awbs = Vec::new();
        while awbs.len() < ORDERS {
            let (order, awb) = (unique("ORD-"), unique("77"));
            let key = OrderKey {
                account: AccountCode::parse(OURS).unwrap(),
                order: OrderId::parse(&order).unwrap(),
            };
            if shard(&key) != 0 {
                continue;
            }
            let order = json!({"orderId": order, "awb": awb, "poll": "shipway"});
            call(&self.shop, "POST ", &json!({}), Some(&order)).await;
            self.process_next().await;
            awbs.push(awb);
        }
        awbs
    }

    /// Opens a run and plans its only batch.
    async fn plan(&self) {
        self.shop.sync.open_run(&json!({})).await.unwrap();
        let deadline = seconds_from_now(60);
        for message in self.receive_all("shards").await {
            let planned = self.shop.sync.plan(message.body().unwrap(), deadline).await;
            assert_eq!(planned.unwrap(), RecordOutcome::Ack);
        }
    }

    async fn poll_as(&mut self, name: &'static str) {
        let message = self.receive("batches").await;
        let (message, deadline) = (message.body().unwrap(), seconds_from_now(60));
        let polled =
            self.measure_as(name, async |shop| shop.poll.handle(message, deadline).await).await;
        assert_eq!(polled.unwrap(), RecordOutcome::Ack);
        assert_eq!(self.receive_all("batches").await.len(), 0, "one batch");
    }
}
