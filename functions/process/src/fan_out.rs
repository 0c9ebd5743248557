//! Fan-out: queues one delivery per subscribed endpoint for every status change of an event.

use aws::error::IoError;
use aws::sqs::Outgoing;
use domain::auth::Accounts;
use domain::core::id::EventId;
use domain::core::timestamp::Timestamp;
use domain::webhooks::delivery::{self, Delivery};
use domain::webhooks::notification::Change;

use crate::Process;
use crate::apply::AppliedReport;

/// An endpoint that may subscribe to an event but cannot be notified: its settings are invalid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Undeliverable {
    pub(crate) parameter: String,
}

impl From<Undeliverable> for IoError {
    fn from(Undeliverable { parameter }: Undeliverable) -> Self {
        Self::UnusableSetting { parameter }
    }
}

impl Process {
    /// Queues the deliveries of one event. A redelivered event queues the same delivery ids again,
    /// by which endpoints dedup. An endpoint with invalid settings holds up no other: it is
    /// returned, and the caller decides how the event is retried.
    pub(crate) async fn fan_out(
        &self,
        event: &EventId,
        applied: &[Box<AppliedReport>],
        now: Timestamp,
    ) -> Result<Option<Undeliverable>, IoError> {
        let changes: Vec<Change<'_>> =
            applied.iter().filter_map(|report| report.change()).collect();
        if changes.is_empty() {
            return Ok(None);
        }
        let endpoints = self.endpoints.all(now).await?;
        let deliveries = delivery::fan_out(event, &changes, endpoints.usable.values(), now);
        self.queue_deliveries(event, deliveries).await?;
        let concerns = |accounts: &Accounts| {
            changes.iter().any(|change| accounts.include(&change.order.key.account))
        };
        let invalid = endpoints.invalid.iter().find(|endpoint| concerns(&endpoint.accounts));
        Ok(invalid.map(|endpoint| Undeliverable { parameter: endpoint.parameter.clone() }))
    }

    pub(crate) async fn queue_deliveries(
        &self,
        event: &EventId,
        deliveries: Vec<Delivery>,
    ) -> Result<(), IoError> {
        let mut messages = Vec::with_capacity(deliveries.len());
        for delivery in deliveries {
            tracing::info!(
                event_id = %event,
                delivery_id = delivery.id,
                endpoint = %delivery.endpoint,
                "delivery.queued"
            );
            let group = delivery.endpoint.as_str().to_owned();
            messages.push(Outgoing { body: delivery.to_message(), group });
        }
        self.deliveries.send_all(messages).await
    }
}
