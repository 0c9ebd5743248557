//! Endpoints that are paused, recover or are disabled, and their parked deliveries: probes, releases
//! at a bounded rate, and the end of deliveries that were parked for too long.

use std::sync::Arc;
use std::time::Duration;

use aws::clock;
use aws::endpoints::Endpoints;
use aws::error::IoError;
use aws::settings::{CachedSetting, Settings, SettingsError};
use aws::sqs::{Delayed, MAX_BATCH, Queue};
use aws::tables::deliveries::{Deliveries, Due, LOST_AFTER, ParkedFrom};
use aws::tables::endpoint_health::{EndpointHealth, HealthRow};
use aws::telemetry::Metrics;
use domain::core::id::EndpointName;
use domain::core::timestamp::Timestamp;
use domain::messaging::send::number_of_endpoint;
use domain::webhooks::delivery::Delivery;
use domain::webhooks::health::{EndpointState, PARKED_LIMIT};
use futures::future::join_all;
use sources::whatsapp::Numbers;

use crate::endpoint_events::EndpointEvents;

/// Parked deliveries of an endpoint that a run releases, spread over the minute: ten a second.
const MAX_RELEASED: usize = 600;
/// The releases of a run end before the next one begins.
const SPREAD: Duration = Duration::from_secs(50);

/// By then no function has the settings of a removed endpoint in its cache, nor lacks those of a new
/// one: `ConfigTtlSeconds` is an hour at most.
const REMOVED_AFTER: Duration = Duration::from_secs(61 * 60);

pub struct ParkedDeliveries {
    health: EndpointHealth,
    deliveries: Deliveries,
    queue: Queue,
    endpoints: Arc<Endpoints>,
    numbers: CachedSetting<Numbers>,
    events: EndpointEvents,
}

impl ParkedDeliveries {
    pub fn new(
        health: EndpointHealth,
        deliveries: Deliveries,
        queue: Queue,
        settings: Settings,
    ) -> Self {
        let endpoints = Arc::new(Endpoints::new(settings.clone()));
        let numbers = CachedSetting::new(settings, Numbers::PARAMETER, Numbers::read);
        let events = EndpointEvents::new(endpoints.clone(), health.clone(), queue.clone());
        Self { health, deliveries, queue, endpoints, numbers, events }
    }

    /// Works on each endpoint, and starts no batch after `deadline`. One failure does not stop the
    /// rest; the first error is returned, and the next run retries.
    pub async fn run(&self, now: Timestamp, deadline: Timestamp) -> Result<(), IoError> {
        let rows = self.health.list().await?;
        metrics(&rows).emit(now);
        let results = join_all(rows.into_iter().map(async |row| {
            let row = row?;
            // A failure to notify holds up neither probes nor releases.
            let notified = self.events.notify(&row, now).await;
            self.work_on(&row, now, deadline).await.and(notified)
        }));
        let mut first = Ok(());
        for error in results.await.into_iter().filter_map(Result::err) {
            tracing::error!(%error, "sweep.parked_failed");
            first = first.and(Err(error));
        }
        first
    }

    async fn work_on(
        &self,
        row: &HealthRow,
        now: Timestamp,
        deadline: Timestamp,
    ) -> Result<(), IoError> {
        let is_probe_due = row.health.probe_at.is_some_and(|at| at <= now);
        match row.health.state {
            EndpointState::Active => self.end_if_removed(row, now).await,
            EndpointState::Paused => {
                if is_probe_due {
                    self.probe(row, now).await?;
                }
                self.release(row, now.before(PARKED_LIMIT), now, deadline).await?;
                self.end_if_removed(row, now).await
            }
            EndpointState::Disabled => {
                self.release(row, now, now, deadline).await?;
                self.end_if_removed(row, now).await
            }
            EndpointState::Recovering => {
                let released = self.release(row, now, now, deadline).await?;
                if released == 0 && row.health.has_recovered(now) {
                    self.health.end_recovery(row).await?;
                }
                self.end_if_removed(row, now).await
            }
        }
    }

    /// Ends the row of an endpoint or phone number whose settings were removed: one that is added
    /// under its name later is new.
    async fn end_if_removed(&self, row: &HealthRow, now: Timestamp) -> Result<(), IoError> {
        let endpoint = &row.endpoint;
        match (self.is_configured(endpoint, now).await?, row.missing_since) {
            (true, None) => Ok(()),
            (true, Some(_)) => self.health.note_missing(endpoint, None).await,
            (false, None) => self.health.note_missing(endpoint, Some(now)).await,
            (false, Some(since)) if now.since(since) < REMOVED_AFTER => Ok(()),
            (false, Some(_)) => self.end_removed(row, now).await,
        }
    }

