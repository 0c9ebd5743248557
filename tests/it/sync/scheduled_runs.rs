//! Duplicate, late and concurrent events of the schedule, and the polling interval of an order.

use std::collections::BTreeMap;
use std::time::Duration;

use aws::lambda::sqs_batch::RecordOutcome;
use domain::core::id::OrderKey;
use domain::core::timestamp::Timestamp;
use domain::pagination::PageRequest;
use domain::polling::{PlanMessage, Run, SHARDS, shard};
use serde_json::{Value, json};

use super::environment::{Environment, keys_in_shard, order_key};
use super::shipway_double::{set_parcels, tracking_item};
use crate::support::{Calls, OURS, THEIRS};

const AT: &str = "2026-11-20T10:00:00Z";

fn at() -> Timestamp {
    Timestamp::parse(AT).unwrap()
}

fn schedule_event(at: &str) -> Value {
    json!({"kind": "hourly", "at": at})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn opens_one_run_when_the_schedule_fires_twice_in_an_hour() {
    let (env, event) = (Environment::new(&json!({})).await, schedule_event(AT));
    let awbs = ["770000000021", "770000000022", "770000000023"];
    for (n, awb) in awbs.into_iter().enumerate() {
        env.create_order(&order_key([OURS, THEIRS][n % 2], &format!("ORD{n}")), awb, at()).await;
        set_parcels([(awb.to_owned(), tracking_item("INT", "2026-11-20 09:00:00"))]).await;
    }
    for _ in 0..2 {
        let opened = env.open_run(&event, None).await.0.unwrap();
        assert_eq!(opened, json!({"run": "hourly-2026-11-20T10"}));
    }
    assert_eq!(env.handle_all().await, []);
    let mut calls_per_awb: BTreeMap<String, u32> = BTreeMap::new();
    for awb in env.carrier_calls().await.into_iter().flat_map(|call| call.awbs) {
        *calls_per_awb.entry(awb).or_default() += 1;
    }
    assert_eq!(calls_per_awb, awbs.map(|awb| (awb.to_owned(), 1)).into());
    // Further events of the hour find the run closed, also that of a rule.
    let rule = json!({"detail-type": "Scheduled Event", "time": "2026-11-20T10:00:12Z"});
    for late in [event, schedule_event("2026-11-20T10:14:59Z"), rule] {
        let opened = env.open_run(&late, None).await.0.unwrap();
        assert_eq!(opened, json!({"run": "hourly-2026-11-20T10"}));
    }
    assert!(env.receive_all("shards").await.is_empty());
    env.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn queues_only_unfinished_planners_after_a_second_event() {
    let (env, event) = (Environment::new(&json!({})).await, schedule_event(AT));
    // The last run needs sixteen planners for the next one.
    env.put_closed_run(&Run::hourly(Timestamp::parse("2026-11-20T09:00:00Z").unwrap()), 10_000_000)
        .await;
    env.open_run(&event, None).await.0.unwrap();
    // The messages of the other planners are lost.
    let read = |message: &String| PlanMessage::read(message).unwrap();
    let (planned, lost): (Vec<_>, Vec<_>) =
        env.receive_all("shards").await.into_iter().partition(|message| read(message).planner < 6);
    assert_eq!((planned.len(), lost.len()), (6, usize::from(SHARDS) - 6));
    for message in planned {
        assert_eq!(read(&message).planners, SHARDS);
        assert_eq!(env.handle_without_fault("shards", &message).await, RecordOutcome::Ack);
    }
    env.open_run(&event, None).await.0.unwrap();
    let queued = env.receive_all("shards").await;
    let mut planners: Vec<u8> = queued.iter().map(|message| read(message).planner).collect();
    planners.sort_unstable();
    assert_eq!(planners, (6..SHARDS).collect::<Vec<_>>());
    env.remove().await;
}

/// Sixteen shards with ten orders each.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fills_batches_over_all_shards() {
    let env = Environment::new(&json!({})).await;
    let keys: Vec<OrderKey> =
        (0..SHARDS).flat_map(|shard| keys_in_shard(OURS, shard, 10)).collect();
    for (n, key) in keys.iter().enumerate() {
        env.create_order(key, &format!("7600000{n:05}"), at()).await;
    }
    env.open_run(&schedule_event(AT), None).await.0.unwrap();
    assert_eq!(env.handle_all().await, []);
    let calls = env.carrier_calls().await;
    let mut sizes: Vec<usize> = calls.iter().map(|call| call.awbs.len()).collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [10, 50, 50, 50]);
    let run = Run::hourly(at());
    let totals = env.totals(&run).await;
    assert_eq!((totals.planned, totals.batches, totals.done), (160, 4, 4));
    env.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn polls_no_account_without_credentials() {
    let env = Environment::new(&json!({})).await;
    let keys = [OURS, "STORE009"].map(|account| order_key(account, "ORD1"));
    for (key, awb) in keys.iter().zip(["770000000041", "770000000042"]) {
        env.create_order(key, awb, at()).await;
        set_parcels([(awb.to_owned(), tracking_item("INT", "2026-11-20 09:00:00"))]).await;
    }
    env.open_run(&schedule_event(AT), None).await.0.unwrap();
    assert_eq!(env.handle_all().await, []);
    let totals = env.totals(&Run::hourly(at())).await;
    assert_eq!((totals.planned, totals.without_credentials), (1, 1));
    let awbs: Vec<String> =
        env.carrier_calls().await.into_iter().flat_map(|call| call.awbs).collect();
    assert_eq!(awbs, ["770000000041"]);
    assert_eq!(
        (env.status(&keys[0]).await, env.status(&keys[1]).await),
        (json!("in_transit"), json!("pending"))
    );
    env.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn polls_an_order_every_four_hours_after_a_push() {
    let env = Environment::new(&json!({})).await;
    let (key, awb) = (order_key(OURS, "ORD1"), "770000000031");
    env.create_order(&key, awb, at()).await;
    let hour = |hours: u64| Run::hourly(at().after(Duration::from_secs(hours * 60 * 60)));
    assert_eq!(planned(&env, &key, &[hour(0)]).await, [1]);
    let scan =
        json!({"time": "2026-11-20 15:00:00", "location": "Exampletown", "status": "Scanned"});
    let push = json!({"hash": "x", "status_feed": [
        {"order_id": "ORD1", "awbno": awb, "current_status": "INT", "scans": [scan]},
    ]});
    let pushed_at = at().after(Duration::from_secs(60));
    env.process_event("shipway", &key.account, pushed_at, &push).await;
    assert_eq!(env.status(&key).await, "in_transit");
    let first_day = planned(&env, &key, &(1..9).map(hour).collect::<Vec<_>>()).await;
    assert_eq!(first_day.iter().sum::<u64>(), 2, "{first_day:?}");
    assert_eq!(first_day[..4], first_day[4..]);
    let manual = Run::manual(at().after(Duration::from_secs(2 * 60 * 60 + 1)));
    assert_eq!(planned(&env, &key, &[manual]).await, [1]);
    // After a day without a push, it is polled every hour again.
    let next_day = planned(&env, &key, &(25..29).map(hour).collect::<Vec<_>>()).await;
    assert_eq!(next_day, [1, 1, 1, 1]);
    env.remove().await;
}

/// A message that a bug sends to the dead-letter queue ends like one that was handled.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closes_a_run_after_a_bug_of_a_batch_or_planner() {
    for queue in ["batches", "shards"] {
        let env = Environment::new(&json!({})).await;
        env.create_order(&order_key(OURS, "ORD1"), "770000000051", at()).await;
        env.open_run(&schedule_event(AT), None).await.0.unwrap();
        if queue == "batches" {
            for planner in env.receive_all("shards").await {
                assert_eq!(env.handle_without_fault("shards", &planner).await, RecordOutcome::Ack);
            }
        }
        let [message] = <[_; 1]>::try_from(env.receive_all(queue).await).unwrap();
        // Twice: the worker may be killed before the message is acknowledged.
        for _ in 0..2 {
            env.record_bug(queue, &message).await;
        }
        let page = PageRequest { limit: 1, after: None };
        let runs = env.runs(&Calls::default()).list(&page).await.unwrap();
        let totals = runs.items[0].totals.expect("the run is closed");
        let expected = if queue == "batches" { (1, 0) } else { (0, 1) };
        assert_eq!((totals.failed, totals.failed_planners), expected);
        if queue == "shards" {
            assert_eq!(env.handle_without_fault(queue, &message).await, RecordOutcome::Ack);
            assert!(env.receive_all("batches").await.is_empty());
        }
        env.remove().await;
    }
}

/// The number of orders that each run plans.
async fn planned(env: &Environment, key: &OrderKey, runs: &[Run]) -> Vec<u64> {
    let mut planned = Vec::new();
    for run in runs {
        env.plan(run, shard(key)).await;
        planned.push(env.totals(run).await.planned);
    }
    planned
}
