//! The health of endpoints: cached for this worker, and updated by its attempts.
//!
//! The health only saves work: if its table cannot be read, deliveries are sent.

use std::collections::HashMap;
use std::time::Duration;

use aws::error::IoError;
use aws::tables::endpoint_health::{EndpointHealth, HealthReason};
use domain::core::id::EndpointName;
use domain::core::timestamp::Timestamp;
use domain::messaging::cloud_api::Refusal;
use domain::webhooks::health::{EndpointState, Health, Latency, Sign};
use domain::webhooks::retry::AttemptOutcome;
use tokio::sync::Mutex;

/// How long a worker caches the health of an endpoint.
pub const HEALTH_TTL: Duration = Duration::from_secs(10);

pub struct HealthMonitor {
    table: EndpointHealth,
    ttl: Duration,
    known: Mutex<HashMap<EndpointName, Known>>,
    latencies: Mutex<HashMap<EndpointName, Measured>>,
}

/// A change of lane ends a measurement: the attempts before it say little about the time after.
#[derive(Default)]
struct Measured {
    is_slow: bool,
    latency: Latency,
}

#[derive(Clone, Copy)]
struct Known {
    health: Health,
    read_at: Timestamp,
}

impl HealthMonitor {
    pub fn new(table: EndpointHealth, ttl: Duration) -> Self {
        Self { table, ttl, known: Mutex::default(), latencies: Mutex::default() }
    }

    pub(crate) async fn of(&self, endpoint: &EndpointName, now: Timestamp) -> Health {
        // Held while reading, so that concurrent records read once.
        let mut known = self.known.lock().await;
        let last = known.get(endpoint).filter(|last| now.since(last.read_at) < self.ttl);
        // Acting on an outdated `Disabled` would dead-letter deliveries.
        if let Some(last) = last.filter(|it| it.health.state != EndpointState::Disabled) {
            return last.health;
        }
        let health = self.table.read(endpoint).await.unwrap_or_else(|error| {
            log_failure(endpoint, &error);
            Health::default()
        });
        known.insert(endpoint.clone(), Known { health, read_at: now });
        health
    }

    /// Takes the outcome of an attempt into account. A healthy endpoint costs no write.
    pub(crate) async fn note(
        &self,
        endpoint: &EndpointName,
        outcome: AttemptOutcome,
        is_probe: bool,
        now: Timestamp,
    ) {
        let noted = if outcome.disables_endpoint() {
            self.disable(endpoint, now).await
        } else {
            match Sign::of(outcome) {
                // A refused address is no reason to park deliveries either.
                Some(Sign::Alive) | None if is_probe => self.recover(endpoint, now).await,
                Some(Sign::Alive) => self.clear_failures(endpoint).await,
                Some(Sign::Failure) if !is_probe => self.count_failure(endpoint, false, now).await,
                Some(Sign::Timeout) if !is_probe => self.count_failure(endpoint, true, now).await,
                _ => Ok(()),
            }
        };
        if let Err(error) = noted {
            log_failure(endpoint, &error);
        }
    }

    /// Takes the latency of an attempt into account: an endpoint that answers slowly moves to the
    /// slow lane, and back once it does not.
    pub(crate) async fn note_latency(
        &self,
        endpoint: &EndpointName,
        latency: Duration,
        now: Timestamp,
    ) {
        let was_slow = self.of(endpoint, now).await.is_slow;
        let changes = {
            let mut latencies = self.latencies.lock().await;
            let known = latencies.entry(endpoint.clone()).or_default();
            if known.is_slow != was_slow {
                *known = Measured { is_slow: was_slow, ..Measured::default() };
            }
            known.latency = known.latency.with(latency);
            known.latency.changes(was_slow)
        };
        if let Some(is_slow) = changes {
            self.set_slow(endpoint, is_slow, now).await;
        }
    }

    /// Moves the endpoint to the slow lane, or back.
    pub(crate) async fn set_slow(&self, endpoint: &EndpointName, is_slow: bool, now: Timestamp) {
        // Measured in one lane, it would move the endpoint once more when it is back.
        self.latencies.lock().await.remove(endpoint);
        match self.table.set_slow(endpoint, is_slow, now).await {
            Ok(true) => tracing::warn!(%endpoint, is_slow, "endpoint.changed_lane"),
            Ok(false) => {}
            Err(error) => log_failure(endpoint, &error),
        }
        self.forget(endpoint).await;
    }

    pub(crate) async fn recover(
        &self,
        endpoint: &EndpointName,
        now: Timestamp,
    ) -> Result<(), IoError> {
        if self.table.recover(endpoint, now).await? {
            tracing::warn!(%endpoint, "endpoint.recovered");
        }
        self.forget(endpoint).await;
        Ok(())
    }

    /// The next run of `sweep` sends another probe: this one needed no request.
    pub(crate) async fn probe_again(
        &self,
        endpoint: &EndpointName,
        now: Timestamp,
    ) -> Result<(), IoError> {
        self.table.probe_at(endpoint, now).await
    }

    /// Pauses a phone number until an admin enables it.
    pub(crate) async fn pause_number(
        &self,
        number: &EndpointName,
        refusal: Refusal,
        code: Option<&str>,
        now: Timestamp,
    ) -> Result<(), IoError> {
        let reason = match refusal {
            Refusal::Credentials => HealthReason::CredentialsRefused,
            Refusal::Number => HealthReason::NumberRefused,
        };
        if self.table.pause_with_code(number, reason, code, now).await? {
            tracing::error!(endpoint = %number, reason = reason.as_str(), code, "number.paused");
        }
        self.forget(number).await;
        Ok(())
    }

    async fn disable(&self, endpoint: &EndpointName, now: Timestamp) -> Result<(), IoError> {
        if self.table.disable(endpoint, now).await? {
            tracing::error!(%endpoint, "endpoint.disabled");
        }
        self.forget(endpoint).await;
        Ok(())
    }

    async fn clear_failures(&self, endpoint: &EndpointName) -> Result<(), IoError> {
        let failed = self
            .known
            .lock()
            .await
            .get_mut(endpoint)
            .is_some_and(|known| std::mem::take(&mut known.health.failures) > 0);
        if failed { self.table.clear_failures(endpoint).await } else { Ok(()) }
    }

    async fn count_failure(
        &self,
        endpoint: &EndpointName,
        is_timeout: bool,
        now: Timestamp,
    ) -> Result<(), IoError> {
        let health = self.table.count_failure(endpoint, is_timeout).await?;
        self.known.lock().await.insert(endpoint.clone(), Known { health, read_at: now });
        if health.has_to_pause() && self.table.pause(endpoint, HealthReason::Failing, now).await? {
            let Health { failures, timeouts, .. } = health;
            tracing::error!(%endpoint, failures, timeouts, "endpoint.paused");
            self.forget(endpoint).await;
        }
        Ok(())
    }

    async fn forget(&self, endpoint: &EndpointName) {
        self.known.lock().await.remove(endpoint);
    }
}

fn log_failure(endpoint: &EndpointName, error: &IoError) {
    tracing::warn!(%endpoint, %error, "endpoint.health_unknown");
}
