//! Queues the deliveries whose next attempt is due. Each message arrives at its time, and is sent
//! before the index says so: a crash in between repeats it, and the second one is dropped.

use std::time::Duration;

use aws::clock;
use aws::error::IoError;
use aws::sqs::{Delayed, MAX_BATCH, Queue};
use aws::tables::deliveries::{Deliveries, Due, LOST_AFTER};
use aws::telemetry::Metrics;
use domain::core::timestamp::Timestamp;
use futures::future::join_all;

/// The next run starts after this time. A delivery that is due until then is queued with a delay.
const PERIOD: Duration = Duration::from_secs(60);
/// With more messages than this in the queue, its workers have enough to do.
const FULL_QUEUE: u64 = 50_000;

pub struct DueDeliveries {
    deliveries: Deliveries,
    queue: Queue,
}

impl DueDeliveries {
    pub fn new(deliveries: Deliveries, queue: Queue) -> Self {
        Self { deliveries, queue }
    }

    /// Queues every delivery due within a minute, and starts no batch after `deadline`. One failure
    /// does not stop the rest; the first error is returned, and the next run retries.
    pub async fn run(&self, now: Timestamp, deadline: Timestamp) -> Result<(), IoError> {
        let shards = Deliveries::DUE_SHARDS.map(|shard| self.drain_shard(shard, now, deadline));
        let results = join_all(shards).await;
        let queued: usize = results.iter().map(|result| result.queued).sum();
        if queued > 0 {
            tracing::info!(queued, "sweep.deliveries_queued");
        }
        let overdue = results.iter().map(|result| result.overdue).sum();
        Metrics::new().gauge("OverdueDeliveries", overdue).emit(now);
        results.into_iter().find_map(|result| result.error).map_or(Ok(()), Err)
    }

    async fn drain_shard(&self, shard: u64, now: Timestamp, deadline: Timestamp) -> ShardResult {
        let mut result = ShardResult::default();
        if let Err(error) = self.drain_pages(shard, now, deadline, &mut result).await {
            result.record_error(error);
        }
        result
    }

    /// Reads each page once, as `events` does.
    async fn drain_pages(
        &self,
        shard: u64,
        now: Timestamp,
        deadline: Timestamp,
        result: &mut ShardResult,
    ) -> Result<(), IoError> {
        let mut from = None;
        loop {
            let page = self.deliveries.due(shard, now.after(PERIOD), from).await?;
            let is_overdue = |due: &&Due| due.at < now.before(PERIOD);
            result.overdue += page.deliveries.iter().flatten().filter(is_overdue).count();
            if !page.deliveries.is_empty() && self.queue.depth().await? > FULL_QUEUE {
                tracing::warn!(shard, "sweep.queue_full");
                return Ok(());
            }
            let mut due = Vec::with_capacity(page.deliveries.len());
            for delivery in page.deliveries {
                match delivery {
                    Ok(delivery) => due.push(delivery),
                    Err(error) => result.record_error(error),
                }
            }
            for batch in due.chunks(MAX_BATCH) {
                if clock::now() >= deadline {
                    return Ok(());
                }
                self.queue_batch(batch, now, result).await;
            }
            from = page.next;
            if from.is_none() {
                return Ok(());
            }
        }
    }

    async fn queue_batch(&self, batch: &[Due], now: Timestamp, result: &mut ShardResult) {
        let messages = batch.iter().map(|due| Delayed {
            body: due.delivery.to_message(),
            group: Some(due.delivery.endpoint.as_str().to_owned()),
            delay: due.at.since(now),
        });
        let sent = self.queue.send_delayed_batch(messages.collect()).await;
        let sent = sent.unwrap_or_else(|error| vec![Err(error); batch.len()]);
        let marked = batch.iter().zip(sent).map(async |(due, sent)| {
            sent?;
            self.deliveries.mark_queued(due, due.at.max(now).after(LOST_AFTER)).await
        });
        for marked in join_all(marked).await {
            match marked {
                Ok(()) => result.queued += 1,
                Err(error) => result.record_error(error),
            }
        }
    }
}

#[derive(Default)]
struct ShardResult {
    queued: usize,
    /// Found here, though the run before was to queue them.
    overdue: usize,
    /// The first error; every error is logged.
    error: Option<IoError>,
}

impl ShardResult {
    fn record_error(&mut self, error: IoError) {
        tracing::error!(%error, "sweep.deliveries_failed");
        self.error.get_or_insert(error);
    }
}
