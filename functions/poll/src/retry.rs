//! After a failed call: pauses the credential, polls the batch in parts, or retries it.

use std::time::Duration;

use aws::clock::now;
use aws::error::IoError;
use aws::lambda::sqs_batch::RecordOutcome;
use aws::tables::runs::BatchState;
use domain::polling::{BatchMessage, Cause, Halving, Pause, PollItem, Refusal};

use crate::failure::Failure;
use crate::{Poll, credential_account};

/// The calls for a whole batch before it is polled in parts.
const WHOLE_CALLS: u32 = 2;
/// A batch is given up after this many failed calls; the next run polls its orders anyway.
const MAX_ATTEMPTS: u32 = 5;
/// The same in a row for a batch that is polled in parts. With two orders that the carrier cannot
/// answer, six calls may fail before it answers a part; with half of the orders, eleven.
const MAX_ATTEMPTS_IN_PARTS: u32 = 12;
/// An order that failed alone is polled again after this time at least: a short outage is over.
const SECOND_ROUND_WAIT: Duration = Duration::from_secs(60);

/// What follows a failed call that is not about the credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NextStep {
    /// The next part is polled at once.
    NextPart,
    RetryLater,
}

impl Poll {
    /// Returns `None` if the next part of the batch can be polled at once.
    pub(crate) async fn handle_failure(
        &self,
        batch: &BatchMessage,
        state: &mut BatchState,
        failure: Failure,
    ) -> Result<Option<RecordOutcome>, IoError> {
        if let Some(refusal) = failure.about_credential() {
            return self.pause(batch, state, refusal, failure).await.map(Some);
        }
        match (next_step(batch, state, &failure), &state.halving) {
            (NextStep::NextPart, Some(halving)) => {
                self.runs.save_halving(batch, halving, now()).await?;
                Ok(None)
            }
            _ => self.retry_later(batch, state, failure).await.map(Some),
        }
    }

    /// Retries the batch with backoff, then gives it up; the next run polls its orders anyway.
    async fn retry_later(
        &self,
        batch: &BatchMessage,
        state: &BatchState,
        failure: Failure,
    ) -> Result<RecordOutcome, IoError> {
        let halving = state.halving.as_ref();
        let attempts = self.runs.record_failure(batch, halving, now()).await?;
        let wait = wait(halving, attempts, &failure);
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
        if let Some(wait) = wait {
            return Ok(RecordOutcome::RetryAfter(wait));
        }
        // The next run then polls the batch without them.
        self.record_unanswerable(batch, &found(batch, halving, &failure)).await?;
        self.give_up(batch, Some(&failure.reason())).await
    }

    /// Ends a batch of which each order is answered or has failed alone.
    pub(crate) async fn end_halving(
        &self,
        batch: &BatchMessage,
        halving: &Halving,
    ) -> Result<RecordOutcome, IoError> {
        if !halving.has_answer() {
            return self.give_up(batch, Some("unanswerable")).await;
        }
        let mut counts = halving.counts;
        let unanswerable = unanswerable(batch, halving);
        self.record_unanswerable(batch, &unanswerable).await?;
        counts.unknown += unanswerable.len() as u64;
        self.end(batch, counts).await
    }

    /// The orders back off like those that the carrier does not know, so that they rarely fail
    /// further batches.
    async fn record_unanswerable(
        &self,
        batch: &BatchMessage,
        orders: &[&PollItem],
    ) -> Result<(), IoError> {
        for order in orders {
            let (run, account) = (batch.run.id.as_str(), order.account.as_str());
            tracing::error!(run, account, order_id = %order.order_id, "order.unanswerable");
        }
        self.record_unknown(batch, orders).await
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
        if given_up {
            return self.give_up(batch, Some(&failure.reason())).await;
        }
        Ok(RecordOutcome::RetryAfter(wait))
    }
}

/// Halves the batch, or the part of it that failed.
fn next_step(batch: &BatchMessage, state: &mut BatchState, failure: &Failure) -> NextStep {
    if !failure.may_be_about_an_order() {
        return NextStep::RetryLater;
    }
    match &mut state.halving {
        // The first failure may pass by itself.
        None if state.attempts + 1 < WHOLE_CALLS => NextStep::RetryLater,
        // The parts follow after a wait: the carrier may be down.
        None => {
            state.halving = Halving::of(batch);
            NextStep::RetryLater
        }
        Some(halving) => {
            halving.failed(failure.cause());
            if may_go_on_at_once(halving, failure) {
                NextStep::NextPart
            } else {
                NextStep::RetryLater
            }
        }
    }
}

/// True if the failure is about the orders and not an outage, or if no part is left.
fn may_go_on_at_once(halving: &Halving, failure: &Failure) -> bool {
    let is_about_orders = halving.has_answer() && failure.cause() == Cause::Request;
    (is_about_orders && !halving.is_hopeless()) || halving.next().is_none()
}

fn unanswerable<'a>(batch: &'a BatchMessage, halving: &Halving) -> Vec<&'a PollItem> {
    halving.unanswerable().into_iter().filter_map(|n| batch.orders.get(n)).collect()
}

/// The unanswerable orders of a batch that is given up.
fn found<'a>(
    batch: &'a BatchMessage,
    halving: Option<&Halving>,
    failure: &Failure,
) -> Vec<&'a PollItem> {
    match (halving, batch.orders.as_slice()) {
        (Some(halving), _) => unanswerable(batch, halving),
        (None, [order]) if failure.is_about_the_request() => vec![order],
        (None, _) => Vec::new(),
    }
}

/// The wait before the next attempt, or `None` to give up the batch.
fn wait(halving: Option<&Halving>, attempts: u32, failure: &Failure) -> Option<Duration> {
    let Some(halving) = halving else { return failure.wait_after(attempts, MAX_ATTEMPTS) };
    let wait = failure.wait_after(attempts, MAX_ATTEMPTS_IN_PARTS);
    let wait = wait.filter(|_| !halving.is_hopeless())?;
    Some(if halving.is_second_round() { wait.max(SECOND_ROUND_WAIT) } else { wait })
}

#[cfg(test)]
mod tests;
