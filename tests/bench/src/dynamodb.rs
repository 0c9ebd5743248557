//! DynamoDB, as far as the sync uses it: a generated orders table and a stored state table.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::http::Response;
use crate::orders::{Orders, Page};
use crate::usage::{Meter, lock};

pub(crate) mod expression;
pub(crate) mod item;
mod transaction;

use expression::{Placeholders, Unsupported, apply, holds, partition_key};
use item::{Item, half_reads, key, size, write_units};

pub(crate) const ORDERS: &str = "orders";
pub(crate) const STATE: &str = "state";

type Key = (String, String);
type Rows = BTreeMap<Key, Item>;

pub(crate) struct DynamoDb {
    orders: Orders,
    rows: Mutex<Rows>,
    meter: Arc<Meter>,
}

enum CallError {
    /// A failed condition, with the row if the call requests it.
    Condition(Option<Item>),
    /// A cancelled transaction, with its cancellation reasons.
    Cancelled(Vec<Value>),
    Unsupported(String),
}

impl From<Unsupported> for CallError {
    fn from(unsupported: Unsupported) -> Self {
        Self::Unsupported(unsupported.0)
    }
}

impl DynamoDb {
    pub(crate) fn new(orders: Orders, meter: Arc<Meter>) -> Self {
        Self { orders, rows: Mutex::default(), meter }
    }

    /// Adds a row to the state table.
    pub(crate) fn insert(&self, row: Value) {
        if let (Ok(key), Value::Object(row)) = (key_of(&row), row) {
            lock(&self.rows).insert(key, row);
        }
    }

    /// The rows of a partition of the state table.
    pub(crate) fn state(&self, pk: &str) -> Vec<Item> {
        partition(&lock(&self.rows), pk).cloned().collect()
    }

    pub(crate) fn answer(&self, operation: &str, body: &[u8]) -> Response {
        let request: Value = serde_json::from_slice(body).unwrap_or_default();
        self.meter.count().call("DynamoDB", operation);
        let result = match (operation, request["TableName"].as_str()) {
            ("Query", Some(ORDERS)) => return self.query_orders(&request),
            ("Query", Some(STATE)) => self.query(&request),
            ("GetItem", Some(STATE)) => self.get(&request),
            ("PutItem" | "UpdateItem" | "DeleteItem", Some(STATE)) => {
                self.write(operation, &request)
            }
            ("TransactWriteItems", None) => self.transact(&request),
            ("BatchGetItem", None) => self.batch_get(&request["RequestItems"][STATE]),
            _ => Err(CallError::Unsupported(format!("{operation} {}", request["TableName"]))),
        };
        match result {
            Ok(answer) => Response::new(200, answer.to_string()),
            Err(error) => self.error_response(error),
        }
    }

    fn error_response(&self, error: CallError) -> Response {
        let (code, mut answer) = match error {
            CallError::Condition(item) => {
                ("ConditionalCheckFailedException", json!({ "Item": item }))
            }
            CallError::Cancelled(reasons) => {
                ("TransactionCanceledException", json!({ "CancellationReasons": reasons }))
            }
            CallError::Unsupported(part) => {
                self.meter.fault(format!("the DynamoDB double does not support {part}"));
                ("ValidationException", json!({}))
            }
        };
        answer["__type"] = format!("com.amazonaws.dynamodb.v20120810#{code}").into();
        answer["message"] = code.into();
        Response::new(400, answer.to_string())
    }

    fn query_orders(&self, request: &Value) -> Response {
        let Some(page) = self.orders.page(request) else {
            return self.error_response(CallError::Unsupported("this query".into()));
        };
        let Page { json, bytes } = page;
        self.meter.count().half_reads += half_reads(bytes, request["ConsistentRead"] == true);
        Response::new(200, json)
    }

    fn query(&self, request: &Value) -> Result<Value, CallError> {
        let placeholders = Placeholders::of(request);
        let pk = partition_key(request)?;
        let condition = request["KeyConditionExpression"].as_str().unwrap_or_default();
        let rows = lock(&self.rows);
        let mut items = Vec::new();
        for row in partition(&rows, pk) {
            if holds(condition, row, placeholders)? {
                items.push(row);
            }
        }
        if request["ScanIndexForward"] == false {
            items.reverse();
        }
        let limit = request["Limit"]
            .as_u64()
            .and_then(|limit| usize::try_from(limit).ok())
            .unwrap_or(usize::MAX);
        if items.len() > limit || !request["ExclusiveStartKey"].is_null() {
            return Err(CallError::Unsupported("a further page of the state table".to_owned()));
        }
        let bytes = items.iter().map(|row| size(row)).sum();
        self.meter.count().half_reads += half_reads(bytes, request["ConsistentRead"] == true);
        if let Some(filter) = request["FilterExpression"].as_str() {
            let matching = items
                .into_iter()
                .map(|row| holds(filter, row, placeholders).map(|holds| holds.then_some(row)));
            items = matching.filter_map(Result::transpose).collect::<Result<_, _>>()?;
        }
        Ok(json!({ "Items": items, "Count": items.len() }))
    }

