#![expect(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::core::id::{Awb, OrderId, OrderKey};
use domain::polling::{PollState, Run, SHARDS};
use sources::shipway;

use super::*;

fn hour() -> Timestamp {
    Timestamp::parse("2026-11-24T06:00:00Z").unwrap()
}

fn message(planner: u8, planners: u8) -> PlanMessage {
    PlanMessage::new(Run::hourly(hour()), planner, planners, 5.0)
}

fn place(shard: u8) -> Place {
    Place { shard, after: None }
}

/// `STORE001`, `STORE003` and `STORE004` share the credentials of the source, `STORE002` has its
/// own.
fn credentials() -> Credentials {
    let settings = r#"{"account":"STORE001","shared_with":["STORE003","STORE004"]}"#;
    Credentials {
        source: Arc::new(shipway::Settings::read(settings).unwrap()),
        owners: Arc::new([AccountCode::parse("STORE002").unwrap()].into()),
    }
}

fn order(account: &str, n: usize) -> ActiveOrder {
    let key = OrderKey {
        account: AccountCode::parse(account).unwrap(),
        order: OrderId::parse(&format!("ORD{n:05}")).unwrap(),
    };
    let awb = Awb::parse(&format!("1900000{n:05}")).unwrap();
    ActiveOrder { key, active: PollState::new(awb, Timestamp::EPOCH) }
}

fn page(account: &str, orders: std::ops::Range<usize>) -> Vec<Result<ActiveOrder, IoError>> {
    orders.map(|n| Ok(order(account, n))).collect()
}

fn read(messages: &[Delayed]) -> Vec<BatchMessage> {
    messages.iter().map(|message| BatchMessage::read(&message.body).unwrap()).collect()
}

/// Plans one page of each shard. Returns the batches.
fn plan_shards(
    plan: &mut Plan<'_>,
    orders: impl Fn(u8) -> Vec<Result<ActiveOrder, IoError>>,
) -> Vec<BatchMessage> {
    let mut messages = Vec::new();
    for shard in 0..SHARDS {
        let step = if shard + 1 == SHARDS { PlanStep::Finish } else { PlanStep::Continue };
        let batches = plan.add_page(&place(shard), orders(shard), step);
        messages.extend(plan.batch_messages(batches, hour()));
    }
    read(&messages)
}

#[test]
fn numbers_and_delays_batches_across_pages() {
    let (message, credentials) = (message(3, 16), credentials());
    let progress = PlanProgress { batches: 7, planned: 350, ..PlanProgress::default() };
    let mut plan = Plan::new(&message, &credentials, progress);
    let first = plan.add_page(&place(3), page("STORE001", 0..120), PlanStep::Continue);
    let first = plan.batch_messages(first, hour());
    let rest = plan.add_page(&place(3), page("STORE001", 120..130), PlanStep::Finish);
    let rest = plan.batch_messages(rest, hour().after(Duration::from_secs(3)));
    let batches = read(&first).into_iter().chain(read(&rest));
    let seen: Vec<(u64, usize)> = batches.map(|batch| (batch.k, batch.orders.len())).collect();
    assert_eq!(seen, [(7, 50), (8, 50), (9, 30)]);
    assert_eq!((plan.progress.batches, plan.progress.planned), (10, 480));
    // Five calls per second shared by sixteen planners.
    let delays: Vec<u128> =
        first.iter().chain(&rest).map(|message| message.delay.as_millis()).collect();
    assert_eq!(delays, [3 * 200, (16 + 3) * 200, (2 * 16 + 3) * 200 - 3000]);
}

#[test]
fn fills_batches_over_all_shards_of_a_planner() {
    let (message, credentials) = (message(0, 1), credentials());
    for (of_each, of_first, calls) in [(10, 0, 4), (7, 8, 3), (0, 1, 1), (0, 0, 0)] {
        let mut plan = Plan::new(&message, &credentials, PlanProgress::default());
        let batches = plan_shards(&mut plan, |shard| {
            let count = of_each + if shard == 0 { of_first } else { 0 };
            page("STORE001", usize::from(shard) * 100..usize::from(shard) * 100 + count)
        });
        assert_eq!(batches.len(), calls, "{of_each}");
        let ids: BTreeSet<_> =
            batches.iter().flat_map(|batch| &batch.orders).map(|order| &order.order_id).collect();
        assert_eq!(ids.len(), of_each * 16 + of_first);
        // Without other planners, a batch each 200 ms.
        let waits = batches.iter().map(|batch| batch.not_before.since(hour()).as_millis());
        assert_eq!(waits.collect::<Vec<_>>(), [0, 200, 400, 600][..calls]);
    }
}

#[test]
fn resumes_after_the_last_queued_order() {
    let (message, credentials) = (message(3, 16), credentials());
    let mut plan = Plan::new(&message, &credentials, PlanProgress::default());
    let batches = plan.add_page(&place(3), page("STORE001", 0..60), PlanStep::Continue);
    plan.batch_messages(batches, hour());
    let position = |n| Some(place(3).position(&order("STORE001", n).sort_key()));
    assert_eq!(plan.progress.resume_after, position(49));
    // A pause at the deadline flushes the partial batch.
    let batches = plan.add_page(&place(3), page("STORE001", 60..61), PlanStep::Pause);
    assert_eq!(read(&plan.batch_messages(batches, hour()))[0].orders.len(), 11);
    assert_eq!(plan.progress.resume_after, position(60));
}

