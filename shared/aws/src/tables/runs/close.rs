//! Closes a run once all of its planners are done and all of their batches have ended. The planner
//! or worker that finishes the last part closes the run; after a crash, its message is redelivered
//! and closes it.

use aws_sdk_dynamodb::types::ReturnValue;
use domain::core::timestamp::Timestamp;
use domain::polling::{PollCounts, Run, Totals};

use super::{Runs, planner_key, read_planners, run_key};
use crate::error::IoError;
use crate::tables::attr::{Item, number, read_number, read_texts, text, texts};
use crate::tables::expression::{Condition, attr, row_exists};
use crate::tables::update::Changes;

impl Runs {
    /// Closes a run and logs `sync.finished`, if this planner was the last to end.
    pub async fn close_after(&self, run: &Run, planner: u8, now: Timestamp) -> Result<(), IoError> {
        let Some(row) = self.get(planner_key(&run.id, planner)).await? else { return Ok(()) };
        if !has_ended(&row) {
            return Ok(());
        }
        let finish = self
            .update(
                run_key(run),
                Changes::new().add("finished", texts([format!("{planner:02}").as_str()])),
            )
            .only_if(is_open())
            .returning(ReturnValue::AllNew);
        let Some(run_row) = finish.send(&self.client).await?.applied() else { return Ok(()) };
        if read_texts(&run_row, "finished").len() < usize::from(read_planners(&run_row)?) {
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
        Ok(self.planner_rows(run).await?.iter().map(read_totals).sum())
    }

    /// `false` if another worker has closed the run.
    async fn close(&self, run: &Run, totals: &Totals, now: Timestamp) -> Result<bool, IoError> {
        let changes = Changes::new()
            .set("closed_at", text(now.to_string()))
            .set("planned", number(totals.planned))
            .set("without_credentials", number(totals.without_credentials))
            .set("batches", number(totals.batches))
            .set("done", number(totals.done))
            .set("failed", number(totals.failed))
            .set("failed_planners", number(totals.failed_planners))
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
    let Totals { planned, without_credentials, batches, failed, failed_planners, counts, .. } =
        *totals;
    tracing::info!(
        run = run.id,
        source = "shipway",
        planned,
        without_credentials,
        batches,
        asked = counts.asked,
        changed = counts.changed,
        unknown = counts.unknown,
        failed,
        failed_planners,
        seconds = now.since(run.started_at).as_secs(),
        gap_rate = totals.gap_rate(),
        "sync.finished"
    );
}

/// True if a planner is done and all of its batches have ended.
fn has_ended(row: &Item) -> bool {
    row.contains_key("planning_done") && read_totals(row).are_final()
}

/// The totals of a planner, or of a closed run.
pub(super) fn read_totals(row: &Item) -> Totals {
    let read = |name: &str| read_number(row, name).unwrap_or_default();
    Totals {
        planned: read("planned"),
        without_credentials: read("without_credentials"),
        batches: read("batches"),
        done: read("done"),
        failed: read("failed"),
        failed_planners: read("failed_planners"),
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
    fn a_planner_ends_when_it_is_done_and_all_its_batches_have_ended() {
        assert!(has_ended(&row(true, 0, 0, 0)));
        assert!(has_ended(&row(true, 5, 4, 1)));
        assert!(!has_ended(&row(true, 5, 4, 0)));
        // More batches may follow.
        assert!(!has_ended(&row(false, 5, 5, 0)));
    }
}
