//! Opens polling runs and plans them: which orders are polled, in which batches, and when. Makes no
//! call to the carrier.
//!
//! A run's rows record its progress. After a crash, a second fire of the schedule or the
//! planner's redelivered message continues from there. An order may then be polled twice, but never
//! skipped.

mod carrier;
mod function;
mod plan;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aws::clock::now;
use aws::entropy;
use aws::error::IoError;
use aws::settings::Settings;
use aws::sqs::{Delayed, Queue};
use aws::tables::orders::Orders;
use aws::tables::runs::{RunState, Runs};
use aws::telemetry::Metrics;
use domain::core::timestamp::Timestamp;
use domain::polling::{PlanMessage, Run, planners};
use domain::tracking::timeline::CLOCK_TOLERANCE;
use serde_json::{Value, json};

pub use function::Function;

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

    /// Opens a run, or continues an unfinished one, and returns its id. An event of the schedule
    /// opens the hourly run of its time, any other event a manual run.
    pub async fn open_run(&self, event: &Value) -> Result<Value, IoError> {
        let run = requested_run(event, now());
        let Some(rate) = self.carrier.calls_per_second(now()).await? else {
            tracing::info!("sync.off");
            Metrics::new().count("SyncDone", (!run.manual).into()).emit(now());
            return Ok(Value::Null);
        };
        let earlier = self.runs.earlier(&run).await?;
        let state = self.runs.open(&run, rate, planners(earlier.planned)).await?;
        if let RunState::Open { unfinished, planners, calls_per_second } = state {
            let message = |planner: &u8| {
                PlanMessage::new(run.clone(), *planner, planners, calls_per_second).write()
            };
            let messages = unfinished.iter().map(|planner| Delayed {
                body: message(planner),
                group: None,
                delay: Duration::ZERO,
            });
            self.shards.send_delayed(messages.collect()).await?;
            tracing::info!(run = run.id, planners = unfinished.len(), "sync.opened");
            if !run.manual && earlier.is_previous_open {
                tracing::error!(run = run.id, "sync.unfinished");
                Metrics::new().count("SyncUnfinished", 1).emit(now());
            }
        }
        Ok(json!({ "run": run.id }))
    }

    /// A unique owner id for each claim of a lease.
    fn next_owner(&self) -> String {
        format!("{}/{}", self.worker, self.claims.fetch_add(1, Ordering::Relaxed))
    }
}

/// A future time counts as now, unless this clock may be behind that of the schedule.
fn requested_run(event: &Value, now: Timestamp) -> Run {
    let at = scheduled_time(event).and_then(|at| Timestamp::parse(at).ok());
    let is_plausible = |at: &Timestamp| *at <= now.after(CLOCK_TOLERANCE);
    at.map_or_else(
        || Run::manual(now),
        |at| Run::hourly(Some(at).filter(is_plausible).unwrap_or(now)),
    )
}

/// The time of a schedule's input (`at`), or of the event that a rule of EventBridge sends.
fn scheduled_time(event: &Value) -> Option<&str> {
    let is_rule = event.get("detail-type").is_some_and(|kind| kind == "Scheduled Event");
    event.get(if is_rule { "time" } else { "at" })?.as_str()
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// The run of the hour before is closed by then, and this hour would have none.
    #[test]
    fn a_clock_that_is_behind_opens_the_run_of_the_schedule() {
        let event = json!({"kind": "hourly", "at": "2026-11-24T07:00:00Z"});
        for (now, run) in [
            ("2026-11-24T06:59:59.990Z", "hourly-2026-11-24T07"),
            ("2026-11-24T06:50:00Z", "hourly-2026-11-24T07"),
            ("2026-11-24T06:49:59.999Z", "hourly-2026-11-24T06"),
        ] {
            assert_eq!(requested_run(&event, Timestamp::parse(now).unwrap()).id, run, "{now}");
        }
    }

    /// As EventBridge documents it.
    fn rule_event(time: &str) -> Value {
        json!({
            "version": "0", "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
            "detail-type": "Scheduled Event", "source": "aws.events", "account": "123456789012",
            "time": time, "region": "us-east-1",
            "resources": ["arn:aws:events:us-east-1:123456789012:rule/every-hour"], "detail": {},
        })
    }

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
        assert_eq!(id(json!({"at": "2026-11-24T07:00:00Z"})), "hourly-2026-11-24T06");
        assert_eq!(id(rule_event("2026-11-24T05:00:31Z")), "hourly-2026-11-24T05");
        let manual = "manual-2026-11-24T06:10:00.000Z";
        for event in [
            json!({}),
            json!(null),
            json!({"at": "<aws.scheduler.scheduled-time>"}),
            json!({"at": 7}),
            json!({"time": "2026-11-24T06:00:00Z"}),
            json!({"detail-type": "EC2 Instance State-change", "time": "2026-11-24T06:00:00Z"}),
            rule_event("soon"),
        ] {
            assert_eq!(id(event.clone()), manual, "{event}");
        }
    }
}
