//! Runs: each one closes, counts every batch once, and its totals are those of its parts.

use std::collections::BTreeMap;

use domain::polling::BatchMessage;
use sources::shipway::tracking_api::is_pollable;

use super::rows::{BatchRow, PlannerRow, RunRow, Totals};
use crate::world::State;

pub(super) fn judge(state: &State) -> Vec<String> {
    let mut findings = Vec::new();
    for run in state.run_rows() {
        let planners = state.planner_rows(&run.id);
        let batches = state.batch_rows(&run.id);
        let finding = |text: String| format!("{} {text}", run.id);
        findings.extend(closing(state, &run, &planners).into_iter().map(finding));
        for planner in &planners {
            let part = Part { state, run: &run.id, planner, batches: &batches };
            let finding = |text: String| format!("{} planner {} {text}", run.id, planner.planner);
            findings.extend(part.findings().into_iter().map(finding));
        }
        findings.extend(expiry(&run, &planners, &batches).into_iter().map(finding));
    }
    findings.extend(last_run(state));
    findings.extend(changed(state));
    findings.extend(dead_letters(state));
    findings
}

/// A run whose invocation ended well closes, with the sums of its planners.
fn closing(state: &State, run: &RunRow, planners: &[PlannerRow]) -> Vec<String> {
    let mut findings = Vec::new();
    if !run.is_closed {
        // If every try to open it failed, it may have no planners. The next hour's run logs that.
        let was_opened = state.ledger.polling.opened.contains(&run.id);
        if was_opened || !planners.is_empty() {
            findings.push("is not closed".to_owned());
        }
        return findings;
    }
    if u64::try_from(planners.len()).ok() != Some(run.planners) || run.finished != planners.len() {
        findings.push(format!("has {} planners, {} finished", planners.len(), run.finished));
    }
    let sum: Totals = planners.iter().map(|planner| planner.totals).sum();
    // A batch that comes again after the run has closed may add to the counters of its planner, and
    // so does one that was sent before a crash and not planned again.
    let expected = Totals {
        done: run.totals.batches - run.totals.failed.min(run.totals.batches),
        failed: run.totals.failed,
        asked: run.totals.asked.min(sum.asked),
        changed: run.totals.changed.min(sum.changed),
        unknown: run.totals.unknown.min(sum.unknown),
        ..sum
    };
    if run.totals != expected || run.totals.failed > sum.failed {
        findings.push(format!("closed with {:?}, its planners have {sum:?}", run.totals));
    }
    findings
}

/// One planner's part of a run.
struct Part<'a> {
    state: &'a State,
    run: &'a str,
    planner: &'a PlannerRow,
    batches: &'a [BatchRow],
}

