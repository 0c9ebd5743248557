//! A parcel's timeline holds 500 entries.

use super::*;
use crate::core::id::ReportId;
use crate::testing::awb;
use crate::tracking::timeline::{Arrival, MAX_ENTRIES};

/// A report about the parcel `A1`, one a second from the first on.
fn nth(number: usize, status: Status) -> Incoming {
    let at = second(i64::try_from(number).unwrap());
    let report = report(&format!("r{number:04}"), status, Some(at));
    Incoming::of(&Report { awb: Some(awb("A1")), ..report })
}

/// A store with these runs of statuses, 500 reports together.
fn full(runs: &[(Status, usize)]) -> Store {
    let mut store = Store::new(Status::Pending);
    let statuses = runs.iter().flat_map(|(status, count)| vec![*status; *count]);
    for (number, status) in statuses.enumerate() {
        assert_eq!(store.apply(&nth(number, status)).unwrap().dropped, None);
    }
    assert_eq!(store.entries.len(), MAX_ENTRIES);
    store
}

#[test]
fn beyond_500_the_middle_entry_of_a_run_of_one_status_is_dropped() {
    let mut store = full(&[(Status::PickedUp, 99), (Status::InTransit, 401)]);
    let before = store.order.state.clone();
    let commit = store.apply(&nth(500, Status::InTransit)).unwrap();
    let dropped = commit.dropped.as_ref().map(ReportId::as_str);
    assert!(matches!(dropped, Some("r0049" | "r0299" | "r0300")), "{dropped:?}");
    assert_eq!((commit.state.entries, store.entries.len()), (500, 500));
    let (rev, updated_at) = (before.rev + 1, commit.state.updated_at);
    let kept = store.entries.values().map(|entry| entry.rev.pow(3));
    let entry_sum = Some(kept.sum());
    let after = State { rev, entry_rev: rev, entry_sum, updated_at, ..before };
    assert_eq!(commit.state, after, "the order is what it was");
}

#[test]
fn never_one_that_caused_a_change() {
    let mut store = full(&[(Status::PickedUp, 1), (Status::InTransit, 499)]);
    let changes = |store: &Store| {
        let changed = store.entries.values().filter(|entry| entry.transition.is_some());
        changed.map(|entry| entry.id.clone()).collect::<Vec<_>>()
    };
    let before = changes(&store);
    for number in 500..510 {
        assert!(store.apply(&nth(number, Status::InTransit)).unwrap().dropped.is_some());
    }
    assert_eq!((changes(&store), store.entries.len()), (before, MAX_ENTRIES));
}

#[test]
fn a_timeline_without_a_run_is_full() {
    let turns = [(Status::InTransit, 1), (Status::OutForDelivery, 1)].repeat(MAX_ENTRIES / 2);
    let mut store = full(&turns);
    assert_eq!(store.arrival(&nth(500, Status::InTransit)), Arrival::Full);
    // Duplicates are duplicates all the same.
    assert!(matches!(store.arrival(&nth(7, turns[7].0)), Arrival::Duplicate(_)));
    // Another parcel has a bound of its own, and so have the shop's facts.
    let other = Report { awb: Some(awb("B")), ..report("other", Status::InTransit, None) };
    assert!(store.apply(&Incoming::of(&other)).is_some());
    for fact in &Story::read("pending", "add C 1h, withdraw r0001 2h").entries {
        assert!(store.apply(&Incoming::again(fact)).is_some());
    }
}

#[test]
fn keeps_all_500() {
    let mut store = full(&[(Status::InTransit, 500)]);
    let again = store.apply(&nth(250, Status::InTransit));
    assert_eq!((again, store.entries.len()), (None, 500));
}
