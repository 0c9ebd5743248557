//! A run polls every order that is due, once an hour or when an operator starts it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::messages::PlanMessage;
use crate::core::timestamp::Timestamp;

pub(super) const HOUR: Duration = Duration::from_secs(60 * 60);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    pub id: String,
    pub started_at: Timestamp,
    /// Started by an operator: polls fresh orders too.
    pub manual: bool,
}

impl Run {
    /// The run of the hour that contains `time`. It starts at the full hour even if it is opened
    /// late, so an order that waits for one hour is due in the next run.
    pub fn hourly(time: Timestamp) -> Self {
        let hour = Timestamp::EPOCH.after(Duration::from_secs(hour_of(time) * HOUR.as_secs()));
        let name: String = hour.to_string().chars().take("2026-11-24T03".len()).collect();
        Self { id: format!("hourly-{name}"), started_at: hour, manual: false }
    }

    pub fn manual(now: Timestamp) -> Self {
        Self { id: format!("manual-{now}"), started_at: now, manual: true }
    }

    /// Whole hours from 1970 to the start.
    pub(super) fn hour(&self) -> u64 {
        hour_of(self.started_at)
    }

    /// The earliest time for the batches of a planner with this turn: all batches of a run share
    /// one rate limit.
    pub(super) fn not_before(&self, plan: &PlanMessage, turn: u64) -> Timestamp {
        let n = turn.saturating_mul(plan.planners.into()).saturating_add(plan.planner.into());
        #[expect(clippy::cast_precision_loss, reason = "a wait, not an amount")]
        let wait =
            Duration::try_from_secs_f64(n as f64 / plan.calls_per_second).unwrap_or(Duration::MAX);
        self.started_at.after(wait)
    }
}

fn hour_of(time: Timestamp) -> u64 {
    time.since(Timestamp::EPOCH).as_secs() / HOUR.as_secs()
}
