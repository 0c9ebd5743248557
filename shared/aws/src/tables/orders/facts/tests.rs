#![expect(clippy::panic, clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::time::Duration;

use domain::core::hash::Fingerprint;
use domain::core::id::{AccountCode, Awb, EventId, OrderId, ProviderId, ReportId};
use domain::core::timestamp::Timestamp;
use domain::orders::order::Profile;
use domain::tracking::entry::{Fact, ReportFacts};
use domain::tracking::report::{ParcelScans, Ref, Scan, SourceName};
use domain::tracking::state::Start;
use domain::tracking::status::{Leg, Status};
use domain::tracking::timeline::{Arrival, NewFact, Origin, arrive};

use super::*;

pub(in crate::tables::orders) fn order(recent: usize, entries: u64) -> Order {
    let account = AccountCode::parse("STORE001").unwrap();
    let key = OrderKey { account, order: OrderId::parse("ORD1").unwrap() };
    let state = State::at_creation(Start::of(Status::Pending), Timestamp::EPOCH);
    let state = State { entries, entry_rev: entries + 1, ..state };
    let (given_up, watched_until) = (BTreeSet::new(), None);
    Order {
        key,
        profile: Profile::default(),
        state,
        recent,
        scans: Vec::new(),
        given_up,
        watched_until,
    }
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

fn overflow(order: &Order, recent: &mut Vec<TimelineEntry>) -> Vec<TimelineEntry> {
    let scans = pack_scans(&order.scans).unwrap();
    Packed::with_overflow(order, recent, scans).unwrap().1
}

#[test]
fn entries_leave_the_state_row_when_it_has_grown() {
    let mut small = vec![entry(2, "x"), entry(3, "x"), entry(4, "x")];
    assert_eq!(overflow(&order(3, 3), &mut small), []);
    assert_eq!(revs(&small), [2, 3, 4]);

    // Text that does not shrink.
    let id = |rev: u64| -> String {
        (0..40).map(|n| format!("{:x}", (rev * 977 + n) * 2_654_435_761)).collect()
    };
    let large = |rev| entry(rev, &id(rev)[..120]);
    let mut many: Vec<TimelineEntry> = (2..42).map(large).collect();
    let moved = overflow(&order(40, 40), &mut many);
    assert_eq!((revs(&moved), revs(&many)), ((2..40).collect(), vec![40, 41]));
}

/// Names that an order gave up are in the row too.
#[test]
fn names_given_up_make_entries_leave_the_state_row() {
    let entries = vec![entry(2, "x"), entry(3, "x"), entry(4, "x")];
    let name = |number: i32| Ref::Order(OrderId::parse(&format!("ORD-{number:04}")).unwrap());
    let given_up = |count| Order { given_up: (0..count).map(name).collect(), ..order(3, 3) };
    let [few, many] = [10, 90].map(|count| overflow(&given_up(count), &mut entries.clone()).len());
    assert_eq!((few, many), (0, 1));
}

/// The usual statuses of a parcel, with the words and places of its carrier.
const LIFE: [(Status, &str, &str); 10] = [
    (Status::Processing, "PICKUP SCHEDULED", "Mumbai"),
    (Status::PickedUp, "PICKED UP", "Mumbai Andheri East"),
    (Status::InTransit, "IN TRANSIT", "Bhiwandi Gateway"),
    (Status::InTransit, "REACHED AT DESTINATION HUB", "Pune Hub"),
    (Status::OutForDelivery, "OUT FOR DELIVERY", "Pune Kothrud"),
    (Status::Undelivered, "UNDELIVERED-1st Attempt", "Pune Kothrud"),
    (Status::OutForDelivery, "OUT FOR DELIVERY-2nd Attempt", "Pune Kothrud"),
    (Status::Undelivered, "UNDELIVERED-2nd Attempt", "Pune Kothrud"),
    (Status::OutForDelivery, "OUT FOR DELIVERY-3rd Attempt", "Pune Kothrud"),
    (Status::Delivered, "DELIVERED", "Pune Kothrud"),
];

fn report(number: usize, at: Timestamp) -> NewFact {
    let (status, words, place) = LIFE[number];
    let facts = ReportFacts {
        source: SourceName::new("shiprocket"),
        awb: Some(Awb::parse("19041211125783").unwrap()),
        return_awb: None,
        provider_id: Some(ProviderId::parse("348456385").unwrap()),
        spelled_id: OrderId::parse("ORD-70123_150876814").ok(),
        status,
        leg: Leg::Outbound,
        source_status: Some(words.to_owned()),
        location: Some(place.to_owned()),
        note: None,
        eta: Some(at.after(Duration::from_secs(200_000))),
        attempts: None,
        carrier_name: Some("Delhivery Surface".to_owned()),
    };
    let id = Fingerprint::of("report").with(words).finish();
    NewFact { id: ReportId::parse(&id).unwrap(), occurred_at: at, fact: Fact::Report(facts) }
}

fn scan(number: usize, at: Timestamp) -> Scan {
    let (_, words, place) = LIFE[number];
    Scan {
        at: Some(at),
        activity: Some(format!("{words} - {place}")),
        location: Some(place.into()),
    }
}

/// The size of the state row after each report of a life.
fn sizes() -> Vec<usize> {
    let (mut order, mut entries, mut scans) = (order(0, 0), Vec::new(), Vec::new());
    let mut sizes = Vec::new();
    for number in 0..LIFE.len() {
        let hours = 9 * u64::try_from(number).unwrap();
        let at = Timestamp::parse("2026-01-20T10:17:31.000Z").unwrap();
        let at = at.after(Duration::from_millis(hours * 3_617_311));
        let event_id =
            EventId::parse(&Fingerprint::of("event").with(number.to_be_bytes()).finish());
        let origin = Origin { event_id: event_id.unwrap(), logged_as: None, received_at: at };
        let new = report(number, at);
        let Arrival::Commit(commit) = arrive(&order.state, &entries, new, &origin, at) else {
            panic!("not new")
        };
        entries.push(commit.entry.clone());
        scans.push(scan(number, at));
        let awb = Awb::parse("19041211125783").unwrap();
        order.scans = vec![ParcelScans { awb, at, scans: scans.clone() }];
        order.state = commit.state;
        assert_eq!(overflow(&order, &mut entries.clone()), [], "after {number}");
        sizes.push(Packed::of(&order, &entries).unwrap().row_bytes(&order).unwrap());
    }
    sizes
}

/// A write of a row of up to 1 KB costs one unit.
#[test]
fn a_life_of_ten_reports_is_in_one_row_of_one_or_two_units() {
    let sizes = sizes();
    assert!(sizes[2] <= 1024 && sizes[9] <= 2048, "{sizes:?}");
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

    // One that was replaced since, in place of one that has moved.
    let others = [entry(2, "x"), entry(4, "x"), entry(4, "x")];
    assert!(is_whole(&state, &others), "a state of before has no sum");
    let state = State { entry_sum: Some(entry_sum([2, 3, 4].into_iter())), ..state };
    assert!(is_whole(&state, &all));
    assert!(!is_whole(&state, &others));
    assert!(!is_whole(&state, &[entry(1, "x"), entry(2, "x"), entry(4, "x")]));
}
