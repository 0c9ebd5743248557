//! `GET /api/queues`: how many messages each queue has.

use aws::error::IoError;
use aws::lambda::http_api::{ApiError, json};
use aws::sqs::Queue;
use aws::tables::inbound::{InboundLog, Stage};
use domain::auth::Caller;
use domain::core::timestamp::Timestamp;
use futures::future::{try_join, try_join_all};
use lambda_http::{Body, Response};
use serde::Serialize;

use crate::Ops;

/// The queues that `ops` only counts.
pub struct CountedQueues {
    pub events_dlq: Queue,
    pub slow_deliveries: Queue,
    pub deliveries_dlq: Queue,
    pub shards: Queue,
    pub shards_dlq: Queue,
    pub batches: Queue,
    pub batches_dlq: Queue,
    pub failed_invocations_dlq: Queue,
}

#[derive(Debug, Serialize)]
struct QueueView {
    name: &'static str,
    waiting: u64,
    in_flight: u64,
    delayed: u64,
    /// By the tables; SQS tells no age.
    overdue_since: Option<Timestamp>,
}

impl Ops {
    /// A queue has messages of every account, so only callers with access to all accounts see it.
    pub(crate) async fn list_queues(
        &self,
        caller: &Caller,
        now: Timestamp,
    ) -> Result<Response<Body>, ApiError> {
        if !caller.can_see(None) {
            let message = "only users with access to every account can list queues";
            return Err(ApiError::forbidden(message));
        }
        let (queues, counted) = (&self.queues, &self.queues.counted);
        let all = [
            ("events", &queues.events),
            ("events_dlq", &counted.events_dlq),
            ("deliveries", &queues.deliveries),
            ("slow_deliveries", &counted.slow_deliveries),
            ("deliveries_dlq", &counted.deliveries_dlq),
            ("shards", &counted.shards),
            ("shards_dlq", &counted.shards_dlq),
            ("batches", &counted.batches),
            ("batches_dlq", &counted.batches_dlq),
            ("failed_invocations_dlq", &counted.failed_invocations_dlq),
        ];
        let counts = all.map(async |(name, queue)| queue.counts().await.map(|it| (name, it)));
        let overdue = try_join(self.oldest_event(), self.tables.deliveries.oldest_due(now));
        let (counts, (event, delivery)) = try_join(try_join_all(counts), overdue).await?;
        let items: Vec<_> = counts
            .into_iter()
            .map(|(name, counts)| QueueView {
                name,
                waiting: counts.waiting,
                in_flight: counts.in_flight,
                delayed: counts.delayed,
                overdue_since: match name {
                    "events" => event,
                    "deliveries" => delivery,
                    _ => None,
                },
            })
            .collect();
        Ok(json(200, &serde_json::json!({ "items": items })))
    }

    /// When the oldest event that could not be queued was stored.
    async fn oldest_event(&self) -> Result<Option<Timestamp>, IoError> {
        let shards = InboundLog::PENDING_SHARDS.map(async |shard| {
            let page = self.tables.events.pending(Stage::ToSend, shard, None).await?;
            Ok::<_, IoError>(page.events.into_iter().flatten().map(|event| event.since).min())
        });
        Ok(try_join_all(shards).await?.into_iter().flatten().min())
    }
}
