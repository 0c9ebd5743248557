use super::*;

fn table() -> Fixture {
    let mut db = Fixture::new();
    for sk in ["a", "b:1", "b:2", "b\u{e9}", "c"] {
        let mut row = key(sk);
        row["day"] = json!({"S": "monday"});
        row["at"] = json!({"S": "noon"});
        row["vowel"] = json!({"BOOL": sk == "a"});
        db.put(row);
    }
    let mut other = key("b:1");
    other["pk"] = json!({"S": "q"});
    db.put(other);
    db
}

fn query(condition: &str, values: Value) -> Value {
    let mut all = json!({":pk": {"S": "p"}});
    all.as_object_mut().unwrap().extend(values.as_object().unwrap().clone());
    let condition = format!("#pk = :pk{condition}");
    json!({
        "KeyConditionExpression": condition, "ExpressionAttributeNames": names(&condition),
        "ExpressionAttributeValues": all, "ConsistentRead": true,
    })
}

#[test]
fn finds_the_rows_of_a_range() {
    let mut db = table();
    for (condition, expected) in [
        ("", &["a", "b:1", "b:2", "b\u{e9}", "c"][..]),
        (" AND #sk = :b", &["b:1"]),
        (" AND #sk < :b", &["a"]),
        (" AND #sk <= :b", &["a", "b:1"]),
        (" AND #sk > :b", &["b:2", "b\u{e9}", "c"]),
        (" AND #sk >= :b", &["b:1", "b:2", "b\u{e9}", "c"]),
        (" AND begins_with(#sk, :b)", &["b:1"]),
    ] {
        let values = if condition.is_empty() { json!({}) } else { json!({":b": {"S": "b:1"}}) };
        let mut request = query(condition, values);
        let answer = db.call("Query", request.clone()).unwrap();
        assert_eq!(sort_keys(&answer), expected, "{condition}");
        request["ScanIndexForward"] = false.into();
        let answer = db.call("Query", request).unwrap();
        let reversed: Vec<&str> = expected.iter().rev().copied().collect();
        assert_eq!(sort_keys(&answer), reversed, "{condition}");
    }
    let between = json!({":low": {"S": "b"}, ":high": {"S": "b:2"}});
    let answer = db.call("Query", query(" AND #sk BETWEEN :low AND :high", between)).unwrap();
    assert_eq!(sort_keys(&answer), ["b:1", "b:2"]);
}

#[test]
fn rejects_key_conditions_that_dynamodb_does_not_support() {
    let mut db = table();
    for condition in [
        " AND #sk <> :b",
        " AND #other = :b",
        " AND NOT #sk = :b",
        " OR #sk = :b",
        " AND #sk IN (:b)",
        " AND contains(#sk, :b)",
        " AND #sk > :b AND #sk > :b",
        " AND #pk > :b",
    ] {
        let result = db.call("Query", query(condition, json!({":b": {"S": "b"}})));
        assert_eq!(code(result), "ValidationException", "{condition}");
    }
    for value in [json!({"S": ""}), json!({"N": "1"})] {
        let result = db.call("Query", query(" AND #sk > :b", json!({ ":b": value })));
        assert_eq!(code(result), "ValidationException", "{value}");
    }
}

#[test]
fn filters_after_the_limit() {
    let mut db = table();
    db.0.take_usage();
    let mut request = query("", json!({":yes": {"BOOL": true}}));
    request["FilterExpression"] = "#vowel <> :yes".into();
    request["ExpressionAttributeNames"]["#vowel"] = "vowel".into();
    request["Limit"] = 2.into();
    let answer = db.call("Query", request.clone()).unwrap();
    assert_eq!(sort_keys(&answer), ["b:1"]);
    assert_eq!((&answer["Count"], &answer["ScannedCount"]), (&json!(1), &json!(2)));
    assert_eq!(answer["LastEvaluatedKey"], key("b:1"));
    assert_eq!(db.0.usage().half_reads, 2);
    request["FilterExpression"] = "#pk <> :yes".into();
    request["ExpressionAttributeNames"] = json!({"#pk": "pk"});
    assert_eq!(code(db.call("Query", request)), "ValidationException");
}

#[test]
fn announces_a_next_page_after_each_full_page() {
    let mut db = table();
    let mut request = query("", json!({}));
    for (limit, has_next) in [(4, true), (5, true), (6, false)] {
        request["Limit"] = limit.into();
        let answer = db.call("Query", request.clone()).unwrap();
        assert_eq!(answer.get("LastEvaluatedKey").is_some(), has_next, "{limit}");
    }
}

/// The sort keys of ten pages.
fn pages(db: &mut Fixture, mut request: Value, limit: usize) -> Vec<String> {
    request["Limit"] = limit.into();
    let mut found = Vec::new();
    for _ in 0..10 {
        let answer = db.call("Query", request.clone()).unwrap();
        found.extend(sort_keys(&answer).into_iter().map(str::to_owned));
        let Some(next) = answer.get("LastEvaluatedKey") else { break };
        request["ExclusiveStartKey"] = next.clone();
    }
    found
}

