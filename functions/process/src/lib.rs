//! Processes inbound events: applies their reports to order timelines and fans status changes out
//! to endpoints.
//!
//! Processing is idempotent: after a crash between any two calls, the redelivered event finds its
//! entries in the timeline, ends in the same state and queues deliveries with the same ids.

mod apply;
mod fan_out;
mod names;
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
use domain::core::id::{EventId, OrderKey, ReportId};
use domain::orders::api_event::{ApiEvent, StatusReport, Withdrawal};
use domain::polling::PollResult;
use domain::tracking::entry::Fact;
use domain::tracking::report::{Report, SourceName};
use domain::tracking::timeline::{NewFact, Origin};
use sources::{Items, Reading, Request};

use apply::{AppliedFact, ApplyOutcome, Via, has_unknown_status};
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
            Ok(ApiEvent::Status(status)) => self.apply_status(event, &status).await,
            Ok(ApiEvent::Withdrawal(withdrawal)) => self.withdraw(event, withdrawal).await,
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
        let mut applied = Applied::default();
        for report in &reports.items {
            let outcome = self.apply_or_park(account, report, &origin).await?;
            applied.add(report, outcome);
        }
        self.finish(event, applied, reports.skipped).await
    }

    /// A status of the shop is about the order in the path of its request, and no other.
    async fn apply_status(
        &self,
        event: &InboundEvent,
        status: &StatusReport,
    ) -> Result<Progress, IoError> {
        let Some(account) = event.account.clone() else { return Ok(FailReason::NoAccount.into()) };
        let key = OrderKey { account, order: status.order_id.clone() };
        let report = status.to_report(event.id.clone().into());
        let origin = Origin { event_id: event.id.clone(), received_at: event.received_at };
        let mut applied = Applied::default();
        match self.apply_here(&key, &report, &origin, Via::Push).await? {
            ApplyOutcome::Unmatched | ApplyOutcome::OtherOrder(_) => {
                return Ok(FailReason::NoSuchOrder.into());
            }
            outcome => applied.add(&report, outcome),
        }
        self.finish(event, applied, 0).await
    }

    async fn withdraw(
        &self,
        event: &InboundEvent,
        withdrawal: Withdrawal,
    ) -> Result<Progress, IoError> {
        let Some(account) = event.account.clone() else { return Ok(FailReason::NoAccount.into()) };
        let key = OrderKey { account, order: withdrawal.order_id };
        let origin = Origin { event_id: event.id.clone(), received_at: event.received_at };
        let fact = NewFact {
            id: event.id.clone().into(),
            occurred_at: event.received_at,
            fact: Fact::Withdrawal { report_id: withdrawal.report_id },
        };
        let mut applied = Applied::default();
        match self.commit_fact(&key, fact, &origin, &[]).await? {
            ApplyOutcome::Applied(fact) => applied.facts.push(fact),
            _ => return Ok(FailReason::NoSuchOrder.into()),
        }
        self.finish(event, applied, 0).await
    }

    /// Notifies endpoints of the changes, and looks for reports under the names that came with them.
    async fn finish(
        &self,
        event: &InboundEvent,
        applied: Applied,
        skipped: usize,
    ) -> Result<Progress, IoError> {
        let undeliverable = self.fan_out(&event.id, &applied.facts, now()).await?;
        self.follow_up(&applied.facts).await;
        Ok(match undeliverable {
            Some(undeliverable) => FailReason::Undeliverable(undeliverable).into(),
            None => applied.progress(skipped),
        })
    }

    /// Runs the reconciliations that facts have caused. They are stored as pending: `sweep` repeats
    /// one that fails.
    async fn follow_up(&self, applied: &[Box<AppliedFact>]) {
        for id in applied.iter().filter_map(|applied| applied.reconciliation.as_ref()) {
            if let Err(error) = Box::pin(self.process_event(id)).await {
                tracing::warn!(event_id = %id, %error, "event.follow_up_failed");
            }
        }
    }
}

/// What became of the reports of an event.
#[derive(Default)]
struct Applied {
    facts: Vec<Box<AppliedFact>>,
    unmatched: BTreeSet<ReportId>,
    full: bool,
    withdrawn: bool,
    unknown: bool,
}

impl Applied {
    fn add(&mut self, report: &Report, outcome: ApplyOutcome) {
        self.unknown |= has_unknown_status(report);
        match outcome {
            ApplyOutcome::Applied(fact) => self.facts.push(fact),
            ApplyOutcome::Unmatched | ApplyOutcome::OtherOrder(_) => {
                self.unmatched.insert(report.id.clone());
            }
            ApplyOutcome::Full => self.full = true,
            ApplyOutcome::Withdrawn => self.withdrawn = true,
        }
    }

    /// `skipped` is the number of reports that could not be read.
    fn progress(self, skipped: usize) -> Progress {
        let total = self.facts.len() + self.unmatched.len() + skipped;
        let omitted = match () {
            () if skipped > 0 => Some(OmissionReason::NotUnderstood { skipped, total }),
            () if self.unknown => Some(OmissionReason::UnknownStatus),
            () if self.withdrawn => Some(OmissionReason::Withdrawn),
            () => None,
        };
        let has_effect = !self.facts.is_empty() || self.withdrawn;
        let progress = match (self.unmatched.is_empty(), has_effect) {
            _ if self.full => {
                let reason = OmissionReason::TimelineFull.to_string();
                return Progress::because(EventState::Quarantined, reason);
            }
            (false, _) => Progress::unmatched(self.unmatched),
            (true, true) => EventState::Processed.into(),
            (true, false) => EventState::Ignored.into(),
        };
        Progress { reason: omitted.map(|reason| reason.to_string()), ..progress }
    }
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
