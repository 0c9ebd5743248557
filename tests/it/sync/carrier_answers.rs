//! Malformed and failed answers of the carrier affect only the orders that they are about.

use std::collections::BTreeSet;
use std::time::Duration;

use aws::lambda::sqs_batch::{DeadLetterReason, RecordOutcome};
use aws::tables::runs::RunState;
use domain::core::id::OrderKey;
use domain::core::timestamp::Timestamp;
use domain::polling::{PollCounts, Run};
use serde_json::{Value, json};

use super::environment::{Environment, keys_in_shard};
use super::shipway_double::{add_credentials, set_answer_mode, set_parcels, tracking_item};
use crate::support::{Calls, OURS, THEIRS, unique};

const HOUR: Duration = Duration::from_secs(60 * 60);

/// The nth hourly run of a fixed day.
fn run(hour: u32) -> Run {
    Run::hourly(Timestamp::parse("2026-11-20T00:00:00Z").unwrap().after(HOUR * hour))
}

/// Creates orders of this age. Returns them with their AWBs, which share a prefix.
async fn create_orders(
    env: &Environment,
    account: &str,
    count: usize,
    age: Duration,
) -> Vec<(OrderKey, String)> {
    let since_1970 = aws::clock::now().since(Timestamp::EPOCH);
    let created_at = Timestamp::EPOCH.after(since_1970.checked_sub(age).unwrap());
    let prefix = unique("77AB");
    let mut orders = Vec::new();
    for (n, key) in keys_in_shard(account, 0, count).into_iter().enumerate() {
        let awb = format!("{prefix}{n:02}");
        env.create_order(&key, &awb, created_at).await;
        orders.push((key, awb));
    }
    orders
}

fn date(hour: u32) -> String {
    format!("2026-11-20 {hour:02}:00:00")
}

/// Sets a new scan of each parcel.
async fn set_scans(orders: &[(OrderKey, String)], hour: u32) {
    let item = tracking_item("INT", &date(hour));
    set_parcels(orders.iter().map(|(_, awb)| (awb.clone(), item.clone()))).await;
}