    /// Settings that cannot be used may name a phone number: it stays.
    async fn is_configured(&self, name: &EndpointName, now: Timestamp) -> Result<bool, IoError> {
        let Some(number) = number_of_endpoint(name) else {
            return Ok(self.endpoints.all(now).await.map_err(IoError::from)?.has(name));
        };
        match self.numbers.get(now).await {
            Ok(numbers) => {
                let numbers = numbers.as_ref().as_ref();
                Ok(numbers.is_some_and(|numbers| numbers.account(number).is_some()))
            }
            Err(SettingsError::Io(error)) => Err(error),
            Err(SettingsError::Missing { .. } | SettingsError::Invalid { .. }) => Ok(true),
        }
    }

    /// One that is stopped recovers first: its parked deliveries then end as `endpoint_removed`.
    async fn end_removed(&self, row: &HealthRow, now: Timestamp) -> Result<(), IoError> {
        let endpoint = &row.endpoint;
        let is_ended = match row.health.state {
            EndpointState::Paused | EndpointState::Disabled => {
                self.health.end_removed(endpoint, now).await?
            }
            EndpointState::Recovering => false,
            EndpointState::Active => {
                let parked = self.parked(row, now, ParkedFrom::Oldest, 1).await?;
                parked.is_empty() && self.health.delete(row).await?
            }
        };
        if is_ended {
            tracing::info!(%endpoint, "endpoint.removed");
        }
        Ok(())
    }

    /// Sends a parked delivery, if there is one. The newest and the oldest take turns: old ones may
    /// be superseded, and a delivery that makes its endpoint fail must not be the only probe. A probe
    /// that fails is parked again as the newest.
    async fn probe(&self, row: &HealthRow, now: Timestamp) -> Result<(), IoError> {
        let from = if row.health.probes.is_multiple_of(2) {
            ParkedFrom::Newest
        } else {
            ParkedFrom::Oldest
        };
        let parked = self.parked(row, now, from, 1).await?.into_iter();
        let parked = match from {
            ParkedFrom::Oldest => parked.min_by_key(|due| due.at),
            ParkedFrom::Newest => parked.max_by_key(|due| due.at),
        };
        let Some(parked) = parked else { return Ok(()) };
        if self.health.mark_probed(row, now).await? {
            tracing::info!(
                endpoint = %row.endpoint,
                delivery_id = parked.delivery.id,
                "endpoint.probed"
            );
            let probe = Delivery { probe: true, ..parked.delivery };
            let sent = self.queue.send_delayed_batch(vec![message(&probe, Duration::ZERO)]).await?;
            sent.into_iter().collect::<Result<(), _>>()?;
        }
        Ok(())
    }

    /// Without unreadable rows, which are logged: they must not hold up the others.
    async fn parked(
        &self,
        row: &HealthRow,
        until: Timestamp,
        from: ParkedFrom,
        limit: usize,
    ) -> Result<Vec<Due>, IoError> {
        let parked = self.deliveries.parked(&row.endpoint, until, from, limit).await?;
        let readable = parked.into_iter().filter_map(|due| {
            due.inspect_err(|error| tracing::error!(%error, "sweep.parked_failed")).ok()
        });
        Ok(readable.collect())
    }

    /// Queues deliveries that were parked by `until`, and returns their number.
    async fn release(
        &self,
        row: &HealthRow,
        until: Timestamp,
        now: Timestamp,
        deadline: Timestamp,
    ) -> Result<usize, IoError> {
        let parked = self.parked(row, until, ParkedFrom::Oldest, MAX_RELEASED).await?;
        let gap = SPREAD / u32::try_from(parked.len().max(1)).unwrap_or(u32::MAX);
        let mut delay = Duration::ZERO;
        for batch in parked.chunks(MAX_BATCH) {
            if clock::now() >= deadline {
                break;
            }
            let messages = batch.iter().map(|due| {
                delay += gap;
                message(&due.delivery, delay)
            });
            let sent = self.queue.send_delayed_batch(messages.collect()).await?;
            let marked = batch.iter().zip(sent).map(async |(due, sent)| {
                sent?;
                self.deliveries.mark_released(due, now.after(LOST_AFTER)).await
            });
            join_all(marked).await.into_iter().collect::<Result<(), _>>()?;
        }
        if !parked.is_empty() {
            tracing::info!(endpoint = %row.endpoint, released = parked.len(), "endpoint.released");
        }
        Ok(parked.len())
    }
}

fn metrics(rows: &[Result<HealthRow, IoError>]) -> Metrics {
    let count = |state| rows.iter().flatten().filter(|row| row.health.state == state).count();
    Metrics::new()
        .gauge("PausedEndpoints", count(EndpointState::Paused))
        .gauge("DisabledEndpoints", count(EndpointState::Disabled))
}

fn message(delivery: &Delivery, delay: Duration) -> Delayed {
    let group = Some(delivery.endpoint.as_str().to_owned());
    Delayed { body: delivery.to_message(), group, delay }
}
