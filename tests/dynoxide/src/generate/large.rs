//! Fixed requests at the limits of sizes.

use serde_json::{Value, json};

use super::{INDEXED, SIMPLE};

/// The largest row of a table with the key `large`, beside which it has the attribute `a`.
const LARGEST_TEXT: usize = 400 * 1024 - "pklarge".len() - "a".len();

pub(crate) fn requests() -> Vec<(&'static str, Value)> {
    let mut requests = rows_at_the_limit();
    requests.extend(pages_at_the_limit());
    requests.extend(transactions_at_the_limit());
    requests.extend(units());
    requests
}

fn text(length: usize) -> Value {
    json!({"S": "x".repeat(length)})
}

fn rows_at_the_limit() -> Vec<(&'static str, Value)> {
    let put = |name: &str, value: Value| {
        let item = json!({"pk": {"S": "large"}, name: value});
        ("PutItem", json!({ "TableName": SIMPLE, "Item": item }))
    };
    let update = |length: usize| {
        (
            "UpdateItem",
            json!({
                "TableName": SIMPLE, "Key": {"pk": {"S": "large"}},
                "UpdateExpression": "SET #b = :b", "ExpressionAttributeNames": {"#b": "b"},
                "ExpressionAttributeValues": {":b": text(length)},
            }),
        )
    };
    let list = |length: usize| json!({"L": [text(length)]});
    let map = |length: usize| json!({"M": {"k": text(length)}});
    vec![
        put("a", text(LARGEST_TEXT)),
        put("a", text(LARGEST_TEXT + 1)),
        // Three bytes for the list, one for its element.
        put("a", list(LARGEST_TEXT - 4)),
        put("a", list(LARGEST_TEXT - 3)),
        put("a", map(LARGEST_TEXT - 5)),
        put("a", map(LARGEST_TEXT - 4)),
        put("é", text(LARGEST_TEXT - 1)),
        put("é", text(LARGEST_TEXT)),
        put("a", text(LARGEST_TEXT - 20)),
        update(19),
        update(20),
    ]
}

/// A query reads 1 MB for a page.
fn pages_at_the_limit() -> Vec<(&'static str, Value)> {
    let put = |sk: &str| {
        let item = json!({"pk": {"S": "large"}, "sk": {"S": sk}, "text": text(300_000)});
        ("PutItem", json!({ "TableName": INDEXED, "Item": item }))
    };
    let query = |start: Option<&str>| {
        let mut query = json!({
            "TableName": INDEXED, "KeyConditionExpression": "#pk = :pk",
            "ProjectionExpression": "#sk",
            "ExpressionAttributeNames": {"#pk": "pk", "#sk": "sk"},
            "ExpressionAttributeValues": {":pk": {"S": "large"}},
        });
        if let Some(sk) = start {
            query["ExclusiveStartKey"] = json!({"pk": {"S": "large"}, "sk": {"S": sk}});
        }
        ("Query", query)
    };
    let mut requests: Vec<_> = ["a", "b", "c", "d", "e"].map(put).into();
    requests.extend([query(None), query(Some("a")), query(Some("c"))]);
    requests
}

/// A transaction has 4 MB and 100 writes at most.
fn transactions_at_the_limit() -> Vec<(&'static str, Value)> {
    let transaction = |count: usize, length: usize| {
        let put = |number: usize| {
            let item = json!({"pk": {"S": format!("{number:03}")}, "a": text(length)});
            json!({"Put": { "TableName": SIMPLE, "Item": item }})
        };
        let puts: Vec<Value> = (0..count).map(put).collect();
        ("TransactWriteItems", json!({ "TransactItems": puts }))
    };
    let mib = 1024 * 1024;
    vec![
        transaction(100, 1),
        transaction(101, 1),
        transaction(16, mib / 4 - 6),
        transaction(16, mib / 4 - 5),
    ]
}

/// Writes of several units.
fn units() -> Vec<(&'static str, Value)> {
    let key = json!({"pk": {"S": "units"}, "sk": {"S": "a"}});
    let mut item = key.clone();
    item["text"] = text(5000);
    item["listed"] = text(2000);
    item["at"] = text(1000);
    let update = |expression: &str, values: Value| {
        (
            "UpdateItem",
            json!({
                "TableName": INDEXED, "Key": key, "UpdateExpression": expression,
                "ExpressionAttributeNames": {"#at": "at"}, "ExpressionAttributeValues": values,
            }),
        )
    };
    vec![
        ("PutItem", json!({ "TableName": INDEXED, "Item": item })),
        ("GetItem", json!({ "TableName": INDEXED, "Key": key })),
        ("GetItem", json!({ "TableName": INDEXED, "Key": key, "ConsistentRead": true })),
        update("SET #at = :at", json!({":at": text(10)})),
        update("SET #at = :at", json!({":at": text(10)})),
        (
            "UpdateItem",
            json!({
                "TableName": INDEXED, "Key": key, "UpdateExpression": "REMOVE #at",
                "ExpressionAttributeNames": {"#at": "at"},
            }),
        ),
        ("DeleteItem", json!({ "TableName": INDEXED, "Key": key })),
    ]
}
