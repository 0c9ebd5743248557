#![expect(clippy::unwrap_used)]

use domain::core::id::{Awb, OrderId, OrderKey};
use domain::polling::{PollState, Run};

use super::*;

fn hour() -> Timestamp {
    Timestamp::parse("2026-11-24T06:00:00Z").unwrap()
}

fn shard() -> ShardMessage {
    ShardMessage::new(Run::hourly(hour()), 3, 5.0)
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

#[test]
fn numbers_and_delays_batches_across_pages() {
    let (shard, owners) = (shard(), BTreeSet::new());
    let mut plan = ShardPlan::new(
        &shard,
        &owners,
        PlanProgress { batches: 7, planned: 350, resume_after: None },
    );
    let first = plan.add_page(page("STORE001", 0..120), PlanStep::Continue);
    let first = plan.batch_messages(first, hour());
    let rest = plan.add_page(page("STORE001", 120..130), PlanStep::Finish);
    let rest = plan.batch_messages(rest, hour().after(Duration::from_secs(20)));
    let batches = read(&first).into_iter().chain(read(&rest));
    let seen: Vec<(u64, usize)> = batches.map(|batch| (batch.k, batch.orders.len())).collect();
    assert_eq!(seen, [(7, 50), (8, 50), (9, 30)]);
    assert_eq!((plan.progress.batches, plan.progress.planned), (10, 480));
    // Five calls per second shared by sixteen shards.
    let delays: Vec<u128> =
        first.iter().chain(&rest).map(|message| message.delay.as_millis()).collect();
    assert_eq!(delays, [(7 * 16 + 3) * 200, (8 * 16 + 3) * 200, (9 * 16 + 3) * 200 - 20_000]);
}

#[test]
fn resumes_after_the_last_queued_order() {
    let (shard, owners) = (shard(), BTreeSet::new());
    let mut plan = ShardPlan::new(&shard, &owners, PlanProgress::default());
    let batches = plan.add_page(page("STORE001", 0..60), PlanStep::Continue);
    plan.batch_messages(batches, hour());
    assert_eq!(plan.progress.resume_after, Some(order("STORE001", 49).sort_key()));
    // A pause at the deadline flushes the partial batch.
    let batches = plan.add_page(page("STORE001", 60..61), PlanStep::Pause);
    assert_eq!(read(&plan.batch_messages(batches, hour()))[0].orders.len(), 11);
    assert_eq!(plan.progress.resume_after, Some(order("STORE001", 60).sort_key()));
}

#[test]
fn batches_accounts_with_own_credentials_separately() {
    let (shard, owners) = (shard(), [AccountCode::parse("STORE002").unwrap()].into());
    let mut plan = ShardPlan::new(&shard, &owners, PlanProgress::default());
    let orders = ["STORE001", "STORE002", "STORE003"]
        .into_iter()
        .flat_map(|account| page(account, 0..20))
        .collect();
    let batches = plan.add_page(orders, PlanStep::Finish);
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
fn skips_stale_orders_and_unreadable_rows() {
    let (shard, owners) = (shard(), BTreeSet::new());
    let mut plan = ShardPlan::new(&shard, &owners, PlanProgress::default());
    let mut stale = order("STORE001", 1);
    stale.active.stale_since = Some(hour());
    let unreadable = Err(IoError::unreadable("dynamodb", "awb"));
    let batches =
        plan.add_page(vec![unreadable, Ok(stale), Ok(order("STORE001", 2))], PlanStep::Finish);
    let batches = read(&plan.batch_messages(batches, hour()));
    assert_eq!(batches.len(), 1);
    assert_eq!(batches[0].orders[0].order_id.as_str(), "ORD00002");
    assert_eq!(batches[0].orders.len(), 1);
}
