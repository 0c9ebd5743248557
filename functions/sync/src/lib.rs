//! Opens the runs of the carrier's polling, and plans them shard by shard: which orders are asked about, in which
//! batches, and when. Nothing leaves from here but messages.
//!
//! It may be killed between any two calls. A run's rows say what is left to do, and a second fire of the schedule, or
//! the message of a shard that comes again, goes on from there. An order may be asked about twice then, never not.

mod carrier;
mod plan;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aws::clock::now;
use aws::entropy;
use aws::error::IoError;
use aws::settings::Settings;
use aws::sqs::{Delayed, Queue};
use aws::tables::orders::Orders;
use aws::tables::runs::{Opened, Runs};
use domain::core::timestamp::Timestamp;
use domain::polling::{Run, ShardMessage};
use serde_json::{Value, json};

use carrier::Carrier;

/// The function.
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
    /// With its tables, the queue of shards to plan, the queue of batches to ask, and its settings.
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

    /// Opens the run that an event asks for, or has what is left of it planned. `at`, a time, asks for the run of its
    /// hour; an event without one for a run by hand. Answers with the run's id.
    ///
    /// # Errors
    /// Something is not available; the same event goes on where this one stopped.
    pub async fn open(&self, event: &Value) -> Result<Value, IoError> {
        let Some(rate) = self.carrier.calls_per_second(now()).await? else {
            tracing::info!("sync.off");
            return Ok(Value::Null);
        };
        let run = run_of(event, now());
        if let Opened::Open { shards, calls_per_second } = self.runs.open(&run, rate).await? {
            let message =
                |shard: &u8| ShardMessage::new(run.clone(), *shard, calls_per_second).write();
            let messages =
                shards.iter().map(|shard| Delayed { body: message(shard), delay: Duration::ZERO });
            self.shards.send_delayed(messages.collect()).await?;
            tracing::info!(run = run.id, shards = shards.len(), "sync.opened");
            if !run.manual && self.runs.is_one_before_open(&run).await? {
                tracing::error!(run = run.id, "sync.unfinished");
            }
        }
        Ok(json!({ "run": run.id }))
    }

    /// Names this worker's next claim, and no other.
    fn owner(&self) -> String {
        format!("{}/{}", self.worker, self.claims.fetch_add(1, Ordering::Relaxed))
    }
}

/// A time to come counts as now: no run takes place before its time.
fn run_of(event: &Value, now: Timestamp) -> Run {
    let at = event.get("at").and_then(Value::as_str).and_then(|at| Timestamp::parse(at).ok());
    at.map_or_else(|| Run::manual(now), |at| Run::hourly(at.min(now)))
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn an_event_with_a_time_asks_for_the_run_of_its_hour() {
        let now = Timestamp::parse("2026-11-24T06:10:00Z").unwrap();
        let id = |event: Value| run_of(&event, now).id;
        assert_eq!(
            id(json!({"kind": "hourly", "at": "2026-11-24T06:00:00Z"})),
            "hourly-2026-11-24T06"
        );
        // Three hours late.
        assert_eq!(id(json!({"at": "2026-11-24T03:00:00Z"})), "hourly-2026-11-24T03");
        assert_eq!(id(json!({"at": "2027-01-01T00:00:00Z"})), "hourly-2026-11-24T06");
        let by_hand = "manual-2026-11-24T06:10:00.000Z";
        for event in [
            json!({}),
            json!(null),
            json!({"at": "<aws.scheduler.scheduled-time>"}),
            json!({"at": 7}),
        ] {
            assert_eq!(id(event.clone()), by_hand, "{event}");
        }
    }
}
