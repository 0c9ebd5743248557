//! Processes inbound events: applies their reports to order timelines and fans status changes out
//! to endpoints.
//!
//! Processing is idempotent: after a crash between any two calls, the redelivered event finds its
//! entries in the timeline, ends in the same state and queues deliveries with the same ids.

mod apply;
mod copies;
mod erase;
mod fan_out;
mod function;
mod live;
mod moved;
mod names;
mod park;
mod phone_numbers;
mod poll_result;
mod progress;
mod reason;
mod reconcile;
mod retell;
mod rules;
mod run;
mod scans;
mod send_result;
mod tally;
#[cfg(test)]
mod testing;
mod traces;
mod updates;
mod withdraw;

use std::time::Duration;

use aws::clock::now;
use aws::endpoints::Endpoints;
use aws::error::IoError;
use aws::lambda::memory_budget::MemoryBudget;
use aws::lambda::sqs_batch::{DeadLetterReason, RecordOutcome};
use aws::message_rules::AccountRules;
use aws::settings::Settings;
use aws::sqs::Queue;
use aws::tables::counters::Counters;
use aws::tables::deliveries::Deliveries;
use aws::tables::inbound::{
    Checkpoint, EventMessage, EventState, InboundLog, Progress, StoredEvent,
};
use aws::tables::messages::Messages;
use aws::tables::orders::Orders;
use aws::tracking_links::OrderLinks;
use domain::core::id::EventId;
use domain::core::timestamp::Timestamp;
use domain::messaging::rules::RuleCheck;
use domain::messaging::send::SendResult;
use domain::orders::api_event::{ApiEvent, StatusReport};
use domain::polling::PollResult;
use domain::tracking::report::{Report, SourceName};
use sources::{Items, Reading, Request};

pub use function::Function;
pub use live::{Live, REMEMBERED};

use apply::{AppliedFact, ApplyOutcome, Via, has_unknown_status};
use fan_out::FannedOut;
use phone_numbers::PhoneNumberAccounts;
use progress::Applied;
use reason::FailReason;
use run::{Run, log_progress};
use tally::Tally;

/// Bytes of the bodies in work at once. Reading one takes several times its size; the function has
/// 256 MB, and the largest body 3.5 MiB.
const BODIES_IN_WORK: u32 = 8 * 1024 * 1024;

/// Reports applied in one run. The changed orders stay in memory until the fan-out.
const REPORTS_PER_RUN: usize = 200;

/// Deliveries noted with their event, without a write of their own. The row is to stay small.
const MAX_NOTED: usize = 10;

/// A message whose work is not done within a run is received again at once.
const OUT_OF_TIME: RecordOutcome = RecordOutcome::RetryAfter(Duration::ZERO);

pub struct Process {
    events: InboundLog,
    events_queue: Queue,
    orders: Orders,
    messages: Messages,
    deliveries: Queue,
    /// The rows of deliveries: those of messages to shoppers, and to erase.
    bodies: Deliveries,
    endpoints: Endpoints,
    rules: AccountRules,
    numbers: PhoneNumberAccounts,
    links: OrderLinks,
    memory: MemoryBudget,
    tally: Tally,
    /// Without it, nobody is told live.
    live: Option<Live>,
}

impl Process {
    pub fn new(
        events: InboundLog,
        events_queue: Queue,
        orders: Orders,
        messages: Messages,
        deliveries: Queue,
        bodies: Deliveries,
        settings: Settings,
    ) -> Self {
        let endpoints = Endpoints::new(settings.clone());
        let rules = AccountRules::new(settings.clone());
        let numbers = PhoneNumberAccounts::new(settings.clone());
        let links = OrderLinks::new(settings);
        let memory = MemoryBudget::new(BODIES_IN_WORK);
        let tally = Tally::default();
        Self {
            events,
            events_queue,
            orders,
            messages,
            deliveries,
            bodies,
            endpoints,
            rules,
            numbers,
            links,
            memory,
            tally,
            live: None,
        }
    }

    #[must_use]
    pub fn with_live(self, live: Option<Live>) -> Self {
        Self { live, ..self }
    }

