use super::*;

fn row(name: &str, value: Value) -> Value {
    let mut item = key("s");
    item[name] = value;
    json!({ "Item": item })
}

#[test]
fn rejects_keys_that_are_empty_too_long_or_of_another_type() {
    for (name, value, is_valid) in [
        ("pk", json!({"S": "p".repeat(2048)}), true),
        ("pk", json!({"S": "p".repeat(2049)}), false),
        ("sk", json!({"S": "s".repeat(1024)}), true),
        ("sk", json!({"S": "s".repeat(1025)}), false),
        ("sk", json!({"S": ""}), false),
        ("sk", json!({"N": "1"}), false),
        ("day", json!({"S": "monday"}), true),
        ("day", json!({"S": ""}), false),
        ("at", json!({"N": "1"}), false),
        ("other", json!({"S": ""}), true),
    ] {
        let result = Fixture::new().call("PutItem", row(name, value.clone()));
        assert_eq!(result.is_ok(), is_valid, "{name} {value}");
    }
}

#[test]
fn rejects_values_that_dynamodb_cannot_store() {
    for value in [
        json!({"SS": []}),
        json!({"SS": ["a", "a"]}),
        json!({"SS": [1]}),
        json!({"NULL": false}),
        json!({"N": 1}),
        json!({"N": "one"}),
        json!({"B": "not base64"}),
        json!({"S": "a", "N": "1"}),
        json!({"L": [{"SS": []}]}),
        json!({"M": {"a": {"X": 1}}}),
        json!({}),
    ] {
        let result = Fixture::new().call("PutItem", row("a", value.clone()));
        assert_eq!(code(result), "ValidationException", "{value}");
    }
}

#[test]
fn rejects_rows_over_400_kb() {
    let mut db = Fixture::new();
    // The keys take six bytes, the name one.
    let largest = 400 * 1024 - 7;
    db.call("PutItem", row("a", json!({"S": "x".repeat(largest)}))).unwrap();
    let larger = row("a", json!({"S": "x".repeat(largest + 1)}));
    assert_eq!(code(db.call("PutItem", larger)), "ValidationException");
    assert_eq!(code(db.update("SET #b = :b", json!({":b": {"S": ""}}))), "ValidationException");
}

#[test]
fn rejects_placeholders_that_are_missing_or_unused() {
    let mut db = Fixture::new();
    let mut get = json!({ "Key": key("s"), "ProjectionExpression": "#a" });
    assert_eq!(code(db.call("GetItem", get.clone())), "ValidationException");
    get["ExpressionAttributeNames"] = json!({"#a": "a", "#b": "b"});
    assert_eq!(code(db.call("GetItem", get.clone())), "ValidationException");
    get["ExpressionAttributeNames"] = json!({"#a": "a"});
    db.call("GetItem", get).unwrap();
    let missing = db.update("SET #a = :a", json!({}));
    assert_eq!(code(missing), "ValidationException");
    let unused = db.update("SET #a = :a", json!({":a": {"N": "1"}, ":b": {"N": "1"}}));
    assert_eq!(code(unused), "ValidationException");
}
