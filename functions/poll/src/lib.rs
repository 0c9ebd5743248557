//! Polls the carrier for a batch of orders and queues the new reports as a poll result.
//!
//! A batch interrupted by a crash is polled again. Processing dedups its reports by id, and the
//! batch's row keeps it from being counted twice.

mod answer;
mod call;
mod carrier;
mod failure;

use aws::clock::now;
use aws::error::IoError;
use aws::lambda::sqs_batch::{DeadLetterReason, RecordOutcome};
use aws::settings::Settings;
use aws::sqs::Queue;
use aws::tables::concurrency::run_all;
use aws::tables::orders::Orders;
use aws::tables::runs::{BatchOutcome, BatchState, Runs};
use domain::core::id::AccountCode;
use domain::core::timestamp::Timestamp;
use domain::polling::{BatchMessage, Pause, PollItem, RateLimiter, Refusal};
use egress::Http;
use tokio::sync::Mutex;

use answer::BatchAnswer;
use call::CallOutcome;
use carrier::Carrier;
use failure::Failure;

pub struct Poll {
    runs: Runs,
    orders: Orders,
    events: Queue,
    carrier: Carrier,
    http: Http,
    limiter: Mutex<RateLimiter>,
}

impl Poll {
    pub fn new(runs: Runs, orders: Orders, events: Queue, settings: Settings, http: Http) -> Self {
        Self {
            runs,
            orders,
            events,
            carrier: Carrier::new(settings),
            http,
            limiter: Mutex::default(),
        }
    }

    /// Polls the message's batch, unless the call could end after `deadline`.
    pub async fn handle(
        &self,
        message: &str,
        deadline: Timestamp,
    ) -> Result<RecordOutcome, IoError> {
        let Some(batch) = BatchMessage::read(message) else {
            return Ok(RecordOutcome::DeadLetter(DeadLetterReason::UnreadableMessage));
        };
        let early = batch.not_before.since(now());
        if !early.is_zero() {
            return Ok(RecordOutcome::RetryAfter(early));
        }
        let state = self.runs.batch_state(&batch).await?;
        if state.is_answered {
            return self.close(&batch).await;
        }
        if let Some(pause) = &state.pause {
            if pause.given_up {
                return self.give_up(&batch).await;
            }
            let wait = pause.wait(now());
            if !wait.is_zero() {
                return Ok(RecordOutcome::RetryAfter(wait));
            }
        }
        self.poll(&batch, &state, deadline).await
    }

    async fn poll(
        &self,
        batch: &BatchMessage,
        state: &BatchState,
        deadline: Timestamp,
    ) -> Result<RecordOutcome, IoError> {
        match self.call(batch, deadline).await? {
            CallOutcome::TooLate(wait) => Ok(RecordOutcome::RetryAfter(wait)),
            CallOutcome::Answered(answer) => {
                if let Some(pause) = &state.pause {
                    self.runs.end_pause(batch, pause).await?;
                }
                self.publish_answer(batch, &answer).await
            }
            CallOutcome::Failed(failure) => match failure.about_credential() {
                Some(refusal) => self.pause(batch, state, refusal, failure).await,
                None => self.handle_failure(batch, failure).await,
            },
        }
    }

    /// Pauses the credential for all batches of the run.
    async fn pause(
        &self,
        batch: &BatchMessage,
        state: &BatchState,
        refusal: Refusal,
        failure: Failure,
    ) -> Result<RecordOutcome, IoError> {
        let (before, at) = (state.pause.as_ref(), now());
        let pause = Pause::after(before, refusal, failure.retry_after, at);
        let pause = self.runs.pause(batch, before, pause, at).await?;
        let (run, account) = (batch.run.id.as_str(), credential_account(batch));
        let (status, wait) = (failure.status, pause.wait(at));
        let Pause { refusals, given_up, .. } = pause;
        let wait_s = wait.as_secs();
        tracing::warn!(run, account, status, refusals, given_up, wait_s, "credential.paused");
        if refusal == Refusal::Credentials {
            tracing::error!(account, status, "carrier.refused");
        }
        if given_up { self.give_up(batch).await } else { Ok(RecordOutcome::RetryAfter(wait)) }
    }

    /// Queues the reports before the batch is counted, so that a crash in between repeats the poll
    /// and loses no report.
    async fn publish_answer(
        &self,
        batch: &BatchMessage,
        answer: &BatchAnswer<'_>,
    ) -> Result<RecordOutcome, IoError> {
        for message in answer.messages(now()) {
            self.events.send(message).await?;
        }
        run_all(answer.unknown.iter().map(async |order: &&PollItem| {
            self.orders.not_found(&order.key(), &order.active, &batch.run).await
        }))
        .await?;
        run_all(
            answer.reappeared.iter().map(async |order| self.orders.reappeared(&order.key()).await),
        )
        .await?;
        let counts = answer.counts();
        tracing::info!(
            run = batch.run.id,
            planner = batch.planner,
            batch = batch.k,
            account = credential_account(batch),
            asked = counts.asked,
            changed = counts.changed,
            unknown = counts.unknown,
            stalled = answer.stalled.len(),
            "batch.asked"
        );
        self.runs.count(batch, BatchOutcome::Answered(counts), now()).await?;
        self.close(batch).await
    }

    /// Retries the batch with backoff, then dead-letters it; the next run polls its orders anyway.
    async fn handle_failure(
        &self,
        batch: &BatchMessage,
        failure: Failure,
    ) -> Result<RecordOutcome, IoError> {
        let attempts = self.runs.record_failure(batch, now()).await?;
        let wait = failure.wait_after(attempts);
        tracing::warn!(
            run = batch.run.id,
            planner = batch.planner,
            batch = batch.k,
            account = credential_account(batch),
            attempts,
            status = failure.status,
            error = failure.error,
            wait_s = wait.map(|wait| wait.as_secs()),
            "batch.failed"
        );
        match wait {
            Some(wait) => Ok(RecordOutcome::RetryAfter(wait)),
            None => self.give_up(batch).await,
        }
    }

    async fn give_up(&self, batch: &BatchMessage) -> Result<RecordOutcome, IoError> {
        self.runs.count(batch, BatchOutcome::GivenUp, now()).await?;
        self.close(batch).await?;
        Ok(RecordOutcome::DeadLetter(DeadLetterReason::Carrier))
    }

    /// Closes the run if this was its last batch.
    async fn close(&self, batch: &BatchMessage) -> Result<RecordOutcome, IoError> {
        self.runs.close_after(&batch.run, batch.planner, now()).await?;
        Ok(RecordOutcome::Ack)
    }
}

/// The account that owns the call's credentials; `None` for the shared credentials.
fn credential_account(batch: &BatchMessage) -> Option<&str> {
    batch.credential.as_ref().map(AccountCode::as_str)
}
