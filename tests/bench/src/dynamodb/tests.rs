#![expect(clippy::unwrap_used)]

use domain::core::timestamp::Timestamp;

use super::*;

fn table() -> DynamoDb {
    DynamoDb::new(Orders::new(16, Timestamp::EPOCH), Arc::default())
}

fn call(table: &DynamoDb, operation: &str, request: &Value) -> (u16, Value) {
    let mut request = request.clone();
    if !["TransactWriteItems", "BatchGetItem"].contains(&operation) {
        request["TableName"] = STATE.into();
    }
    let answer = table.answer(operation, request.to_string().as_bytes());
    (answer.status, serde_json::from_slice(&answer.body).unwrap())
}

fn key(sk: &str) -> Value {
    json!({"pk": {"S": "run:1"}, "sk": {"S": sk}})
}

fn increment(sk: &str, condition: Option<&str>) -> Value {
    let mut request = json!({
        "Key": key(sk),
        "UpdateExpression": "ADD n :one",
        "ExpressionAttributeValues": {":one": {"N": "1"}},
        "ReturnValues": "UPDATED_NEW",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    });
    if let Some(condition) = condition {
        request["ConditionExpression"] = condition.into();
    }
    request
}

#[test]
fn rejects_a_second_insert_when_the_row_must_not_exist() {
    let table = table();
    let put = json!({"Item": key("a"), "ConditionExpression": "attribute_not_exists(pk)"});
    assert_eq!(call(&table, "PutItem", &put).0, 200);
    let (status, answer) = call(&table, "PutItem", &put);
    assert_eq!(status, 400);
    assert!(answer["__type"].as_str().unwrap().ends_with("#ConditionalCheckFailedException"));
    assert_eq!(answer["Item"], Value::Null);
}

#[test]
fn returns_the_attributes_that_an_update_requests() {
    let table = table();
    call(&table, "UpdateItem", &increment("a", None));
    let (_, answer) = call(&table, "UpdateItem", &increment("a", None));
    assert_eq!(answer["Attributes"], json!({"n": {"N": "2"}}));
    let (status, answer) =
        call(&table, "UpdateItem", &increment("a", Some("attribute_not_exists(n)")));
    assert_eq!((status, &answer["Item"]["n"]), (400, &json!({"N": "2"})));
    assert_eq!(
        call(&table, "GetItem", &json!({"Key": key("a")})).1["Item"]["n"],
        json!({"N": "2"})
    );
    assert_eq!(call(&table, "GetItem", &json!({"Key": key("b")})).1, json!({}));
}

#[test]
fn reads_a_batch_of_rows_and_bills_missing_ones() {
    let table = table();
    call(&table, "UpdateItem", &increment("a", None));
    let keys = json!({"Keys": [key("a"), key("b")], "ConsistentRead": true});
    let (_, answer) = call(&table, "BatchGetItem", &json!({"RequestItems": {STATE: keys}}));
    assert_eq!(answer["Responses"][STATE].as_array().unwrap().len(), 1);
    assert_eq!(table.meter.count().half_reads, 4);
}

#[test]
fn writes_transactions_atomically_and_bills_them_twice() {
    let table = table();
    let both = |condition| {
        let mut one = increment("a", condition);
        one["TableName"] = STATE.into();
        let mut two = increment("b", None);
        two["TableName"] = STATE.into();
        json!({"TransactItems": [{"Update": one}, {"Update": two}]})
    };
    assert_eq!(call(&table, "TransactWriteItems", &both(None)).0, 200);
    let (status, answer) =
        call(&table, "TransactWriteItems", &both(Some("attribute_not_exists(n)")));
    assert_eq!(status, 400);
    let codes: Vec<&Value> =
        answer["CancellationReasons"].as_array().unwrap().iter().map(|r| &r["Code"]).collect();
    assert_eq!(codes, ["ConditionalCheckFailed", "None"]);
    assert_eq!(
        table.state("run:1").iter().map(|row| item::number(row, "n")).collect::<Vec<_>>(),
        [Some(1), Some(1)]
    );
    assert_eq!(table.meter.count().writes, 8);
}

#[test]
fn queries_one_partition() {
    let table = table();
    for sk in ["batch:1", "shard:01", "shard:02"] {
        call(&table, "UpdateItem", &increment(sk, None));
    }
    let mut query = json!({
        "KeyConditionExpression": "pk = :pk AND begins_with(sk, :shard)",
        "ExpressionAttributeValues": {
            ":pk": {"S": "run:1"}, ":shard": {"S": "shard:"}, ":last": {"S": "shard:02"},
        },
        "ScanIndexForward": false,
        "ConsistentRead": true,
    });
    let keys = |query: &Value| {
        let items = call(&table, "Query", query).1["Items"].as_array().unwrap().clone();
        items.iter().map(|item| item["sk"]["S"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(keys(&query), ["shard:02", "shard:01"]);
    query["FilterExpression"] = "sk <> :last".into();
    assert_eq!(keys(&query), ["shard:01"]);
    // One unit each: filtered rows are billed too.
    assert_eq!(table.meter.count().half_reads, 4);
}

#[test]
fn records_a_fault_for_unsupported_calls() {
    let table = table();
    assert_eq!(call(&table, "Scan", &json!({})).0, 400);
    let update = json!({"Key": key("a"), "UpdateExpression": "SET a = b"});
    assert_eq!(call(&table, "UpdateItem", &update).0, 400);
    let put = json!({"TableName": ORDERS, "Item": key("a")}).to_string();
    assert_eq!(table.answer("PutItem", put.as_bytes()).status, 400);
    assert_eq!(table.meter.count().faults.len(), 3);
}
