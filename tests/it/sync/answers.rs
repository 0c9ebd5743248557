//! What the carrier answers, well or badly, hurts no order that it is not about.

use std::collections::BTreeSet;
use std::time::Duration;

use aws::lambda::sqs_batch::{DeadLetterReason, RecordOutcome};
use aws::tables::runs::RunState;
use domain::core::id::OrderKey;
use domain::core::timestamp::Timestamp;
use domain::polling::{PollCounts, Run};
use serde_json::{Value, json};

use super::installation::{Installation, OURS, THEIRS, in_shard};
use super::shipway;
use crate::support::{Calls, unique};

const HOUR: Duration = Duration::from_secs(60 * 60);

/// The run of an hour, counted from one that is long over.
fn run(hour: u32) -> Run {
    Run::hourly(Timestamp::parse("2026-11-20T00:00:00Z").unwrap().after(HOUR * hour))
}

/// Orders that were created so long ago, each with its AWB.
async fn orders(
    shop: &Installation,
    account: &str,
    count: usize,
    age: Duration,
) -> Vec<(OrderKey, String)> {
    let (start, at) = (unique("77AB"), before(age));
    let mut orders = Vec::new();
    for (n, key) in in_shard(account, 0, count).into_iter().enumerate() {
        let awb = format!("{start}{n:02}");
        shop.create(&key, &awb, at).await;
        orders.push((key, awb));
    }
    orders
}

fn before(age: Duration) -> Timestamp {
    let ago = aws::clock::now().since(Timestamp::EPOCH).checked_sub(age).unwrap();
    Timestamp::EPOCH.after(ago)
}

/// All of these moved in this hour.
async fn moved(orders: &[(OrderKey, String)], hour: u32) {
    let item = shipway::item("INT", &format!("2026-11-20 {hour:02}:00:00"));
    shipway::knows(orders.iter().map(|(_, awb)| (awb.clone(), item.clone()))).await;
}

