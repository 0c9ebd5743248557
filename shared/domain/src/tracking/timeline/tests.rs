#![allow(clippy::unwrap_used, clippy::panic)]

mod bound;
mod changes;
mod generator;
mod model;
mod model_journey;
mod order_of_arrival;
mod store;

use std::time::Duration;

use crate::core::timestamp::Timestamp;
use crate::testing::{minute, origin, report, report_id, second};
use crate::tracking::entry::TimelineEntry;
use crate::tracking::fold::Disposition;
use crate::tracking::report::Report;
use crate::tracking::state::State;
use crate::tracking::status::Status;
use crate::tracking::story::Story;
use crate::tracking::timeline::CLOCK_TOLERANCE;

use store::{Incoming, Store};

/// Applies the reports `r0`, `r1`, … with these statuses and minutes.
fn store_of(reports: &[(Status, i64)]) -> Store {
    let mut store = Store::new(Status::Pending);
    for (n, (status, at)) in reports.iter().enumerate() {
        store.apply(&Incoming::of(&report(&format!("r{n}"), *status, Some(minute(*at)))));
    }
    store
}

#[test]
fn marks_reports_before_the_latest_entry_as_late() {
    use Status::{Delivered, InTransit, Unknown};
    let late = |stored: &[(Status, i64)], id: &str, status: Status, at: i64| {
        let mut store = store_of(stored);
        store.apply(&Incoming::of(&report(id, status, Some(minute(at)))));
        store.entries[&report_id(id)].late
    };
    for (stored, id, status, at, expected) in [
        (&[][..], "x", InTransit, 0, false),
        (&[(InTransit, 5)], "x", InTransit, 6, false),
        (&[(InTransit, 5)], "x", InTransit, 4, true),
        (&[(InTransit, 5)], "x", Delivered, 5, false),
        (&[(InTransit, 5)], "x", Unknown, 5, true),
        (&[(InTransit, 5)], "r1", InTransit, 5, false),
        (&[(InTransit, 5)], "a", InTransit, 5, true),
        // Entries that did not apply count as well.
        (&[(Delivered, 3), (InTransit, 5)], "x", Delivered, 4, true),
        (&[(Unknown, 5)], "x", Delivered, 4, true),
        // Compared with the latest entry, not with the last to arrive.
        (&[(InTransit, 5), (InTransit, 1)], "x", InTransit, 4, true),
    ] {
        assert_eq!(
            late(stored, id, status, at),
            expected,
            "{id} {status} at {at} after {stored:?}"
        );
    }
}

#[test]
fn a_report_is_late_after_later_ones_of_its_parcel_only() {
    for (facts, expected) in [
        ("A1 in_transit 5h, A1 picked_up 4h", true),
        ("A1 in_transit 5h, B picked_up 4h", false),
        ("A1 in_transit 5h, - picked_up 4h", true),
        ("- in_transit 5h, A1 picked_up 4h", true),
        ("0012 in_transit 5h, 12 picked_up 4h", true),
        // Facts of the shop have their own order.
        ("A1 in_transit 5h, awb B 4h", false),
        ("awb B 5h, A1 in_transit 4h", false),
    ] {
        let (_, commit) = Store::last("pending A1", facts);
        assert_eq!(commit.entry.late, expected, "{facts}");
    }
}

#[test]
fn a_duplicate_fact_is_one_entry_and_one_change() {
    let facts = "A1 in_transit 1h, awb B 2h, B delivered 3h, withdraw r3 4h";
    let mut store = Store::of("pending A1", facts);
    let (state, entries) = (store.order.state.clone(), store.entries.clone());
    for entry in entries.values() {
        let again = Incoming { event: "another".to_owned(), ..Incoming::again(entry) };
        assert_eq!(store.apply(&again), None);
    }
    let changed = report("r1", Status::Lost, Some(minute(9)));
    assert_eq!(store.apply(&Incoming::of(&changed)), None);
    assert_eq!((store.order.state, store.entries), (state, entries));
}

/// A retry of its event reads the words again, and may know them by then.
#[test]
fn a_status_that_is_understood_later_takes_the_place_of_its_entry() {
    let mut store = store_of(&[(Status::PickedUp, 1), (Status::Unknown, 2)]);
    let understood = Incoming::of(&report("r1", Status::InTransit, Some(minute(2))));
    let commit = store.apply(&understood).unwrap();
    assert!(commit.replaces);
    assert_eq!((store.entries.len(), commit.state.entries), (2, 2));
    assert_eq!(store.order.state.tracking.status, Status::InTransit);
    assert_eq!(store.apply(&understood), None);
    let unknown = Incoming::of(&report("r1", Status::Unknown, Some(minute(2))));
    assert_eq!(store.apply(&unknown), None);
}

