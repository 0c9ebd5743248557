//! Another run of a delivery that has ended: the attempts start again, the body stays.
//!
//! The row begins the run. From then on it is in the index `due`, so that no crash can lose the
//! run, and a dead letter of the run before is one more message of this run.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::core::timestamp::Timestamp;
use domain::webhooks::delivery::{Delivery, RETENTION_DAYS};
use domain::webhooks::lease::DeliveryState;

use super::due::enter_index;
use super::{Deliveries, DeliveryRow, delivery_key, listed};
use crate::error::IoError;
use crate::tables::attr::{Item, json, number, text, ttl};
use crate::tables::expression::attr;
use crate::tables::update::Changes;
use crate::tables::write::Write;

/// How many attempts of earlier runs stay in `attempt_log`.
const KEPT_ATTEMPTS: usize = 20;

impl Deliveries {
    /// Begins the next run of a delivery that has ended, and returns its message, which `sweep`
    /// queues at `due`. With `waits`, no attempt begins before. `None` if the row is no longer as
    /// it was read, or its body was erased.
    pub async fn restart(
        &self,
        row: &DeliveryRow,
        due: Timestamp,
        waits: bool,
        now: Timestamp,
    ) -> Result<Option<Delivery>, IoError> {
        let Some(next) = row.next_run() else { return Ok(None) };
        let id = &row.id;
        let next_attempt_at = waits.then(|| number(due.millis()));
        let log: Result<Vec<_>, _> = row.log.iter().map(json).collect();
        let changes = enter_index(listed::renew(Changes::new(), &row.endpoint, now), id, due);
        let changes = kept_attempts(again(changes), &log?)
            .set("run", number(next.run))
            .set("attempts", number(0))
            .set("updated_at", number(now.millis()))
            .set("replayed_at", number(now.millis()))
            .set("ttl", ttl(now, RETENTION_DAYS))
            .set_or_remove("next_attempt_at", next_attempt_at)
            .remove("began_at")
            .remove("owner")
            .remove("lease_until");
        let is_as_read = attr("run")
            .equals(number(row.run))
            .and(attr("state").equals(text(row.state.as_str())))
            .and(attr("body").exists());
        let update = Write::update(&self.table, delivery_key(id), changes).only_if(is_as_read);
        Ok(update.send_if_unchanged(&self.client).await?.then_some(next))
    }
}

/// The changes of every restart.
pub(super) fn begin_again(changes: Changes, row: &Item) -> Changes {
    let log = row.get("attempt_log").and_then(|log| log.as_l().ok());
    kept_attempts(again(changes), log.map_or(&[], Vec::as_slice))
}

fn again(changes: Changes) -> Changes {
    changes
        .set("state", text(DeliveryState::Pending.as_str()))
        .remove("dead")
        .remove("reason")
        .remove("parked_since")
        .remove("unusable_since")
}

fn kept_attempts(changes: Changes, log: &[AttributeValue]) -> Changes {
    match log.len().checked_sub(KEPT_ATTEMPTS) {
        Some(excess) if excess > 0 => {
            changes.set("attempt_log", AttributeValue::L(log[excess..].to_vec()))
        }
        _ => changes,
    }
}
