//! Deliveries that cannot be attempted now: their endpoint is paused, or its settings are unusable.

use std::time::Duration;

use aws::clock::now;
use aws::error::IoError;
use aws::lambda::sqs_batch::RecordOutcome;
use aws::tables::deliveries::{Attempt, DeliveryOutcome, Lease};
use domain::webhooks::delivery::Delivery;
use domain::webhooks::health::PARKED_LIMIT;
use domain::webhooks::lease::NextAttempt;
use domain::webhooks::retry::{DeadReason, wait_for_settings};

use crate::attempt::failed;
use crate::endpoint::ResolvedEndpoint;
use crate::insist::insist;
use crate::{Deliver, SOON, tries_until, waiting};

impl Deliver {
    /// Waits for an operator to correct the endpoint's settings, and gives up after two days.
    pub(crate) async fn wait_for_settings(
        &self,
        delivery: Delivery,
        lease: &Lease,
    ) -> Result<RecordOutcome, IoError> {
        let now = now();
        let waited = lease.unusable_since.map_or(Duration::ZERO, |since| now.since(since));
        let Some(wait) = wait_for_settings(waited) else {
            return self.give_up_unsent(delivery, lease, DeadReason::UnusableSettings).await;
        };
        tracing::warn!(
            delivery_id = delivery.id,
            endpoint = %delivery.endpoint,
            "delivery.unusable_settings"
        );
        let next = NextAttempt::after(wait, now);
        let postpone = async || self.deliveries.postpone(lease, next, now).await;
        let postponed = insist(tries_until(lease), postpone).await?;
        Ok(if postponed { waiting(next) } else { RecordOutcome::RetryAfter(SOON) })
    }

    /// Keeps a delivery of a paused endpoint for later, unless it is to find out whether the endpoint
    /// answers again.
    pub(crate) async fn park_or_probe(
        &self,
        delivery: Delivery,
        endpoint: &ResolvedEndpoint,
        lease: &Lease,
    ) -> Result<RecordOutcome, IoError> {
        if delivery.probe {
            return self.attempt(delivery, endpoint, lease).await;
        }
        self.park(delivery, lease, None).await
    }

    /// `attempt`: the one for which a phone number was paused.
    pub(crate) async fn park(
        &self,
        delivery: Delivery,
        lease: &Lease,
        attempt: Option<Attempt>,
    ) -> Result<RecordOutcome, IoError> {
        let is_too_old = |since| now().since(since) > PARKED_LIMIT;
        if lease.parked_since.is_some_and(is_too_old) {
            let reason = DeadReason::ParkedTooLong;
            let attempt = attempt.unwrap_or_else(|| failed(now(), reason.as_str()));
            return self.conclude(delivery, lease, &attempt, DeliveryOutcome::Dead(reason)).await;
        }
        let attempt = attempt.as_ref();
        let park = async || self.deliveries.park(&delivery, lease, attempt, now()).await;
        let is_parked = insist(tries_until(lease), park).await?;
        // A probe that failed, and a delivery that was released too early, were parked before.
        if is_parked && lease.parked_since.is_none() {
            self.tally.parked(&delivery.endpoint);
        }
        Ok(if is_parked { RecordOutcome::Ack } else { RecordOutcome::RetryAfter(SOON) })
    }
}
