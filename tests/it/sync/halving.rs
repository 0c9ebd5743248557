//! A batch that the carrier fails as a whole is polled in parts: one order cannot block the others.

use std::time::Duration;

use aws::lambda::sqs_batch::{DeadLetterReason, RecordOutcome};
use domain::core::id::OrderKey;
use domain::core::timestamp::Timestamp;
use domain::polling::{PollCounts, Run};
use serde_json::{Value, json};

use super::environment::{Environment, keys_in_shard};
use super::shipway_double::{set_answer_mode, set_parcels, tracking_item};
use crate::support::{Fault, OURS, survives_kill_points, unique};

fn run() -> Run {
    Run::hourly(Timestamp::parse("2026-11-20T10:00:00Z").unwrap())
}

/// Orders of one batch, each with a new scan. Calls for the orders with these numbers fail.
async fn create(
    count: usize,
    broken: &[usize],
    mode: &Value,
) -> (Environment, Vec<OrderKey>, String) {
    let env = Environment::new(&json!({})).await;
    let keys = keys_in_shard(OURS, 0, count);
    let prefix = unique("78H");
    for (n, key) in keys.iter().enumerate() {
        let awb = format!("{prefix}-{n:02}");
        env.create_order(key, &awb, Timestamp::parse("2026-11-20T09:00:00Z").unwrap()).await;
        set_parcels([(awb.clone(), tracking_item("INT", "2026-11-20 15:00:00"))]).await;
        if broken.contains(&n) {
            set_answer_mode(&awb, 1000, mode.clone()).await;
        }
    }
    env.plan(&run(), 0).await;
    let [message] = <[_; 1]>::try_from(env.receive_all("batches").await).unwrap();
    (env, keys, message)
}

/// Handles the batch until it ends. Returns the waits in seconds, and the last outcome.
async fn handle(env: &Environment, message: &str) -> (Vec<u64>, RecordOutcome) {
    let mut waits = Vec::new();
    loop {
        match env.handle_without_fault("batches", message).await {
            RecordOutcome::RetryAfter(wait) => waits.push(wait.as_secs()),
            outcome => return (waits, outcome),
        }
    }
}

