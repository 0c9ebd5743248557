#![expect(clippy::unwrap_used)]

mod expiry;
mod lag;
mod limits;
mod not_modelled;
mod queries;
mod reads;
mod recorded;
mod transactions;
mod writes;

use serde_json::json;

use super::*;

/// The table `t` with keys `pk` and `sk`, and the index `by_day` with keys `day` and `at`.
struct Fixture(DynamoDb);

impl Fixture {
    fn new() -> Self {
        let index = Index {
            name: "by_day".to_owned(),
            partition_key: "day".to_owned(),
            sort_key: Some("at".to_owned()),
            has_number: false,
        };
        let by_number = Index {
            name: "by_number".to_owned(),
            sort_key: Some("ordinal".to_owned()),
            has_number: true,
            ..index.clone()
        };
        Self(DynamoDb::new(vec![Table {
            name: "t".to_owned(),
            partition_key: "pk".to_owned(),
            sort_key: Some("sk".to_owned()),
            indexes: vec![index, by_number],
            ttl: Some("ttl".to_owned()),
        }]))
    }

    fn call(&mut self, operation: &str, request: Value) -> Result<Value, Failure> {
        self.call_at(operation, request, 0, 0)
    }

    fn call_at(
        &mut self,
        operation: &str,
        mut request: Value,
        now: u64,
        lag: u64,
    ) -> Result<Value, Failure> {
        if !["BatchGetItem", "TransactWriteItems"].contains(&operation) {
            request["TableName"] = "t".into();
        }
        self.0.call(operation, &request, now, lag)
    }

    fn put(&mut self, item: Value) {
        self.call("PutItem", json!({ "Item": item })).unwrap();
    }

    /// Updates the row `p`/`s`.
    fn update(&mut self, expression: &str, values: Value) -> Result<Value, Failure> {
        let mut request = json!({ "Key": key("s"), "UpdateExpression": expression });
        request["ExpressionAttributeNames"] = names(expression);
        if values.as_object().is_some_and(|values| !values.is_empty()) {
            request["ExpressionAttributeValues"] = values;
        }
        self.call("UpdateItem", request)
    }

    fn row(&self, sk: &str) -> Value {
        self.0.row("t", &key(sk)).map_or(Value::Null, |row| Value::Object(row.clone()))
    }
}

fn key(sk: &str) -> Value {
    json!({"pk": {"S": "p"}, "sk": {"S": sk}})
}

/// The names of placeholders `#name` in these expressions.
fn names(expressions: &str) -> Value {
    let words = expressions.split(|c: char| !(c == '#' || c == '_' || c.is_ascii_alphanumeric()));
    words.filter_map(|word| Some((word, word.strip_prefix('#')?))).collect()
}

fn code(result: Result<Value, Failure>) -> &'static str {
    result.unwrap_err().code
}

/// The sort keys of an answer's items.
fn sort_keys(answer: &Value) -> Vec<&str> {
    let items = answer["Items"].as_array().unwrap();
    items.iter().map(|item| item["sk"]["S"].as_str().unwrap()).collect()
}
