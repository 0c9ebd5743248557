//! Plans a shard: reads its orders page by page, fills batches, sends them, and keeps how far it has come.

use std::collections::BTreeSet;
use std::time::Duration;

use aws::clock::now;
use aws::error::IoError;
use aws::lambda::sqs_batch::{DeadLetterReason, RecordOutcome};
use aws::sqs::Delayed;
use aws::tables::orders::ActiveOrder;
use aws::tables::runs::{Claimed, Progress, Step};
use domain::core::id::AccountCode;
use domain::core::timestamp::Timestamp;
use domain::polling::{Batch, BatchMessage, Batcher, PollItem, ShardMessage};

use crate::Sync;

/// So many orders are read at once.
const PAGE: i32 = 500;
/// Whoever was killed holds its claim this much longer than it could have lived.
const MARGIN: Duration = Duration::from_secs(15);
/// Until whoever was faster has come further.
const SOON: Duration = Duration::from_secs(1);

impl Sync {
    /// Plans the shard that a message names, from where it was left. No page is begun after `deadline`.
    ///
    /// # Errors
    /// Something is not available; the message has to come back.
    pub async fn plan(&self, message: &str, deadline: Timestamp) -> Result<RecordOutcome, IoError> {
        let Some(shard) = ShardMessage::read(message) else {
            return Ok(RecordOutcome::DeadLetter(DeadLetterReason::UnreadableMessage));
        };
        let time = deadline.since(now()) + MARGIN;
        let lease =
            match self.runs.claim(&shard.run, shard.shard, &self.owner(), time, now()).await? {
                Claimed::Leased(lease) => lease,
                Claimed::Wait(wait) => return Ok(RecordOutcome::RetryAfter(wait)),
                Claimed::Finished => return self.end(&shard).await,
            };
        let owners = self.carrier.owners(now()).await?;
        let mut plan = Plan::new(&shard, &owners, lease.progress.clone());
        let mut from = lease.progress.resume_after.clone();
        loop {
            let page = self.orders.active(shard.shard, from.as_deref(), PAGE).await?;
            let step = match &page.next {
                None => Step::Finish,
                Some(_) if now() >= deadline => Step::Pause,
                Some(_) => Step::GoOn,
            };
            let batches = plan.take(page.orders, step);
            self.batches.send_delayed(plan.messages(batches, now())).await?;
            if !self.runs.save(&lease, &plan.progress, step).await? {
                return Ok(RecordOutcome::RetryAfter(SOON));
            }
            match step {
                Step::GoOn => from = page.next,
                Step::Pause => return Ok(RecordOutcome::RetryAfter(Duration::ZERO)),
                Step::Finish => break,
            }
        }
        log(&shard, &plan.progress);
        self.end(&shard).await
    }

    /// Where none of its batches is left to ask, or it never had one, a shard ends with its planning.
    async fn end(&self, shard: &ShardMessage) -> Result<RecordOutcome, IoError> {
        self.runs.close_after(&shard.run, shard.shard, now()).await?;
        Ok(RecordOutcome::Ack)
    }
}

fn log(shard: &ShardMessage, progress: &Progress) {
    let Progress { planned, batches, .. } = progress;
    tracing::info!(run = shard.run.id, shard = shard.shard, planned, batches, "shard.planned");
}

/// A shard as one worker plans it.
struct Plan<'a> {
    shard: &'a ShardMessage,
    /// The accounts with credentials of their own.
    owners: &'a BTreeSet<AccountCode>,
    batcher: Batcher,
    progress: Progress,
}

impl<'a> Plan<'a> {
    fn new(shard: &'a ShardMessage, owners: &'a BTreeSet<AccountCode>, progress: Progress) -> Self {
        Self { shard, owners, batcher: Batcher::after(progress.resume_after.clone()), progress }
    }

    /// Takes the orders of a page; the batches that go out now.
    fn take(&mut self, orders: Vec<Result<ActiveOrder, IoError>>, step: Step) -> Vec<Batch> {
        let mut batches = Vec::new();
        for order in orders {
            match order {
                Ok(order) => batches.extend(self.take_one(order)),
                Err(error) => {
                    tracing::error!(shard = self.shard.shard, %error, "active.unreadable")
                }
            }
        }
        batches.extend(if step == Step::GoOn {
            self.batcher.end_page()
        } else {
            self.batcher.flush()
        });
        batches
    }

    fn take_one(&mut self, order: ActiveOrder) -> Option<Batch> {
        let place = order.place();
        if !order.active.is_due(&order.key, &self.shard.run) {
            self.batcher.skip(place);
            return None;
        }
        let account = order.key.account;
        let credential = self.owners.contains(&account).then(|| account.clone());
        self.batcher.add(
            credential,
            PollItem { account, order_id: order.key.order, active: order.active },
            place,
        )
    }

    /// The messages that bring these batches, each with its time. The progress is as if they had gone out.
    fn messages(&mut self, batches: Vec<Batch>, now: Timestamp) -> Vec<Delayed> {
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
