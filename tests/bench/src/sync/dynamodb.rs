//! DynamoDB, as far as the sync uses it: a generated orders table, and a state table that is stored
//! in the model.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use doubles::dynamodb::{self as model, Failure, Item, Table, half_reads};
use serde_json::{Value, json};

use crate::http::Response;
use crate::sync::orders::{Orders, Page};
use crate::sync::usage::{Meter, lock};

pub(crate) const ORDERS: &str = "orders";
pub(crate) const STATE: &str = "state";

/// Errors that the functions expect.
const EXPECTED: [&str; 2] = ["ConditionalCheckFailedException", "TransactionCanceledException"];

pub(crate) struct DynamoDb {
    orders: Orders,
    state: Mutex<model::DynamoDb>,
    began: Instant,
    meter: Arc<Meter>,
}

impl DynamoDb {
    pub(crate) fn new(orders: Orders, meter: Arc<Meter>) -> Self {
        let state = model::DynamoDb::new(vec![Table {
            name: STATE.to_owned(),
            partition_key: "pk".to_owned(),
            sort_key: Some("sk".to_owned()),
            indexes: Vec::new(),
            ttl: None,
        }]);
        Self { orders, state: Mutex::new(state), began: Instant::now(), meter }
    }

    /// Adds a row to the state table, without a cost.
    pub(crate) fn insert(&self, row: &Value) -> Result<(), Failure> {
        let mut state = lock(&self.state);
        let put = json!({ "TableName": STATE, "Item": row });
        let inserted = self.call(&mut state, "PutItem", &put);
        state.take_usage();
        inserted.map(drop)
    }

    /// The rows of a partition of the state table, without a cost.
    pub(crate) fn state(&self, pk: &str) -> Result<Vec<Item>, Failure> {
        let mut state = lock(&self.state);
        let query = json!({
            "TableName": STATE,
            "KeyConditionExpression": "#pk = :pk",
            "ExpressionAttributeNames": {"#pk": "pk"},
            "ExpressionAttributeValues": {":pk": {"S": pk}},
            "ConsistentRead": true,
        });
        let answer = self.call(&mut state, "Query", &query);
        state.take_usage();
        let answer = answer?;
        let rows = answer["Items"].as_array().into_iter().flatten();
        Ok(rows.filter_map(|row| row.as_object().cloned()).collect())
    }

    pub(crate) fn answer(&self, operation: &str, body: &[u8]) -> Response {
        let request: Value = serde_json::from_slice(body).unwrap_or_default();
        self.meter.count().call("DynamoDB", operation);
        let result = match (operation, request["TableName"].as_str()) {
            ("Query", Some(ORDERS)) => self.query_orders(&request),
            _ => self.query_state(operation, &request),
        };
        result.unwrap_or_else(|failure| {
            if !EXPECTED.contains(&failure.code) {
                self.meter.fault(format!("DynamoDB {operation}: {}", failure.message));
            }
            Response::new(failure.status, failure.body().to_string())
        })
    }

    fn query_orders(&self, request: &Value) -> Result<Response, Failure> {
        let Some(Page { json, bytes }) = self.orders.page(request) else {
            return Err(Failure {
                status: 400,
                code: "ValidationException",
                message: "the generated orders have no such page".to_owned(),
                members: Item::new(),
            });
        };
        self.meter.count().half_reads += half_reads(bytes, request["ConsistentRead"] == true);
        Ok(Response::new(200, json))
    }

    fn query_state(&self, operation: &str, request: &Value) -> Result<Response, Failure> {
        let mut state = lock(&self.state);
        let answer = self.call(&mut state, operation, request);
        let usage = state.take_usage();
        drop(state);
        let mut count = self.meter.count();
        count.half_reads += usage.half_reads;
        count.writes += usage.writes;
        answer.map(|answer| Response::new(200, answer.to_string()))
    }

    fn call(
        &self,
        state: &mut model::DynamoDb,
        operation: &str,
        request: &Value,
    ) -> Result<Value, Failure> {
        let now = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        state.call(operation, request, now, 0)
    }
}

pub(crate) fn number(item: &Item, name: &str) -> Option<u64> {
    item.get(name)?.get("N")?.as_str()?.parse().ok()
}

#[cfg(test)]
mod tests;
