//! DynamoDB: tables with indexes in memory, and the operations that the functions use.
//!
//! Requests and answers are DynamoDB's JSON. A request that needs more than the model has fails
//! with [`Failure::is_not_modelled`]; it never gets a wrong answer.
//!
//! A consistent read sees every committed write. Other reads, and all queries of indexes, see a
//! copy of the table that each write reaches after a lag.

mod expression;
mod failure;
mod number;
mod query;
mod read;
mod request;
mod schema;
mod size;
mod store;
mod transaction;
mod value;
mod write;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

pub use failure::Failure;
pub use schema::{Index, Table};
pub use size::{half_reads, size};

use store::{Change, Store};
use transaction::Tokens;
use write::Kind;

/// A row in DynamoDB's JSON.
pub type Item = Map<String, Value>;

/// DynamoDB does not delete rows that expired longer ago.
const OLDEST_EXPIRY_SECONDS: u64 = 5 * 365 * 24 * 60 * 60;

pub struct DynamoDb {
    stores: BTreeMap<String, Store>,
    tokens: Tokens,
    usage: Usage,
}

/// The billed capacity units, those of indexes included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Read units, in halves.
    pub half_reads: u64,
    pub writes: u64,
}

impl DynamoDb {
    pub fn new(tables: Vec<Table>) -> Self {
        let stores = tables.into_iter().map(|table| (table.name.clone(), Store::new(table)));
        Self { stores: stores.collect(), tokens: Tokens::default(), usage: Usage::default() }
    }

    /// Answers a request. `now` is in ms since the epoch, and never less than in an earlier call. A
    /// write is visible to indexes and to reads that are not consistent `lag` ms later, or when
    /// earlier writes to the same table are.
    pub fn call(
        &mut self,
        operation: &str,
        request: &Value,
        now: u64,
        lag: u64,
    ) -> Result<Value, Failure> {
        self.stores.values_mut().for_each(|store| store.catch_up(now));
        match operation {
            "GetItem" => self.get_item(request),
            "BatchGetItem" => self.batch_get_item(request),
            "Query" => self.query(request),
            "Scan" => self.scan(request),
            "PutItem" => self.write(Kind::Put, request, now, lag),
            "UpdateItem" => self.write(Kind::Update, request, now, lag),
            "DeleteItem" => self.write(Kind::Delete, request, now, lag),
            "TransactWriteItems" => self.transact(request, now, lag),
            other => Err(Failure::not_modelled(other)),
        }
    }

    /// The committed rows of a table, in key order.
    pub fn rows(&self, table: &str) -> impl Iterator<Item = &Item> {
        let store = self.stores.get(table).into_iter();
        store.flat_map(|store| store.committed().values().map(AsRef::as_ref))
    }

    /// A committed row.
    pub fn row(&self, table: &str, key: &Value) -> Option<&Item> {
        let store = self.stores.get(table)?;
        let position = store.table.read_key(key.as_object()?).ok()?;
        store.committed().get(&position).map(AsRef::as_ref)
    }

    /// Deletes the rows whose expiry time is over, without a cost. DynamoDB does it some time after
    /// they expired; until then reads return them.
    pub fn expire(&mut self, now: u64) {
        let seconds = now / 1000;
        let expired = seconds.saturating_sub(OLDEST_EXPIRY_SECONDS)..seconds;
        for store in self.stores.values_mut() {
            let Some(ttl) = store.table.ttl.clone() else { continue };
            let is_expired = |row: &Item| {
                let time = row.get(&ttl).and_then(|value| value["N"].as_str()?.parse().ok());
                time.is_some_and(|time| expired.contains(&time))
            };
            let rows = store.committed().iter().filter(|(_, row)| is_expired(row));
            let deletions: Vec<Change> = rows
                .map(|(position, row)| Change {
                    position: position.clone(),
                    before: Some(row.clone()),
                    after: None,
                })
                .collect();
            deletions.into_iter().for_each(|deletion| store.commit(deletion, now, 0));
        }
    }

    pub fn usage(&self) -> Usage {
        self.usage
    }

    /// Returns the usage so far, and begins at zero.
    pub fn take_usage(&mut self) -> Usage {
        std::mem::take(&mut self.usage)
    }

    fn store(&self, table: &str) -> Result<&Store, Failure> {
        self.stores.get(table).ok_or_else(no_table)
    }

    fn store_mut(&mut self, table: &str) -> Result<&mut Store, Failure> {
        self.stores.get_mut(table).ok_or_else(no_table)
    }
}

fn no_table() -> Failure {
    Failure::new("ResourceNotFoundException", "Requested resource not found")
}
