//! Asks the carrier about a batch of orders, and passes on what is new.
//!
//! It may be killed between any two calls: then the batch is asked once more. The same claims make the same message,
//! whose claims are applied once, and the batch's row says whether it was counted.

mod call;
mod carrier;
mod failure;
mod findings;

use aws::clock::now;
use aws::error::IoError;
use aws::lambda::sqs_batch::{DeadLetterReason, RecordOutcome};
use aws::settings::Settings;
use aws::sqs::Queue;
use aws::tables::orders::Orders;
use aws::tables::runs::{Outcome, Runs};
use domain::core::id::AccountCode;
use domain::core::timestamp::Timestamp;
use domain::polling::{BatchMessage, PollItem, RateLimiter};
use egress::Http;
use futures::stream::{self, StreamExt};
use tokio::sync::Mutex;

use call::Called;
use carrier::Carrier;
use failure::Failure;
use findings::Findings;

/// So many rows are written side by side.
const SIDE_BY_SIDE: usize = 16;

/// The function.
pub struct Poll {
    runs: Runs,
    orders: Orders,
    events: Queue,
    carrier: Carrier,
    http: Http,
    limiter: Mutex<RateLimiter>,
}

impl Poll {
    /// With its tables, the queue that its news go to, its settings and the way out.
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

    /// Asks about the batch that a message brings, unless that could take longer than `deadline`.
    ///
    /// # Errors
    /// Something is not available; the message has to come back.
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
        if self.runs.is_answered(&batch).await? {
            return self.close(&batch).await;
        }
        match self.call(&batch, deadline).await? {
            Called::TooLate(wait) => Ok(RecordOutcome::RetryAfter(wait)),
            Called::Answered(findings) => self.pass_on(&batch, &findings).await,
            Called::Failed(failure) => self.fail(&batch, failure).await,
        }
    }

    /// First what was found, then that it was: killed in between, it is found again.
    async fn pass_on(
        &self,
        batch: &BatchMessage,
        findings: &Findings<'_>,
    ) -> Result<RecordOutcome, IoError> {
        for message in findings.messages(now()) {
            self.events.send(message).await?;
        }
        let unknown = findings.unknown.iter().map(async |order: &&PollItem| {
            self.orders.not_found(&order.key(), &order.active, &batch.run).await
        });
        all(unknown).await?;
        all(findings
            .found_again
            .iter()
            .map(async |order| self.orders.found_again(&order.key()).await))
        .await?;
        let counts = findings.counts();
        tracing::info!(
            run = batch.run.id,
            shard = batch.shard,
            batch = batch.k,
            account = asker(batch),
            asked = counts.asked,
            changed = counts.changed,
            unknown = counts.unknown,
            stalled = findings.stalled.len(),
            "batch.asked"
        );
        self.runs.count(batch, Outcome::Answered(counts), now()).await?;
        self.close(batch).await
    }

    /// One batch that fails keeps no other from being asked: it comes again a few times, and then the next run does.
    async fn fail(&self, batch: &BatchMessage, failure: Failure) -> Result<RecordOutcome, IoError> {
        let attempts = self.runs.asked_in_vain(batch, now()).await?;
        let wait = failure.wait_after(attempts);
        tracing::warn!(
            run = batch.run.id,
            shard = batch.shard,
            batch = batch.k,
            account = asker(batch),
            attempts,
            status = failure.status,
            error = failure.error,
            wait_s = wait.map(|wait| wait.as_secs()),
            "batch.failed"
        );
        if failure.is_about_credentials() {
            tracing::error!(account = asker(batch), status = failure.status, "carrier.refused");
        }
        if let Some(wait) = wait {
            return Ok(RecordOutcome::RetryAfter(wait));
        }
        self.runs.count(batch, Outcome::GivenUp, now()).await?;
        self.close(batch).await?;
        Ok(RecordOutcome::DeadLetter(DeadLetterReason::Carrier))
    }

    /// Whoever asks the last batch closes the run.
    async fn close(&self, batch: &BatchMessage) -> Result<RecordOutcome, IoError> {
        self.runs.close_after(&batch.run, batch.shard, now()).await?;
        Ok(RecordOutcome::Ack)
    }
}

/// The account with whose credentials a batch is asked; nothing for the source's.
fn asker(batch: &BatchMessage) -> Option<&str> {
    batch.credential.as_ref().map(AccountCode::as_str)
}

/// Does all of it, whatever becomes of each. If anything failed, why that did.
async fn all(
    work: impl Iterator<Item: Future<Output = Result<(), IoError>>>,
) -> Result<(), IoError> {
    let done: Vec<Result<(), IoError>> =
        stream::iter(work).buffer_unordered(SIDE_BY_SIDE).collect().await;
    done.into_iter().collect()
}
