//! Works on events: reads their reports, moves their orders' timelines, tells endpoints of every change.
//!
//! It may be killed between any two calls. Whatever it had done is found again in the timeline's entries, so the
//! event's redelivery ends in the same state and announces the same deliveries.

mod apply;
mod numbers;
mod poll_result;
mod reconcile;
mod updates;

use std::collections::BTreeSet;

use aws::clock::now;
use aws::endpoints::Endpoints;
use aws::error::IoError;
use aws::lambda::sqs_batch::{DeadLetterReason, RecordOutcome};
use aws::settings::Settings;
use aws::sqs::{Outgoing, Queue};
use aws::tables::inbound::{EventMessage, EventState, InboundEvent, InboundLog, Progress};
use aws::tables::messages::Messages;
use aws::tables::orders::Orders;
use domain::auth::Accounts;
use domain::core::id::{EventId, ReportId};
use domain::core::timestamp::Timestamp;
use domain::orders::api_event::ApiEvent;
use domain::polling::PollResult;
use domain::tracking::report::{Report, SourceName};
use domain::tracking::timeline::Origin;
use domain::webhooks::delivery::{self, Delivery};
use domain::webhooks::notification::Change;
use sources::{Items, Reading, Request};

use apply::{AppliedReport, ApplyOutcome};
use numbers::Numbers;

/// Why an event fails that has to be somebody's, and is nobody's.
const NO_ACCOUNT: &str = "no account";

/// The function.
pub struct Process {
    events: InboundLog,
    orders: Orders,
    messages: Messages,
    deliveries: Queue,
    endpoints: Endpoints,
    numbers: Numbers,
}

impl Process {
    /// With its tables, the queue it writes to, and its settings.
    pub fn new(
        events: InboundLog,
        orders: Orders,
        messages: Messages,
        deliveries: Queue,
        settings: Settings,
    ) -> Self {
        let (endpoints, numbers) = (Endpoints::new(settings.clone()), Numbers::new(settings));
        Self { events, orders, messages, deliveries, endpoints, numbers }
    }

    /// Works on what a message names or brings.
    ///
    /// # Errors
    /// Something is not available; the message has to come back.
    pub async fn handle(&self, message: &str) -> Result<RecordOutcome, IoError> {
        if let Some(message) = EventMessage::read(message) {
            return self.event(&message.event_id).await;
        }
        match PollResult::read(message) {
            Some(result) => self.apply_poll_result(&result).await,
            None => Ok(RecordOutcome::DeadLetter(DeadLetterReason::UnreadableMessage)),
        }
    }

    async fn event(&self, id: &EventId) -> Result<RecordOutcome, IoError> {
        let Some(event) = self.events.load(id).await? else {
            return Ok(RecordOutcome::DeadLetter(DeadLetterReason::EventGone));
        };
        if event.state.is_settled() {
            return Ok(RecordOutcome::Ack);
        }
        let progress = if event.source == SourceName::API {
            self.process_internal(&event).await?
        } else {
            self.process_webhook(&event).await?
        };
        self.events.mark(&event.id, &progress, now()).await?;
        log(&event, &progress);
        Ok(RecordOutcome::Ack)
    }

    async fn process_webhook(&self, event: &InboundEvent) -> Result<Progress, IoError> {
        let Some(source) = sources::by_name(event.source.as_str()) else {
            return Ok(Progress::because(EventState::Failed, "unknown source"));
        };
        let request = Request::stored(event.account.as_ref(), &event.body);
        match source.parse(&request, event.received_at).map(|parsed| parsed.reading) {
            Ok(Reading::Reports(reports)) => self.apply_all(event, &reports).await,
            Ok(Reading::Updates(updates)) => self.apply_updates(event, &updates).await,
            Ok(Reading::Ignored(reason)) => {
                Ok(Progress::because(EventState::Ignored, reason.as_str()))
            }
            Err(error) => Ok(Progress::because(EventState::Failed, error.to_string())),
        }
    }

