#![expect(clippy::unwrap_used)]

use std::collections::BTreeSet;

use serde_json::json;

use super::*;

fn orders(count: u64) -> Orders {
    Orders::new(count, Timestamp::parse("2026-11-24T06:00:00Z").unwrap())
}

/// The rows of a shard, page by page.
fn rows(orders: &Orders, shard: u8, limit: u64) -> Vec<Vec<Value>> {
    let mut pages = Vec::new();
    let mut after = Value::Null;
    loop {
        let request = json!({
            "KeyConditionExpression": "#pk = :pk",
            "ExpressionAttributeNames": {"#pk": "pk"},
            "ExpressionAttributeValues": {":pk": {"S": format!("active:{shard:02}")}},
            "Limit": limit,
            "ExclusiveStartKey": after,
        });
        let page: Value = serde_json::from_str(&orders.page(&request).unwrap().json).unwrap();
        after = page["LastEvaluatedKey"].clone();
        pages.push(page["Items"].as_array().unwrap().clone());
        if after.is_null() {
            return pages;
        }
    }
}

#[test]
fn returns_each_order_once_in_key_order() {
    let orders = orders(1000);
    let mut awbs = BTreeSet::new();
    for shard in 0..SHARDS {
        let rows = rows(&orders, shard, 7).concat();
        let keys: Vec<&str> = rows.iter().map(|row| row["sk"]["S"].as_str().unwrap()).collect();
        assert!(keys.is_sorted());
        awbs.extend(rows.iter().map(|row| row["awb"]["S"].as_str().unwrap().to_owned()));
    }
    assert_eq!(awbs.len(), 1000);
    assert!(awbs.iter().all(|awb| orders.by_awb(awb).is_some_and(|order| order.awb() == *awb)));
    assert!(orders.by_awb("19000000001000").is_none());
}

#[test]
fn writes_the_attributes_that_the_planner_reads() {
    let row = &rows(&orders(1000), 4, 500)[0][0];
    let seen = row["seen"]["S"].as_str().unwrap();
    let heard_at = json!({"S": "2026-11-22T06:00:00.000Z"});
    let expected = json!({
        "pk": {"S": "active:04"}, "sk": {"S": "8:STORE001:ORD-00000004/19000000000004"},
        "account": {"S": "STORE001"}, "order_id": {"S": "ORD-00000004"},
        "awb": {"S": "19000000000004"}, "seen": {"S": seen},
        "heard_at": heard_at, "moved_at": heard_at,
    });
    assert_eq!((row, seen.len()), (&expected, 32));
}

#[test]
fn announces_a_next_page_after_every_full_page() {
    let lengths = |count| rows(&orders(count), 0, 10).iter().map(Vec::len).collect::<Vec<_>>();
    assert_eq!(lengths(16 * 20), [10, 10, 0]);
    assert_eq!(lengths(16 * 20 + 1), [10, 10, 1]);
}

#[test]
fn bills_rows_by_their_bytes() {
    let request = json!({
        "KeyConditionExpression": "#pk = :pk",
            "ExpressionAttributeNames": {"#pk": "pk"},
        "ExpressionAttributeValues": {":pk": {"S": "active:00"}},
        "Limit": 1,
    });
    let page = orders(100).page(&request).unwrap();
    let row: Value = serde_json::from_str(&page.json).unwrap();
    assert_eq!(page.bytes, doubles::dynamodb::size(row["Items"][0].as_object().unwrap()));
}

#[test]
fn spreads_changed_orders_over_all_shards() {
    for count in [0, 1, 15, 333, 10_000] {
        let orders = orders(count);
        let changed: Vec<Order> =
            (0..count).map(|number| orders.order(number)).filter(Order::has_changed).collect();
        assert_eq!(changed.len() as u64, orders.changed(), "{count}");
    }
    let orders = orders(1600);
    for shard in 0..16 {
        let changed =
            (0..100).filter(|index| orders.order(index * 16 + shard).has_changed()).count();
        assert_eq!(changed, 5, "{shard}");
    }
}

#[test]
fn computes_the_calls_for_two_credentials() {
    for (count, fewest, most, changed) in [
        (160, 4, 6, 10),
        (10_000, 201, 205, 501),
        (100_000, 2000, 2026, 5002),
        (1_000_000, 20_000, 20_032, 50_000),
    ] {
        let orders = orders(count);
        assert_eq!((orders.fewest_calls(), orders.most_calls()), (fewest, most));
        assert_eq!(orders.changed(), changed);
        let separate = (0..count)
            .filter(|number| orders.order(*number).account == SEPARATE_ACCOUNT)
            .count() as u64;
        let shared: u64 = (0..u64::from(SHARDS)).map(|shard| orders.shared(shard)).sum();
        assert_eq!(separate, count - shared);
    }
}
