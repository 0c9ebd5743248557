//! New poll results reach their account once, despite failures elsewhere.

use std::time::Duration;

use aws::lambda::sqs_batch::RecordOutcome;
use aws::tables::orders::PollRowUpdate;
use domain::core::id::OrderKey;
use domain::core::timestamp::Timestamp;
use domain::orders::api_event::{ApiEvent, StatusReport};
use domain::pagination::PageRequest;
use domain::polling::{GIVE_UP, PollCounts, Run, shard};
use domain::tracking::status::Status;
use serde_json::{Value, json};

use super::environment::{Environment, order_key};
use super::shipway_double::{set_parcels, tracking_item};
use crate::support::{Calls, Fault, OURS, unique};

fn at() -> Timestamp {
    Timestamp::parse("2026-11-20T10:00:00Z").unwrap()
}

fn run(hours: u64) -> Run {
    Run::hourly(at().after(Duration::from_secs(hours * 60 * 60)))
}

/// Creates an order whose parcel is in transit since this time.
async fn create_order(env: &Environment, key: &OrderKey, in_transit_since: &str) {
    let awb = unique("77N");
    env.create_order(key, &awb, at()).await;
    set_parcels([(awb, tracking_item("INT", in_transit_since))]).await;
}

/// Reports a status through the API.
async fn report_status(env: &Environment, key: &OrderKey, status: Status) {
    let order_id = key.order.clone();
    let report = StatusReport { order_id, status, occurred_at: None, note: None, awb: None };
    let report = ApiEvent::Status(report);
    let body: Value = serde_json::from_slice(&report.to_body()).unwrap();
    env.process_event("api", &key.account, at().after(Duration::from_secs(60)), &body).await;
}

