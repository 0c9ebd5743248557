#![expect(clippy::unwrap_used)]

use std::collections::BTreeSet;

use domain::core::id::{AccountCode, EventId, OrderId, ReportId};
use domain::core::timestamp::Timestamp;
use domain::orders::order::Profile;
use domain::tracking::entry::Fact;
use domain::tracking::state::Start;
use domain::tracking::status::Status;

use super::*;

fn order(recent: usize, entries: u64) -> Order {
    let account = AccountCode::parse("STORE001").unwrap();
    let key = OrderKey { account, order: OrderId::parse("ORD1").unwrap() };
    let state = State::at_creation(Start::of(Status::Pending), Timestamp::EPOCH);
    let state = State { entries, entry_rev: entries + 1, ..state };
    let (given_up, watched_until) = (BTreeSet::new(), None);
    Order { key, profile: Profile::default(), state, recent, given_up, watched_until }
}

/// The first fact of an order has `rev` 2.
fn entry(rev: u64, report_id: &str) -> TimelineEntry {
    TimelineEntry {
        id: ReportId::parse(&format!("r{rev}")).unwrap(),
        occurred_at: Timestamp::EPOCH,
        fact: Fact::Withdrawal { report_id: ReportId::parse(report_id).unwrap() },
        event_id: EventId::parse("e1").unwrap(),
        logged_as: None,
        received_at: Timestamp::EPOCH,
        recorded_at: Timestamp::EPOCH,
        rev,
        late: false,
        transition: None,
    }
}

fn revs(entries: &[TimelineEntry]) -> Vec<u64> {
    entries.iter().map(|entry| entry.rev).collect()
}

#[test]
fn the_newest_entries_are_in_the_state_row() {
    let entries = [entry(4, "x"), entry(2, "x"), entry(3, "x")];
    for (count, expected) in [(0, &[][..]), (2, &[3, 4]), (3, &[2, 3, 4]), (9, &[2, 3, 4])] {
        assert_eq!(revs(&recent(&order(count, 3), &entries)), expected);
    }
}

#[test]
fn entries_leave_the_state_row_when_it_has_grown() {
    let mut small = vec![entry(2, "x"), entry(3, "x"), entry(4, "x")];
    assert_eq!(overflow(&order(3, 3), &mut small).unwrap(), []);
    assert_eq!(revs(&small), [2, 3, 4]);

    // Text that does not shrink.
    let id = |rev: u64| (0..40).map(|n| format!("{:x}", (rev * 977 + n) * 2_654_435_761)).collect();
    let large = |rev| entry(rev, &<Vec<String>>::join(&id(rev), "")[..250]);
    let mut many: Vec<TimelineEntry> = (2..22).map(large).collect();
    let moved = overflow(&order(20, 20), &mut many).unwrap();
    assert_eq!((revs(&moved), revs(&many)), ((2..20).collect(), vec![20, 21]));
}

#[test]
fn rows_of_each_kind_are_read() {
    let of = |sk: &str, name: &str, value| item([("sk", text(sk)), (name, value)]);
    let rows = [
        of("entry:r2", "json", json(&entry(2, "x")).unwrap()),
        of("facts:4", FACTS, pack(&[entry(3, "x"), entry(4, "x")]).unwrap()),
        of("profile", "json", text("{}")),
        of("state", FACTS, pack(&[entry(5, "x")]).unwrap()),
        of("trace:e1", "at", text("")),
    ];
    assert_eq!(revs(&read(&rows).unwrap()), [2, 3, 4, 5]);
    assert!(read(&[of("facts:4", FACTS, text("[]"))]).is_err());
}

#[test]
fn a_timeline_is_whole_if_each_entry_was_read_once() {
    let state = order(1, 3).state;
    let all = [entry(2, "x"), entry(3, "x"), entry(4, "x")];
    assert!(is_whole(&state, &all));
    assert!(!is_whole(&state, &all[1..]));
    assert!(!is_whole(&state, &[&all[..2], &all[1..2]].concat()));
    assert!(!is_whole(&state, &[&all[..], &all[..1]].concat()));
}
