//! Works on events: reads their reports, moves their orders' timelines, tells endpoints of every change.
//!
//! It may be killed between any two calls. Whatever it had done is found again in the timeline's entries, so the
//! event's redelivery ends in the same state and announces the same deliveries.

mod adopt;
mod apply;
mod endpoints;

use aws::batch::Ending;
use aws::clock::now;
use aws::error::IoError;
use aws::events::{Event, EventMessage, EventState, Events, Progress};
use aws::orders::Orders;
use aws::queue::{Outgoing, Queue};
use aws::settings::Settings;
use domain::access::Accounts;
use domain::api_event::ApiEvent;
use domain::delivery::{Change, announce};
use domain::id::EventId;
use domain::report::{Report, SourceName};
use domain::timeline::Bringer;
use domain::timestamp::Timestamp;
use sources::Reading;

use apply::{Fate, Told};
use endpoints::Endpoints;

/// The function.
pub struct Process {
    events: Events,
    orders: Orders,
    deliveries: Queue,
    endpoints: Endpoints,
}

impl Process {
    /// With its tables, the queue it writes to, and its settings.
    pub fn new(events: Events, orders: Orders, deliveries: Queue, settings: Settings) -> Self {
        Self { events, orders, deliveries, endpoints: Endpoints::new(settings) }
    }

    /// Works on the event that a message names.
    ///
    /// # Errors
    /// Something is not available; the message has to come back.
    pub async fn handle(&self, message: &str) -> Result<Ending, IoError> {
        let Some(message) = EventMessage::read(message) else { return Ok(Ending::SetAside("unreadable_message")) };
        let Some(event) = self.events.load(&message.event_id).await? else {
            return Ok(Ending::SetAside("event_gone"));
        };
        if event.state.is_settled() {
            return Ok(Ending::Done);
        }
        let progress = if event.source == SourceName::API {
            self.work_on_own(&event).await?
        } else {
            self.work_on(&event).await?
        };
        self.events.mark(&event.id, &progress, now()).await?;
        log(&event, &progress);
        Ok(Ending::Done)
    }

    async fn work_on(&self, event: &Event) -> Result<Progress, IoError> {
        let Some(source) = sources::by_name(event.source.as_str()) else {
            return Ok(Progress::because(EventState::Failed, "unknown source"));
        };
        match source.read(&event.account, &event.body) {
            Ok(Reading::Reports(reports)) => self.apply_all(event, &reports).await,
            Ok(Reading::Ignored(reason)) => Ok(Progress::because(EventState::Ignored, reason)),
            Err(error) => Ok(Progress::because(EventState::Failed, error.to_string())),
        }
    }

    async fn work_on_own(&self, event: &Event) -> Result<Progress, IoError> {
        match serde_json::from_slice::<ApiEvent>(&event.body) {
            Ok(ApiEvent::Adoption(adoption)) => self.adopt(event, &adoption).await,
            Ok(ApiEvent::Status(status)) => {
                let report = status.to_report(event.id.clone().into());
                self.apply_all(event, &[report]).await
            }
            Err(_) => Ok(Progress::because(EventState::Failed, "not one of our events")),
        }
    }

    async fn apply_all(&self, event: &Event, reports: &[Report]) -> Result<Progress, IoError> {
        let bringer = Bringer { event_id: event.id.clone(), received_at: event.received_at };
        let mut state = if reports.is_empty() { EventState::Ignored } else { EventState::Processed };
        let mut told = Vec::new();
        for report in reports {
            match self.apply_or_hold(&event.account, report, &bringer).await? {
                Fate::Applied(arrived) => told.extend(arrived.told),
                Fate::Unmatched => state = EventState::Unmatched,
            }
        }
        Ok(self.announce(&event.id, &told, now()).await?.unwrap_or(state.into()))
    }

    /// Queues everything that endpoints have to be told because of one event, again if this is a redelivery.
    /// Where an endpoint's settings cannot be used it cannot be told: then the event ends as failed, so that it is
    /// worked on again once they are right. The others are told now, and know the repeat by its ids.
    async fn announce(&self, event: &EventId, told: &[Box<Told>], now: Timestamp) -> Result<Option<Progress>, IoError> {
        if told.is_empty() {
            return Ok(None);
        }
        let endpoints = self.endpoints.all(now).await?;
        let changes: Vec<Change<'_>> = told.iter().map(|told| told.change()).collect();
        let deliveries = announce(event, &changes, endpoints.usable.values(), now);
        let mut messages = Vec::with_capacity(deliveries.len());
        for delivery in deliveries {
            tracing::info!(event_id = %event, delivery_id = delivery.id, endpoint = %delivery.endpoint, "delivery.queued");
            let group = delivery.endpoint.as_str().to_owned();
            messages.push(Outgoing { body: delivery.to_message(), group });
        }
        self.deliveries.send_all(messages).await?;
        let meant = |accounts: &Accounts| told.iter().any(|told| accounts.include(told.account()));
        let untold = endpoints.unusable.iter().find(|endpoint| meant(&endpoint.accounts));
        Ok(untold
            .map(|endpoint| Progress::because(EventState::Failed, format!("setting {} is wrong", endpoint.parameter))))
    }
}

fn log(event: &Event, progress: &Progress) {
    let (state, reason) = (progress.state, progress.reason.as_deref());
    if state == EventState::Failed {
        tracing::error!(event_id = %event.id, source = event.source.as_str(), reason, "event.failed");
    } else {
        tracing::info!(event_id = %event.id, source = event.source.as_str(), state = state.as_str(), reason, "event.settled");
    }
}
