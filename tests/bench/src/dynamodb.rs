//! DynamoDB, as far as the sync uses it: the orders table is made up as it is read, the state table is kept.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::http::Response;
use crate::orders::{Orders, Page};
use crate::usage::{Meter, lock};

pub(crate) mod expression;
pub(crate) mod item;
mod transaction;

use expression::{Unsupported, Words, apply, holds, partition_key};
use item::{Item, half_reads, key, size, writes};

/// The table whose rows are made up.
pub(crate) const ORDERS: &str = "orders";
/// The table whose rows are kept.
pub(crate) const STATE: &str = "state";

type Key = (String, String);
type Rows = BTreeMap<Key, Item>;

/// Both tables.
pub(crate) struct DynamoDb {
    orders: Orders,
    rows: Mutex<Rows>,
    meter: Arc<Meter>,
}

/// Why a call is refused.
enum Refused {
    /// The row does not meet the condition. It is shown where the call asks for it.
    Condition(Option<Item>),
    /// A transaction, for these reasons.
    Cancelled(Vec<Value>),
    /// Nothing here knows how to do it.
    Unsupported(String),
}

impl From<Unsupported> for Refused {
    fn from(unsupported: Unsupported) -> Self {
        Self::Unsupported(unsupported.0)
    }
}

impl DynamoDb {
    /// With these orders, and no state.
    pub(crate) fn new(orders: Orders, meter: Arc<Meter>) -> Self {
        Self { orders, rows: Mutex::default(), meter }
    }

    /// The rows of a partition of the state table.
    pub(crate) fn state(&self, pk: &str) -> Vec<Item> {
        partition(&lock(&self.rows), pk).cloned().collect()
    }

    /// Answers a call.
    pub(crate) fn answer(&self, operation: &str, body: &[u8]) -> Response {
        let request: Value = serde_json::from_slice(body).unwrap_or_default();
        self.meter.count().call("DynamoDB", operation);
        let done = match (operation, request["TableName"].as_str()) {
            ("Query", Some(ORDERS)) => return self.query_orders(&request),
            ("Query", Some(STATE)) => self.query(&request),
            ("GetItem", Some(STATE)) => self.get(&request),
            ("PutItem" | "UpdateItem" | "DeleteItem", Some(STATE)) => {
                self.write(operation, &request)
            }
            ("TransactWriteItems", None) => self.transact(&request),
            _ => Err(Refused::Unsupported(format!("{operation} {}", request["TableName"]))),
        };
        match done {
            Ok(answer) => Response::new(200, answer.to_string()),
            Err(refused) => self.refuse(refused),
        }
    }

    fn refuse(&self, refused: Refused) -> Response {
        let (code, mut answer) = match refused {
            Refused::Condition(item) => {
                ("ConditionalCheckFailedException", json!({ "Item": item }))
            }
            Refused::Cancelled(reasons) => {
                ("TransactionCanceledException", json!({ "CancellationReasons": reasons }))
            }
            Refused::Unsupported(what) => {
                self.meter.fault(format!("DynamoDB does not know {what}"));
                ("ValidationException", json!({}))
            }
        };
        answer["__type"] = format!("com.amazonaws.dynamodb.v20120810#{code}").into();
        answer["message"] = code.into();
        Response::new(400, answer.to_string())
    }

    fn query_orders(&self, request: &Value) -> Response {
        let Some(page) = self.orders.page(request) else {
            return self.refuse(Refused::Unsupported("this query".into()));
        };
        let Page { json, bytes } = page;
        self.meter.count().half_reads += half_reads(bytes, request["ConsistentRead"] == true);
        Response::new(200, json)
    }

    fn query(&self, request: &Value) -> Result<Value, Refused> {
        let words = Words::of(request);
        let pk = partition_key(request)?;
        let condition = request["KeyConditionExpression"].as_str().unwrap_or_default();
        let rows = lock(&self.rows);
        let mut found = Vec::new();
        for row in partition(&rows, pk) {
            if holds(condition, row, words)? {
                found.push(row);
            }
        }
        if request["ScanIndexForward"] == false {
            found.reverse();
        }
        let limit = request["Limit"]
            .as_u64()
            .and_then(|limit| usize::try_from(limit).ok())
            .unwrap_or(usize::MAX);
        if found.len() > limit || !request["ExclusiveStartKey"].is_null() {
            return Err(Refused::Unsupported("a further page of the state table".to_owned()));
        }
        let bytes = found.iter().map(|row| size(row)).sum();
        self.meter.count().half_reads += half_reads(bytes, request["ConsistentRead"] == true);
        if let Some(filter) = request["FilterExpression"].as_str() {
            let kept = found
                .into_iter()
                .map(|row| holds(filter, row, words).map(|kept| kept.then_some(row)));
            found = kept.filter_map(Result::transpose).collect::<Result<_, _>>()?;
        }
        Ok(json!({ "Items": found, "Count": found.len() }))
    }