    async fn process_internal(&self, event: &InboundEvent) -> Result<Progress, IoError> {
        match serde_json::from_slice::<ApiEvent>(&event.body) {
            Ok(ApiEvent::Reconciliation(reconciliation)) => {
                self.reconcile(event, &reconciliation).await
            }
            Ok(ApiEvent::Status(status)) => {
                let report = status.to_report(event.id.clone().into());
                self.apply_all(event, &vec![report].into()).await
            }
            Err(_) => Ok(Progress::because(EventState::Failed, "not one of our events")),
        }
    }

    async fn apply_all(
        &self,
        event: &InboundEvent,
        reports: &Items<Report>,
    ) -> Result<Progress, IoError> {
        let Some(account) = &event.account else {
            return Ok(Progress::because(EventState::Failed, NO_ACCOUNT));
        };
        let origin = Origin { event_id: event.id.clone(), received_at: event.received_at };
        let mut waiting = BTreeSet::new();
        let mut applied = Vec::new();
        for report in &reports.items {
            match self.apply_or_park(account, report, &origin).await? {
                ApplyOutcome::Applied(report) => applied.push(report),
                ApplyOutcome::Unmatched => drop(waiting.insert(report.id.clone())),
            }
        }
        let undeliverable = self.fan_out(&event.id, &applied, now()).await?;
        Ok(undeliverable.unwrap_or_else(|| settled(reports, waiting)))
    }

    /// Queues everything that endpoints have to be told because of one event, again if this is a redelivery.
    /// Where an endpoint's settings cannot be used it cannot be told: then the event ends as failed, so that it is
    /// worked on again once they are right. The others are told now, and know the repeat by its ids.
    async fn fan_out(
        &self,
        event: &EventId,
        applied: &[Box<AppliedReport>],
        now: Timestamp,
    ) -> Result<Option<Progress>, IoError> {
        let changes: Vec<Change<'_>> =
            applied.iter().filter_map(|applied| applied.change()).collect();
        if changes.is_empty() {
            return Ok(None);
        }
        let endpoints = self.endpoints.all(now).await?;
        let deliveries = delivery::fan_out(event, &changes, endpoints.usable.values(), now);
        self.deliver(event, deliveries).await?;
        let meant = |accounts: &Accounts| {
            changes.iter().any(|change| accounts.include(&change.order.key.account))
        };
        let undeliverable = endpoints.invalid.iter().find(|endpoint| meant(&endpoint.accounts));
        Ok(undeliverable.map(|endpoint| {
            Progress::because(
                EventState::Failed,
                format!("setting {} is wrong", endpoint.parameter),
            )
        }))
    }

    async fn deliver(&self, event: &EventId, deliveries: Vec<Delivery>) -> Result<(), IoError> {
        let mut messages = Vec::with_capacity(deliveries.len());
        for delivery in deliveries {
            tracing::info!(event_id = %event, delivery_id = delivery.id, endpoint = %delivery.endpoint, "delivery.queued");
            let group = delivery.endpoint.as_str().to_owned();
            messages.push(Outgoing { body: delivery.to_message(), group });
        }
        self.deliveries.send_all(messages).await
    }
}

/// How an event ends of whose reports these still wait.
fn settled(reports: &Items<Report>, waiting: BTreeSet<ReportId>) -> Progress {
    let mut progress = match (reports.items.is_empty(), waiting.is_empty()) {
        (true, _) => EventState::Ignored.into(),
        (false, true) => EventState::Processed.into(),
        (false, false) => Progress::unmatched(waiting),
    };
    if reports.skipped > 0 {
        progress.reason = Some(format!(
            "{} of {} not understood",
            reports.skipped,
            reports.skipped + reports.items.len()
        ));
    }
    progress
}

fn log(event: &InboundEvent, progress: &Progress) {
    let (state, reason) = (progress.state, progress.reason.as_deref());
    if state == EventState::Failed {
        tracing::error!(event_id = %event.id, source = event.source.as_str(), reason, "event.failed");
    } else {
        tracing::info!(event_id = %event.id, source = event.source.as_str(), state = state.as_str(), reason, "event.settled");
    }
}