#[test]
fn uses_the_time_of_receipt_for_missing_or_implausible_times() {
    assert_eq!(CLOCK_TOLERANCE, Duration::from_secs(600));
    let received = minute(60);
    for (reported, expected) in [
        (None, received),
        (Some(minute(0)), minute(0)),
        (Some(Timestamp::from_millis(0).unwrap()), Timestamp::from_millis(0).unwrap()),
        (Some(received), received),
        (Some(minute(70)), minute(70)),
        (Some(Timestamp::from_millis(minute(70).millis() + 1).unwrap()), received),
        (Some(second(70 * 60 + 1)), received),
        (Some(Timestamp::parse("9999-12-31T23:59:59Z").unwrap()), received),
    ] {
        let mut store = Store::new(Status::Pending);
        let incoming = Incoming::received(&report("r0", Status::InTransit, reported), received);
        let entry = store.apply(&incoming).unwrap().entry;
        assert_eq!(entry.occurred_at, expected, "{reported:?}");
        assert_eq!(entry.received_at, received);
    }
}

#[test]
fn an_entry_has_the_facts_of_its_report() {
    let report = Report {
        source_status: Some("IN TRANSIT".to_owned()),
        location: Some("Pune".to_owned()),
        note: Some("truck".to_owned()),
        eta: Some(minute(99)),
        attempts: Some(2),
        carrier_name: Some("Blue Dart".to_owned()),
        ..report("r0", Status::InTransit, Some(minute(3)))
    };
    let mut store = Store::new(Status::Pending);
    let incoming = Incoming { event: "e1".to_owned(), ..Incoming::of(&report) };
    let entry = store.apply(&incoming).unwrap().entry;
    assert_eq!(entry.event_id, origin("e1", minute(0)).event_id);
    assert_eq!((&entry.id, entry.occurred_at), (&report.id, minute(3)));
    let facts = entry.report().unwrap();
    assert_eq!((&facts.source, facts.status), (&report.source, Status::InTransit));
    assert_eq!((&facts.source_status, &facts.location), (&report.source_status, &report.location));
    assert_eq!((&facts.note, facts.eta), (&report.note, report.eta));
    assert_eq!((facts.attempts, &facts.carrier_name), (Some(2), &report.carrier_name));
    assert_eq!(facts.spelled_id, None);
}

#[test]
fn an_entry_has_the_order_id_as_its_source_spells_it() {
    let order_id = |id: &str| Some(crate::testing::order_id(id));
    for (given, kept) in [("ORD-1", None), ("#ORD-1", order_id("#ORD-1"))] {
        let report = Report {
            order_id: order_id(given),
            ..report("r0", Status::InTransit, Some(minute(3)))
        };
        let entry = Store::new(Status::Pending).apply(&Incoming::of(&report)).unwrap().entry;
        assert_eq!(entry.report().unwrap().spelled_id, kept);
    }
}

/// State and entries are stored as JSON.
#[test]
fn state_and_entries_round_trip() {
    let words = "'RTO_OUT_FOR_DELIVERY-AT_THE_HUB @Pune_Chakan_H_(Maharashtra) eta9h";
    let facts = format!(
        "A1 assigned 1h {words}, A1 accepted 2h {words}, A1 undelivered 3h n2 {words}, \
         A1 cancelled 4h api {words}, awb - 4h, A1 return_initiated 5h >R2 {words}, add B 6h, \
         withdraw r1 7h, moved B 8h, moved #7001 8h, A1 lost 9h #7001",
    );
    let store = Store::of("pending A1", &facts);
    assert_eq!(store.entries.len(), 11);
    for entry in store.entries.values() {
        let text = serde_json::to_string(entry).unwrap();
        assert_eq!(serde_json::from_str::<TimelineEntry>(&text).unwrap(), *entry, "{text}");
    }
    let state = &store.order.state;
    assert!(state.tracking.cancellation.is_some() && state.tracking.accepted_at.is_some());
    let text = serde_json::to_string(state).unwrap();
    assert_eq!(serde_json::from_str::<State>(&text).unwrap(), *state, "{text}");
}

/// A write of up to 1 KB costs one unit. The keys and the other attributes have 260 bytes.
#[test]
fn the_state_of_an_order_with_one_parcel_is_small() {
    let words = "'RTO_OUT_FOR_DELIVERY-AT_THE_HUB @Pune_Chakan_H_(Maharashtra) eta9h";
    let facts = format!(
        "A1234567890123456 assigned 1h, A1234567890123456 accepted 2h, \
         A1234567890123456 undelivered 3h n2 {words}",
    );
    let mut state = Store::of("pending A1234567890123456", &facts).order.state;
    let checkpoints = Some("x".repeat(32));
    state.parcels[0] = crate::tracking::state::ParcelState {
        carrier_name: Some("Blue Dart Surface".to_owned()),
        checkpoints,
        ..state.parcels[0].clone()
    };
    state.latest_message_status = Some("delivered".to_owned());
    state.latest_message_at = Some(minute(1));
    state.latest_message_id = Some("x".repeat(32));
    let text = serde_json::to_string(&state).unwrap();
    assert!(text.len() <= 780, "{} bytes: {text}", text.len());
}
