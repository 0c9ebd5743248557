//! Poll runs, in the state table. The rows let a run continue after any crash, and tell when it is
//! over.
//!
//! | partition | sort key | row |
//! |---|---|---|
//! | `runs` | `{started_at}/{id}` | a run; once closed with `closed_at` and its totals; 30 days |
//! | `run:{id}` | `shard:{shard}` | a shard's planning progress and batch counters; 30 days |
//! | | `batch:{shard}:{k}` | the state of a batch; 2 days |

mod batches;
mod close;
mod list;
mod shards;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::polling::{Run, SHARDS};

use crate::error::IoError;
use crate::tables::attr::{Item, read_as, text, ttl};
use crate::tables::expression::{Condition, attr};
use crate::tables::keys::key;
use crate::tables::read::{get, query};
use crate::tables::update::Changes;
use crate::tables::write::{Write, WriteOutcome};

pub use batches::BatchOutcome;
pub use list::RunRow;
pub use shards::{PlanProgress, PlanStep, ShardClaim, ShardLease};

/// Retention of runs.
const RETENTION_DAYS: u64 = 30;
const RUNS: &str = "runs";

/// The state table.
#[derive(Debug, Clone)]
pub struct Runs {
    client: Client,
    table: String,
}

#[derive(Debug, Clone, PartialEq)]
pub enum RunState {
    Open {
        /// The shards whose planning is not finished.
        shards: Vec<u8>,
        /// The rate limit of the run's polls.
        calls_per_second: f64,
    },
    Closed,
}

impl Runs {
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// Opens a run. A run that exists keeps its rate.
    pub async fn open(&self, run: &Run, calls_per_second: f64) -> Result<RunState, IoError> {
        let insert = Write::insert(&self.table, run_row(run, calls_per_second));
        match insert.returning_existing().send(&self.client).await? {
            WriteOutcome::Applied(_) => {
                Ok(RunState::Open { shards: (0..SHARDS).collect(), calls_per_second })
            }
            WriteOutcome::ConditionFailed(row) => self.state(run, &row).await,
        }
    }

    async fn state(&self, run: &Run, row: &Item) -> Result<RunState, IoError> {
        if row.contains_key("closed_at") {
            return Ok(RunState::Closed);
        }
        let calls_per_second = read_as(row, "calls_per_second", str::parse)?;
        let planned = self.planned_shards(run).await?;
        let shards = (0..SHARDS).filter(|shard| !planned.contains(shard)).collect();
        Ok(RunState::Open { shards, calls_per_second })
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

fn run_row(run: &Run, calls_per_second: f64) -> Item {
    let mut row = run_key(run);
    let kind = if run.manual { "manual" } else { "hourly" };
    row.extend([
        ("id".to_owned(), text(&run.id)),
        ("kind".to_owned(), text(kind)),
        ("started_at".to_owned(), text(run.started_at.to_string())),
        // Text, because the range of DynamoDB's numbers is smaller than that of an f64.
        ("calls_per_second".to_owned(), text(calls_per_second.to_string())),
        ("ttl".to_owned(), run_ttl(run)),
    ]);
    row
}

fn runs() -> Condition {
    attr("pk").equals(text(RUNS))
}

fn run_key(run: &Run) -> Item {
    key(RUNS, format!("{}/{}", run.started_at, run.id))
}

/// The partition of a run's shards and batches.
fn parts_pk(run: &str) -> String {
    format!("run:{run}")
}

fn shard_key(run: &str, shard: u8) -> Item {
    key(parts_pk(run), format!("shard:{shard:02}"))
}

fn flag() -> AttributeValue {
    AttributeValue::Bool(true)
}

/// The same for a run and its shards, so that no shard expires first.
fn run_ttl(run: &Run) -> AttributeValue {
    ttl(run.started_at, RETENTION_DAYS)
}
