#![expect(clippy::unwrap_used)]

use domain::core::timestamp::Timestamp;

use super::*;

fn table() -> DynamoDb {
    DynamoDb::new(Orders::new(16, Timestamp::EPOCH), Arc::default())
}

fn call(table: &DynamoDb, operation: &str, request: &Value) -> (u16, Value) {
    let answer = table.answer(operation, request.to_string().as_bytes());
    (answer.status, serde_json::from_slice(&answer.body).unwrap())
}

fn row() -> Value {
    json!({"pk": {"S": "runs"}, "sk": {"S": "1"}, "planned": {"N": "16"}})
}

#[test]
fn bills_calls_of_the_functions_only() {
    let table = table();
    table.insert(&row()).unwrap();
    let runs = table.state("runs").unwrap();
    assert_eq!(runs.iter().map(|run| number(run, "planned")).collect::<Vec<_>>(), [Some(16)]);
    assert_eq!(table.meter.count().writes, 0);
    let put = json!({"TableName": STATE, "Item": row()});
    assert_eq!(call(&table, "PutItem", &put), (200, json!({})));
    let get = json!({
        "TableName": STATE, "Key": {"pk": {"S": "runs"}, "sk": {"S": "1"}}, "ConsistentRead": true,
    });
    assert_eq!(call(&table, "GetItem", &get), (200, json!({ "Item": row() })));
    let usage = table.meter.count();
    assert_eq!((usage.writes, usage.half_reads), (1, 2));
    assert_eq!(usage.calls["DynamoDB:PutItem"], 1);
}

#[test]
fn reads_orders_from_the_generated_table() {
    let table = table();
    let query = json!({
        "TableName": ORDERS, "KeyConditionExpression": "#pk = :v0", "Limit": 10,
        "ExpressionAttributeNames": {"#pk": "pk"},
        "ExpressionAttributeValues": {":v0": {"S": "active:03"}},
    });
    let (status, answer) = call(&table, "Query", &query);
    assert_eq!((status, &answer["Count"]), (200, &json!(1)));
    assert_eq!(table.meter.count().half_reads, 1);
}

#[test]
fn records_a_fault_for_unexpected_errors() {
    let table = table();
    let put = json!({
        "TableName": STATE, "Item": row(), "ConditionExpression": "attribute_exists(#pk)",
        "ExpressionAttributeNames": {"#pk": "pk"},
    });
    assert_eq!(call(&table, "PutItem", &put).0, 400);
    assert_eq!(table.meter.count().faults.len(), 0);
    let of_orders = json!({"TableName": ORDERS, "Item": row()});
    for (operation, request) in
        [("Scan", json!({})), ("PutItem", of_orders), ("Query", json!({ "TableName": ORDERS }))]
    {
        assert_eq!(call(&table, operation, &request).0, 400);
    }
    assert_eq!(table.meter.count().faults.len(), 3);
}
