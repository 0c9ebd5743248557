//! Closes a run once all of its shards are planned and all of their batches have ended. The planner
//! or worker that finishes the last part closes the run; after a crash, its message is redelivered
//! and closes it.

use aws_sdk_dynamodb::types::ReturnValue;
use domain::core::timestamp::Timestamp;
use domain::polling::{PollCounts, Run, SHARDS, Totals};

use super::{Runs, run_key, runs, shard_key};
use crate::error::IoError;
use crate::tables::attr::{Item, number, read_number, read_texts, text, texts};
use crate::tables::expression::{Condition, attr, row_exists};
use crate::tables::read::query_filtered;
use crate::tables::update::Changes;

impl Runs {
    /// Closes a run and logs `sync.finished`, if this shard was the last to end.
    pub async fn close_after(&self, run: &Run, shard: u8, now: Timestamp) -> Result<(), IoError> {
        let Some(row) = self.get(shard_key(&run.id, shard)).await? else { return Ok(()) };
        if !has_ended(&row) {
            return Ok(());
        }
        let finish = self
            .update(
                run_key(run),
                Changes::new().add("finished", texts([format!("{shard:02}").as_str()])),
            )
            .only_if(is_open())
            .returning(ReturnValue::AllNew);
        let Some(run_row) = finish.send(&self.client).await?.applied() else { return Ok(()) };
        if read_texts(&run_row, "finished").len() < usize::from(SHARDS) {
            return Ok(());
        }
        let totals = self.totals(&run.id).await?;
        if self.close(run, &totals, now).await? {
            log(run, &totals, now);
        }
        Ok(())
    }

    /// The totals of a run so far.
    pub async fn totals(&self, run: &str) -> Result<Totals, IoError> {
        Ok(self.shard_rows(run).await?.iter().map(read_totals).sum())
    }

    /// True if the hourly run before this one is still open.
    pub async fn is_previous_open(&self, run: &Run) -> Result<bool, IoError> {
        let earlier = runs().and(attr("sk").below(text(run.started_at.to_string())));
        let hourly = attr("kind").equals(text("hourly"));
        let mut earlier = query_filtered(&self.client, &self.table, earlier, Some(hourly))
            .consistent_read(true)
            .scan_index_forward(false)
            .limit(10)
            .into_paginator()
            .items()
            .send();
        let previous = earlier.next().await.transpose();
        let previous = previous.map_err(|error| IoError::of("dynamodb:Query", &error))?;
        Ok(previous.is_some_and(|run| !run.contains_key("closed_at")))
    }

    /// `false` if another worker has closed the run.
    async fn close(&self, run: &Run, totals: &Totals, now: Timestamp) -> Result<bool, IoError> {
        let changes = Changes::new()
            .set("closed_at", text(now.to_string()))
            .set("planned", number(totals.planned))
            .set("batches", number(totals.batches))
            .set("done", number(totals.done))
            .set("failed", number(totals.failed))
            .set("asked", number(totals.counts.asked))
            .set("changed", number(totals.counts.changed))
            .set("unknown", number(totals.counts.unknown));
        let close = self.update(run_key(run), changes).only_if(is_open());
        Ok(close.send(&self.client).await?.is_applied())
    }
}

fn is_open() -> Condition {
    row_exists().and(attr("closed_at").absent())
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

/// True if a shard is planned and all of its batches have ended.
fn has_ended(row: &Item) -> bool {
    row.contains_key("planning_done") && read_totals(row).are_final()
}

/// The totals of a shard, or of a closed run.
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
    fn a_shard_ends_when_it_is_planned_and_all_its_batches_have_ended() {
        assert!(has_ended(&row(true, 0, 0, 0)));
        assert!(has_ended(&row(true, 5, 4, 1)));
        assert!(!has_ended(&row(true, 5, 4, 0)));
        // More batches may follow.
        assert!(!has_ended(&row(false, 5, 5, 0)));
    }
}
