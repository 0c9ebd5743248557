//! Planner, worker and `process` killed before and after each of their AWS calls: after the
//! redelivery, the run ends in the same state.

use std::collections::{BTreeMap, BTreeSet};

use aws::lambda::sqs_batch::RecordOutcome;
use aws::tables::runs::RunState;
use domain::core::id::OrderKey;
use domain::core::timestamp::Timestamp;
use domain::polling::Run;
use domain::webhooks::delivery::Delivery;
use futures::future::join_all;
use serde_json::{Value, json};

use super::environment::{Environment, keys_in_shard};
use super::shipway_double::{set_parcels, tracking_item};
use crate::support::{Calls, Fault, OURS, THEIRS, survives_kill_points};

const AT: &str = "2026-11-20T10:00:00Z";
const QUEUES: [&str; 3] = ["shards", "batches", "events"];

/// The step that is killed.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Step {
    OpenRun,
    /// A message of this queue.
    Handle(&'static str),
    /// The planner; its batches are polled and applied before its message is redelivered.
    PlanWithLateRedelivery,
    /// A planner of four shards.
    PlanShards,
}

impl Step {
    fn queue(self) -> Option<&'static str> {
        match self {
            Self::OpenRun => None,
            Self::Handle(queue) => Some(queue),
            Self::PlanWithLateRedelivery | Self::PlanShards => Some("shards"),
        }
    }

    fn planners(self) -> u8 {
        if self == Self::PlanShards { 4 } else { 16 }
    }
}

/// Creates three orders of one shard, or of two, which their planner splits into two batches. The
/// status of the first and the last has changed. An order of a third account is not polled.
async fn create_environment(other_shard: u8) -> (Environment, Vec<OrderKey>) {
    let env = Environment::new(&json!({})).await;
    let ours = [keys_in_shard(OURS, 0, 1), keys_in_shard(OURS, other_shard, 2).split_off(1)];
    let keys: Vec<OrderKey> = [ours.concat(), keys_in_shard(THEIRS, 0, 1)].concat();
    let not_polled = &keys_in_shard("STORE009", 0, 1)[0];
    env.create_order(not_polled, "770000000014", Timestamp::parse(AT).unwrap()).await;
    for (key, awb) in keys.iter().zip(["770000000011", "770000000012", "770000000013"]) {
        env.create_order(key, awb, Timestamp::parse("2026-11-19T10:00:00Z").unwrap()).await;
    }
    let changed = ["770000000011", "770000000013"];
    let item = tracking_item("INT", "2026-11-20 09:00:00");
    set_parcels(changed.map(|awb| (awb.to_owned(), item.clone()))).await;
    (env, keys)
}

fn schedule_event() -> Value {
    json!({"kind": "hourly", "at": AT})
}

fn run() -> Run {
    Run::hourly(Timestamp::parse(AT).unwrap())
}

/// A scenario for [`survives_kill_points`]: an hourly run in which `step` meets the fault. Every
/// message is delivered once more after the run is finished.
async fn hourly_run(step: Step, fault: Option<Fault>) -> (Value, Vec<String>) {
    let other_shard = if step == Step::PlanShards { 8 } else { 0 };
    let (env, keys) = create_environment(other_shard).await;
    let mut calls = open(&env, step, fault).await;
    let mut messages = Vec::new();
    for queue in QUEUES {
        let mut queued = env.receive_all(queue).await;
        // The message that closes the run comes last: it makes the most calls.
        queued.sort_by_key(|message| {
            (message.contains("\"planner\":0,"), message.contains("\"credential\":null"))
        });
        let Some((last, others)) = queued.split_last() else { continue };
        let others: BTreeSet<&String> = others.iter().collect();
        join_all(others.into_iter().map(|message| handle(&env, queue, message))).await;
        if step.queue() == Some(queue) {
            let (result, step_calls) = env.handle(queue, last, fault).await;
            assert_eq!(result.is_err(), fault.is_some(), "{result:?}");
            env.expire_lease(&run().id, 0).await;
            calls = step_calls;
        }
        if step == Step::PlanWithLateRedelivery && queue == "shards" {
            assert!(env.handle_all().await.is_empty());
        }
        handle(&env, queue, last).await;
        messages.extend(queued.into_iter().map(|message| (queue, message)));
    }
    let mut deliveries = env.deliveries().await;
    let end = end_state(&env, &keys, &deliveries).await;
    for (queue, message) in &messages {
        handle(&env, queue, message).await;
    }
    env.open_run(&schedule_event(), None).await.0.unwrap();
    deliveries.extend(env.deliveries().await);
    assert_eq!(end_state(&env, &keys, &deliveries).await, end, "after duplicates");
    assert_eq!(env.receive_all("shards").await.len() + env.receive_all("batches").await.len(), 0);
    env.remove().await;
    (end, calls)
}

/// Opens the run; with only one shard left to plan if `step` is a later one. Returns the calls.
async fn open(env: &Environment, step: Step, fault: Option<Fault>) -> Vec<String> {
    if step != Step::OpenRun {
        env.open_last_planner(&run(), 0, step.planners()).await;
        return Vec::new();
    }
    let (result, calls) = env.open_run(&schedule_event(), fault).await;
    assert_eq!(result.is_err(), fault.is_some(), "{result:?}");
    env.open_run(&schedule_event(), None).await.0.unwrap();
    calls
}

