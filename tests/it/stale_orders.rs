//! Stale orders: polling has stopped because the carrier does not know their AWB.

use aws::tables::orders::ActiveOrder;
use domain::core::id::{AccountCode, OrderId, OrderKey};
use domain::polling::{GIVE_UP, Run, shard};
use serde_json::{Value, json};

use crate::support::{Calls, eventually, seconds_from_now, stack, unique};
use crate::sync::block_runs;

async fn create(account: &str) -> OrderKey {
    let id = unique("STALE-");
    let order = json!({"orderId": id, "awb": unique("77"), "poll": "shipway"});
    stack().create_order_in(account, &order).await;
    OrderKey { account: AccountCode::parse(account).unwrap(), order: OrderId::parse(&id).unwrap() }
}

/// The poll row of an order.
async fn active(key: &OrderKey) -> Option<ActiveOrder> {
    let (orders, mut after) = (stack().orders(&Calls::default()), None);
    loop {
        let page = orders.active(shard(key), after.as_deref(), 500).await.unwrap();
        if let Some(found) = page.orders.into_iter().flatten().find(|order| order.key == *key) {
            return Some(found);
        }
        after = Some(page.next?);
    }
}

/// Records that the carrier did not know the AWB, a week apart. Returns the first and last run.
async fn make_stale(key: &OrderKey) -> [Run; 2] {
    let first = Run::hourly(aws::clock::now());
    let last = Run::hourly(first.started_at.after(GIVE_UP));
    for run in [&first, &last] {
        let order = active(key).await.unwrap();
        stack().orders(&Calls::default()).not_found(key, &order.active, run).await.unwrap();
    }
    [first, last]
}

async fn list(account: &str, query: &str) -> Value {
    let path = format!("/api/orders/stale?account_code={account}{query}");
    let answer = stack().user("admin", "GET", &path, None).await;
    assert_eq!(answer.status, 200, "{}", answer.json);
    answer.json
}

#[tokio::test]
async fn lists_a_stale_order_with_its_times() {
    let _quiet = block_runs().await;
    let account = unique("ACC-");
    let (key, other) = (create(&account).await, create(&account).await);
    let [first, last] = make_stale(&key).await;
    let order = active(&key).await.unwrap();
    assert_eq!(order.active.stale_since, Some(last.started_at));
    assert!(active(&other).await.unwrap().active.stale_since.is_none());
    let expected = json!({"items": [{
        "order_id": key.order, "account_code": account, "awb": order.active.awb,
        "unknown_since": first.started_at, "stale_since": last.started_at,
    }]});
    assert_eq!(list(&account, "").await, expected);
    assert_eq!(list(&unique("ACC-"), "").await, json!({"items": []}));
}

#[tokio::test]
async fn pages_stale_orders_by_id() {
    let _quiet = block_runs().await;
    let account = unique("ACC-");
    let mut ids = Vec::new();
    for _ in 0..3 {
        let key = create(&account).await;
        make_stale(&key).await;
        ids.push(key.order.as_str().to_owned());
    }
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = list(&account, &format!("&limit=2{cursor}")).await;
        let items = page["items"].as_array().unwrap();
        seen.extend(items.iter().map(|item| item["order_id"].as_str().unwrap().to_owned()));
        let Some(next) = page["next_page"].as_str() else { break };
        cursor = format!("&page={next}");
    }
    assert_eq!(seen, ids);
}

#[tokio::test]
async fn a_patch_starts_and_ends_polling() {
    let _quiet = block_runs().await;
    let account = unique("ACC-");
    let (key, stale) = (create(&account).await, create(&account).await);
    make_stale(&stale).await;
    let patch = async |key: &OrderKey, poll: Value| {
        let path = format!("/api/external/orders/{}", key.order);
        let patch = json!({"accountCode": account, "poll": poll});
        let answer = stack().user("admin", "PATCH", &path, Some(&patch)).await;
        assert_eq!((answer.status, &answer.json["poll"]), (200, &poll), "{}", answer.json);
    };
    for key in [&key, &stale] {
        patch(key, Value::Null).await;
        assert_eq!(active(key).await, None);
    }
    assert_eq!(list(&account, "").await, json!({"items": []}));
    patch(&key, json!("shipway")).await;
    let row = active(&key).await.unwrap().active;
    assert_eq!((row.seen, row.unknown, row.stale_since), (None, None, None));
}

#[tokio::test]
async fn reactivates_an_order_after_a_report_or_a_new_awb() {
    let _quiet = block_runs().await;
    let account = unique("ACC-");
    let (reported, patched) = (create(&account).await, create(&account).await);
    for key in [&reported, &patched] {
        make_stale(key).await;
    }
    let path = format!("/api/external/orders/{}", patched.order);
    let patch = json!({"accountCode": account, "awb": unique("77")});
    assert_eq!(stack().user("admin", "PATCH", &path, Some(&patch)).await.status, 200);
    eventually("only the other order to be stale", async || {
        (list(&account, "").await["items"].as_array().unwrap().len() == 1).then_some(())
    })
    .await;

    let path = format!("/api/external/orders/{}/status", reported.order);
    let status = json!({"accountCode": account, "status": "in_transit"});
    assert_eq!(stack().user("admin", "POST", &path, Some(&status)).await.status, 202);
    for key in [&reported, &patched] {
        eventually("the order to be polled again", async || {
            let active = active(key).await.unwrap().active;
            (active.stale_since.is_none() && active.unknown.is_none()).then_some(())
        })
        .await;
    }
    assert_eq!(list(&account, "").await, json!({"items": []}));
    let run = Run::manual(seconds_from_now(1));
    for key in [&reported, &patched] {
        assert!(active(key).await.unwrap().active.is_due(key, &run));
    }
}
