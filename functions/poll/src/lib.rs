//! Polls the carrier for a batch of orders and queues the new reports as a poll result.
//!
//! A batch interrupted by a crash is polled again. Processing dedups its reports by id, and the
//! batch's row keeps it from being counted twice.

mod answer;
mod call;
mod carrier;
mod failure;
mod function;
mod retry;

use std::time::Duration;

use aws::clock::now;
use aws::entropy::jitter;
use aws::error::IoError;
use aws::lambda::sqs_batch::{DeadLetterReason, RecordOutcome};
use aws::settings::Settings;
use aws::sqs::{Outgoing, Queue};
use aws::tables::concurrency::run_all;
use aws::tables::inbound::group;
use aws::tables::orders::Orders;
use aws::tables::runs::{BatchOutcome, BatchState, Runs};
use domain::core::id::AccountCode;
use domain::core::timestamp::Timestamp;
use domain::polling::{BatchMessage, Halving, PollCounts, PollItem, RateLimiter};
use egress::Http;
use sources::Source;
use sources::shipway::Shipway;
use tokio::sync::Mutex;

pub use function::Function;

use answer::BatchAnswer;
use call::CallOutcome;
use carrier::Carrier;

/// A batch that finds its credential paused waits for this time at least.
const PAUSED_WAIT: Duration = Duration::from_secs(60);
/// Spreads the batches of a credential.
const PAUSED_JITTER: Duration = Duration::from_secs(30);

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
            return Ok(RecordOutcome::unreadable(message, BatchMessage::VERSION));
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
                return self.give_up(&batch, None).await;
            }
            let rest = pause.wait(now());
            if !rest.is_zero() {
                return Ok(RecordOutcome::RetryAfter(wait_for_others(rest)));
            }
        }
        self.poll(&batch, state, deadline).await
    }

    /// Polls the batch as a whole, or those of its parts that are not answered yet.
    async fn poll(
        &self,
        batch: &BatchMessage,
        mut state: BatchState,
        deadline: Timestamp,
    ) -> Result<RecordOutcome, IoError> {
        let (all, credential) = (0..batch.orders.len(), batch.credential.as_ref());
        while let Some(part) = state.halving.as_ref().map_or(Some(all.clone()), Halving::next) {
            let orders = batch.orders.get(part).unwrap_or_default();
            match self.call(credential, orders, deadline).await? {
                CallOutcome::TooLate(wait) => return Ok(RecordOutcome::RetryAfter(wait)),
                CallOutcome::Answered(answer) => {
                    if let Some(pause) = state.pause.take() {
                        self.runs.end_pause(batch, &pause).await?;
                    }
                    self.publish(batch, &answer).await?;
                    let Some(halving) = &mut state.halving else {
                        return self.end(batch, answer.counts()).await;
                    };
                    halving.answered(answer.counts());
                    self.runs.save_halving(batch, halving, now()).await?;
                }
                CallOutcome::Failed(failure) => {
                    if let Some(outcome) = self.handle_failure(batch, &mut state, failure).await? {
                        return Ok(outcome);
                    }
                }
            }
        }
        self.end_halving(batch, &state.halving.unwrap_or_default()).await
    }

    /// Queues the reports before the batch is counted, so that a crash in between repeats the poll
    /// and loses no report.
    async fn publish(&self, batch: &BatchMessage, answer: &BatchAnswer<'_>) -> Result<(), IoError> {
        let group = group(batch.credential.as_ref(), &Shipway.name());
        for body in answer.messages(now()) {
            self.events.send(Outgoing { body, group: group.clone() }).await?;
        }
        self.record_unknown(batch, &answer.unknown).await?;
        run_all(
            answer
                .reappeared
                .iter()
                .map(async |item| self.orders.reappeared(&item.key(), item.awb()).await),
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
        Ok(())
    }

    async fn record_unknown(
        &self,
        batch: &BatchMessage,
        orders: &[&PollItem],
    ) -> Result<(), IoError> {
        let record = async |order: &&PollItem| {
            self.orders.not_found(&order.key(), &order.active, &batch.run).await
        };
        run_all(orders.iter().map(record)).await.map(drop)
    }

    async fn end(
        &self,
        batch: &BatchMessage,
        counts: PollCounts,
    ) -> Result<RecordOutcome, IoError> {
        self.runs.count(batch, BatchOutcome::Answered(counts), now()).await?;
        self.close(batch).await
    }

    /// `reason` is a status code or an error's name; `None` if another batch has told it.
    async fn give_up(
        &self,
        batch: &BatchMessage,
        reason: Option<&str>,
    ) -> Result<RecordOutcome, IoError> {
        self.runs.count(batch, BatchOutcome::GivenUp(reason), now()).await?;
        self.close(batch).await?;
        Ok(RecordOutcome::DeadLetter(DeadLetterReason::Carrier))
    }

    /// Counts a batch that a bug sends to the dead-letter queue, so that its run closes.
    pub async fn record_dead_letter(
        &self,
        message: &str,
        reason: DeadLetterReason,
    ) -> Result<(), IoError> {
        match (reason, BatchMessage::read(message)) {
            (DeadLetterReason::Bug, Some(batch)) => {
                self.give_up(&batch, Some("bug")).await.map(drop)
            }
            _ => Ok(()),
        }
    }

    /// Closes the run if this was its last batch.
    async fn close(&self, batch: &BatchMessage) -> Result<RecordOutcome, IoError> {
        self.runs.close_after(&batch.run, batch.planner, now()).await?;
        Ok(RecordOutcome::Ack)
    }
}

/// The wait of a batch that did not cause the pause: other batches end it, so this one must not
/// take the few workers from other credentials.
fn wait_for_others(rest: Duration) -> Duration {
    rest.max(PAUSED_WAIT) + jitter(PAUSED_JITTER)
}

/// The account that owns the call's credentials; `None` for the shared credentials.
fn credential_account(batch: &BatchMessage) -> Option<&str> {
    batch.credential.as_ref().map(AccountCode::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paused_batch_waits_for_a_minute_or_the_rest_of_the_pause() {
        let waits = |seconds| {
            let waits = (0..100).map(|_| wait_for_others(Duration::from_secs(seconds)));
            waits.map(|wait| wait.as_secs()).collect::<std::collections::BTreeSet<_>>()
        };
        assert!(waits(5).into_iter().all(|wait| (60..=90).contains(&wait)));
        assert!(waits(900).into_iter().all(|wait| (900..=930).contains(&wait)));
        assert!(waits(5).len() > 1);
    }
}
