//! Closes a run once all of its planners are done and all of their batches have ended. The planner
//! or worker that finishes the last part closes the run; after a crash, its message is redelivered
//! and closes it.
//!
//! A planner whose worker crashed may have sent batches that its successor does not plan again: by
//! then, their orders are not due. The counters have them too, so the rows of the planned batches
//! decide.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_dynamodb::types::ReturnValue;
use domain::core::timestamp::Timestamp;
use domain::polling::{PollCounts, Run, Totals};

use super::batches::batch_prefix;
use super::{Runs, parts_pk, planner_key, read_planners, run_key};
use crate::error::IoError;
use crate::tables::attr::{Item, number, read_number, read_text, read_texts, text, texts};
use crate::tables::expression::{Condition, attr, row_exists};
use crate::tables::read::all_rows;
use crate::tables::update::Changes;
use crate::telemetry::Metrics;

impl Runs {
    /// Closes a run and logs `sync.finished`, if this planner was the last to end.
    pub async fn close_after(&self, run: &Run, planner: u8, now: Timestamp) -> Result<(), IoError> {
        let Some(row) = self.get(planner_key(&run.id, planner)).await? else { return Ok(()) };
        if !self.has_ended(run, planner, &row).await? {
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
        let totals = self.final_totals(run).await?;
        if self.close(run, &totals, now).await? {
            log(run, &totals, now);
        }
        Ok(())
    }

    /// True if a planner is done and all batches that it planned have ended.
    async fn has_ended(&self, run: &Run, planner: u8, row: &Item) -> Result<bool, IoError> {
        let totals = read_totals(row);
        if !row.contains_key("planning_done") || !totals.are_final() {
            return Ok(false);
        }
        // Usually there was one worker, and the counters are exact.
        if read_number::<u64>(row, "claims").is_none_or(|claims| claims < 2) {
            return Ok(true);
        }
        let ended = self.ended_batches(run, planner, totals.batches).await?;
        Ok(ended.answered + ended.given_up >= totals.batches)
    }

    /// The totals of a run whose planners have ended, without batches that were not planned.
    async fn final_totals(&self, run: &Run) -> Result<Totals, IoError> {
        let mut sum = Totals::default();
        for row in self.planner_rows(&run.id).await? {
            let mut totals = read_totals(&row);
            let planner = read_text(&row, "sk")?.strip_prefix("planner:").unwrap_or_default();
            if let Ok(planner) = planner.parse()
                && totals.done + totals.failed > totals.batches
            {
                let ended = self.ended_batches(run, planner, totals.batches).await?;
                (totals.done, totals.failed) = (ended.answered, ended.given_up);
            }
            sum = [sum, totals].into_iter().sum();
        }
        Ok(sum)
    }

    /// How the first `batches` batches of a planner ended.
    async fn ended_batches(
        &self,
        run: &Run,
        planner: u8,
        batches: u64,
    ) -> Result<EndedBatches, IoError> {
        let prefix = batch_prefix(planner);
        let of_planner = attr("pk").equals(text(parts_pk(&run.id)));
        let of_planner = of_planner.and(attr("sk").begins_with(text(&prefix)));
        let rows = all_rows(self.query(of_planner)).await?;
        Ok(EndedBatches::of(&rows, &prefix, batches))
    }

    /// The totals of a run so far.
    pub async fn totals(&self, run: &str) -> Result<Totals, IoError> {
        Ok(self.planner_rows(run).await?.iter().map(read_totals).sum())
    }

    /// Why batches and planners of a run failed: status codes, and names of errors.
    pub async fn failures(&self, run: &str) -> Result<BTreeSet<String>, IoError> {
        let rows = self.planner_rows(run).await?;
        Ok(rows.iter().flat_map(|row| read_texts(row, "failures")).cloned().collect())
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
    Metrics::new()
        .count("SyncDone", (!run.manual).into())
        .count("SyncPlanned", planned)
        .count("SyncBatches", batches)
        .count("SyncChanged", counts.changed)
        .count("SyncFailed", failed)
        .milliseconds("SyncTime", &[millis(now.since(run.started_at))])
        .emit(now);
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[derive(Debug, Default, PartialEq, Eq)]
struct EndedBatches {
    answered: u64,
    given_up: u64,
}

impl EndedBatches {
    /// Of the batches with a number below `batches`.
    fn of(rows: &[Item], prefix: &str, batches: u64) -> Self {
        let mut counts = Self::default();
        for row in rows {
            let number = read_text(row, "sk").ok().and_then(|sk| sk.strip_prefix(prefix));
            let number: Option<u64> = number.and_then(|number| number.parse().ok());
            if number.is_none_or(|number| number >= batches) || !row.contains_key("ended") {
                continue;
            }
            if read_texts(row, "answered").is_empty() {
                counts.given_up += 1;
            } else {
                counts.answered += 1;
            }
        }
        counts
    }
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
mod tests;