    /// Reads the settings that most events need. Without one of them, the first event reads it.
    pub(crate) async fn load_settings(&self, now: Timestamp) {
        // A failure is logged where it matters.
        let _ = self.endpoints.all(now).await;
        let _ = self.links.get(now).await;
        let _ = self.rules.all(now).await;
        if let Some(live) = &self.live {
            live.load_settings(now).await;
        }
    }

    pub fn memory(&self) -> &MemoryBudget {
        &self.memory
    }

    /// Reports how events ended since the last report.
    pub async fn report(&self, counters: &Counters, now: Timestamp) {
        self.tally.report(counters, now).await;
    }

    /// Handles a message of the events queue: the id of a logged event, a poll result, a check of the
    /// rules after a change, or the result of sending a message. Begins no report after `deadline`;
    /// the message then comes again.
    pub async fn handle(
        &self,
        message: &str,
        deadline: Timestamp,
    ) -> Result<RecordOutcome, IoError> {
        if let Some(message) = EventMessage::read(message) {
            return self.process_event(&message, deadline).await;
        }
        if let Some(result) = SendResult::read(message) {
            return self.apply_send_result(&result).await;
        }
        if let Some(check) = RuleCheck::read(message) {
            return self.check_rules(&check).await;
        }
        let _reserved = self.memory.reserve(message.len()).await;
        match PollResult::read(message) {
            Some(poll_result) => {
                let outcome = self.apply_poll_result(&poll_result, deadline).await?;
                if outcome == RecordOutcome::Ack {
                    self.tally.ended(&poll_result.source, EventState::Processed);
                }
                Ok(outcome)
            }
            None => Ok(RecordOutcome::unreadable(message, RuleCheck::VERSION)),
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
        EventMessage { event_id: id, again, .. }: &EventMessage,
        deadline: Timestamp,
    ) -> Result<RecordOutcome, IoError> {
        let Some(stored) = self.events.open(id).await? else {
            return Ok(RecordOutcome::DeadLetter(DeadLetterReason::EventGone));
        };
        // An unmatched event runs again: an earlier run may have applied its report and ended before
        // it told endpoints, while another run settled the event.
        let state = stored.state()?;
        if stored.is_erased() {
            // A run that was killed after its mark left the parts of a large body.
            if stored.is_in_parts() {
                self.events.erase(id, now()).await?;
            }
            return Ok(RecordOutcome::Ack);
        }
        if state.is_settled() && state != EventState::Unmatched && !again {
            return Ok(RecordOutcome::Ack);
        }
        let _reserved = self.memory.reserve(stored.size()).await;
        self.process_stored(id, &stored, deadline).await
    }

    async fn process_stored(
        &self,
        id: &EventId,
        stored: &StoredEvent,
        deadline: Timestamp,
    ) -> Result<RecordOutcome, IoError> {
        if now() >= deadline {
            return Ok(OUT_OF_TIME);
        }
        let event = self.events.load_stored(id, stored).await?;
        let run = Run { event: &event, stored, deadline };
        if let Some(erasure) = run.erasure() {
            return self.erase(&run, &erasure).await;
        }
        let progress = if event.source == SourceName::API {
            self.process_internal(&run).await?
        } else {
            self.process_webhook(&run).await?
        };
        let Some(mut progress) = progress else {
            tracing::info!(event_id = %event.id, "event.continued");
            return Ok(OUT_OF_TIME);
        };
        progress.is_erasable |= stored.is_erasable();
        self.events.mark(&event.id, &progress, now()).await?;
        if progress.is_erasable && stored.is_in_parts() {
            self.events.erase(&event.id, now()).await?;
        }
        self.tally.ended(&event.source, progress.state);
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
            Ok(ApiEvent::Status(status)) => self.apply_status(run, &status).await,
            Ok(ApiEvent::Withdrawal(withdrawal)) => self.withdraw(run, withdrawal).await,
            Ok(ApiEvent::Erasure(_)) | Err(_) => Ok(Some(FailReason::UnreadableApiEvent.into())),
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
        let origin = run.origin();
        let total = reports.items.len();
        let Checkpoint { mut done, unmatched } = run.stored.checkpoint(total);
        let mut applied = Applied { total, unmatched, ..Applied::default() };
        let mut failed = None;
        let next = reports.items.iter().skip(done).take(REPORTS_PER_RUN);
        for report in next.take_while(|_| run.has_time()) {
            match self.apply_or_park(account, report, &origin).await {
                Ok(outcome) => applied.add(report, outcome),
                // The other reports do not wait for this one.
                Err(error) => failed = failed.or(Some(error)),
            }
            done += 1;
        }
        if let Some(error) = failed {
            self.tell(run, &applied, 0).await?;
            return Err(error);
        }
        applied.skipped = reports.skipped;
        applied.has_unknown = reports.items.iter().any(has_unknown_status);
        if done < total {
            let undeliverable = self.tell(run, &applied, 0).await?.undeliverable;
            if undeliverable.is_none() {
                let checkpoint = Checkpoint { done, unmatched: applied.unmatched };
                self.events.save_checkpoint(&event.id, &checkpoint, total).await?;
            }
            return Ok(undeliverable.map(|it| FailReason::Undeliverable(it).into()));
        }
        self.finish(run, applied).await
    }

    /// A status of the shop is about the order in the path of its request, or the one that its parcel
    /// has moved to since.
    async fn apply_status(
        &self,
        run: &Run<'_>,
        status: &StatusReport,
    ) -> Result<Option<Progress>, IoError> {
        let Some(key) = run.order(&status.order_id) else {
            return Ok(Some(FailReason::NoAccount.into()));
        };
        let report = status.to_report(run.event.id.clone().into());
        let mut applied = Applied { total: 1, ..Applied::default() };
        match self.apply_to_order(&key, &report, &run.origin(), Via::Push).await? {
            ApplyOutcome::Unmatched => return Ok(Some(FailReason::NoSuchOrder.into())),
            outcome => applied.add(&report, outcome),
        }
        self.finish(run, applied).await
    }

    async fn finish(&self, run: &Run<'_>, applied: Applied) -> Result<Option<Progress>, IoError> {
        let told = self.tell(run, &applied, MAX_NOTED).await?;
        let is_erasable = applied.is_erasable;
        let progress = match told.undeliverable {
            Some(undeliverable) => FailReason::Undeliverable(undeliverable).into(),
            None => applied.progress(),
        };
        Ok(Some(Progress { deliveries: told.noted, is_erasable, ..progress }))
    }

    /// Notifies endpoints of the changes, and looks for reports under the names that came with
    /// them. Until then, a report that was parked stays so: if the event's message is gone, the
    /// reconciliation of its order tells endpoints.
    async fn tell(
        &self,
        run: &Run<'_>,
        applied: &Applied,
        max_noted: usize,
    ) -> Result<FannedOut, IoError> {
        let told = self.fan_out_noting(run.event, &applied.facts, now(), max_noted).await?;
        if told.undeliverable.is_none() {
            for (account, unmatched) in &applied.parked {
                self.orders.unpark(account, unmatched).await?;
            }
        }
        self.follow_up_all(&applied.facts, run.deadline).await;
        Ok(told)
    }

    /// Runs the reconciliations that facts have caused.
    async fn follow_up_all(&self, applied: &[AppliedFact], deadline: Timestamp) {
        for id in applied.iter().filter_map(|applied| applied.reconciliation.as_ref()) {
            self.follow_up(id, deadline).await;
        }
    }

    /// Runs an event that this one has caused. It is stored as pending: `sweep` repeats it if it
    /// fails. Its body is small: it needs no share of the memory budget, which this event may have
    /// used up.
    async fn follow_up(&self, id: &EventId, deadline: Timestamp) {
        let followed = async {
            match self.events.open(id).await? {
                Some(stored) => self.process_stored(id, &stored, deadline).await.map(drop),
                None => Ok(()),
            }
        };
        let followed: Result<(), IoError> = Box::pin(followed).await;
        if let Err(error) = followed {
            tracing::warn!(event_id = %id, %error, "event.follow_up_failed");
        }
    }
}