#[test]
fn batches_accounts_with_own_credentials_separately() {
    let (message, credentials) = (message(3, 16), credentials());
    let mut plan = Plan::new(&message, &credentials, PlanProgress::default());
    let orders = ["STORE001", "STORE002", "STORE003"]
        .into_iter()
        .flat_map(|account| page(account, 0..20))
        .collect();
    let batches = plan.add_page(&place(3), orders, PlanStep::Finish);
    let seen: Vec<(Option<String>, BTreeSet<String>)> = read(&plan.batch_messages(batches, hour()))
        .iter()
        .map(|batch| {
            let accounts =
                batch.orders.iter().map(|order| order.account.as_str().to_owned()).collect();
            (batch.credential.as_ref().map(|account| account.as_str().to_owned()), accounts)
        })
        .collect();
    let (one, two, three) = ("STORE001".to_owned(), "STORE002".to_owned(), "STORE003".to_owned());
    assert_eq!(seen, [(None, [one, three].into()), (Some(two.clone()), [two].into())]);
}

#[test]
fn an_account_with_many_orders_does_not_delay_one_with_few() {
    let (message, credentials) = (message(0, 1), credentials());
    let mut plan = Plan::new(&message, &credentials, PlanProgress::default());
    // Each shard has 480 orders of STORE001 and one of STORE004; STORE002 is only in the last.
    let batches = plan_shards(&mut plan, |shard| {
        let first = usize::from(shard) * 500;
        let mut orders = page("STORE001", first..first + 480);
        if shard + 1 == SHARDS {
            orders.extend(page("STORE002", 0..1));
        }
        orders.extend(page("STORE004", first..first + 1));
        orders
    });
    assert_eq!(batches.len(), 155);
    let wait = |batch: &BatchMessage| batch.not_before.since(hour()).as_secs();
    let of = |account: &str| {
        let has = |batch: &&BatchMessage| {
            batch.orders.iter().any(|order| order.account.as_str() == account)
        };
        batches.iter().filter(has).map(wait).collect::<Vec<_>>()
    };
    assert_eq!((of("STORE004").len(), of("STORE002").len()), (16, 1));
    assert!(of("STORE004").iter().chain(&of("STORE002")).all(|seconds| *seconds == 0));
    assert!(of("STORE001").iter().max().unwrap() >= &30);
}

#[test]
fn a_resumed_plan_continues_the_turns_of_its_accounts() {
    let (message, credentials) = (message(0, 1), credentials());
    let mut plan = Plan::new(&message, &credentials, PlanProgress::default());
    let batches = plan.add_page(&place(0), page("STORE001", 0..500), PlanStep::Pause);
    plan.batch_messages(batches, hour());
    let stored = PlanProgress { turns: plan.progress.turns.largest(), ..plan.progress.clone() };
    let mut plan = Plan::new(&message, &credentials, stored);
    let batches = plan.add_page(&place(0), page("STORE001", 500..550), PlanStep::Finish);
    let batches = read(&plan.batch_messages(batches, hour()));
    assert_eq!(batches[0].not_before.since(hour()).as_millis(), 10 * 200);
}

#[test]
fn leaves_out_accounts_without_credentials_and_counts_each_order_once() {
    let (message, credentials) = (message(0, 1), credentials());
    let mut plan = Plan::new(&message, &credentials, PlanProgress::default());
    let first = [page("STORE001", 0..1), page("STORE005", 0..3)].into_iter().flatten();
    let batches = plan.add_page(&place(0), first.collect(), PlanStep::Continue);
    assert!(plan.batch_messages(batches, hour()).is_empty());
    // A plan that is resumed here reads all of them again.
    assert_eq!(plan.progress, PlanProgress::default());
    let batches = plan.add_page(&place(1), page("STORE005", 3..5), PlanStep::Finish);
    let batches = read(&plan.batch_messages(batches, hour()));
    assert_eq!((batches.len(), batches[0].orders.len()), (1, 1));
    assert_eq!((plan.progress.planned, plan.progress.without_credentials), (1, 5));
    let account = AccountCode::parse("STORE005").unwrap();
    assert_eq!(plan.left_out_by_account, [(account, 5)].into());
}

#[test]
fn skips_stale_orders_and_unreadable_rows() {
    let (message, credentials) = (message(3, 16), credentials());
    let mut plan = Plan::new(&message, &credentials, PlanProgress::default());
    let mut stale = order("STORE001", 1);
    stale.active.stale_since = Some(hour());
    let unreadable = Err(IoError::unreadable("dynamodb", "awb"));
    let orders = vec![unreadable, Ok(stale), Ok(order("STORE001", 2))];
    let batches = plan.add_page(&place(3), orders, PlanStep::Finish);
    let batches = read(&plan.batch_messages(batches, hour()));
    assert_eq!(batches.len(), 1);
    assert_eq!(batches[0].orders[0].order_id.as_str(), "ORD00002");
    assert_eq!(batches[0].orders.len(), 1);
}