    fn get(&self, request: &Value) -> Result<Value, CallError> {
        let row = lock(&self.rows).get(&key_of(&request["Key"])?).cloned();
        let bytes = row.as_ref().map(size).unwrap_or_default();
        self.meter.count().half_reads += half_reads(bytes, request["ConsistentRead"] == true);
        Ok(row.map_or_else(|| json!({}), |row| json!({ "Item": row })))
    }

    fn batch_get(&self, request: &Value) -> Result<Value, CallError> {
        let keys = request["Keys"].as_array().map(Vec::as_slice).unwrap_or_default();
        let consistent = &request["ConsistentRead"];
        let mut rows = Vec::with_capacity(keys.len());
        for key in keys {
            let answer = self.get(&json!({ "Key": key, "ConsistentRead": consistent }))?;
            rows.extend(answer.get("Item").cloned());
        }
        Ok(json!({ "Responses": { STATE: rows }, "UnprocessedKeys": {} }))
    }

    fn write(&self, operation: &str, request: &Value) -> Result<Value, CallError> {
        let mut rows = lock(&self.rows);
        let change = Change::of(operation, request, &rows);
        let change = change.inspect_err(|_| self.meter.count().writes += 1)?;
        self.meter.count().writes += change.units();
        let answer = change.answer(request["ReturnValues"].as_str().unwrap_or_default());
        if let Some(row) = change.failed_condition {
            return Err(CallError::Condition(row));
        }
        change.apply(&mut rows);
        Ok(answer)
    }
}

/// The effect of a write on a row.
struct Change {
    key: Key,
    before: Option<Item>,
    after: Option<Item>,
    /// The names of the written attributes.
    written: Vec<String>,
    /// Present if the condition fails; contains the row if the call requests it.
    failed_condition: Option<Option<Item>>,
}

impl Change {
    fn of(operation: &str, request: &Value, rows: &Rows) -> Result<Self, CallError> {
        let item = if operation == "PutItem" { &request["Item"] } else { &request["Key"] };
        let key = key_of(item)?;
        let (placeholders, before) = (Placeholders::of(request), rows.get(&key).cloned());
        let current = before.clone().unwrap_or_default();
        let holds = request["ConditionExpression"]
            .as_str()
            .map_or(Ok(true), |text| holds(text, &current, placeholders))?;
        let returns_row = request["ReturnValuesOnConditionCheckFailure"] == "ALL_OLD";
        let failed_condition = (!holds).then(|| before.clone().filter(|_| returns_row));
        let (after, written) = match (operation, item.as_object()) {
            _ if failed_condition.is_some() => (before.clone(), Vec::new()),
            ("PutItem", Some(item)) => (Some(item.clone()), Vec::new()),
            ("UpdateItem", Some(key)) => {
                let row = before.clone().unwrap_or_else(|| key.clone());
                let update = request["UpdateExpression"].as_str().unwrap_or_default();
                let (row, written) = apply(update, &row, placeholders)?;
                (Some(row), written)
            }
            ("DeleteItem", Some(_)) => (None, Vec::new()),
            _ => return Err(CallError::Unsupported(operation.to_owned())),
        };
        Ok(Self { key, before, after, written, failed_condition })
    }

    /// A write with a failed condition is billed too.
    fn units(&self) -> u64 {
        write_units(self.before.as_ref(), self.after.as_ref())
    }

    fn answer(&self, return_values: &str) -> Value {
        let written = |(name, value): (&String, &Value)| {
            self.written.contains(name).then(|| (name.clone(), value.clone()))
        };
        let attributes = match return_values {
            "ALL_OLD" => self.before.clone(),
            "ALL_NEW" => self.after.clone(),
            "UPDATED_NEW" => {
                self.after.as_ref().map(|after| after.iter().filter_map(written).collect())
            }
            _ => None,
        };
        attributes.map_or_else(|| json!({}), |attributes| json!({ "Attributes": attributes }))
    }

    fn apply(self, rows: &mut Rows) {
        match self.after {
            Some(row) => rows.insert(self.key, row),
            None => rows.remove(&self.key),
        };
    }
}

fn key_of(item: &Value) -> Result<Key, CallError> {
    item.as_object().and_then(key).ok_or_else(|| CallError::Unsupported("a key".to_owned()))
}

fn partition<'a>(rows: &'a Rows, pk: &'a str) -> impl Iterator<Item = &'a Item> {
    let first = (pk.to_owned(), String::new());
    rows.range(first..).take_while(move |((row_pk, _), _)| row_pk == pk).map(|(_, row)| row)
}

#[cfg(test)]
mod tests;