#[test]
fn pages_have_the_same_rows_as_one_query() {
    let mut db = table();
    let index = json!({
        "IndexName": "by_day", "KeyConditionExpression": "#day = :day AND #at = :at",
        "ExpressionAttributeNames": {"#day": "day", "#at": "at"},
        "ExpressionAttributeValues": {":day": {"S": "monday"}, ":at": {"S": "noon"}},
    });
    for (request, count) in [
        (query("", json!({})), 5),
        (query(" AND begins_with(#sk, :b)", json!({":b": {"S": "b"}})), 3),
        (index, 5),
    ] {
        for forward in [true, false] {
            let mut request = request.clone();
            request["ScanIndexForward"] = forward.into();
            let all = pages(&mut db, request.clone(), 100);
            assert_eq!(all.len(), count);
            for limit in 1..=count {
                assert_eq!(pages(&mut db, request.clone(), limit), all, "{request} {limit}");
            }
        }
    }
}

#[test]
fn an_index_returns_keys_only_and_no_consistent_reads() {
    let mut db = table();
    let mut request = json!({
        "IndexName": "by_day", "KeyConditionExpression": "#day = :day", "Limit": 1,
        "ExpressionAttributeNames": {"#day": "day"},
        "ExpressionAttributeValues": {":day": {"S": "monday"}},
    });
    let answer = db.call("Query", request.clone()).unwrap();
    let mut entry = key("a");
    entry["day"] = json!({"S": "monday"});
    entry["at"] = json!({"S": "noon"});
    assert_eq!(answer["Items"], json!([entry]));
    assert_eq!(answer["LastEvaluatedKey"], entry);
    request["ConsistentRead"] = true.into();
    assert_eq!(code(db.call("Query", request.clone())), "ValidationException");
    request["IndexName"] = "missing".into();
    assert_eq!(code(db.call("Query", request)), "ValidationException");
}

#[test]
fn a_number_sorts_an_index() {
    let mut db = Fixture::new();
    for (sk, ordinal) in [("a", "10"), ("b", "9"), ("c", "100"), ("d", "0")] {
        let mut row = key(sk);
        row["day"] = json!({"S": "tuesday"});
        row["ordinal"] = json!({"N": ordinal});
        db.put(row);
    }
    let mut request = json!({
        "IndexName": "by_number",
        "KeyConditionExpression": "#day = :day AND #ordinal BETWEEN :low AND :high",
        "ExpressionAttributeNames": {"#day": "day", "#ordinal": "ordinal"},
        "ExpressionAttributeValues": {
            ":day": {"S": "tuesday"}, ":low": {"N": "9"}, ":high": {"N": "100"},
        },
    });
    for limit in 1..4 {
        assert_eq!(pages(&mut db, request.clone(), limit), ["b", "a", "c"]);
    }
    request["ExpressionAttributeValues"][":low"] = json!({"S": "9"});
    assert_eq!(code(db.call("Query", request)), "ValidationException");
    let mut row = key("e");
    row["ordinal"] = json!({"S": "11"});
    assert_eq!(code(db.call("PutItem", json!({"Item": row}))), "ValidationException");
}

#[test]
fn rejects_start_keys_outside_the_query() {
    let mut db = table();
    let mut request = query(" AND begins_with(#sk, :b)", json!({":b": {"S": "b"}}));
    let mut foreign = key("b:1");
    foreign["pk"] = json!({"S": "q"});
    let mut long = key("b:1");
    long["day"] = json!({"S": "monday"});
    for start in [key("a"), foreign, long, json!({"pk": {"S": "p"}}), json!({})] {
        request["ExclusiveStartKey"] = start.clone();
        assert_eq!(code(db.call("Query", request.clone())), "ValidationException", "{start}");
    }
    // The row of a start key may have been deleted.
    request["ExclusiveStartKey"] = key("b:11");
    assert_eq!(sort_keys(&db.call("Query", request).unwrap()), ["b:2", "b\u{e9}"]);
}

#[test]
fn ends_a_page_at_1_mb() {
    let mut db = Fixture::new();
    for sk in ["a", "b", "c"] {
        let mut row = key(sk);
        row["a"] = json!({"S": "x".repeat(400_000)});
        db.put(row);
    }
    db.0.take_usage();
    let answer = db.call("Query", query("", json!({}))).unwrap();
    assert_eq!(sort_keys(&answer), ["a", "b"]);
    assert_eq!(answer["LastEvaluatedKey"], key("b"));
    assert_eq!(db.0.take_usage().half_reads, 2 * 196);
}

#[test]
fn scans_an_index() {
    let mut db = table();
    for (limit, expected, has_more) in [(6, 5, false), (5, 5, true), (2, 2, true)] {
        let answer = db.call("Scan", json!({ "IndexName": "by_day", "Limit": limit })).unwrap();
        assert_eq!((sort_keys(&answer).len(), &answer["Count"]), (expected, &json!(expected)));
        assert_eq!(answer["LastEvaluatedKey"].is_object(), has_more, "{limit}");
        assert_eq!(answer["Items"][0]["day"]["S"], "monday");
    }
}
