//! Planner, worker and `process` killed at every call they make, before AWS did it and after: the schedule or the queue
//! brings it again, and the hour ends the same.

use std::collections::{BTreeMap, BTreeSet};

use aws::lambda::sqs_batch::RecordOutcome;
use aws::tables::runs::RunState;
use domain::core::id::OrderKey;
use domain::core::timestamp::Timestamp;
use domain::polling::Run;
use domain::webhooks::delivery::Delivery;
use futures::future::join_all;
use serde_json::{Value, json};

use super::installation::{Installation, OURS, THEIRS, in_shard};
use super::shipway;
use crate::support::{Calls, Fault, survives_kill_points};

const AT: &str = "2026-11-20T10:00:00Z";
const QUEUES: [&str; 3] = ["shards", "batches", "events"];

/// What is killed.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Step {
    /// What opens the run.
    Fire,
    /// A message of this queue.
    Work(&'static str),
    /// The planner's message; its batches are asked about and told of before it comes again.
    PlanLate,
}

impl Step {
    fn queue(self) -> Option<&'static str> {
        match self {
            Self::Fire => None,
            Self::Work(queue) => Some(queue),
            Self::PlanLate => Some("shards"),
        }
    }
}

/// Three orders of one shard, so that its planner has two batches. Of the first and the last there is news.
async fn shop() -> (Installation, Vec<OrderKey>) {
    let shop = Installation::new(&json!({})).await;
    let orders: Vec<OrderKey> = [in_shard(OURS, 0, 2), in_shard(THEIRS, 0, 1)].concat();
    for (order, awb) in orders.iter().zip(["770000000011", "770000000012", "770000000013"]) {
        shop.create(order, awb, Timestamp::parse("2026-11-19T10:00:00Z").unwrap()).await;
    }
    let known = ["770000000011", "770000000013"];
    shipway::knows(known.map(|awb| (awb.to_owned(), shipway::item("INT", "2026-11-20 09:00:00"))))
        .await;
    (shop, orders)
}

/// An hour in which a step may be killed: how it ends, and the calls of that step.
async fn hour(step: Step, fault: Option<Fault>) -> (Value, Vec<String>) {
    let (shop, orders) = shop().await;
    let (mut calls, mut messages) = (Vec::new(), Vec::new());
    if step == Step::Fire {
        let (opened, made) = shop.fire(&fire(), fault).await;
        assert_eq!(opened.is_err(), fault.is_some(), "{opened:?}");
        shop.fire(&fire(), None).await.0.unwrap();
        calls = made;
    } else {
        shop.open_last_shard(&run(), 0).await;
    }
    for queue in QUEUES {
        let mut queued = shop.take(queue).await;
        // Last what closes the run, and has most to do.
        queued.sort_by_key(|message| {
            (message.contains("\"shard\":0,"), message.contains("\"credential\":null"))
        });
        let Some((last, others)) = queued.split_last() else { continue };
        let others: BTreeSet<&String> = others.iter().collect();
        join_all(others.into_iter().map(|message| work(&shop, queue, message))).await;
        if step.queue() == Some(queue) {
            let (ended, made) = shop.work(queue, last, fault).await;
            assert_eq!(ended.is_err(), fault.is_some(), "{ended:?}");
            shop.forget_lease(&run().id, 0).await;
            calls = made;
        }
        if step == Step::PlanLate && queue == "shards" {
            assert!(shop.work_on_all().await.is_empty());
        }
        work(&shop, queue, last).await;
        messages.extend(queued.into_iter().map(|message| (queue, message)));
    }
    let mut told = shop.told().await;
    let end = end_state(&shop, &orders, &told).await;
    // Once more: each message may come again after all is done.
    for (queue, message) in &messages {
        work(&shop, queue, message).await;
    }
    shop.fire(&fire(), None).await.0.unwrap();
    told.extend(shop.told().await);
    assert_eq!(end_state(&shop, &orders, &told).await, end, "twice");
    assert_eq!(shop.take("shards").await.len() + shop.take("batches").await.len(), 0);
    shop.remove().await;
    (end, calls)
}

fn fire() -> Value {
    json!({"kind": "hourly", "at": AT})
}

async fn work(shop: &Installation, queue: &str, message: &str) {
    let (ended, _) = shop.work(queue, message, None).await;
    assert!(matches!(ended, Ok(RecordOutcome::Ack)), "{queue}: {ended:?}");
}

