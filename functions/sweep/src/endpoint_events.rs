//! Notifies endpoints of others that were paused, disabled or have recovered. `deliver` cannot: a
//! function that sends to its own queue is stopped by Lambda's recursion guard.

use std::sync::Arc;

use aws::endpoints::{EndpointSet, Endpoints};
use aws::error::IoError;
use aws::sqs::{Outgoing, Queue};
use aws::tables::endpoint_health::{EndpointHealth, HealthRow};
use domain::core::timestamp::Timestamp;
use domain::webhooks::delivery::Delivery;
use domain::webhooks::endpoint_event::{EndpointChange, fan_out};
use domain::webhooks::health::EndpointState;

pub(crate) struct EndpointEvents {
    endpoints: Arc<Endpoints>,
    health: EndpointHealth,
    queue: Queue,
}

impl EndpointEvents {
    pub(crate) fn new(endpoints: Arc<Endpoints>, health: EndpointHealth, queue: Queue) -> Self {
        Self { endpoints, health, queue }
    }

    /// Notifies of the state, unless it was done. A state that ended before this run is left out.
    pub(crate) async fn notify(&self, row: &HealthRow, now: Timestamp) -> Result<(), IoError> {
        if row.is_told || row.health.state == EndpointState::Active {
            return Ok(());
        }
        let endpoints = self.endpoints.all(now).await.map_err(IoError::from)?;
        let messages = deliveries(row, &endpoints).into_iter().map(|delivery| {
            tracing::info!(
                about = %row.endpoint,
                delivery_id = delivery.id,
                endpoint = %delivery.endpoint,
                "delivery.queued"
            );
            Outgoing { body: delivery.to_message(), group: delivery.endpoint.as_str().to_owned() }
        });
        // Sent before the row says so: a crash in between repeats the same deliveries.
        self.queue.send_all(messages.collect()).await?;
        self.health.mark_told(row).await.map(drop)
    }
}

/// None for an endpoint whose settings were removed or cannot be used: its accounts are unknown.
fn deliveries(row: &HealthRow, endpoints: &EndpointSet) -> Vec<Delivery> {
    let changed = endpoints.usable().find(|endpoint| endpoint.name == row.endpoint);
    let Some((endpoint, since)) = changed.zip(row.health.since) else { return Vec::new() };
    let change = EndpointChange {
        endpoint: &endpoint.name,
        accounts: &endpoint.settings.accounts,
        state: row.health.state,
        reason: row.reason.as_deref(),
        since,
    };
    fan_out(&change, endpoints.usable())
}