/// The body of an answer in which these items are none.
fn broken(orders: &[(OrderKey, String)], hour: u32) -> Value {
    let date = format!("2026-11-20 {hour:02}:00:00");
    let mut items: Vec<Value> = Vec::new();
    for (_, awb) in orders {
        let mut item = shipway::item("INT", &date);
        item["awb"] = json!(awb);
        items.push(item);
    }
    items[3] = json!({"awb": orders[3].1, "tracking_details": "broken"});
    items[4] = Value::Null;
    items[5] = json!("text");
    json!({"body": json!(items).to_string()})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_odd_answer_hurts_none_but_the_orders_that_it_leaves_out() {
    let shop = Installation::new(&json!({})).await;
    let orders = orders(&shop, OURS, 50, HOUR).await;
    let start = &orders[0].1[..orders[0].1.len() - 2];
    let cases: [(Value, &[usize]); 9] = [
        (json!({"shape": "one_less"}), &[49]),
        (json!({"shape": "one_more"}), &[]),
        (json!({"shape": "twice"}), &[]),
        (broken(&orders, 3), &[3, 4, 5]),
        (json!({"shape": "reversed"}), &[]),
        (json!({"shape": "lower_case"}), &[]),
        (json!({"body": "[]"}), &(0..50).collect::<Vec<_>>()),
        (json!({"delay_ms": 300}), &[]),
        (json!({"shape": "whole"}), &[]),
    ];
    for (hour, (mode, left_out)) in (0..).zip(cases) {
        moved(&orders, hour).await;
        let before = seen(&shop, &orders).await;
        shipway::answers(start, 1, mode.clone()).await;
        shop.plan(&run(hour), 0).await;
        assert_eq!(shop.work_on_all().await, [], "{mode}");
        let (totals, unknown) = (shop.totals(&run(hour)).await, left_out.len() as u64);
        let expected = PollCounts { asked: 50, changed: 50 - unknown, unknown };
        assert_eq!(
            (totals.planned, totals.batches, totals.done, totals.counts),
            (50, 1, 1, expected),
            "{mode}"
        );
        let left_out: BTreeSet<usize> = left_out.iter().copied().collect();
        for (n, (before, after)) in before.iter().zip(seen(&shop, &orders).await).enumerate() {
            assert_eq!(
                (before.0 == after.0, after.1),
                (left_out.contains(&n), left_out.contains(&n)),
                "{mode}: {n}"
            );
        }
    }
    assert_eq!(shop.asked().await.len(), 9);
    shop.remove().await;
}

/// The newest claim about each that we have, and whether it waits because the carrier did not know it.
async fn seen(shop: &Installation, orders: &[(OrderKey, String)]) -> Vec<(Option<String>, bool)> {
    let page = shop.orders(&Calls::default()).active(0, None, 500).await.unwrap();
    let rows: Vec<_> = page.orders.into_iter().flatten().collect();
    let active = |key: &OrderKey| rows.iter().find(|row| row.key == *key).unwrap().active.clone();
    let seen = orders.iter().map(|(key, _)| active(key));
    seen.map(|active| (active.seen.map(|id| id.to_string()), active.unknown.is_some())).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_that_is_answered_in_vain_comes_again() {
    let shop = Installation::new(&json!({})).await;
    let orders = orders(&shop, OURS, 2, HOUR).await;
    let later = |seconds| RecordOutcome::RetryAfter(Duration::from_secs(seconds));
    for (hour, (mode, wait)) in (0..).zip([
        (json!({"status": 500}), 5),
        (json!({"status": 503, "headers": {"Retry-After": "2"}}), 5),
        (json!({"status": 429, "headers": {"Retry-After": "7"}}), 7),
        (json!({"status": 302, "headers": {"Location": "http://127.0.0.1:1/"}}), 5),
        (json!({"shape": "html"}), 5),
        (json!({"shape": "truncated"}), 5),
        (json!({"shape": "refused"}), 5),
    ]) {
        moved(&orders, hour).await;
        shipway::answers(&orders[0].1, 1, mode.clone()).await;
        shop.plan(&run(hour), 0).await;
        let [(message, ending)] = <[_; 1]>::try_from(shop.work_on_all().await).unwrap();
        assert_eq!(ending, later(wait), "{mode}");
        assert_eq!(shop.totals(&run(hour)).await.counts, PollCounts::default(), "{mode}");
        assert_eq!(
            shop.work("batches", &message, None).await.0.unwrap(),
            RecordOutcome::Ack,
            "{mode}"
        );
        assert_eq!(shop.work_on_all().await, [], "{mode}");
        let expected = PollCounts { asked: 2, changed: 2, unknown: 0 };
        assert_eq!(shop.totals(&run(hour)).await.counts, expected, "{mode}");
    }
    shop.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shop_whose_credentials_are_refused_keeps_no_other_from_being_asked() {
    let shop = Installation::new(&json!({})).await;
    let (ours, theirs) = (orders(&shop, OURS, 2, HOUR).await, orders(&shop, THEIRS, 2, HOUR).await);
    moved(&[ours.clone(), theirs.clone()].concat(), 0).await;
    let [_, user] = shop.users();
    let wrong = json!({"email": user, "license_key": "canary-secret-wrong"});
    shop.set(&format!("accounts/{THEIRS}/shipway"), &wrong.to_string()).await;
    shop.plan(&run(0), 0).await;
    let [(message, first)] = <[_; 1]>::try_from(shop.work_on_all().await).unwrap();
    let mut endings = vec![first];
    while endings.len() < 5 {
        assert!(!is_closed(&shop).await);
        endings.push(shop.work("batches", &message, None).await.0.unwrap());
    }
    let later =
        [5, 10, 20, 40].map(|seconds| RecordOutcome::RetryAfter(Duration::from_secs(seconds)));
    assert_eq!(endings[..4], later);
    assert_eq!(endings[4], RecordOutcome::DeadLetter(DeadLetterReason::Carrier));
    let totals = shop.totals(&run(0)).await;
    assert_eq!(
        (totals.done, totals.failed, totals.counts),
        (1, 1, PollCounts { asked: 2, changed: 2, unknown: 0 })
    );
    assert!(is_closed(&shop).await);
    let refused = shop.asked().await.into_iter().filter(|call| call.status == 401);
    assert_eq!(refused.count(), 5);
    for ((key, _), status) in
        ours.iter().chain(&theirs).zip(["in_transit", "in_transit", "pending", "pending"])
    {
        assert_eq!(json!(shop.order(key).await.state.tracking.status), status, "{}", key.account);
    }
    // The next run asks about its orders.
    shop.set(&format!("accounts/{THEIRS}/shipway"), &shipway::lets_in(&user).await.to_string())
        .await;
    shop.plan(&run(1), 0).await;
    assert_eq!(shop.work_on_all().await, []);
    assert_eq!(json!(shop.order(&theirs[0].0).await.state.tracking.status), "in_transit");
    shop.remove().await;
}

async fn is_closed(shop: &Installation) -> bool {
    shop.runs(&Calls::default()).open(&run(0), 5.0).await.unwrap() == RunState::Closed
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_that_stands_still_is_told_of_once_to_who_asks() {
    let shop = Installation::new(&json!({"stalled_after_days": 3})).await;
    shop.tell("other", &json!({"format": "status_update", "accounts": ["*"]})).await;
    let day = 24 * HOUR;
    let still = orders(&shop, OURS, 1, 4 * day).await;
    let other = orders(&shop, THEIRS, 1, 2 * day).await;
    for (hour, told) in [(0, 1), (1, 0), (5, 0)] {
        shop.plan(&run(hour), 0).await;
        assert_eq!(shop.work_on_all().await, []);
        let deliveries = shop.told().await;
        assert_eq!(deliveries.len(), told, "{hour}");
        for delivery in deliveries {
            let body: Value = serde_json::from_str(&delivery.body).unwrap();
            let named = &body["orders"][0]["order_id"];
            assert_eq!(
                (delivery.endpoint.as_str(), &body["event"]),
                ("shop", &json!("order_stalled"))
            );
            assert_eq!(named, &json!(still[0].0.order));
        }
    }
    for (orders, noted) in [(&still, true), (&other, false)] {
        assert_eq!(shop.active(&orders[0].0).await.unwrap().active.stalled.is_some(), noted);
    }
    shop.remove().await;
}
