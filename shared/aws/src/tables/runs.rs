//! The runs of the carrier's polling, as rows of the state table: what keeps a run going whoever is killed, and says
//! when it is over.
//!
//! | partition | sort key | what |
//! |---|---|---|
//! | `runs` | `{started_at}/{id}` | a run; with its end `closed_at` and the totals; 30 days |
//! | `run:{id}` | `shard:{shard}` | how far a shard is planned, and what came of its batches; 30 days |
//! | | `batch:{shard}:{k}` | what became of a batch; 2 days |

mod batches;
mod closing;
mod list;
mod shards;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use domain::polling::{Run, SHARDS};

use crate::error::IoError;
use crate::tables::attr::{Item, read_text, text, ttl};

pub use batches::Outcome;
pub use list::RunRow;
pub use shards::{Claimed, Lease, Progress, Step};

const DAYS: u64 = 30;
const RUNS: &str = "runs";

/// The state table, as far as runs go.
#[derive(Debug, Clone)]
pub struct Runs {
    client: Client,
    table: String,
}

/// What is left to do for a run.
#[derive(Debug, Clone, PartialEq)]
pub enum Opened {
    /// It is open.
    Open {
        /// The shards that are not planned to the end.
        shards: Vec<u8>,
        /// How many of its batches may be asked in a second.
        calls_per_second: f64,
    },
    /// It is over.
    Closed,
}

impl Runs {
    /// The table of this name.
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// Opens a run, unless it is there. Whoever opened it first decided on its rate.
    ///
    /// # Errors
    /// The table cannot be read or written.
    pub async fn open(&self, run: &Run, calls_per_second: f64) -> Result<Opened, IoError> {
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(run_row(run, calls_per_second)))
            .condition_expression("attribute_not_exists(pk)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let Err(error) = put.send().await else {
            return Ok(Opened::Open { shards: (0..SHARDS).collect(), calls_per_second });
        };
        match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(failed)) => {
                let row =
                    failed.item().ok_or_else(|| IoError::unreadable("dynamodb:PutItem", "run"))?;
                self.open_again(run, row).await
            }
            _ => Err(IoError::of("dynamodb:PutItem", &error)),
        }
    }

    async fn open_again(&self, run: &Run, row: &Item) -> Result<Opened, IoError> {
        if row.contains_key("closed_at") {
            return Ok(Opened::Closed);
        }
        let rate = read_text(row, "calls_per_second")?.parse();
        let calls_per_second =
            rate.map_err(|_| IoError::unreadable("dynamodb", "calls_per_second"))?;
        let planned = self.planned_shards(run).await?;
        Ok(Opened::Open {
            shards: (0..SHARDS).filter(|shard| !planned.contains(shard)).collect(),
            calls_per_second,
        })
    }

    fn query(&self, pk: String, condition: &str) -> QueryFluentBuilder {
        let query = self.client.query().table_name(&self.table).consistent_read(true);
        query.key_condition_expression(condition).expression_attribute_values(":pk", text(pk))
    }

    async fn get(&self, key: Item) -> Result<Option<Item>, IoError> {
        let get =
            self.client.get_item().table_name(&self.table).set_key(Some(key)).consistent_read(true);
        Ok(get.send().await.map_err(|error| IoError::of("dynamodb:GetItem", &error))?.item)
    }

    fn update(&self, key: Item) -> UpdateItemFluentBuilder {
        self.client.update_item().table_name(&self.table).set_key(Some(key))
    }
}

fn run_row(run: &Run, calls_per_second: f64) -> Item {
    let mut row = run_key(run);
    let kind = if run.manual { "manual" } else { "hourly" };
    row.extend([
        ("id".to_owned(), text(&run.id)),
        ("kind".to_owned(), text(kind)),
        ("started_at".to_owned(), text(run.started_at.to_string())),
        // As text: DynamoDB's numbers have bounds that this one has not.
        ("calls_per_second".to_owned(), text(calls_per_second.to_string())),
        ("ttl".to_owned(), ttl(run.started_at, DAYS)),
    ]);
    row
}

fn key(pk: String, sk: String) -> Item {
    Item::from([("pk".to_owned(), text(pk)), ("sk".to_owned(), text(sk))])
}

fn run_key(run: &Run) -> Item {
    key(RUNS.to_owned(), format!("{}/{}", run.started_at, run.id))
}

/// The partition of a run's parts.
fn parts(run: &str) -> String {
    format!("run:{run}")
}

fn shard_key(run: &str, shard: u8) -> Item {
    key(parts(run), format!("shard:{shard:02}"))
}

fn flag() -> AttributeValue {
    AttributeValue::Bool(true)
}

/// The rows of a run must not go before it.
fn run_ttl(run: &Run) -> AttributeValue {
    ttl(run.started_at, DAYS)
}