impl Part<'_> {
    fn findings(&self) -> Vec<String> {
        let totals = self.planner.totals;
        let mut findings = Vec::new();
        if !self.planner.is_done || self.planner.has_lease || totals.failed_planners > 0 {
            findings.push("is not finished".to_owned());
        }
        let count = |is_counted: &dyn Fn(&BatchRow) -> bool| {
            let ended = self.rows().filter(|row| row.has_ended && is_counted(row)).count();
            u64::try_from(ended).unwrap_or(u64::MAX)
        };
        if totals.done + totals.failed != count(&|_| true) {
            findings.push(format!("has {totals:?}: not every batch is counted once"));
        }
        if count(&|row| row.k < totals.batches) != totals.batches {
            findings.push(format!("has {totals:?}: not every batch has ended"));
        }
        if totals.failed < count(&|row| row.answered.is_empty()) {
            findings.push(format!("has {totals:?}: more batches are not answered"));
        }
        findings.extend(self.planned());
        findings.extend(self.asked());
        findings
    }

    fn rows(&self) -> impl Iterator<Item = &BatchRow> {
        self.batches.iter().filter(|row| row.planner == self.planner.planner)
    }

    /// The batches that were queued under each number. Usually one.
    fn queued(&self) -> BTreeMap<u64, Vec<&BatchMessage>> {
        let numbers = self.state.ledger.polling.batches.iter();
        let own = numbers
            .filter(|((run, planner, _), _)| run == self.run && *planner == self.planner.planner);
        own.map(|((_, _, k), batches)| (*k, batches.values().collect())).collect()
    }

    /// Every planned order is in a batch.
    fn planned(&self) -> Option<String> {
        let sizes = |batches: &[&BatchMessage]| {
            let sizes: Vec<usize> = batches.iter().map(|batch| batch.orders.len()).collect();
            (sizes.iter().min().copied().unwrap_or(0), sizes.iter().max().copied().unwrap_or(0))
        };
        let counted = |k: &u64| *k < self.planner.totals.batches;
        let queued = self.queued();
        let queued = queued.iter().filter(|(k, _)| counted(k));
        let (least, most) = queued.fold((0, 0), |(least, most), (_, batches)| {
            let (min, max) = sizes(batches);
            (least + min, most + max)
        });
        let planned = usize::try_from(self.planner.totals.planned).ok()?;
        (!(least..=most).contains(&planned))
            .then(|| format!("planned {planned} orders, its batches have {least} to {most}"))
    }

    /// Asked are the orders of answered batches, except those that cannot be asked about, or break
    /// every call. Of a batch in parts, two workers may find something else.
    fn asked(&self) -> Option<String> {
        let queued = self.queued();
        let (mut least, mut most) = (0, 0);
        for row in self.rows() {
            let batches = queued.get(&row.k).map(Vec::as_slice).unwrap_or_default();
            let answered = |batch: &&&BatchMessage| row.answered.contains(&batch.fingerprint());
            for batch in batches.iter().filter(answered) {
                let halving = row.halving.as_ref();
                if halving.is_some_and(|halving| !halving.is_of(batch)) {
                    // Two batches of one number: what became of the parts of one is forgotten.
                    return None;
                }
                let all = pollable(batch);
                most += all;
                least += if halving.is_some() { all.min(1) } else { all };
            }
        }
        let asked = self.planner.totals.asked;
        (!(least..=most).contains(&asked))
            .then(|| format!("asked about {asked} orders, not {least} to {most}"))
    }
}

fn pollable(batch: &BatchMessage) -> u64 {
    let orders = batch.orders.iter().filter(|order| is_pollable(order.awb())).count();
    u64::try_from(orders).unwrap_or(u64::MAX)
}

/// No row of a run stays for ever.
fn expiry(run: &RunRow, planners: &[PlannerRow], batches: &[BatchRow]) -> Option<String> {
    let all = run.expires
        && planners.iter().all(|row| row.expires)
        && batches.iter().all(|row| row.expires);
    (!all).then(|| "has a row without an end".to_owned())
}

/// A report counts as a change only once it is queued.
fn changed(state: &State) -> Option<String> {
    let planners = state.run_rows().into_iter().flat_map(|run| state.planner_rows(&run.id));
    let changed: u64 = planners.map(|planner| planner.totals.changed).sum();
    let queued = u64::try_from(state.ledger.polling.results.len()).unwrap_or(u64::MAX);
    (changed > queued).then(|| format!("{changed} reports are counted, but {queued} were queued"))
}

/// The last run meets no faults.
fn last_run(state: &State) -> Option<String> {
    let run = state.last_run()?;
    (run.totals.failed > 0).then(|| format!("{} has failed batches, without a fault", run.id))
}

/// Only the carrier's failures end in the dead-letter queue, and each of them is counted.
fn dead_letters(state: &State) -> Vec<String> {
    let mut findings = Vec::new();
    for letter in state.sqs.messages("BatchesDlq") {
        let reason = letter.attributes.get("reason").and_then(|it| it["StringValue"].as_str());
        let Some(batch) = BatchMessage::read(&letter.body).filter(|_| reason == Some("carrier"))
        else {
            findings.push(format!("a batch is dead because of {reason:?}"));
            continue;
        };
        let rows = state.batch_rows(&batch.run.id);
        let row = rows.iter().find(|row| row.planner == batch.planner && row.k == batch.k);
        if !row.is_some_and(|row| row.has_ended) {
            findings.push(format!("{} has a dead batch that is not counted", batch.run.id));
        }
    }
    findings
}