async fn handle(env: &Environment, queue: &str, message: &str) {
    let (result, _) = env.handle(queue, message, None).await;
    assert!(matches!(result, Ok(RecordOutcome::Ack)), "{queue}: {result:?}");
}

/// The state that no kill may change: the orders, the deliveries with their ids, and the run.
async fn end_state(env: &Environment, keys: &[OrderKey], deliveries: &[Delivery]) -> Value {
    let mut orders = Vec::new();
    for key in keys {
        let (order, active) = (env.order(key).await, env.active_order(key).await.unwrap().active);
        let unknown = active.unknown.map(|unknown| (unknown.tries, unknown.ask_after));
        orders.push(json!({
            "status": order.state.tracking.status, "version": order.state.version,
            "unknown": unknown, "seen": active.seen,
        }));
    }
    let runs = env.runs(&Calls::default());
    let closed = runs.open(&run(), 5.0, 1).await.unwrap() == RunState::Closed;
    let totals = format!("{:?}", runs.totals(&run().id).await.unwrap());
    let deliveries = orders_by_delivery(deliveries);
    json!({"orders": orders, "deliveries": deliveries, "closed": closed, "totals": totals})
}

/// The orders of each delivery id.
fn orders_by_delivery(deliveries: &[Delivery]) -> BTreeMap<&str, BTreeSet<String>> {
    let mut orders_by_id: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for delivery in deliveries {
        let body: Value = serde_json::from_str(&delivery.body).unwrap();
        let orders = body["orders"].as_array().unwrap().iter();
        let names = orders
            .map(|order| format!("{}/{}", delivery.account, order["order_id"].as_str().unwrap()));
        orders_by_id.entry(&delivery.id).or_default().extend(names);
    }
    orders_by_id
}

async fn survives_kills_of(step: Step) -> Vec<String> {
    survives_kill_points(async |fault| hourly_run(step, fault).await).await
}

#[tokio::test]
async fn finishes_a_run_without_faults() {
    let (end, _) = hourly_run(Step::OpenRun, None).await;
    let status: Vec<_> =
        end["orders"].as_array().unwrap().iter().map(|order| &order["status"]).collect();
    assert_eq!(status, ["in_transit", "pending", "in_transit"]);
    assert_eq!(end["orders"][1]["unknown"], json!([1, "2026-11-20T11:00:00.000Z"]));
    assert_eq!((end["deliveries"].as_object().unwrap().len(), &end["closed"]), (2, &json!(true)));
    let totals = "Totals { planned: 3, without_credentials: 1, batches: 2, done: 2, failed: 0, \
                  failed_planners: 0, counts: PollCounts { asked: 3, changed: 2, unknown: 1 } }";
    assert_eq!(end["totals"], totals);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn opens_a_run_once_after_a_kill_at_any_call() {
    let calls = survives_kills_of(Step::OpenRun).await;
    assert_eq!(
        calls,
        ["ssm:GetParameters", "dynamodb:Query", "dynamodb:PutItem", "sqs:SendMessageBatch"]
    );
}

const PLANNER_CALLS: [&str; 7] = [
    "dynamodb:UpdateItem",
    "ssm:GetParameters",
    "ssm:GetParametersByPath",
    "dynamodb:Query",
    "sqs:SendMessageBatch",
    "dynamodb:UpdateItem",
    "dynamodb:GetItem",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plans_a_shard_once_after_a_kill_at_any_call() {
    let calls = survives_kills_of(Step::Handle("shards")).await;
    assert_eq!(calls, PLANNER_CALLS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plans_a_shard_once_after_a_kill_and_a_late_redelivery() {
    let calls = survives_kills_of(Step::PlanWithLateRedelivery).await;
    assert_eq!(calls, PLANNER_CALLS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plans_four_shards_once_after_a_kill_at_any_call() {
    let calls = survives_kills_of(Step::PlanShards).await;
    let page = ["dynamodb:Query", "dynamodb:UpdateItem"];
    let batches = ["dynamodb:Query", "sqs:SendMessageBatch", "dynamodb:UpdateItem"];
    let expected = [&PLANNER_CALLS[..3], &page, &page, &page, &batches, &PLANNER_CALLS[6..]];
    assert_eq!(calls, expected.concat());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn counts_a_batch_once_after_a_kill_at_any_call() {
    let calls = survives_kills_of(Step::Handle("batches")).await;
    assert_eq!(
        calls,
        [
            "dynamodb:BatchGetItem",
            "ssm:GetParameters",
            "ssm:GetParameters",
            "sqs:SendMessage",
            "dynamodb:TransactWriteItems",
            "dynamodb:TransactWriteItems",
            "dynamodb:GetItem",
            "dynamodb:UpdateItem",
            "dynamodb:Query",
            "dynamodb:UpdateItem"
        ]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn applies_a_poll_result_once_after_a_kill_at_any_call() {
    let calls = survives_kills_of(Step::Handle("events")).await;
    assert_eq!(
        calls,
        [
            "dynamodb:Query",
            "dynamodb:PutItem",
            "dynamodb:TransactWriteItems",
            "dynamodb:UpdateItem",
            "ssm:GetParametersByPath",
            "sqs:SendMessageBatch"
        ]
    );
}