fn run() -> Run {
    Run::hourly(Timestamp::parse(AT).unwrap())
}

/// What must be the same whoever was killed: the orders, who was told what under which ids, and the run.
async fn end_state(shop: &Installation, orders: &[OrderKey], told: &[Delivery]) -> Value {
    let mut tracking = Vec::new();
    for key in orders {
        let (order, active) = (shop.order(key).await, shop.active(key).await.unwrap().active);
        let unknown = active.unknown.map(|unknown| (unknown.tries, unknown.ask_after));
        tracking
            .push(json!({"status": order.state.tracking.status, "version": order.state.version,
                             "unknown": unknown, "seen": active.seen}));
    }
    let runs = shop.runs(&Calls::default());
    let closed = runs.open(&run(), 5.0).await.unwrap() == RunState::Closed;
    let totals = format!("{:?}", runs.totals(&run().id).await.unwrap());
    json!({"orders": tracking, "told": by_id(told), "closed": closed, "totals": totals})
}

/// The orders of each delivery that there is.
fn by_id(told: &[Delivery]) -> BTreeMap<&str, BTreeSet<String>> {
    let mut deliveries: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for delivery in told {
        let body: Value = serde_json::from_str(&delivery.body).unwrap();
        let orders = body["orders"].as_array().unwrap().iter();
        let names = orders
            .map(|order| format!("{}/{}", delivery.account, order["order_id"].as_str().unwrap()));
        deliveries.entry(&delivery.id).or_default().extend(names);
    }
    deliveries
}

/// Kills a step at each of its calls.
async fn killed_at_every_call(step: Step) -> Vec<String> {
    survives_kill_points(async |fault| hour(step, fault).await).await
}

#[tokio::test]
async fn an_hour_that_nobody_disturbs() {
    let (end, _) = hour(Step::Fire, None).await;
    let status: Vec<_> =
        end["orders"].as_array().unwrap().iter().map(|order| &order["status"]).collect();
    assert_eq!(status, ["in_transit", "pending", "in_transit"]);
    assert_eq!(end["orders"][1]["unknown"], json!([1, "2026-11-20T11:00:00.000Z"]));
    assert_eq!((end["told"].as_object().unwrap().len(), &end["closed"]), (2, &json!(true)));
    let totals = "Totals { planned: 3, batches: 2, done: 2, failed: 0, \
                  counts: PollCounts { asked: 3, changed: 2, unknown: 1 } }";
    assert_eq!(end["totals"], totals);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn opening_a_run_may_be_killed_at_any_call() {
    let calls = killed_at_every_call(Step::Fire).await;
    assert_eq!(
        calls,
        [
            "ssm:GetParameters",
            "dynamodb:PutItem",
            "sqs:SendMessageBatch",
            "sqs:SendMessageBatch",
            "dynamodb:Query"
        ]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_planner_may_be_killed_at_any_call() {
    let calls = killed_at_every_call(Step::Work("shards")).await;
    assert_eq!(
        calls,
        [
            "dynamodb:UpdateItem",
            "ssm:GetParametersByPath",
            "dynamodb:Query",
            "sqs:SendMessageBatch",
            "dynamodb:UpdateItem",
            "dynamodb:GetItem"
        ]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn so_may_a_planner_whose_batches_are_asked_before_it_comes_again() {
    let calls = killed_at_every_call(Step::PlanLate).await;
    assert_eq!(
        calls,
        [
            "dynamodb:UpdateItem",
            "ssm:GetParametersByPath",
            "dynamodb:Query",
            "sqs:SendMessageBatch",
            "dynamodb:UpdateItem",
            "dynamodb:GetItem"
        ]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_may_be_killed_at_any_call() {
    let calls = killed_at_every_call(Step::Work("batches")).await;
    assert_eq!(
        calls,
        [
            "dynamodb:GetItem",
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
async fn whoever_applies_what_was_found_may_be_killed_at_any_call() {
    let calls = killed_at_every_call(Step::Work("events")).await;
    assert_eq!(
        calls,
        [
            "dynamodb:Query",
            "dynamodb:TransactWriteItems",
            "dynamodb:UpdateItem",
            "ssm:GetParametersByPath",
            "sqs:SendMessageBatch"
        ]
    );
}