/// An answer in which items 3, 4 and 5 are malformed.
fn partly_malformed(orders: &[(OrderKey, String)], hour: u32) -> Value {
    let mut items: Vec<Value> = Vec::new();
    for (_, awb) in orders {
        let mut item = tracking_item("INT", &date(hour));
        item["awb"] = json!(awb);
        items.push(item);
    }
    items[3] = json!({"awb": orders[3].1, "tracking_details": "broken"});
    items[4] = Value::Null;
    items[5] = json!("text");
    json!({"body": json!(items).to_string()})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn counts_only_orders_missing_from_an_answer_as_unknown() {
    let env = Environment::new(&json!({})).await;
    let orders = create_orders(&env, OURS, 50, HOUR).await;
    let awb_prefix = &orders[0].1[..orders[0].1.len() - 2];
    let cases: [(Value, &[usize]); 9] = [
        (json!({"shape": "one_less"}), &[49]),
        (json!({"shape": "one_more"}), &[]),
        (json!({"shape": "twice"}), &[]),
        (partly_malformed(&orders, 3), &[3, 4, 5]),
        (json!({"shape": "reversed"}), &[]),
        (json!({"shape": "lower_case"}), &[]),
        (json!({"body": "[]"}), &(0..50).collect::<Vec<_>>()),
        (json!({"delay_ms": 300}), &[]),
        (json!({"shape": "whole"}), &[]),
    ];
    for (hour, (mode, missing)) in (0..).zip(cases) {
        set_scans(&orders, hour).await;
        let before = polling_states(&env, &orders).await;
        set_answer_mode(awb_prefix, 1, mode.clone()).await;
        env.plan(&run(hour), 0).await;
        assert_eq!(env.handle_all().await, [], "{mode}");
        let (totals, unknown) = (env.totals(&run(hour)).await, missing.len() as u64);
        let expected = PollCounts { asked: 50, changed: 50 - unknown, unknown };
        assert_eq!(
            (totals.planned, totals.batches, totals.done, totals.counts),
            (50, 1, 1, expected),
            "{mode}"
        );
        let missing: BTreeSet<usize> = missing.iter().copied().collect();
        let after = polling_states(&env, &orders).await;
        for (n, (before, after)) in before.iter().zip(after).enumerate() {
            let (unchanged, is_unknown) = (before.0 == after.0, after.1);
            let is_missing = missing.contains(&n);
            assert_eq!((unchanged, is_unknown), (is_missing, is_missing), "{mode}: {n}");
        }
    }
    assert_eq!(env.carrier_calls().await.len(), 9);
    env.remove().await;
}

/// The id of each order's newest report from the carrier, and whether the carrier did not know
/// the AWB.
async fn polling_states(
    env: &Environment,
    orders: &[(OrderKey, String)],
) -> Vec<(Option<String>, bool)> {
    let page = env.orders(&Calls::default()).active(0, None, 500).await.unwrap();
    let rows: Vec<_> = page.orders.into_iter().flatten().collect();
    let state = |(key, _): &(OrderKey, String)| {
        let active = &rows.iter().find(|row| row.key == *key).unwrap().active;
        (active.seen.as_ref().map(ToString::to_string), active.unknown.is_some())
    };
    orders.iter().map(state).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn retries_a_batch_after_a_failed_call() {
    let env = Environment::new(&json!({})).await;
    let orders = create_orders(&env, OURS, 2, HOUR).await;
    for (hour, (mode, backoff)) in (0..).zip([
        (json!({"status": 500}), 5),
        (json!({"status": 503, "headers": {"Retry-After": "2"}}), 5),
        (json!({"status": 429, "headers": {"Retry-After": "7"}}), 7),
        (json!({"status": 302, "headers": {"Location": "http://127.0.0.1:1/"}}), 5),
        (json!({"shape": "html"}), 5),
        (json!({"shape": "truncated"}), 5),
        (json!({"shape": "refused"}), 5),
    ]) {
        set_scans(&orders, hour).await;
        set_answer_mode(&orders[0].1, 1, mode.clone()).await;
        env.plan(&run(hour), 0).await;
        let [(message, outcome)] = <[_; 1]>::try_from(env.handle_all().await).unwrap();
        assert_eq!(outcome, RecordOutcome::RetryAfter(Duration::from_secs(backoff)), "{mode}");
        assert_eq!(env.totals(&run(hour)).await.counts, PollCounts::default(), "{mode}");
        env.expire_pause(&run(hour).id, "").await;
        let retry = env.handle_without_fault("batches", &message).await;
        assert_eq!(retry, RecordOutcome::Ack, "{mode}");
        assert_eq!(env.handle_all().await, [], "{mode}");
        let expected = PollCounts { asked: 2, changed: 2, unknown: 0 };
        assert_eq!(env.totals(&run(hour)).await.counts, expected, "{mode}");
    }
    env.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn polls_other_accounts_when_the_credentials_of_one_are_rejected() {
    let env = Environment::new(&json!({})).await;
    let ours = create_orders(&env, OURS, 2, HOUR).await;
    let theirs = create_orders(&env, THEIRS, 60, HOUR).await;
    set_scans(&[ours.clone(), theirs.clone()].concat(), 0).await;
    let [_, their_user] = env.shipway_users();
    let secret_name = format!("accounts/{THEIRS}/shipway");
    let wrong = json!({"email": their_user, "license_key": "canary-secret-wrong"});
    env.put_secret(&secret_name, &wrong.to_string()).await;
    env.plan(&run(0), 0).await;
    dead_letters_after_five_attempts(&env).await;

    let totals = env.totals(&run(0)).await;
    assert_eq!(
        (totals.done, totals.failed, totals.counts),
        (1, 2, PollCounts { asked: 2, changed: 2, unknown: 0 })
    );
    assert!(is_closed(&env).await);
    let failures = env.runs(&Calls::default()).failures(&run(0).id).await.unwrap();
    assert_eq!(failures, ["401".to_owned()].into());
    let rejected = env.carrier_calls().await.into_iter().filter(|call| call.status == 401);
    assert_eq!(rejected.count(), 5);
    for (orders, status) in [(&ours, "in_transit"), (&theirs, "pending")] {
        for (key, _) in orders {
            assert_eq!(env.status(key).await, status, "{}", key.account);
        }
    }
    // The next run polls the orders of that account.
    let valid = add_credentials(&their_user).await;
    env.put_secret(&secret_name, &valid.to_string()).await;
    env.plan(&run(1), 0).await;
    assert_eq!(env.handle_all().await, []);
    assert_eq!(env.status(&theirs[0].0).await, "in_transit");
    env.remove().await;
}

/// Handles the batches of rejected credentials until they become dead letters.
async fn dead_letters_after_five_attempts(env: &Environment) {
    let [(message, first), (other, waits)] = <[_; 2]>::try_from(env.handle_all().await).unwrap();
    assert!(matches!(waits, RecordOutcome::RetryAfter(_)), "{waits:?}");
    let mut outcomes = vec![first];
    while outcomes.len() < 5 {
        assert!(!is_closed(env).await);
        env.expire_pause(&run(0).id, THEIRS).await;
        outcomes.push(env.handle_without_fault("batches", &message).await);
    }
    let retries =
        [5, 10, 20, 40].map(|seconds| RecordOutcome::RetryAfter(Duration::from_secs(seconds)));
    assert_eq!(outcomes[..4], retries);
    let dead_letter = RecordOutcome::DeadLetter(DeadLetterReason::Carrier);
    assert_eq!(outcomes[4], dead_letter);
    // The run has given up the credentials.
    env.expire_pause(&run(0).id, THEIRS).await;
    assert_eq!(env.handle_without_fault("batches", &other).await, dead_letter);
}

async fn is_closed(env: &Environment) -> bool {
    env.runs(&Calls::default()).open(&run(0), 5.0, 1).await.unwrap() == RunState::Closed
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pauses_a_throttled_credential_for_all_its_batches() {
    let env = Environment::new(&json!({})).await;
    let ours = create_orders(&env, OURS, 60, HOUR).await;
    let theirs = create_orders(&env, THEIRS, 2, HOUR).await;
    let all = [ours.clone(), theirs].concat();
    set_scans(&all, 0).await;
    let throttled = json!({"status": 429, "headers": {"Retry-After": "30"}});
    let (prefix, run) = (&ours[0].1[..ours[0].1.len() - 2], run(0));
    set_answer_mode(prefix, 2, throttled).await;
    env.plan(&run, 0).await;
    let waiting = env.handle_all().await;
    assert_eq!(waiting.len(), 2);
    let seconds = |outcome: &RecordOutcome| match outcome {
        RecordOutcome::RetryAfter(wait) => wait.as_secs(),
        other => panic!("{other:?}"),
    };
    // The batch that was refused waits for the pause, the other one for a minute at least.
    assert!(seconds(&waiting[0].1) <= 30 && seconds(&waiting[1].1) >= 60, "{waiting:?}");
    for (message, _) in &waiting {
        // No call during the pause.
        assert!(seconds(&env.handle_without_fault("batches", message).await) >= 60);
    }
    let statuses = async || {
        let calls = env.carrier_calls().await.into_iter();
        calls.map(|call| (call.status, call.awbs.len())).collect::<BTreeSet<_>>()
    };
    assert_eq!(env.carrier_calls().await.len(), 2);
    assert!(statuses().await.contains(&(200, 2)));
    // The first call after the pause is refused too, the next one is answered.
    let [(first, _), (second, _)] = <[_; 2]>::try_from(waiting).unwrap();
    env.expire_pause(&run.id, "").await;
    let again = env.handle_without_fault("batches", &first).await;
    assert_eq!(again, RecordOutcome::RetryAfter(Duration::from_secs(30)));
    env.expire_pause(&run.id, "").await;
    for message in [second, first] {
        assert_eq!(env.handle_without_fault("batches", &message).await, RecordOutcome::Ack);
    }
    let totals = env.totals(&run).await;
    assert_eq!((totals.done, totals.failed, totals.counts.changed), (3, 0, 62));
    env.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn notifies_once_about_a_stalled_order() {
    let env = Environment::new(&json!({"stalled_after_days": 3})).await;
    // This endpoint does not subscribe to stalled orders.
    env.add_endpoint("other", &json!({"format": "status_update", "accounts": ["*"]})).await;
    let day = 24 * HOUR;
    let stalled = create_orders(&env, OURS, 1, 4 * day).await;
    let recent = create_orders(&env, THEIRS, 1, 2 * day).await;
    for (hour, count) in [(0, 1), (1, 0), (5, 0)] {
        env.plan(&run(hour), 0).await;
        assert_eq!(env.handle_all().await, []);
        let deliveries = env.deliveries().await;
        assert_eq!(deliveries.len(), count, "{hour}");
        for delivery in deliveries {
            let body: Value = serde_json::from_str(&delivery.body).unwrap();
            assert_eq!(
                (delivery.endpoint.as_str(), &body["event"]),
                ("shop", &json!("order_stalled"))
            );
            assert_eq!(body["orders"][0]["order_id"], json!(stalled[0].0.order));
        }
    }
    for (orders, expected) in [(&stalled, true), (&recent, false)] {
        let order = env.active_order(&orders[0].0).await.unwrap();
        assert_eq!(order.active.stalled.is_some(), expected);
    }
    env.remove().await;
}
