//! A planner of a run: reads the orders of its shards page by page, queues batches of them, and
//! saves the progress.

use std::collections::BTreeMap;
use std::time::Duration;

use aws::clock::now;
use aws::error::IoError;
use aws::lambda::sqs_batch::{DeadLetterReason, RecordOutcome};
use aws::sqs::Delayed;
use aws::tables::orders::ActiveOrder;
use aws::tables::runs::{PlanClaim, PlanLease, PlanProgress, PlanStep};
use domain::core::id::AccountCode;
use domain::core::timestamp::Timestamp;
use domain::polling::{Batch, BatchMessage, Batcher, Place, PlanMessage, PollItem};

use crate::Sync;
use crate::carrier::{Access, Credentials};

const PAGE_SIZE: i32 = 500;
/// A lease outlives its worker's deadline by this much.
const LEASE_MARGIN: Duration = Duration::from_secs(15);
/// The retry delay after another worker took over the lease.
const RETRY_SOON: Duration = Duration::from_secs(1);

impl Sync {
    /// Plans from the planner's saved progress. Reads no further page after `deadline`.
    pub async fn plan(&self, text: &str, deadline: Timestamp) -> Result<RecordOutcome, IoError> {
        let Some(message) = PlanMessage::read(text) else {
            return Ok(RecordOutcome::unreadable(text, PlanMessage::VERSION));
        };
        let (owner, time) = (self.next_owner(), deadline.since(now()) + LEASE_MARGIN);
        match self.runs.claim(&message.run, message.planner, &owner, time, now()).await? {
            PlanClaim::Leased(lease) => self.plan_pages(&message, lease, deadline).await,
            PlanClaim::Wait(wait) => Ok(RecordOutcome::RetryAfter(wait)),
            PlanClaim::Finished => self.close_planner(&message).await,
        }
    }

    async fn plan_pages(
        &self,
        message: &PlanMessage,
        lease: PlanLease,
        deadline: Timestamp,
    ) -> Result<RecordOutcome, IoError> {
        let credentials = self.carrier.credentials(now()).await?;
        let mut plan = Plan::new(message, &credentials, lease.progress.clone());
        let mut place = Place::resume(message.planner, plan.progress.resume_after.as_deref());
        loop {
            let page = self.orders.active(place.shard, place.after.as_deref(), PAGE_SIZE).await?;
            let next = place.after_page(page.next, message.planners);
            let step = match &next {
                None => PlanStep::Finish,
                Some(_) if now() >= deadline => PlanStep::Pause,
                Some(_) => PlanStep::Continue,
            };
            let batches = plan.add_page(&place, page.orders, step);
            self.batches.send_delayed(plan.batch_messages(batches, now())).await?;
            if !self.runs.save_progress(&lease, &plan.progress, step).await? {
                return Ok(RecordOutcome::RetryAfter(RETRY_SOON));
            }
            match (step, next) {
                (PlanStep::Continue, Some(next)) => place = next,
                (PlanStep::Pause, _) => return Ok(RecordOutcome::RetryAfter(Duration::ZERO)),
                _ => break,
            }
        }
        plan.log();
        self.close_planner(message).await
    }

    /// Ends a planner that a bug sends to the dead-letter queue, so that its run closes.
    pub async fn record_dead_letter(
        &self,
        message: &str,
        reason: DeadLetterReason,
    ) -> Result<(), IoError> {
        let message = PlanMessage::read(message).filter(|_| reason == DeadLetterReason::Bug);
        let Some(message) = message else { return Ok(()) };
        let (run, planner) = (message.run.id.as_str(), message.planner);
        tracing::error!(run, planner, "planner.failed");
        self.runs.give_up_planner(&message.run, planner).await?;
        self.close_planner(&message).await.map(drop)
    }

    /// Closes the planner's part of the run if it has no batch left to poll.
    async fn close_planner(&self, message: &PlanMessage) -> Result<RecordOutcome, IoError> {
        self.runs.close_after(&message.run, message.planner, now()).await?;
        Ok(RecordOutcome::Ack)
    }
}

struct Plan<'a> {
    message: &'a PlanMessage,
    credentials: &'a Credentials,
    batcher: Batcher,
    progress: PlanProgress,
    /// The positions of orders without credentials that the progress does not count yet: a plan
    /// that is resumed reads them again.
    left_out: Vec<String>,
    /// The number of those orders by account, for the log.
    left_out_by_account: BTreeMap<AccountCode, u64>,
}

impl<'a> Plan<'a> {
    fn new(message: &'a PlanMessage, credentials: &'a Credentials, progress: PlanProgress) -> Self {
        Self {
            message,
            credentials,
            batcher: Batcher::after(progress.resume_after.clone()),
            progress,
            left_out: Vec::new(),
            left_out_by_account: BTreeMap::new(),
        }
    }

    /// Returns the batches that are ready to be queued.
    fn add_page(
        &mut self,
        place: &Place,
        orders: Vec<Result<ActiveOrder, IoError>>,
        step: PlanStep,
    ) -> Vec<Batch> {
        let mut batches = Vec::new();
        for order in orders {
            match order {
                Ok(order) => batches.extend(self.add_order(place, order)),
                Err(error) => tracing::error!(shard = place.shard, %error, "active.unreadable"),
            }
        }
        batches.extend(if step == PlanStep::Continue {
            self.batcher.end_page()
        } else {
            self.batcher.flush()
        });
        batches
    }

    fn add_order(&mut self, place: &Place, order: ActiveOrder) -> Option<Batch> {
        let position = place.position(&order.sort_key());
        if !order.active.is_due(&order.key, &self.message.run) {
            self.batcher.skip(position);
            return None;
        }
        let account = order.key.account;
        let credential = match self.credentials.access(&account) {
            Access::Own => Some(account.clone()),
            Access::Shared => None,
            Access::None => {
                self.leave_out(account, position);
                return None;
            }
        };
        let item = PollItem { account, order_id: order.key.order, active: order.active };
        self.batcher.add(credential, item, position)
    }

    fn leave_out(&mut self, account: AccountCode, position: String) {
        *self.left_out_by_account.entry(account).or_default() += 1;
        self.batcher.skip(position.clone());
        self.left_out.push(position);
    }

    /// Builds the delayed messages and counts them in the progress, which the caller saves after
    /// sending.
    fn batch_messages(&mut self, batches: Vec<Batch>, now: Timestamp) -> Vec<Delayed> {
        let mut messages = Vec::with_capacity(batches.len());
        for batch in batches {
            self.progress.planned += batch.orders.len() as u64;
            let turn = self.progress.turns.take(&batch.orders);
            let message = BatchMessage::new(self.message, self.progress.batches, turn, batch);
            messages.push(Delayed {
                body: message.write(),
                group: None,
                delay: message.not_before.since(now),
            });
            self.progress.batches += 1;
        }
        let cursor = self.batcher.cursor();
        let before = self.left_out.len();
        self.left_out.retain(|position| Some(position.as_str()) > cursor);
        self.progress.without_credentials += (before - self.left_out.len()) as u64;
        self.progress.resume_after = cursor.map(str::to_owned);
        messages
    }

    fn log(&self) {
        let (run, planner) = (self.message.run.id.as_str(), self.message.planner);
        for (account, orders) in &self.left_out_by_account {
            let account = account.as_str();
            tracing::warn!(run, planner, account, orders, "account.without_credentials");
        }
        let PlanProgress { planned, without_credentials, batches, .. } = self.progress;
        tracing::info!(run, planner, planned, without_credentials, batches, "planner.finished");
    }
}

#[cfg(test)]
mod tests;
