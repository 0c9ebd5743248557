//! Rows of polling.

use domain::core::id::{AccountCode, Awb, EventId, OrderId, OrderKey, ReportId};
use domain::core::timestamp::Timestamp;
use domain::polling::{Halving, PollState};
use serde_json::{Map, Value};

use crate::world::State;

/// The row of a parcel that the carrier is asked about.
#[derive(Debug, Clone)]
pub(crate) struct PolledRow {
    pub(crate) key: OrderKey,
    pub(crate) active: PollState,
}

/// A run, or the part of one of its planners.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) planned: u64,
    pub(crate) without_credentials: u64,
    pub(crate) batches: u64,
    pub(crate) done: u64,
    pub(crate) failed: u64,
    pub(crate) failed_planners: u64,
    pub(crate) asked: u64,
    pub(crate) changed: u64,
    pub(crate) unknown: u64,
}

pub(crate) struct RunRow {
    pub(crate) id: String,
    pub(crate) started_at: Timestamp,
    pub(crate) is_closed: bool,
    pub(crate) planners: u64,
    pub(crate) finished: usize,
    pub(crate) totals: Totals,
    pub(crate) expires: bool,
}

pub(crate) struct PlannerRow {
    pub(crate) planner: u8,
    pub(crate) is_done: bool,
    pub(crate) has_lease: bool,
    pub(crate) totals: Totals,
    pub(crate) expires: bool,
}

pub(crate) struct BatchRow {
    pub(crate) planner: u8,
    pub(crate) k: u64,
    pub(crate) has_ended: bool,
    /// Fingerprints.
    pub(crate) answered: Vec<String>,
    pub(crate) halving: Option<Halving>,
    pub(crate) expires: bool,
}

/// Attributes as the table has them.
type Row = Map<String, Value>;

impl State {
    pub(crate) fn polled_rows(&self) -> Vec<PolledRow> {
        let rows = self.dynamodb.rows("OrdersTable");
        let rows = rows.filter(|row| text(row, "pk").is_some_and(|pk| pk.starts_with("active:")));
        rows.filter_map(polled_row).collect()
    }

    pub(super) fn run_rows(&self) -> Vec<RunRow> {
        let rows = self.dynamodb.rows("StateTable");
        rows.filter(|row| text(row, "pk") == Some("runs")).filter_map(run_row).collect()
    }

    /// The run after all faults.
    pub(super) fn last_run(&self) -> Option<RunRow> {
        let last = self.ledger.polling.opened.last()?;
        self.run_rows().into_iter().find(|run| run.id == *last)
    }

    pub(super) fn planner_rows(&self, run: &str) -> Vec<PlannerRow> {
        self.parts(run, "planner:").filter_map(|(rest, row)| planner_row(rest, row)).collect()
    }

    pub(super) fn batch_rows(&self, run: &str) -> Vec<BatchRow> {
        self.parts(run, "batch:").filter_map(|(rest, row)| batch_row(rest, row)).collect()
    }

    /// The rows of a run whose sort key begins with `prefix`, with the rest of the key.
    fn parts<'a>(
        &'a self,
        run: &str,
        prefix: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a Row)> + use<'a> {
        let pk = format!("run:{run}");
        let rows = self.dynamodb.rows("StateTable");
        let rows = rows.filter(move |row| text(row, "pk") == Some(&pk));
        rows.filter_map(move |row| Some((text(row, "sk")?.strip_prefix(prefix)?, row)))
    }
}

fn polled_row(row: &Row) -> Option<PolledRow> {
    let time = |name| text(row, name).and_then(|text| Timestamp::parse(text).ok());
    Some(PolledRow {
        key: OrderKey {
            account: AccountCode::parse(text(row, "account")?).ok()?,
            order: OrderId::parse(text(row, "order_id")?).ok()?,
        },
        active: PollState {
            awb: Awb::parse(text(row, "awb")?).ok()?,
            seen: text(row, "seen").and_then(|id| ReportId::parse(id).ok()),
            heard_at: time("heard_at"),
            moved_at: time("moved_at")?,
            unknown: text(row, "unknown").and_then(|json| serde_json::from_str(json).ok()),
            stale_since: time("stale_since"),
            stalled: text(row, "stalled").and_then(|id| EventId::parse(id).ok()),
            ended_at: time("ended_at"),
        },
    })
}

fn run_row(row: &Row) -> Option<RunRow> {
    Some(RunRow {
        id: text(row, "id")?.to_owned(),
        started_at: Timestamp::parse(text(row, "started_at")?).ok()?,
        is_closed: row.contains_key("closed_at"),
        planners: number(row, "planners"),
        finished: texts(row, "finished").len(),
        totals: totals(row),
        expires: row.contains_key("ttl"),
    })
}

fn planner_row(planner: &str, row: &Row) -> Option<PlannerRow> {
    Some(PlannerRow {
        planner: planner.parse().ok()?,
        is_done: row.contains_key("planning_done"),
        has_lease: row.contains_key("owner") || row.contains_key("lease_until"),
        totals: totals(row),
        expires: row.contains_key("ttl"),
    })
}

fn batch_row(number: &str, row: &Row) -> Option<BatchRow> {
    let (planner, k) = number.split_once(':')?;
    Some(BatchRow {
        planner: planner.parse().ok()?,
        k: k.parse().ok()?,
        has_ended: row.contains_key("ended"),
        answered: texts(row, "answered"),
        halving: text(row, "halving").and_then(|json| serde_json::from_str(json).ok()),
        expires: row.contains_key("ttl"),
    })
}

fn totals(row: &Row) -> Totals {
    Totals {
        planned: number(row, "planned"),
        without_credentials: number(row, "without_credentials"),
        batches: number(row, "batches"),
        done: number(row, "done"),
        failed: number(row, "failed"),
        failed_planners: number(row, "failed_planners"),
        asked: number(row, "asked"),
        changed: number(row, "changed"),
        unknown: number(row, "unknown"),
    }
}

fn text<'a>(row: &'a Row, name: &str) -> Option<&'a str> {
    row.get(name)?["S"].as_str()
}

fn texts(row: &Row, name: &str) -> Vec<String> {
    let set = row.get(name).and_then(|value| value["SS"].as_array()).into_iter().flatten();
    set.filter_map(|text| text.as_str().map(str::to_owned)).collect()
}

fn number(row: &Row, name: &str) -> u64 {
    row.get(name).and_then(|value| value["N"].as_str()?.parse().ok()).unwrap_or_default()
}

impl std::iter::Sum for Totals {
    fn sum<I: Iterator<Item = Self>>(parts: I) -> Self {
        parts.fold(Self::default(), |sum, part| Self {
            planned: sum.planned + part.planned,
            without_credentials: sum.without_credentials + part.without_credentials,
            batches: sum.batches + part.batches,
            done: sum.done + part.done,
            failed: sum.failed + part.failed,
            failed_planners: sum.failed_planners + part.failed_planners,
            asked: sum.asked + part.asked,
            changed: sum.changed + part.changed,
            unknown: sum.unknown + part.unknown,
        })
    }
}
