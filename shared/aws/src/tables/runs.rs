//! Poll runs, in the state table. The rows let a run continue after any crash, and tell when it is
//! over.
//!
//! | partition | sort key | row |
//! |---|---|---|
//! | `runs` | `{started_at}/{id}` | a run; once closed with `closed_at` and its totals; 30 days |
//! | `run:{id}` | `planner:{planner}` | a planner's progress and batch counters; 30 days |
//! | | `batch:{planner}:{k}` | the state of a batch; 2 days |
//! | | `pause:{account}` | the pause of a credential, without account that of the source; 2 days |

mod batches;
mod close;
mod list;
mod pauses;
mod planners;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::polling::Run;

use crate::error::IoError;
use crate::tables::attr::{Item, number, read_as, read_number, read_text, text, ttl};
use crate::tables::expression::{Condition, attr};
use crate::tables::keys::key;
use crate::tables::read::{get, query};
use crate::tables::update::Changes;
use crate::tables::write::{Write, WriteOutcome};

use close::read_totals;

pub use batches::BatchOutcome;
pub use list::RunRow;
pub use pauses::BatchState;
pub use planners::{PlanClaim, PlanLease, PlanProgress, PlanStep};

/// Retention of runs.
const RETENTION_DAYS: u64 = 30;
const RUNS: &str = "runs";
const HOURLY: &str = "hourly";
/// The page size when earlier runs are read. One page usually has the runs that are looked for.
const EARLIER_RUNS: i32 = 10;

/// The state table.
#[derive(Debug, Clone)]
pub struct Runs {
    client: Client,
    table: String,
}

#[derive(Debug, Clone, PartialEq)]
pub enum RunState {
    Open {
        /// The planners that are not finished.
        unfinished: Vec<u8>,
        planners: u8,
        /// The rate limit of the run's polls.
        calls_per_second: f64,
    },
    Closed,
}

/// The runs before a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EarlierRuns {
    /// The number of orders that the last closed run planned; 0 without one.
    pub planned: u64,
    /// The hourly run before is still open.
    pub is_previous_open: bool,
}

impl Runs {
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// Opens a run. A run that exists keeps its rate and its planners.
    pub async fn open(
        &self,
        run: &Run,
        calls_per_second: f64,
        planners: u8,
    ) -> Result<RunState, IoError> {
        let insert = Write::insert(&self.table, run_row(run, calls_per_second, planners));
        match insert.returning_existing().send(&self.client).await? {
            WriteOutcome::Applied(_) => {
                let unfinished = (0..planners).collect();
                Ok(RunState::Open { unfinished, planners, calls_per_second })
            }
            WriteOutcome::ConditionFailed(row) => self.state(run, &row).await,
        }
    }

    async fn state(&self, run: &Run, row: &Item) -> Result<RunState, IoError> {
        if row.contains_key("closed_at") {
            return Ok(RunState::Closed);
        }
        let calls_per_second = read_as(row, "calls_per_second", str::parse)?;
        let (planners, finished) = (read_planners(row)?, self.finished_planners(run).await?);
        let unfinished = (0..planners).filter(|planner| !finished.contains(planner)).collect();
        Ok(RunState::Open { unfinished, planners, calls_per_second })
    }

    /// What the runs before this one tell about it.
    pub async fn earlier(&self, run: &Run) -> Result<EarlierRuns, IoError> {
        let earlier = runs().and(attr("sk").below(text(run.started_at.to_string())));
        let newest_first = self.query(earlier).scan_index_forward(false).limit(EARLIER_RUNS);
        let mut rows = newest_first.into_paginator().items().send();
        let (mut planned, mut is_previous_open) = (None, None);
        while planned.is_none() || is_previous_open.is_none() {
            let row = rows.next().await.transpose();
            let row = row.map_err(|error| IoError::of("dynamodb:Query", &error))?;
            let Some(row) = row else { break };
            let is_closed = row.contains_key("closed_at");
            if is_closed && planned.is_none() {
                planned = Some(read_totals(&row).planned);
            }
            if is_previous_open.is_none() && read_text(&row, "kind")? == HOURLY {
                is_previous_open = Some(!is_closed);
            }
        }
        Ok(EarlierRuns {
            planned: planned.unwrap_or_default(),
            is_previous_open: is_previous_open.unwrap_or_default(),
        })
    }

    fn query(&self, rows: Condition) -> QueryFluentBuilder {
        query(&self.client, &self.table, rows).consistent_read(true)
    }

    async fn get(&self, key: Item) -> Result<Option<Item>, IoError> {
        get(&self.client, &self.table, key, &[]).await
    }

    fn update(&self, key: Item, changes: Changes) -> Write {
        Write::update(&self.table, key, changes)
    }
}

fn run_row(run: &Run, calls_per_second: f64, planners: u8) -> Item {
    let mut row = run_key(run);
    let kind = if run.manual { "manual" } else { HOURLY };
    row.extend([
        ("id".to_owned(), text(&run.id)),
        ("kind".to_owned(), text(kind)),
        ("started_at".to_owned(), text(run.started_at.to_string())),
        // Text, because the range of DynamoDB's numbers is smaller than that of an f64.
        ("calls_per_second".to_owned(), text(calls_per_second.to_string())),
        ("planners".to_owned(), number(planners)),
        ("ttl".to_owned(), run_ttl(run)),
    ]);
    row
}

fn read_planners(run: &Item) -> Result<u8, IoError> {
    read_number(run, "planners").ok_or_else(|| IoError::unreadable("dynamodb", "planners"))
}

fn runs() -> Condition {
    attr("pk").equals(text(RUNS))
}

fn run_key(run: &Run) -> Item {
    key(RUNS, format!("{}/{}", run.started_at, run.id))
}

/// The partition of a run's planners and batches.
fn parts_pk(run: &str) -> String {
    format!("run:{run}")
}

fn planner_key(run: &str, planner: u8) -> Item {
    key(parts_pk(run), format!("planner:{planner:02}"))
}

fn flag() -> AttributeValue {
    AttributeValue::Bool(true)
}

/// The same for a run and its planners, so that no planner expires first.
fn run_ttl(run: &Run) -> AttributeValue {
    ttl(run.started_at, RETENTION_DAYS)
}
