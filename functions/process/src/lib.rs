//! Processes inbound events: applies their reports to order timelines and fans status changes out
//! to endpoints.
//!
//! Processing is idempotent: after a crash between any two calls, the redelivered event finds its
//! entries in the timeline, ends in the same state and queues deliveries with the same ids.

mod apply;
mod fan_out;
mod phone_numbers;
mod poll_result;
mod reason;
mod reconcile;
mod updates;

use std::collections::BTreeSet;

use aws::clock::now;
use aws::endpoints::Endpoints;
use aws::error::IoError;
use aws::lambda::sqs_batch::{DeadLetterReason, RecordOutcome};
use aws::settings::Settings;
use aws::sqs::Queue;
use aws::tables::inbound::{EventMessage, EventState, InboundEvent, InboundLog, Progress};
use aws::tables::messages::Messages;
use aws::tables::orders::Orders;
use domain::core::id::{EventId, ReportId};
use domain::orders::api_event::ApiEvent;
use domain::polling::PollResult;
use domain::tracking::report::{Report, SourceName};
use domain::tracking::timeline::Origin;
use sources::{Items, Reading, Request};

use apply::ApplyOutcome;
use phone_numbers::PhoneNumberAccounts;
use reason::{FailReason, OmissionReason};

pub struct Process {
    events: InboundLog,
    orders: Orders,
    messages: Messages,
    deliveries: Queue,
    endpoints: Endpoints,
    numbers: PhoneNumberAccounts,
}

impl Process {
    pub fn new(
        events: InboundLog,
        orders: Orders,
        messages: Messages,
        deliveries: Queue,
        settings: Settings,
    ) -> Self {
        let (endpoints, numbers) =
            (Endpoints::new(settings.clone()), PhoneNumberAccounts::new(settings));
        Self { events, orders, messages, deliveries, endpoints, numbers }
    }

    /// Handles a message of the events queue: the id of a logged event, or a poll result.
    pub async fn handle(&self, message: &str) -> Result<RecordOutcome, IoError> {
        if let Some(message) = EventMessage::read(message) {
            return self.process_event(&message.event_id).await;
        }
        match PollResult::read(message) {
            Some(poll_result) => self.apply_poll_result(&poll_result).await,
            None => Ok(RecordOutcome::DeadLetter(DeadLetterReason::UnreadableMessage)),
        }
    }

    /// Fails the event of a message that was dead-lettered, so that the log lists it. It can be
    /// retried like any failed event.
    pub async fn record_dead_letter(
        &self,
        message: &str,
        reason: DeadLetterReason,
    ) -> Result<(), IoError> {
        let Some(message) = EventMessage::read(message) else { return Ok(()) };
        let progress = FailReason::DeadLettered(reason).into();
        self.events.mark(&message.event_id, &progress, now()).await
    }

    async fn process_event(&self, id: &EventId) -> Result<RecordOutcome, IoError> {
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
        log_progress(&event, &progress);
        Ok(RecordOutcome::Ack)
    }

    async fn process_webhook(&self, event: &InboundEvent) -> Result<Progress, IoError> {
        let Some(source) = sources::by_name(event.source.as_str()) else {
            return Ok(FailReason::UnknownSource.into());
        };
        let request = Request::stored(event.account.as_ref(), &event.body);
        match source.parse(&request, event.received_at).map(|parsed| parsed.reading) {
            Ok(Reading::Reports(reports)) => self.apply_reports(event, &reports).await,
            Ok(Reading::Updates(updates)) => self.apply_updates(event, &updates).await,
            Ok(Reading::Ignored(reason)) => {
                Ok(Progress::because(EventState::Ignored, reason.as_str()))
            }
            Err(error) => Ok(FailReason::UnreadableWebhook(error).into()),
        }
    }

    async fn process_internal(&self, event: &InboundEvent) -> Result<Progress, IoError> {
        match serde_json::from_slice::<ApiEvent>(&event.body) {
            Ok(ApiEvent::Reconciliation(reconciliation)) => {
                self.reconcile(event, &reconciliation).await
            }
            Ok(ApiEvent::Status(status)) => {
                let report = status.to_report(event.id.clone().into());
                self.apply_reports(event, &vec![report].into()).await
            }
            Err(_) => Ok(FailReason::UnreadableApiEvent.into()),
        }
    }

    async fn apply_reports(
        &self,
        event: &InboundEvent,
        reports: &Items<Report>,
    ) -> Result<Progress, IoError> {
        let Some(account) = &event.account else {
            return Ok(FailReason::NoAccount.into());
        };
        let origin = Origin { event_id: event.id.clone(), received_at: event.received_at };
        let mut unmatched = BTreeSet::new();
        let mut applied = Vec::new();
        for report in &reports.items {
            match self.apply_or_park(account, report, &origin).await? {
                ApplyOutcome::Applied(report) => applied.push(report),
                ApplyOutcome::Unmatched => {
                    unmatched.insert(report.id.clone());
                }
            }
        }
        Ok(match self.fan_out(&event.id, &applied, now()).await? {
            Some(undeliverable) => FailReason::Undeliverable(undeliverable).into(),
            None => progress_after(reports, unmatched),
        })
    }
}

fn progress_after(reports: &Items<Report>, unmatched: BTreeSet<ReportId>) -> Progress {
    let mut progress = match (reports.items.is_empty(), unmatched.is_empty()) {
        (true, _) => EventState::Ignored.into(),
        (false, true) => EventState::Processed.into(),
        (false, false) => Progress::unmatched(unmatched),
    };
    if reports.skipped > 0 {
        let skipped = reports.skipped;
        let total = skipped + reports.items.len();
        progress.reason = Some(OmissionReason::NotUnderstood { skipped, total }.to_string());
    }
    progress
}

fn log_progress(event: &InboundEvent, progress: &Progress) {
    let (state, reason) = (progress.state, progress.reason.as_deref());
    let source = event.source.as_str();
    if state == EventState::Failed {
        tracing::error!(event_id = %event.id, source, reason, "event.failed");
    } else {
        let state = state.as_str();
        tracing::info!(event_id = %event.id, source, state, reason, "event.settled");
    }
}
