//! The slow lane: a queue and a function of its own for endpoints that answer slowly.

use std::time::Duration;

use aws::clock::now;
use aws::error::IoError;
use aws::lambda::sqs_batch::RecordOutcome;
use aws::sqs::{Outgoing, Queue};
use aws::tables::deliveries::Lease;
use domain::webhooks::delivery::Delivery;

use crate::{Deliver, SOON};

/// A request occupies a worker of the main lane no longer. The slow lane makes it again, with the
/// endpoint's whole timeout.
const MAIN_LANE_TIMEOUT: Duration = Duration::from_secs(10);

pub(crate) fn main_lane_limit(timeout: Duration) -> Duration {
    timeout.min(MAIN_LANE_TIMEOUT)
}

pub(crate) async fn send(slow_lane: &Queue, delivery: &Delivery) -> Result<RecordOutcome, IoError> {
    let group = delivery.endpoint.as_str().to_owned();
    slow_lane.send(Outgoing { body: delivery.to_message(), group }).await?;
    Ok(RecordOutcome::Ack)
}

impl Deliver {
    /// Leaves a delivery to the slow lane whose endpoint did not answer in time, and by that the
    /// endpoint's next ones. The request does not count as an attempt.
    pub(crate) async fn hand_over(
        &self,
        delivery: &Delivery,
        lease: &Lease,
        slow_lane: &Queue,
    ) -> Result<RecordOutcome, IoError> {
        tracing::info!(
            delivery_id = delivery.id,
            endpoint = %delivery.endpoint,
            "delivery.handed_over"
        );
        self.health.set_slow(&delivery.endpoint, true, now()).await;
        if !self.deliveries.hand_over(lease, now()).await? {
            return Ok(RecordOutcome::RetryAfter(SOON));
        }
        send(slow_lane, delivery).await
    }
}
