//! dynoxide, called with DynamoDB's JSON.

use std::error::Error;

use dynoxide::DynoxideError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

pub(crate) struct Database(dynoxide::Database);

impl Database {
    pub(crate) fn new() -> Result<Self, Box<dyn Error>> {
        let database = dynoxide::Database::memory()?;
        for table in tables() {
            database.create_table(serde_json::from_value(table)?)?;
        }
        Ok(Self(database))
    }

    /// Returns the request with the answer or error, and the capacity units that were consumed.
    pub(crate) fn call(&self, operation: &str, request: Value) -> Result<Value, Box<dyn Error>> {
        let mut metered = request.clone();
        metered["ReturnConsumedCapacity"] = "TOTAL".into();
        let mut exchange = json!({ "operation": operation, "request": request });
        match self.dispatch(operation, metered)? {
            Ok(mut answer) => {
                let capacity = answer.as_object_mut().and_then(|it| it.remove("ConsumedCapacity"));
                exchange["units"] = units(capacity.as_ref()).into();
                correct(&exchange, &mut answer);
                exchange["answer"] = answer;
            }
            Err(error) => exchange["error"] = read_error(&error)?,
        }
        Ok(exchange)
    }

    fn dispatch(
        &self,
        operation: &str,
        request: Value,
    ) -> Result<Result<Value, DynoxideError>, Box<dyn Error>> {
        let Self(database) = self;
        match operation {
            "PutItem" => call(request, |request| database.put_item(request)),
            "GetItem" => call(request, |request| database.get_item(request)),
            "UpdateItem" => call(request, |request| database.update_item(request)),
            "DeleteItem" => call(request, |request| database.delete_item(request)),
            "Query" => call(request, |request| database.query(request)),
            "BatchGetItem" => call(request, |request| database.batch_get_item(request)),
            "TransactWriteItems" => call(request, |request| database.transact_write_items(request)),
            other => Err(format!("no operation {other}").into()),
        }
    }
}

fn call<Q: DeserializeOwned, A: Serialize>(
    request: Value,
    run: impl FnOnce(Q) -> Result<A, DynoxideError>,
) -> Result<Result<Value, DynoxideError>, Box<dyn Error>> {
    let read = serde_json::from_value(request.clone());
    match run(read.map_err(|error| format!("{error}: {request}"))?) {
        Ok(answer) => Ok(Ok(serde_json::to_value(answer)?)),
        Err(error) => Ok(Err(error)),
    }
}

/// The documentation of `ScannedCount`: without a filter it is the same as `Count`. dynoxide counts
/// the row, too, that no longer fits a page of 1 MB.
fn correct(exchange: &Value, answer: &mut Value) {
    let is_filtered = exchange["request"].get("FilterExpression").is_some();
    if exchange["operation"] == "Query" && !is_filtered {
        answer["ScannedCount"] = answer["Count"].clone();
    }
}

/// The sum over all tables.
fn units(capacity: Option<&Value>) -> f64 {
    let of_table = |table: &Value| table["CapacityUnits"].as_f64().unwrap_or_default();
    match capacity {
        Some(Value::Array(tables)) => tables.iter().map(of_table).sum(),
        Some(table) => of_table(table),
        None => 0.0,
    }
}

/// Without messages, which the functions do not read.
fn read_error(error: &DynoxideError) -> Result<Value, Box<dyn Error>> {
    let body: Value = serde_json::from_str(&error.to_json())?;
    let kind = body["__type"].as_str().unwrap_or_default();
    let code = kind.rsplit('#').next().unwrap_or_default();
    let mut read = json!({ "code": code, "item": body["Item"] });
    if let Some(reasons) = body["CancellationReasons"].as_array() {
        let reason = |reason: &Value| json!({ "code": reason["Code"], "item": reason["Item"] });
        read["reasons"] = reasons.iter().map(reason).collect();
    }
    Ok(read)
}

/// As the test in `tests/doubles` has them.
fn tables() -> [Value; 2] {
    let index = |name: &str, partition_key: &str| {
        json!({
            "IndexName": name,
            "KeySchema": [
                {"AttributeName": partition_key, "KeyType": "HASH"},
                {"AttributeName": "at", "KeyType": "RANGE"},
            ],
            "Projection": {"ProjectionType": "KEYS_ONLY"},
        })
    };
    let attributes = ["pk", "sk", "listed", "found", "at"]
        .map(|name| json!({"AttributeName": name, "AttributeType": "S"}));
    let indexed = json!({
        "TableName": "indexed",
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": attributes,
        "KeySchema": [
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        "GlobalSecondaryIndexes": [index("by_list", "listed"), index("by_found", "found")],
    });
    let simple = json!({
        "TableName": "simple",
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    });
    [indexed, simple]
}