/// The numbers of the orders that are in transit, and of those that the carrier does not know.
async fn end_state(env: &Environment, keys: &[OrderKey]) -> (Vec<usize>, Vec<usize>) {
    let (mut moved, mut unknown) = (Vec::new(), Vec::new());
    for (n, key) in keys.iter().enumerate() {
        if env.status(key).await == "in_transit" {
            moved.push(n);
        }
        if env.active_order(key).await.unwrap().active.unknown.is_some() {
            unknown.push(n);
        }
    }
    (moved, unknown)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_order_cannot_block_the_others_of_its_batch() {
    // Each failure that the carrier does not blame on the request may be an outage.
    let waits_after_500 = vec![5, 10, 5, 10, 5, 5, 10];
    for (mode, waits) in [
        (json!({"status": 400}), vec![5, 10]),
        (json!({"status": 500}), waits_after_500),
        (json!({"shape": "html"}), vec![5, 10]),
    ] {
        let (env, keys, message) = create(20, &[13], &mode).await;
        assert_eq!(handle(&env, &message).await, (waits, RecordOutcome::Ack), "{mode}");
        assert_eq!(env.handle_all().await, []);
        let others = (0..20).filter(|n| *n != 13).collect();
        assert_eq!(end_state(&env, &keys).await, (others, vec![13]), "{mode}");
        let totals = env.totals(&run()).await;
        assert_eq!((totals.batches, totals.done, totals.failed), (1, 1, 0));
        assert_eq!(totals.counts, PollCounts { asked: 19, changed: 19, unknown: 1 });
        // Two whole batches, then a failed and an answered half of each size, and a second call for
        // the order.
        let calls = env.carrier_calls().await.len();
        assert!(calls <= 2 + 11, "{calls}");
        env.remove().await;
    }
}

/// One order in each half, both at the place that is polled last.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_orders_cannot_block_the_others_of_a_full_batch() {
    let (env, keys, message) = create(50, &[0, 25], &json!({"status": 400})).await;
    let (waits, outcome) = handle(&env, &message).await;
    assert_eq!((&waits[..4], outcome), (&[5, 10, 20, 40][..], RecordOutcome::Ack));
    assert_eq!(env.handle_all().await, []);
    let others = (0..50).filter(|n| ![0, 25].contains(n)).collect();
    assert_eq!(end_state(&env, &keys).await, (others, vec![0, 25]));
    assert_eq!(env.totals(&run()).await.counts.asked, 48);
    env.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gives_up_a_batch_while_the_carrier_answers_nothing() {
    let dead_letter = RecordOutcome::DeadLetter(DeadLetterReason::Carrier);
    let (env, keys, message) =
        create(20, &(0..20).collect::<Vec<_>>(), &json!({"status": 500})).await;
    let waits = vec![5, 10, 20, 40, 80, 160, 300, 300, 300, 300, 300];
    assert_eq!(handle(&env, &message).await, (waits, dead_letter));
    assert_eq!(end_state(&env, &keys).await, (vec![], vec![]));
    assert_eq!((env.totals(&run()).await.failed, env.carrier_calls().await.len()), (1, 12));
    env.remove().await;
    // An order alone in its batch backs off, if the carrier blames the request.
    let expected = (vec![5, 10, 20, 40], dead_letter);
    for (mode, unknown) in [(json!({"status": 400}), vec![0]), (json!({"status": 500}), vec![])] {
        let (env, keys, message) = create(1, &[0], &mode).await;
        assert_eq!(handle(&env, &message).await, expected, "{mode}");
        assert_eq!(end_state(&env, &keys).await, (vec![], unknown), "{mode}");
        env.remove().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_with_too_many_broken_orders_records_those_that_it_found() {
    let broken: Vec<usize> = (0..40).step_by(2).collect();
    let (env, keys, message) = create(40, &broken, &json!({"status": 400})).await;
    let (_, outcome) = handle(&env, &message).await;
    assert_eq!(outcome, RecordOutcome::DeadLetter(DeadLetterReason::Carrier));
    let (_, unknown) = end_state(&env, &keys).await;
    assert!(unknown.len() > 2 && unknown.iter().all(|n| broken.contains(n)), "{unknown:?}");
    env.remove().await;
}

/// A batch from the dead-letter queue: its answered parts are counted once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn counts_a_batch_that_was_given_up_once_when_it_comes_again() {
    let broken: Vec<usize> = (0..40).step_by(2).collect();
    let (env, keys, message) = create(40, &broken, &json!({"status": 400})).await;
    let (_, outcome) = handle(&env, &message).await;
    assert_eq!(outcome, RecordOutcome::DeadLetter(DeadLetterReason::Carrier));
    let totals = env.totals(&run()).await;
    assert_eq!((totals.failed, totals.counts), (1, PollCounts::default()));
    // Those found first are polled no more; the others are answered now.
    let (_, unknown) = end_state(&env, &keys).await;
    for n in broken.iter().filter(|n| !unknown.contains(n)) {
        let awb = env.active_order(&keys[*n]).await.unwrap().active.awb;
        set_answer_mode(awb.as_str(), 0, json!({})).await;
    }
    assert_eq!(handle(&env, &message).await.1, RecordOutcome::Ack);
    let totals = env.totals(&run()).await;
    let (asked, unknown) = (40 - unknown.len() as u64, unknown.len() as u64);
    assert_eq!((totals.done, totals.failed), (0, 1));
    assert_eq!(totals.counts, PollCounts { asked, changed: asked, unknown });
    env.remove().await;
}

/// A scenario for [`survives_kill_points`]: the invocation that polls the parts meets the fault.
async fn halved(fault: Option<Fault>) -> (Value, Vec<String>) {
    let (env, keys, message) = create(4, &[1], &json!({"status": 400})).await;
    for seconds in [5, 10, 20] {
        let expected = RecordOutcome::RetryAfter(Duration::from_secs(seconds));
        assert_eq!(env.handle_without_fault("batches", &message).await, expected);
    }
    let (result, calls) = env.handle("batches", &message, fault).await;
    assert_eq!(result.is_err(), fault.is_some(), "{result:?}");
    assert_eq!(handle(&env, &message).await.1, RecordOutcome::Ack);
    assert_eq!(env.handle_all().await, []);
    let (totals, state) = (env.totals(&run()).await, end_state(&env, &keys).await);
    let deliveries = env.deliveries().await;
    let ids: std::collections::BTreeSet<_> = deliveries.iter().map(|d| d.id.clone()).collect();
    env.remove().await;
    (json!([format!("{totals:?}"), state, ids.len()]), calls)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn counts_a_halved_batch_once_after_a_kill_at_any_call() {
    let calls = survives_kill_points(halved).await;
    let answered = ["sqs:SendMessage", "dynamodb:UpdateItem"];
    let expected = [
        &["dynamodb:BatchGetItem", "ssm:GetParameters", "ssm:GetParameters"][..],
        &answered,
        &answered,
        &["dynamodb:UpdateItem"],
        &["dynamodb:TransactWriteItems", "dynamodb:TransactWriteItems", "dynamodb:GetItem"],
        &["dynamodb:UpdateItem", "dynamodb:Query", "dynamodb:UpdateItem"],
    ];
    assert_eq!(calls, expected.concat());
}
