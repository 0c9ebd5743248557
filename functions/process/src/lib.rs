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
use std::time::Duration;

use aws::clock::now;
use aws::endpoints::Endpoints;
use aws::error::IoError;
use aws::lambda::memory_budget::MemoryBudget;
use aws::lambda::sqs_batch::{DeadLetterReason, RecordOutcome};
use aws::settings::Settings;
use aws::sqs::Queue;
use aws::tables::inbound::{
    Checkpoint, EventMessage, EventState, InboundEvent, InboundLog, Progress, StoredEvent,
};
use aws::tables::messages::Messages;
use aws::tables::orders::Orders;
use domain::core::id::{EventId, ReportId};
use domain::core::timestamp::Timestamp;
use domain::orders::api_event::ApiEvent;
use domain::polling::PollResult;
use domain::tracking::report::{Report, SourceName};
use domain::tracking::timeline::Origin;
use sources::{Items, Reading, Request};

use apply::ApplyOutcome;
use phone_numbers::PhoneNumberAccounts;
use reason::{FailReason, OmissionReason};

/// Bytes of the bodies in work at once. Reading one takes several times its size; the function has
/// 256 MB, and the largest body 3.5 MiB.
const BODIES_IN_WORK: u32 = 8 * 1024 * 1024;

/// Reports applied in one run. The changed orders stay in memory until the fan-out.
const REPORTS_PER_RUN: usize = 200;

/// A message whose work is not done within a run is received again at once.
const OUT_OF_TIME: RecordOutcome = RecordOutcome::RetryAfter(Duration::ZERO);

pub struct Process {
    events: InboundLog,
    orders: Orders,
    messages: Messages,
    deliveries: Queue,
    endpoints: Endpoints,
    numbers: PhoneNumberAccounts,
    memory: MemoryBudget,
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
        let memory = MemoryBudget::new(BODIES_IN_WORK);
        Self { events, orders, messages, deliveries, endpoints, numbers, memory }
    }

    pub fn memory(&self) -> &MemoryBudget {
        &self.memory
    }

    /// Handles a message of the events queue: the id of a logged event, or a poll result. Begins no
    /// report after `deadline`; the message then comes again.
    pub async fn handle(
        &self,
        message: &str,
        deadline: Timestamp,
    ) -> Result<RecordOutcome, IoError> {
        if let Some(message) = EventMessage::read(message) {
            return self.process_event(&message.event_id, deadline).await;
        }
        let _reserved = self.memory.reserve(message.len()).await;
        match PollResult::read(message) {
            Some(poll_result) => self.apply_poll_result(&poll_result, deadline).await,
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

    async fn process_event(
        &self,
        id: &EventId,
        deadline: Timestamp,
    ) -> Result<RecordOutcome, IoError> {
        let Some(stored) = self.events.open(id).await? else {
            return Ok(RecordOutcome::DeadLetter(DeadLetterReason::EventGone));
        };
        if stored.state()?.is_settled() {
            return Ok(RecordOutcome::Ack);
        }
        let _reserved = self.memory.reserve(stored.size()).await;
        if now() >= deadline {
            return Ok(OUT_OF_TIME);
        }
        let event = self.events.load_stored(id, &stored).await?;
        let run = Run { event: &event, stored: &stored, deadline };
        let progress = if event.source == SourceName::API {
            self.process_internal(&run).await?
        } else {
            self.process_webhook(&run).await?
        };
        let Some(progress) = progress else {
            tracing::info!(event_id = %event.id, "event.continued");
            return Ok(OUT_OF_TIME);
        };
        self.events.mark(&event.id, &progress, now()).await?;
        log_progress(&event, &progress);
        Ok(RecordOutcome::Ack)
    }

    async fn process_webhook(&self, run: &Run<'_>) -> Result<Option<Progress>, IoError> {
        let event = run.event;
        let Some(source) = sources::by_name(event.source.as_str()) else {
            return Ok(Some(FailReason::UnknownSource.into()));
        };
        let request = Request::stored(event.account.as_ref(), &event.body);
        match source.parse(&request, event.received_at).map(|parsed| parsed.reading) {
            Ok(Reading::Reports(reports)) => self.apply_reports(run, &reports).await,
            Ok(Reading::Updates(updates)) => self.apply_updates(run, &updates).await,
            Ok(Reading::Ignored(reason)) => {
                Ok(Some(Progress::because(EventState::Ignored, reason.as_str())))
            }
            Err(error) => Ok(Some(FailReason::UnreadableWebhook(error).into())),
        }
    }

    async fn process_internal(&self, run: &Run<'_>) -> Result<Option<Progress>, IoError> {
        match serde_json::from_slice::<ApiEvent>(&run.event.body) {
            Ok(ApiEvent::Reconciliation(reconciliation)) => {
                self.reconcile(run, &reconciliation).await
            }
            Ok(ApiEvent::Status(status)) => {
                let report = status.to_report(run.event.id.clone().into());
                self.apply_reports(run, &vec![report].into()).await
            }
            Err(_) => Ok(Some(FailReason::UnreadableApiEvent.into())),
        }
    }

    async fn apply_reports(
        &self,
        run: &Run<'_>,
        reports: &Items<Report>,
    ) -> Result<Option<Progress>, IoError> {
        let event = run.event;
        let Some(account) = &event.account else {
            return Ok(Some(FailReason::NoAccount.into()));
        };
        let origin = Origin { event_id: event.id.clone(), received_at: event.received_at };
        let total = reports.items.len();
        let Checkpoint { mut done, mut unmatched } = run.stored.checkpoint(total);
        let mut applied = Vec::new();
        let next = reports.items.iter().skip(done).take(REPORTS_PER_RUN);
        for report in next.take_while(|_| run.has_time()) {
            match self.apply_or_park(account, report, &origin).await? {
                ApplyOutcome::Applied(report) => {
                    applied.extend(report.change(now()).is_some().then_some(report));
                }
                ApplyOutcome::Unmatched => {
                    unmatched.insert(report.id.clone());
                }
            }
            done += 1;
        }
        if let Some(undeliverable) = self.fan_out(&event.id, &applied, now()).await? {
            return Ok(Some(FailReason::Undeliverable(undeliverable).into()));
        }
        if done < total {
            let checkpoint = Checkpoint { done, unmatched };
            self.events.save_checkpoint(&event.id, &checkpoint, total).await?;
            return Ok(None);
        }
        Ok(Some(progress_after(reports, unmatched)))
    }
}

/// One run of an event's processing. Its functions return no progress if another run has to go on.
struct Run<'a> {
    event: &'a InboundEvent,
    stored: &'a StoredEvent,
    deadline: Timestamp,
}

impl Run<'_> {
    fn has_time(&self) -> bool {
        now() < self.deadline
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
