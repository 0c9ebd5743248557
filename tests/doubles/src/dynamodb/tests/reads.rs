use super::*;

#[test]
fn returns_the_requested_attributes() {
    let mut db = Fixture::new();
    let mut row = key("s");
    row["n"] = json!({"N": "01.50"});
    row["set"] = json!({"SS": ["b", "a"]});
    db.put(row);
    let get = |projection: &str| {
        json!({
            "Key": key("s"), "ProjectionExpression": projection,
            "ExpressionAttributeNames": names(projection),
        })
    };
    let answer = db.call("GetItem", get("#n, #set, #missing")).unwrap();
    assert_eq!(answer, json!({"Item": {"n": {"N": "1.5"}, "set": {"SS": ["a", "b"]}}}));
    assert_eq!(db.call("GetItem", get("#missing")).unwrap(), json!({"Item": {}}));
    assert_eq!(db.call("GetItem", json!({ "Key": key("x") })).unwrap(), json!({}));
}

#[test]
fn reads_a_batch_and_bills_missing_rows() {
    let mut db = Fixture::new();
    db.put(key("a"));
    db.0.take_usage();
    let keys = json!({"Keys": [key("a"), key("b")], "ConsistentRead": true});
    let batch = json!({"RequestItems": {"t": keys}});
    let answer = db.call("BatchGetItem", batch).unwrap();
    assert_eq!(answer, json!({"Responses": {"t": [key("a")]}, "UnprocessedKeys": {}}));
    assert_eq!(db.0.take_usage(), Usage { half_reads: 4, writes: 0 });
}

#[test]
fn rejects_batches_with_too_many_or_equal_keys() {
    let mut db = Fixture::new();
    let batch = |keys: Vec<Value>| json!({"RequestItems": {"t": {"Keys": keys}}});
    let keys: Vec<Value> = (0..101).map(|number| key(&number.to_string())).collect();
    db.call("BatchGetItem", batch(keys[..100].to_vec())).unwrap();
    for invalid in [keys, vec![key("a"), key("a")], Vec::new()] {
        assert_eq!(code(db.call("BatchGetItem", batch(invalid))), "ValidationException");
    }
}

#[test]
fn returns_the_keys_of_rows_over_16_mb() {
    let mut db = Fixture::new();
    let keys: Vec<Value> = (10..60).map(|number| key(&number.to_string())).collect();
    for key in &keys {
        let mut row = key.clone();
        row["a"] = json!({"S": "x".repeat(400_000)});
        db.put(row);
    }
    let projection = json!({
        "Keys": keys, "ProjectionExpression": "#sk", "ExpressionAttributeNames": {"#sk": "sk"},
    });
    let batch = json!({"RequestItems": {"t": projection}});
    let answer = db.call("BatchGetItem", batch).unwrap();
    assert_eq!(answer["Responses"]["t"].as_array().unwrap().len(), 41);
    let rest = &answer["UnprocessedKeys"];
    assert_eq!(rest["t"]["Keys"], json!(&keys[41..]));
    let answer = db.call("BatchGetItem", json!({ "RequestItems": rest })).unwrap();
    assert_eq!(answer["Responses"]["t"][8], json!({"sk": {"S": "59"}}));
}
