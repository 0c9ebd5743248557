//! Transactions: all writes take place, or none.

use std::collections::{BTreeMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::{Value, json};

use super::request::Request;
use super::size::{half_reads, size, write_units};
use super::store::Change;
use super::write::{Kind, Write, in_transaction};
use super::{DynamoDb, Failure, Item};

const MAX_WRITES: usize = 100;
const MAX_BYTES: usize = 4 * 1024 * 1024;
/// How long a request token counts.
const TOKEN_MS: u64 = 10 * 60 * 1000;
const MAX_TOKEN: usize = 36;

/// The committed transactions of the last ten minutes, by their tokens.
#[derive(Default)]
pub(super) struct Tokens {
    committed: BTreeMap<String, Committed>,
    /// With the times, in their order.
    by_age: VecDeque<(u64, String)>,
}

struct Committed {
    /// A hash of the request.
    request: u64,
    /// What a repetition costs.
    half_reads: u64,
}

impl Tokens {
    fn forget_expired(&mut self, now: u64) {
        let is_expired = |(at, _): &mut (u64, String)| at.saturating_add(TOKEN_MS) <= now;
        while let Some((_, token)) = self.by_age.pop_front_if(is_expired) {
            self.committed.remove(&token);
        }
    }

    /// What the repetition of a committed transaction costs. `None` if there is none of this token.
    fn repetition(&self, token: &str, request: &Value) -> Result<Option<u64>, Failure> {
        match self.committed.get(token) {
            Some(committed) if committed.request != hash(request) => Err(Failure::new(
                "IdempotentParameterMismatchException",
                "The provided parameters differ from those of the request with the same token",
            )),
            committed => Ok(committed.map(|committed| committed.half_reads)),
        }
    }

    fn add(&mut self, token: &str, request: &Value, changes: &[Change], now: u64) {
        let half_reads = changes.iter().map(repetition_cost).sum();
        let committed = Committed { request: hash(request), half_reads };
        self.committed.insert(token.to_owned(), committed);
        self.by_age.push_back((now, token.to_owned()));
    }
}

fn hash(request: &Value) -> u64 {
    let mut hasher = DefaultHasher::new();
    request.hash(&mut hasher);
    hasher.finish()
}

/// A write and the table that it is for.
type Planned<'a> = (&'a str, Write<'a>);

impl DynamoDb {
    pub(super) fn transact(
        &mut self,
        request: &Value,
        now: u64,
        lag: u64,
    ) -> Result<Value, Failure> {
        let members = Request::of(request, &["TransactItems", "ClientRequestToken"])?;
        let token = members.text("ClientRequestToken")?;
        if token.is_some_and(|token| token.is_empty() || token.len() > MAX_TOKEN) {
            return Err(Failure::validation("ClientRequestToken must have 1 to 36 characters"));
        }
        self.tokens.forget_expired(now);
        let repetition = token.map(|token| self.tokens.repetition(token, request)).transpose()?;
        if let Some(half_reads) = repetition.flatten() {
            self.usage.half_reads += half_reads;
            return Ok(json!({}));
        }
        let writes = self.plan(members.list("TransactItems")?)?;
        let changes = self.changes(&writes)?;
        if let Some(token) = token {
            self.tokens.add(token, request, &changes, now);
        }
        for ((table, _), change) in writes.iter().zip(changes) {
            self.store_mut(table)?.commit(change, now, lag);
        }
        Ok(json!({}))
    }

    fn plan<'a>(&self, operations: &'a [Value]) -> Result<Vec<Planned<'a>>, Failure> {
        if operations.is_empty() || operations.len() > MAX_WRITES {
            return Err(Failure::validation("TransactItems must have 1 to 100 members"));
        }
        let mut writes: Vec<Planned<'a>> = Vec::with_capacity(operations.len());
        for operation in operations {
            let (kind, request) = read_operation(operation)?;
            let request = in_transaction(kind, request)?;
            let table = request.required_text("TableName")?;
            let write = Write::of(kind, request, &self.store(table)?.table)?;
            let is_same =
                |(other, earlier): &Planned<'_>| *other == table && write.has_target_of(earlier);
            if writes.iter().any(is_same) {
                return Err(Failure::validation(
                    "Transaction request cannot include multiple operations on one item",
                ));
            }
            writes.push((table, write));
        }
        Ok(writes)
    }

    /// The changes of all writes, or the reasons against them. Each write is billed twice, to
    /// prepare and to commit; a cancelled transaction too.
    fn changes(&mut self, writes: &[Planned<'_>]) -> Result<Vec<Change>, Failure> {
        let (mut changes, mut outcomes, mut units) = (Vec::new(), Vec::new(), 0);
        for (table, write) in writes {
            let store = self.store(table)?;
            let outcome = write.change(store).map(|change| changes.push(change)).err();
            let (before, after) = match changes.last().filter(|_| outcome.is_none()) {
                Some(change) => (change.before.as_deref(), change.after.as_deref()),
                None => (write.existing(store).map(AsRef::as_ref), None),
            };
            units += 2 * write_units(before, after);
            outcomes.push(outcome);
        }
        check_bytes(&changes)?;
        self.usage.writes += units;
        if outcomes.iter().any(Option::is_some) {
            return Err(Failure::cancelled(&outcomes));
        }
        for ((table, _), change) in writes.iter().zip(&changes) {
            self.usage.writes += self.store(table)?.index_units(change);
        }
        Ok(changes)
    }
}

fn check_bytes(changes: &[Change]) -> Result<(), Failure> {
    let bytes: usize = changes.iter().filter_map(|change| change.after.as_deref()).map(size).sum();
    if bytes > MAX_BYTES {
        return Err(Failure::validation(
            "Collection size of items exceeded: the aggregate size of the items in the transaction \
             exceeds the 4MB limit",
        ));
    }
    Ok(())
}

fn read_operation(operation: &Value) -> Result<(Kind, &Value), Failure> {
    let members = operation.as_object().filter(|members| members.len() == 1);
    let (name, request) = members.and_then(|members| members.iter().next()).ok_or_else(|| {
        Failure::validation("TransactItems can only contain one of Check, Put, Update or Delete")
    })?;
    let kind = match name.as_str() {
        "Put" => Kind::Put,
        "Update" => Kind::Update,
        "Delete" => Kind::Delete,
        "ConditionCheck" => Kind::ConditionCheck,
        other => return Err(Failure::not_modelled(other)),
    };
    Ok((kind, request))
}

/// A repetition is billed as a transactional read, which costs twice as much as a consistent one.
fn repetition_cost(change: &Change) -> u64 {
    let bytes = |row: Option<&Item>| row.map(size).unwrap_or_default();
    2 * half_reads(bytes(change.before.as_deref()).max(bytes(change.after.as_deref())), true)
}
