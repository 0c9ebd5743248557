use super::*;

fn put(sk: &str) -> Value {
    let mut item = key(sk);
    item["day"] = json!({"S": "monday"});
    item["at"] = json!({"S": sk});
    json!({ "Item": item })
}

fn seen(db: &mut Fixture, now: u64) -> [usize; 3] {
    let table = json!({
        "KeyConditionExpression": "#pk = :pk",
        "ExpressionAttributeNames": {"#pk": "pk"},
        "ExpressionAttributeValues": {":pk": {"S": "p"}},
    });
    let mut consistent = table.clone();
    consistent["ConsistentRead"] = true.into();
    let index = json!({
        "IndexName": "by_day",
        "KeyConditionExpression": "#day = :day",
        "ExpressionAttributeNames": {"#day": "day"},
        "ExpressionAttributeValues": {":day": {"S": "monday"}},
    });
    [consistent, table, index].map(|query| {
        let answer = db.call_at("Query", query, now, 0).unwrap();
        answer["Items"].as_array().unwrap().len()
    })
}

#[test]
fn shows_a_write_to_indexes_and_eventual_reads_after_its_lag() {
    let mut db = Fixture::new();
    db.call_at("PutItem", put("a"), 100, 50).unwrap();
    assert_eq!(seen(&mut db, 149), [1, 0, 0]);
    assert_eq!(seen(&mut db, 150), [1, 1, 1]);
}

#[test]
fn shows_writes_in_their_order() {
    let mut db = Fixture::new();
    db.call_at("PutItem", put("a"), 100, 50).unwrap();
    db.call_at("PutItem", put("b"), 101, 0).unwrap();
    assert_eq!(seen(&mut db, 101), [2, 0, 0]);
    assert_eq!(seen(&mut db, 150), [2, 2, 2]);
}

#[test]
fn keeps_an_entry_until_its_deletion_is_visible() {
    let mut db = Fixture::new();
    db.call("PutItem", put("a")).unwrap();
    db.call_at("DeleteItem", json!({ "Key": key("a") }), 10, 5).unwrap();
    assert_eq!(seen(&mut db, 14), [0, 1, 1]);
    assert_eq!(seen(&mut db, 15), [0, 0, 0]);
}

#[test]
fn moves_an_entry_when_the_keys_of_the_index_change() {
    let mut db = Fixture::new();
    db.call("PutItem", put("s")).unwrap();
    db.update("SET #day = :day", json!({":day": {"S": "tuesday"}})).unwrap();
    assert_eq!(seen(&mut db, 0), [1, 1, 0]);
    db.update("SET #day = :day", json!({":day": {"S": "monday"}})).unwrap();
    assert_eq!(seen(&mut db, 0), [1, 1, 1]);
    db.update("REMOVE #at", json!({})).unwrap();
    assert_eq!(seen(&mut db, 0), [1, 1, 0]);
}