async fn counts(env: &Environment, key: &OrderKey, run: &Run) -> PollCounts {
    env.plan(run, shard(key)).await;
    assert_eq!(env.handle_all().await, []);
    env.totals(run).await.counts
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn counts_an_out_of_order_poll_result_once() {
    let (env, key) = (Environment::new(&json!({})).await, order_key(OURS, "ORD1"));
    create_order(&env, &key, "2026-11-20 15:00:00").await;
    report_status(&env, &key, Status::OutForDelivery).await;
    // A report through the API does not delay polling.
    for (hours, changed) in [(1, 1), (2, 0), (3, 0)] {
        let expected = PollCounts { asked: 1, changed, unknown: 0 };
        assert_eq!(counts(&env, &key, &run(hours)).await, expected, "{hours}");
    }
    assert_eq!(env.status(&key).await, "out_for_delivery");
    env.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn notifies_other_accounts_when_an_endpoint_is_misconfigured() {
    // The misconfigured account comes first.
    let accounts = ["STORE000", "STORE009"];
    let env = Environment::new(&json!({"shared_with": accounts})).await;
    let keys = accounts.map(|account| {
        let mut keys = (0..10_000).map(|n| order_key(account, &format!("ORD{n}")));
        keys.find(|key| shard(key) == 0).unwrap()
    });
    for key in &keys {
        create_order(&env, key, "2026-11-20 15:00:00").await;
    }
    let mut settings =
        json!({"format": "status_update", "accounts": ["STORE000"], "retry_count": "many"});
    env.add_endpoint("wrong", &settings).await;
    env.plan(&run(0), 0).await;
    for message in env.receive_all("batches").await {
        assert_eq!(env.handle_without_fault("batches", &message).await, RecordOutcome::Ack);
    }
    let [result] = <[_; 1]>::try_from(env.receive_all("events").await).unwrap();
    assert!(env.handle("events", &result, None).await.0.is_err());
    assert_eq!(env.status(&keys[1]).await, "in_transit");
    let deliveries = env.deliveries().await;
    assert!(deliveries.iter().any(|delivery| delivery.account.as_ref() == Some(&keys[1].account)));
    // The redelivered message notifies the endpoint after its settings are fixed.
    settings.as_object_mut().unwrap().remove("retry_count");
    env.add_endpoint("wrong", &settings).await;
    assert_eq!(env.handle_without_fault("events", &result).await, RecordOutcome::Ack);
    let deliveries = env.deliveries().await;
    assert!(deliveries.iter().any(|delivery| delivery.endpoint.as_str() == "wrong"));
    env.remove().await;
}

/// SQS rejects U+FFFE and U+FFFF, which order ids may contain.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn polls_an_order_whose_id_has_characters_that_sqs_rejects() {
    let env = Environment::new(&json!({})).await;
    let key = order_key(OURS, "ORD\u{ffff}\u{fffe}");
    create_order(&env, &key, "2026-11-20 15:00:00").await;
    env.plan(&run(0), shard(&key)).await;
    for queue in ["batches", "events"] {
        let [message] = <[_; 1]>::try_from(env.receive_all(queue).await).unwrap();
        assert!(!message.contains(['\u{fffe}', '\u{ffff}']), "{queue}");
        assert_eq!(env.handle_without_fault(queue, &message).await, RecordOutcome::Ack);
    }
    assert_eq!(env.status(&key).await, "in_transit");
    env.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn removes_an_order_from_the_stale_list_after_a_kill_at_any_call() {
    let env = Environment::new(&json!({})).await;
    for (n, (code, stays_active)) in [("INT", true), ("DEL", false)].into_iter().enumerate() {
        let key = order_key(OURS, &format!("ORD{n}"));
        let awb = unique("77N");
        env.create_order(&key, &awb, at()).await;
        make_stale(&env, &key).await;
        let push = shipway_push(&awb, code, "2026-11-27 15:00:00");
        let pushed_at = at().after(GIVE_UP);
        let message = env.insert_event("shipway", &key.account, pushed_at, &push).await;
        // Killed before and after each call in turn, until no call is left.
        for call in 0.. {
            let killed = env.handle("events", &message, Some(Fault::Before(call))).await.0;
            assert!(killed.is_err() || call > 5);
            if env.handle("events", &message, Some(Fault::After(call))).await.0.is_ok() {
                break;
            }
        }
        assert!(!is_stale(&env, &key).await, "{code}");
        let stale_since = env.active_order(&key).await.map(|order| order.active.stale_since);
        assert_eq!(stale_since, stays_active.then_some(None), "{code}");
    }
    env.remove().await;
}

/// A webhook of Shipway with one scan, in India's time.
fn shipway_push(awb: &str, code: &str, scanned_at: &str) -> Value {
    let scan = json!({"time": scanned_at, "location": "Exampletown", "status": "Scanned"});
    json!({"hash": "x", "status_feed": [
        {"order_id": "ORD", "awbno": awb, "current_status": code, "scans": [scan]},
    ]})
}

/// A retried event and a parked report bring old times.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_report_moves_no_time_of_a_polled_order_back() {
    let (env, key) = (Environment::new(&json!({})).await, order_key(OURS, "ORD1"));
    let awb = unique("77N");
    env.create_order(&key, &awb, at()).await;
    let hours = |hours: u64| at().after(Duration::from_secs(hours * 60 * 60));
    for (received_at, code, scanned_at) in [
        (hours(50), "OOD", "2026-11-22 17:00:00"),
        (hours(5), "INT", "2026-11-20 20:00:00"),
        (hours(20), "INT", "2026-11-21 10:00:00"),
    ] {
        let push = shipway_push(&awb, code, scanned_at);
        env.process_event("shipway", &key.account, received_at, &push).await;
        let active = env.active_order(&key).await.unwrap().active;
        assert_eq!((active.moved_at, active.heard_at), (hours(50), Some(hours(50))), "{code}");
    }
    env.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_report_does_not_restore_the_poll_row_that_a_patch_removed() {
    let (env, key) = (Environment::new(&json!({})).await, order_key(OURS, "ORD1"));
    env.create_order(&key, &unique("77N"), at()).await;
    let order = env.order(&key).await;
    env.end_polling(&key).await;
    assert_eq!(env.active_order(&key).await, None);
    // A report was applied before the patch; only then its update of the row follows.
    let update = PollRowUpdate { moved_at: Some(at()), ..PollRowUpdate::default() };
    env.orders(&Calls::default()).update_poll_rows(&order, None, update).await.unwrap();
    assert_eq!(env.active_order(&key).await, None);
    env.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn polls_an_order_again_when_its_return_begins() {
    let (env, key) = (Environment::new(&json!({})).await, order_key(OURS, "ORD1"));
    let awb = unique("77N");
    env.create_order(&key, &awb, at()).await;
    for (code, scanned_at, is_polled) in [
        ("DEL", "2026-11-20 17:00:00", false),
        ("RTO", "2026-11-21 17:00:00", true),
        ("RTD", "2026-11-22 17:00:00", false),
    ] {
        let push = shipway_push(&awb, code, scanned_at);
        env.process_event("shipway", &key.account, at().after(GIVE_UP), &push).await;
        assert_eq!(env.active_order(&key).await.is_some(), is_polled, "{code}");
    }
    env.remove().await;
}

/// A carrier's `cancelled` and `lost` may be followed by a delivery.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn polls_a_cancelled_order_until_it_is_delivered_after_all() {
    let env = Environment::new(&json!({})).await;
    for (n, code) in ["CAN", "LOST"].into_iter().enumerate() {
        let key = order_key(OURS, &format!("ORD{n}"));
        let awb = unique("77N");
        env.create_order(&key, &awb, at()).await;
        let push = shipway_push(&awb, code, "2026-11-20 17:00:00");
        env.process_event("shipway", &key.account, at().after(GIVE_UP), &push).await;
        let active = env.active_order(&key).await.unwrap().active;
        assert!(active.ended_at.is_some() && active.seen.is_some(), "{code}");
        let run = Run::manual(active.ended_at.unwrap());
        set_parcels([(awb, tracking_item("DEL", "2026-11-23 17:00:00"))]).await;
        assert_eq!(counts(&env, &key, &run).await.changed, 1, "{code}");
        assert_eq!(env.status(&key).await, "delivered", "{code}");
        assert_eq!(env.active_order(&key).await, None, "{code}");
    }
    env.remove().await;
}

/// Records that the carrier did not know the AWB, in two runs far enough apart.
async fn make_stale(env: &Environment, key: &OrderKey) {
    let orders = env.orders(&Calls::default());
    for run in [run(0), Run::hourly(at().after(GIVE_UP))] {
        let order = env.active_order(key).await.unwrap();
        orders.not_found(key, &order.active, &run).await.unwrap();
    }
    assert!(is_stale(env, key).await);
}

async fn is_stale(env: &Environment, key: &OrderKey) -> bool {
    let page = PageRequest { limit: 100, after: None };
    let stale = env.orders(&Calls::default()).stale(&key.account, &page).await.unwrap();
    stale.items.iter().any(|stale| stale.order_id == key.order)
}
