#![expect(clippy::unwrap_used)]

use super::*;
use crate::core::id::OrderId;
use crate::polling::Active;
use crate::testing::{awb, minute};

fn place(n: usize) -> String {
    format!("{n:06}")
}

fn asked(n: usize) -> PollItem {
    PollItem {
        account: AccountCode::parse("STORE001").unwrap(),
        order_id: OrderId::parse(&place(n)).unwrap(),
        active: Active::new(awb(&format!("1900000000{n}")), minute(0)),
    }
}

fn own(account: &str) -> Option<AccountCode> {
    Some(AccountCode::parse(account).unwrap())
}

/// Adds orders of these numbers; the batches that this fills.
fn add(
    batcher: &mut Batcher,
    credential: Option<&str>,
    orders: std::ops::Range<usize>,
) -> Vec<Batch> {
    orders.filter_map(|n| batcher.add(credential.and_then(own), asked(n), place(n))).collect()
}

fn numbers(batch: &Batch) -> Vec<usize> {
    batch.orders.iter().map(|order| order.order_id.as_str().parse().unwrap()).collect()
}

fn sizes(batches: &[Batch]) -> Vec<usize> {
    batches.iter().map(|batch| batch.orders.len()).collect()
}

#[test]
fn what_fills_no_batch_is_carried_over_to_the_next_page() {
    let mut batcher = Batcher::after(None);
    assert_eq!(sizes(&add(&mut batcher, None, 0..130)), [50, 50]);
    assert_eq!(batcher.end_page(), []);
    let filled = add(&mut batcher, None, 130..160);
    assert_eq!(numbers(&filled[0]), (100..150).collect::<Vec<_>>());
    assert_eq!(sizes(&batcher.flush()), [10]);
    assert_eq!(batcher.flush(), []);
}

#[test]
fn as_many_orders_as_fill_a_thousand_batches_are_a_thousand_calls() {
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
        let expected = [None, own("STORE002"), own("STORE003")][numbers(batch)[0] % 3].clone();
        assert_eq!(batch.credential, expected);
        assert!(numbers(batch).iter().all(|n| n % 3 == numbers(batch)[0] % 3));
    }
}

#[test]
fn a_plan_is_taken_up_before_the_earliest_order_that_did_not_go_out() {
    let mut batcher = Batcher::after(Some(place(0)));
    assert_eq!(batcher.cursor(), Some(place(0).as_str()));
    batcher.skip(place(1));
    assert_eq!(batcher.cursor(), Some(place(1).as_str()));
    // One that waits alone, then more than a batch of others.
    add(&mut batcher, Some("STORE002"), 2..3);
    assert_eq!(sizes(&add(&mut batcher, None, 3..60)), [50]);
    assert_eq!(batcher.cursor(), Some(place(1).as_str()));
    add(&mut batcher, Some("STORE002"), 60..109);
    assert_eq!(batcher.cursor(), Some(place(52).as_str()));
    batcher.skip(place(200));
    assert_eq!(sizes(&batcher.flush()), [7]);
    assert_eq!(batcher.cursor(), Some(place(200).as_str()));
}

#[test]
fn the_first_order_of_a_shard_has_no_place_before_it() {
    let mut batcher = Batcher::after(None);
    add(&mut batcher, None, 0..1);
    add(&mut batcher, Some("STORE002"), 1..2);
    assert_eq!(batcher.cursor(), None);
}

/// However a plan is interrupted: what was taken up again asks about every order.
#[test]
fn no_order_is_left_out_wherever_a_plan_is_taken_up() {
    let credential = |n: usize| if n.is_multiple_of(7) { Some("STORE002") } else { None };
    for stop in 0..250 {
        let mut asked: Vec<usize> = Vec::new();
        let mut batcher = Batcher::after(None);
        for n in 0..stop {
            asked.extend(add(&mut batcher, credential(n), n..n + 1).iter().flat_map(numbers));
        }
        let from = batcher.cursor().map_or(0, |place| place.parse::<usize>().unwrap() + 1);
        let mut again = Batcher::after(batcher.cursor().map(str::to_owned));
        for n in from..250 {
            asked.extend(add(&mut again, credential(n), n..n + 1).iter().flat_map(numbers));
        }
        asked.extend(again.flush().iter().flat_map(numbers));
        asked.sort_unstable();
        asked.dedup();
        assert_eq!(asked, (0..250).collect::<Vec<_>>(), "{stop}");
    }
}

#[test]
fn a_batch_goes_out_after_a_few_pages_however_small() {
    let mut batcher = Batcher::after(None);
    add(&mut batcher, Some("STORE002"), 0..3);
    for page in 1..4 {
        assert_eq!(batcher.end_page(), [], "{page}");
        add(&mut batcher, None, page * 10..page * 10 + 1);
    }
    let old = batcher.end_page();
    assert_eq!((sizes(&old), old[0].credential.clone()), (vec![3], own("STORE002")));
    assert_eq!(batcher.cursor(), Some(place(2).as_str()));
}

#[test]
fn long_numbers_make_smaller_batches() {
    let mut batcher = Batcher::after(None);
    let long = |n: usize| PollItem {
        active: Active::new(awb(&format!("{n:064}")), minute(0)),
        ..asked(n)
    };
    let mut batches: Vec<Batch> =
        (0..100).filter_map(|n| batcher.add(None, long(n), place(n))).collect();
    batches.extend(batcher.flush());
    assert_eq!(batches.iter().flat_map(numbers).collect::<Vec<_>>(), (0..100).collect::<Vec<_>>());
    for batch in batches {
        let bytes: usize = batch.orders.iter().map(|order| order.awb().as_str().len() + 1).sum();
        assert!(bytes <= MAX_BATCH_BYTES, "{bytes}");
    }
}
