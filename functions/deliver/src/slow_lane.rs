//! The slow lane: a queue and a function of its own for endpoints that answer slowly.

use std::time::Duration;

use aws::clock::now;
use aws::error::IoError;
use aws::lambda::sqs_batch::RecordOutcome;
use aws::sqs::{Outgoing, Queue};
use aws::tables::deliveries::Lease;
use domain::core::id::EndpointName;
use domain::webhooks::delivery::Delivery;
use domain::webhooks::lease::NextAttempt;

use crate::{Deliver, SOON};

/// A request occupies a worker of the main lane no longer. The slow lane makes it again, with the
/// endpoint's whole timeout.
const MAIN_LANE_TIMEOUT: Duration = Duration::from_secs(10);

pub(crate) fn main_lane_limit(timeout: Duration) -> Duration {
    timeout.min(MAIN_LANE_TIMEOUT)
}

/// Sends a message as it came: it may have fields that only a newer release reads.
pub(crate) async fn send(
    slow_lane: &Queue,
    endpoint: &EndpointName,
    message: String,
) -> Result<RecordOutcome, IoError> {
    let group = endpoint.as_str().to_owned();
    slow_lane.send(Outgoing { body: message, group }).await?;
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
        let next = NextAttempt::after(Duration::ZERO, now());
        if !self.deliveries.put_back(lease, next, now()).await? {
            return Ok(RecordOutcome::RetryAfter(SOON));
        }
        send(slow_lane, &delivery.endpoint, delivery.to_message()).await
    }
}
