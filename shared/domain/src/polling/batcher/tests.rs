#![expect(clippy::unwrap_used)]

use super::*;
use crate::core::id::OrderId;
use crate::polling::PollState;
use crate::testing::{awb, minute};

fn position(n: usize) -> String {
    format!("{n:06}")
}

fn item(n: usize) -> PollItem {
    PollItem {
        account: AccountCode::parse("STORE001").unwrap(),
        order_id: OrderId::parse(&position(n)).unwrap(),
        active: PollState::new(awb(&format!("1900000000{n}")), minute(0)),
    }
}

fn credential(account: &str) -> Option<AccountCode> {
    Some(AccountCode::parse(account).unwrap())
}

/// Adds the orders with these numbers. Returns the completed batches.
fn add(batcher: &mut Batcher, account: Option<&str>, orders: std::ops::Range<usize>) -> Vec<Batch> {
    orders.filter_map(|n| batcher.add(account.and_then(credential), item(n), position(n))).collect()
}

fn numbers(batch: &Batch) -> Vec<usize> {
    batch.orders.iter().map(|order| order.order_id.as_str().parse().unwrap()).collect()
}

fn sizes(batches: &[Batch]) -> Vec<usize> {
    batches.iter().map(|batch| batch.orders.len()).collect()
}

#[test]
fn an_incomplete_batch_stays_open_over_pages() {
    let mut batcher = Batcher::after(None);
    assert_eq!(sizes(&add(&mut batcher, None, 0..130)), [50, 50]);
    assert_eq!(batcher.end_page(), []);
    let filled = add(&mut batcher, None, 130..160);
    assert_eq!(numbers(&filled[0]), (100..150).collect::<Vec<_>>());
    assert_eq!(sizes(&batcher.flush()), [10]);
    assert_eq!(batcher.flush(), []);
}

#[test]
fn fifty_thousand_orders_are_a_thousand_calls() {
    let mut batcher = Batcher::after(None);
    let mut calls = 0;
    for page in 0..125 {
        calls +=
            add(&mut batcher, None, page * 400..(page + 1) * 400).len() + batcher.end_page().len();
    }
    assert_eq!((calls, batcher.flush()), (1000, vec![]));
}

#[test]
fn no_batch_has_orders_of_two_credentials() {
    let mut batcher = Batcher::after(None);
    let mut batches = Vec::new();
    for n in 0..300 {
        let credential = [None, Some("STORE002"), Some("STORE003")][n % 3];
        batches.extend(add(&mut batcher, credential, n..n + 1));
    }
    batches.extend(batcher.flush());
    assert_eq!(sizes(&batches), [50; 6]);
    for batch in &batches {
        let expected =
            [None, credential("STORE002"), credential("STORE003")][numbers(batch)[0] % 3].clone();
        assert_eq!(batch.credential, expected);
        assert!(numbers(batch).iter().all(|n| n % 3 == numbers(batch)[0] % 3));
    }
}

#[test]
fn the_cursor_is_before_the_earliest_unsent_order() {
    let mut batcher = Batcher::after(Some(position(0)));
    assert_eq!(batcher.cursor(), Some(position(0).as_str()));
    batcher.skip(position(1));
    assert_eq!(batcher.cursor(), Some(position(1).as_str()));
    // One order in an open batch, then more than a batch of another credential.
    add(&mut batcher, Some("STORE002"), 2..3);
    assert_eq!(sizes(&add(&mut batcher, None, 3..60)), [50]);
    assert_eq!(batcher.cursor(), Some(position(1).as_str()));
    add(&mut batcher, Some("STORE002"), 60..109);
    assert_eq!(batcher.cursor(), Some(position(52).as_str()));
    batcher.skip(position(200));
    assert_eq!(sizes(&batcher.flush()), [7]);
    assert_eq!(batcher.cursor(), Some(position(200).as_str()));
}

#[test]
fn no_cursor_while_the_first_order_is_unsent() {
    let mut batcher = Batcher::after(None);
    add(&mut batcher, None, 0..1);
    add(&mut batcher, Some("STORE002"), 1..2);
    assert_eq!(batcher.cursor(), None);
}

#[test]
fn a_resumed_plan_polls_every_order_wherever_it_stopped() {
    let account = |n: usize| if n.is_multiple_of(7) { Some("STORE002") } else { None };
    for stop in 0..250 {
        let mut polled: Vec<usize> = Vec::new();
        let mut batcher = Batcher::after(None);
        for n in 0..stop {
            polled.extend(add(&mut batcher, account(n), n..n + 1).iter().flat_map(numbers));
        }
        let from = batcher.cursor().map_or(0, |position| position.parse::<usize>().unwrap() + 1);
        let mut resumed = Batcher::after(batcher.cursor().map(str::to_owned));
        for n in from..250 {
            polled.extend(add(&mut resumed, account(n), n..n + 1).iter().flat_map(numbers));
        }
        polled.extend(resumed.flush().iter().flat_map(numbers));
        polled.sort_unstable();
        polled.dedup();
        assert_eq!(polled, (0..250).collect::<Vec<_>>(), "{stop}");
    }
}

#[test]
fn closes_a_small_batch_after_eight_thousand_orders() {
    let mut batcher = Batcher::after(None);
    batcher.skip(position(0));
    add(&mut batcher, Some("STORE002"), 1..4);
    (4..8000).for_each(|n| batcher.skip(position(n)));
    assert_eq!(batcher.end_page(), []);
    add(&mut batcher, None, 8000..8001);
    let old = batcher.end_page();
    assert_eq!((sizes(&old), old[0].credential.clone()), (vec![3], credential("STORE002")));
    assert_eq!(batcher.cursor(), Some(position(7999).as_str()));
}

#[test]
fn long_awbs_make_smaller_batches() {
    let mut batcher = Batcher::after(None);
    let long = |n: usize| PollItem {
        active: PollState::new(awb(&format!("{n:064}")), minute(0)),
        ..item(n)
    };
    let mut batches: Vec<Batch> =
        (0..100).filter_map(|n| batcher.add(None, long(n), position(n))).collect();
    batches.extend(batcher.flush());
    assert_eq!(batches.iter().flat_map(numbers).collect::<Vec<_>>(), (0..100).collect::<Vec<_>>());
    for batch in batches {
        let bytes: usize = batch.orders.iter().map(|order| order.awb().as_str().len() + 1).sum();
        assert!(bytes <= MAX_BATCH_BYTES, "{bytes}");
    }
}