    fn get(&self, request: &Value) -> Result<Value, Refused> {
        let row = lock(&self.rows).get(&key_of(&request["Key"])?).cloned();
        let bytes = row.as_ref().map(size).unwrap_or_default();
        self.meter.count().half_reads += half_reads(bytes, request["ConsistentRead"] == true);
        Ok(row.map_or_else(|| json!({}), |row| json!({ "Item": row })))
    }

    fn write(&self, operation: &str, request: &Value) -> Result<Value, Refused> {
        let mut rows = lock(&self.rows);
        let change = Change::of(operation, request, &rows);
        let change = change.inspect_err(|_| self.meter.count().writes += 1)?;
        self.meter.count().writes += change.units();
        let answer = change.answer(request["ReturnValues"].as_str().unwrap_or_default());
        if let Some(refused) = change.refused {
            return Err(Refused::Condition(refused));
        }
        change.make(&mut rows);
        Ok(answer)
    }
}

/// What a write makes of a row.
struct Change {
    key: Key,
    before: Option<Item>,
    after: Option<Item>,
    /// The names of what it wrote.
    written: Vec<String>,
    /// The row as it is shown, where it does not meet the condition.
    refused: Option<Option<Item>>,
}

impl Change {
    fn of(operation: &str, request: &Value, rows: &Rows) -> Result<Self, Refused> {
        let item = if operation == "PutItem" { &request["Item"] } else { &request["Key"] };
        let key = key_of(item)?;
        let (words, before) = (Words::of(request), rows.get(&key).cloned());
        let standing = before.clone().unwrap_or_default();
        let holds = request["ConditionExpression"]
            .as_str()
            .map_or(Ok(true), |text| holds(text, &standing, words))?;
        let shown = request["ReturnValuesOnConditionCheckFailure"] == "ALL_OLD";
        let refused = (!holds).then(|| before.clone().filter(|_| shown));
        let (after, written) = match (operation, item.as_object()) {
            _ if refused.is_some() => (before.clone(), Vec::new()),
            ("PutItem", Some(item)) => (Some(item.clone()), Vec::new()),
            ("UpdateItem", Some(key)) => {
                let row = before.clone().unwrap_or_else(|| key.clone());
                let update = request["UpdateExpression"].as_str().unwrap_or_default();
                let (row, written) = apply(update, &row, words)?;
                (Some(row), written)
            }
            ("DeleteItem", Some(_)) => (None, Vec::new()),
            _ => return Err(Refused::Unsupported(operation.to_owned())),
        };
        Ok(Self { key, before, after, written, refused })
    }

    /// A write that is refused is billed all the same.
    fn units(&self) -> u64 {
        writes(self.before.as_ref(), self.after.as_ref())
    }

    fn answer(&self, wanted: &str) -> Value {
        let some = |(name, value): (&String, &Value)| {
            self.written.contains(name).then(|| (name.clone(), value.clone()))
        };
        let attributes = match wanted {
            "ALL_OLD" => self.before.clone(),
            "ALL_NEW" => self.after.clone(),
            "UPDATED_NEW" => {
                self.after.as_ref().map(|after| after.iter().filter_map(some).collect())
            }
            _ => None,
        };
        attributes.map_or_else(|| json!({}), |attributes| json!({ "Attributes": attributes }))
    }

    fn make(self, rows: &mut Rows) {
        match self.after {
            Some(row) => rows.insert(self.key, row),
            None => rows.remove(&self.key),
        };
    }
}

fn key_of(item: &Value) -> Result<Key, Refused> {
    item.as_object().and_then(key).ok_or_else(|| Refused::Unsupported("a key".to_owned()))
}

fn partition<'a>(rows: &'a Rows, pk: &'a str) -> impl Iterator<Item = &'a Item> {
    let first = (pk.to_owned(), String::new());
    rows.range(first..).take_while(move |((of, _), _)| of == pk).map(|(_, row)| row)
}

#[cfg(test)]
mod tests;
