use super::*;

fn put(sk: &str, condition: Option<&str>) -> Value {
    let mut put = json!({"TableName": "t", "Item": key(sk)});
    if let Some(condition) = condition {
        put["ConditionExpression"] = condition.into();
        put["ExpressionAttributeNames"] = names(condition);
        put["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD".into();
    }
    json!({ "Put": put })
}

fn transaction(writes: &[Value]) -> Value {
    json!({ "TransactItems": writes })
}

#[test]
fn writes_all_rows_or_none_and_bills_them_twice() {
    let mut db = Fixture::new();
    let delete = json!({"Delete": {"TableName": "t", "Key": key("c")}});
    let all = transaction(&[put("a", None), put("b", Some("attribute_not_exists(#pk)")), delete]);
    db.call("TransactWriteItems", all.clone()).unwrap();
    assert_eq!(db.0.take_usage(), Usage { half_reads: 0, writes: 6 });
    db.call("DeleteItem", json!({ "Key": key("a") })).unwrap();
    let failure = db.call("TransactWriteItems", all).unwrap_err();
    assert_eq!(failure.code, "TransactionCanceledException");
    let reasons = &failure.members["CancellationReasons"];
    let codes: Vec<&Value> = reasons.as_array().unwrap().iter().map(|r| &r["Code"]).collect();
    assert_eq!(codes, ["None", "ConditionalCheckFailed", "None"]);
    assert_eq!(reasons[1]["Item"], key("b"));
    assert_eq!((db.row("a"), db.row("b")), (Value::Null, key("b")));
    assert_eq!(db.0.take_usage(), Usage { half_reads: 0, writes: 7 });
}

#[test]
fn bills_the_indexes_of_a_committed_transaction_only() {
    let mut db = Fixture::new();
    let mut indexed = put("a", None);
    indexed["Put"]["Item"]["day"] = json!({"S": "monday"});
    indexed["Put"]["Item"]["at"] = json!({"S": "noon"});
    let cancelled = transaction(&[indexed.clone(), put("b", Some("attribute_exists(#pk)"))]);
    db.call("TransactWriteItems", cancelled).unwrap_err();
    assert_eq!(db.0.take_usage().writes, 4);
    db.call("TransactWriteItems", transaction(&[indexed])).unwrap();
    assert_eq!(db.0.take_usage().writes, 3);
}

#[test]
fn checks_a_condition_without_a_write() {
    let mut db = Fixture::new();
    let check = json!({"ConditionCheck": {
        "TableName": "t", "Key": key("a"), "ConditionExpression": "attribute_exists(#pk)",
        "ExpressionAttributeNames": {"#pk": "pk"},
    }});
    let request = transaction(&[check, put("b", None)]);
    assert_eq!(
        code(db.call("TransactWriteItems", request.clone())),
        "TransactionCanceledException"
    );
    db.put(key("a"));
    db.call("TransactWriteItems", request).unwrap();
    assert_eq!(db.row("b"), key("b"));
}

#[test]
fn cancels_when_an_update_does_not_fit_the_row() {
    let mut db = Fixture::new();
    let mut row = key("a");
    row["text"] = json!({"S": "t"});
    db.put(row);
    let update = json!({"Update": {
        "TableName": "t", "Key": key("a"), "UpdateExpression": "ADD #text :one",
        "ExpressionAttributeNames": {"#text": "text"},
        "ExpressionAttributeValues": {":one": {"N": "1"}},
    }});
    let request = transaction(&[update, put("b", None)]);
    let failure = db.call("TransactWriteItems", request).unwrap_err();
    assert_eq!(failure.members["CancellationReasons"][0]["Code"], "ValidationError");
    assert_eq!(db.row("b"), Value::Null);
}

#[test]
fn rejects_two_writes_of_a_row_and_too_many_writes() {
    let mut db = Fixture::new();
    let many: Vec<Value> = (0..101).map(|number| put(&number.to_string(), None)).collect();
    db.call("TransactWriteItems", transaction(&many[..100])).unwrap();
    for invalid in [&many[..], &[], &[put("a", None), put("a", None)]] {
        let result = db.call("TransactWriteItems", transaction(invalid));
        assert_eq!(code(result), "ValidationException");
    }
}

#[test]
fn rejects_more_than_4_mb() {
    let mut db = Fixture::new();
    let rows: Vec<Value> = (0..11)
        .map(|number| {
            let mut write = put(&number.to_string(), None);
            write["Put"]["Item"]["a"] = json!({"S": "x".repeat(400_000)});
            write
        })
        .collect();
    let result = db.call("TransactWriteItems", transaction(&rows));
    assert_eq!(code(result), "ValidationException");
    db.call("TransactWriteItems", transaction(&rows[..10])).unwrap();
}

#[test]
fn commits_once_when_a_token_is_repeated() {
    let mut db = Fixture::new();
    let with_token = |sk: &str| {
        let mut request = transaction(&[put(sk, Some("attribute_not_exists(#pk)"))]);
        request["ClientRequestToken"] = "token".into();
        request
    };
    let minute = 60_000;
    let mut transact = |sk: &str, minutes: u64| {
        db.call_at("TransactWriteItems", with_token(sk), minutes * minute, 0)
    };
    transact("a", 0).unwrap();
    transact("a", 9).unwrap();
    assert_eq!(code(transact("b", 9)), "IdempotentParameterMismatchException");
    assert_eq!(code(transact("a", 10)), "TransactionCanceledException");
    transact("b", 10).unwrap();
    // The repetition is billed as a read.
    assert_eq!(db.0.usage().half_reads, 4);
}
