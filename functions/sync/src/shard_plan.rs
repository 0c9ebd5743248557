//! Plans one shard of a run: reads its orders page by page, queues batches of them, and saves the
//! progress.

use std::collections::BTreeSet;
use std::time::Duration;

use aws::clock::now;
use aws::error::IoError;
use aws::lambda::sqs_batch::{DeadLetterReason, RecordOutcome};
use aws::sqs::Delayed;
use aws::tables::orders::ActiveOrder;
use aws::tables::runs::{PlanProgress, PlanStep, ShardClaim, ShardLease};
use domain::core::id::AccountCode;
use domain::core::timestamp::Timestamp;
use domain::polling::{Batch, BatchMessage, Batcher, PollItem, ShardMessage};

use crate::Sync;

const PAGE_SIZE: i32 = 500;
/// A lease outlives its worker's deadline by this much.
const LEASE_MARGIN: Duration = Duration::from_secs(15);
/// The retry delay after another worker took over the lease.
const RETRY_SOON: Duration = Duration::from_secs(1);

impl Sync {
    /// Plans the message's shard from its saved progress. Reads no further page after `deadline`.
    pub async fn plan_shard(
        &self,
        message: &str,
        deadline: Timestamp,
    ) -> Result<RecordOutcome, IoError> {
        let Some(shard) = ShardMessage::read(message) else {
            return Ok(RecordOutcome::DeadLetter(DeadLetterReason::UnreadableMessage));
        };
        let (owner, time) = (self.next_owner(), deadline.since(now()) + LEASE_MARGIN);
        match self.runs.claim(&shard.run, shard.shard, &owner, time, now()).await? {
            ShardClaim::Leased(lease) => self.plan_pages(&shard, lease, deadline).await,
            ShardClaim::Wait(wait) => Ok(RecordOutcome::RetryAfter(wait)),
            ShardClaim::Finished => self.close_shard(&shard).await,
        }
    }

    async fn plan_pages(
        &self,
        shard: &ShardMessage,
        lease: ShardLease,
        deadline: Timestamp,
    ) -> Result<RecordOutcome, IoError> {
        let owners = self.carrier.owners(now()).await?;
        let mut plan = ShardPlan::new(shard, &owners, lease.progress.clone());
        let mut from = lease.progress.resume_after.clone();
        loop {
            let page = self.orders.active(shard.shard, from.as_deref(), PAGE_SIZE).await?;
            let step = match &page.next {
                None => PlanStep::Finish,
                Some(_) if now() >= deadline => PlanStep::Pause,
                Some(_) => PlanStep::Continue,
            };
            let batches = plan.add_page(page.orders, step);
            self.batches.send_delayed(plan.batch_messages(batches, now())).await?;
            if !self.runs.save_progress(&lease, &plan.progress, step).await? {
                return Ok(RecordOutcome::RetryAfter(RETRY_SOON));
            }
            match step {
                PlanStep::Continue => from = page.next,
                PlanStep::Pause => return Ok(RecordOutcome::RetryAfter(Duration::ZERO)),
                PlanStep::Finish => break,
            }
        }
        log_planned(shard, &plan.progress);
        self.close_shard(shard).await
    }

    /// Closes the shard if it has no batch left to poll.
    async fn close_shard(&self, shard: &ShardMessage) -> Result<RecordOutcome, IoError> {
        self.runs.close_after(&shard.run, shard.shard, now()).await?;
        Ok(RecordOutcome::Ack)
    }
}

fn log_planned(shard: &ShardMessage, progress: &PlanProgress) {
    let PlanProgress { planned, batches, .. } = progress;
    tracing::info!(run = shard.run.id, shard = shard.shard, planned, batches, "shard.planned");
}

struct ShardPlan<'a> {
    shard: &'a ShardMessage,
    /// The accounts with credentials of their own.
    owners: &'a BTreeSet<AccountCode>,
    batcher: Batcher,
    progress: PlanProgress,
}

impl<'a> ShardPlan<'a> {
    fn new(
        shard: &'a ShardMessage,
        owners: &'a BTreeSet<AccountCode>,
        progress: PlanProgress,
    ) -> Self {
        Self { shard, owners, batcher: Batcher::after(progress.resume_after.clone()), progress }
    }

    /// Returns the batches that are ready to be queued.
    fn add_page(
        &mut self,
        orders: Vec<Result<ActiveOrder, IoError>>,
        step: PlanStep,
    ) -> Vec<Batch> {
        let mut batches = Vec::new();
        for order in orders {
            match order {
                Ok(order) => batches.extend(self.add_order(order)),
                Err(error) => {
                    tracing::error!(shard = self.shard.shard, %error, "active.unreadable")
                }
            }
        }
        batches.extend(if step == PlanStep::Continue {
            self.batcher.end_page()
        } else {
            self.batcher.flush()
        });
        batches
    }

    fn add_order(&mut self, order: ActiveOrder) -> Option<Batch> {
        let sort_key = order.sort_key();
        if !order.active.is_due(&order.key, &self.shard.run) {
            self.batcher.skip(sort_key);
            return None;
        }
        let account = order.key.account;
        let credential = self.owners.contains(&account).then(|| account.clone());
        let item = PollItem { account, order_id: order.key.order, active: order.active };
        self.batcher.add(credential, item, sort_key)
    }

    /// Builds the delayed messages and counts them in the progress, which the caller saves after
    /// sending.
    fn batch_messages(&mut self, batches: Vec<Batch>, now: Timestamp) -> Vec<Delayed> {
        let mut messages = Vec::with_capacity(batches.len());
        for batch in batches {
            self.progress.planned += batch.orders.len() as u64;
            let message = BatchMessage::new(
                self.shard,
                self.progress.batches,
                batch.credential,
                batch.orders,
            );
            messages.push(Delayed { body: message.write(), delay: message.not_before.since(now) });
            self.progress.batches += 1;
        }
        self.progress.resume_after = self.batcher.cursor().map(str::to_owned);
        messages
    }
}

#[cfg(test)]
mod tests;
