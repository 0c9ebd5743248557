//! A run is over when all its shards are planned and all their batches have ended. Whoever does the last of it, planner
//! or worker, closes the run; one that was killed before it could is followed by its own message.

use aws_sdk_dynamodb::types::ReturnValue;
use domain::core::timestamp::Timestamp;
use domain::polling::{PollCounts, Run, SHARDS, Totals};

use super::shards::unhindered;
use super::{RUNS, Runs, run_key, shard_key};
use crate::error::IoError;
use crate::tables::attr::{Item, number, read_number, text, texts};

impl Runs {
    /// Closes a run, and says so, if this shard was the last that anything was left to do for.
    ///
    /// # Errors
    /// The table cannot be read or written.
    pub async fn close_after(&self, run: &Run, shard: u8, now: Timestamp) -> Result<(), IoError> {
        let Some(row) = self.get(shard_key(&run.id, shard)).await? else { return Ok(()) };
        if !is_over(&row) {
            return Ok(());
        }
        let finish = self
            .update(run_key(run))
            .update_expression("ADD finished :shard")
            .condition_expression("attribute_exists(pk) AND attribute_not_exists(closed_at)")
            .expression_attribute_values(":shard", texts([format!("{shard:02}").as_str()]))
            .return_values(ReturnValue::AllNew);
        let Ok(run_row) = unhindered(finish).await? else { return Ok(()) };
        let finished =
            run_row.get("finished").and_then(|shards| shards.as_ss().ok()).map_or(0, Vec::len);
        if finished < usize::from(SHARDS) {
            return Ok(());
        }
        let totals = self.totals(&run.id).await?;
        if self.close(run, &totals, now).await? {
            log(run, &totals, now);
        }
        Ok(())
    }

    /// What has come of a run so far.
    ///
    /// # Errors
    /// The table cannot be read.
    pub async fn totals(&self, run: &str) -> Result<Totals, IoError> {
        Ok(self.shard_rows(run).await?.iter().map(read_totals).sum())
    }

    /// Whether the hourly run before this one is still open.
    ///
    /// # Errors
    /// The table cannot be read.
    pub async fn is_one_before_open(&self, run: &Run) -> Result<bool, IoError> {
        let mut earlier = self
            .query(RUNS.to_owned(), "pk = :pk AND sk < :this")
            .expression_attribute_values(":this", text(run.started_at.to_string()))
            .filter_expression("kind = :hourly")
            .expression_attribute_values(":hourly", text("hourly"))
            .scan_index_forward(false)
            .limit(10)
            .into_paginator()
            .items()
            .send();
        let last = earlier
            .next()
            .await
            .transpose()
            .map_err(|error| IoError::of("dynamodb:Query", &error))?;
        Ok(last.is_some_and(|last| !last.contains_key("closed_at")))
    }

    /// Whether nobody was faster.
    async fn close(&self, run: &Run, totals: &Totals, now: Timestamp) -> Result<bool, IoError> {
        let close = self
            .update(run_key(run))
            .update_expression(
                "SET closed_at = :now, planned = :planned, batches = :batches, done = :done, failed = :failed, \
                 asked = :asked, changed = :changed, #unknown = :unknown",
            )
            .condition_expression("attribute_exists(pk) AND attribute_not_exists(closed_at)")
            .expression_attribute_names("#unknown", "unknown")
            .expression_attribute_values(":now", text(now.to_string()))
            .expression_attribute_values(":planned", number(totals.planned))
            .expression_attribute_values(":batches", number(totals.batches))
            .expression_attribute_values(":done", number(totals.done))
            .expression_attribute_values(":failed", number(totals.failed))
            .expression_attribute_values(":asked", number(totals.counts.asked))
            .expression_attribute_values(":changed", number(totals.counts.changed))
            .expression_attribute_values(":unknown", number(totals.counts.unknown));
        Ok(unhindered(close).await?.is_ok())
    }
}

fn log(run: &Run, totals: &Totals, now: Timestamp) {
    let Totals { planned, batches, failed, counts, .. } = *totals;
    tracing::info!(
        run = run.id,
        source = "shipway",
        planned,
        batches,
        asked = counts.asked,
        changed = counts.changed,
        unknown = counts.unknown,
        failed,
        seconds = now.since(run.started_at).as_secs(),
        gap_rate = totals.gap_rate(),
        "sync.finished"
    );
}

/// Whether nothing is left to do for a shard.
fn is_over(row: &Item) -> bool {
    row.contains_key("planning_done") && read_totals(row).are_final()
}

/// The totals of a shard, or of a run that is closed.
pub(super) fn read_totals(row: &Item) -> Totals {
    let read = |name: &str| read_number(row, name).unwrap_or_default();
    Totals {
        planned: read("planned"),
        batches: read("batches"),
        done: read("done"),
        failed: read("failed"),
        counts: PollCounts {
            asked: read("asked"),
            changed: read("changed"),
            unknown: read("unknown"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::runs::flag;

    fn row(planned: bool, batches: u64, done: u64, failed: u64) -> Item {
        let numbers = [("batches", batches), ("done", done), ("failed", failed)];
        let mut row: Item =
            numbers.into_iter().map(|(name, value)| (name.to_owned(), number(value))).collect();
        if planned {
            row.insert("planning_done".to_owned(), flag());
        }
        row
    }

    #[test]
    fn a_shard_is_over_when_it_is_planned_and_all_its_batches_have_ended() {
        assert!(is_over(&row(true, 0, 0, 0)));
        assert!(is_over(&row(true, 5, 4, 1)));
        assert!(!is_over(&row(true, 5, 4, 0)));
        // More batches may come.
        assert!(!is_over(&row(false, 5, 5, 0)));
    }
}
