//! Opens polling runs and plans them shard by shard: which orders are polled, in which batches, and
//! when. Makes no call to the carrier.
//!
//! A run's rows record its progress. After a crash, a second fire of the schedule or the
//! redelivered shard message continues from there. An order may then be polled twice, but never
//! skipped.

mod carrier;
mod shard_plan;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aws::clock::now;
use aws::entropy;
use aws::error::IoError;
use aws::settings::Settings;
use aws::sqs::{Delayed, Queue};
use aws::tables::orders::Orders;
use aws::tables::runs::{RunState, Runs};
use domain::core::timestamp::Timestamp;
use domain::polling::{Run, ShardMessage};
use serde_json::{Value, json};

use carrier::Carrier;

pub struct Sync {
    runs: Runs,
    orders: Orders,
    shards: Queue,
    batches: Queue,
    carrier: Carrier,
    worker: String,
    claims: AtomicU64,
}

impl Sync {
    pub fn new(
        runs: Runs,
        orders: Orders,
        shards: Queue,
        batches: Queue,
        settings: Settings,
    ) -> Self {
        Self {
            runs,
            orders,
            shards,
            batches,
            carrier: Carrier::new(settings),
            worker: entropy::worker_id(),
            claims: AtomicU64::new(0),
        }
    }

    /// Opens a run, or continues an unfinished one, and returns its id. An event with a time in
    /// `at` opens the hourly run of that time, any other event a manual run.
    pub async fn open_run(&self, event: &Value) -> Result<Value, IoError> {
        let Some(rate) = self.carrier.calls_per_second(now()).await? else {
            tracing::info!("sync.off");
            return Ok(Value::Null);
        };
        let run = requested_run(event, now());
        if let RunState::Open { shards, calls_per_second } = self.runs.open(&run, rate).await? {
            let message =
                |shard: &u8| ShardMessage::new(run.clone(), *shard, calls_per_second).write();
            let messages =
                shards.iter().map(|shard| Delayed { body: message(shard), delay: Duration::ZERO });
            self.shards.send_delayed(messages.collect()).await?;
            tracing::info!(run = run.id, shards = shards.len(), "sync.opened");
            if !run.manual && self.runs.is_previous_open(&run).await? {
                tracing::error!(run = run.id, "sync.unfinished");
            }
        }
        Ok(json!({ "run": run.id }))
    }

    /// A unique owner id for each claim of a lease.
    fn next_owner(&self) -> String {
        format!("{}/{}", self.worker, self.claims.fetch_add(1, Ordering::Relaxed))
    }
}

/// A future time counts as now.
fn requested_run(event: &Value, now: Timestamp) -> Run {
    let at = event.get("at").and_then(Value::as_str).and_then(|at| Timestamp::parse(at).ok());
    at.map_or_else(|| Run::manual(now), |at| Run::hourly(at.min(now)))
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn opens_the_hourly_run_of_the_events_time() {
        let now = Timestamp::parse("2026-11-24T06:10:00Z").unwrap();
        let id = |event: Value| requested_run(&event, now).id;
        assert_eq!(
            id(json!({"kind": "hourly", "at": "2026-11-24T06:00:00Z"})),
            "hourly-2026-11-24T06"
        );
        // The schedule fired three hours late.
        assert_eq!(id(json!({"at": "2026-11-24T03:00:00Z"})), "hourly-2026-11-24T03");
        assert_eq!(id(json!({"at": "2027-01-01T00:00:00Z"})), "hourly-2026-11-24T06");
        let manual = "manual-2026-11-24T06:10:00.000Z";
        for event in [
            json!({}),
            json!(null),
            json!({"at": "<aws.scheduler.scheduled-time>"}),
            json!({"at": 7}),
        ] {
            assert_eq!(id(event.clone()), manual, "{event}");
        }
    }
}
