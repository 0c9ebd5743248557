#![allow(clippy::unwrap_used, clippy::panic)]

mod order_of_arrival;
mod store;

use std::time::Duration;

use crate::core::timestamp::Timestamp;
use crate::testing::{awb, minute, origin, report, report_id, second};
use crate::tracking::fold::{Disposition, StatusClaim};
use crate::tracking::report::Report;
use crate::tracking::status::{Leg, Status};
use crate::tracking::timeline::{
    Arrival, CLOCK_TOLERANCE, Parcels, State, TimelineEntry, Transition,
};

use store::{Brought, Store};

fn transition(version: u64, from: Status, to: Status, minutes: i64) -> Option<Transition> {
    Some(Transition {
        version,
        status: to,
        previous_status: from,
        label: to.title().to_owned(),
        previous_label: from.title().to_owned(),
        occurred_at: minute(minutes),
    })
}

/// Brings reports `r0`, `r1`, … of these statuses and minutes, in this order.
fn store_of(reports: &[(Status, i64)]) -> Store {
    let mut store = Store::new(Status::Pending);
    for (n, (status, at)) in reports.iter().enumerate() {
        store.bring(&Brought::of(report(&format!("r{n}"), *status, Some(minute(*at)))));
    }
    store
}

#[test]
fn only_what_stands_before_a_stored_entry_is_late() {
    use Status::{Delivered, InTransit, Unknown};
    let late = |stored: &[(Status, i64)], id: &str, status: Status, at: i64| {
        let mut store = store_of(stored);
        store.bring(&Brought::of(report(id, status, Some(minute(at)))));
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
        // What did not apply counts as well.
        (&[(Delivered, 3), (InTransit, 5)], "x", Delivered, 4, true),
        (&[(Unknown, 5)], "x", Delivered, 4, true),
        // A late entry is not the one to compare with.
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
fn a_late_report_that_changes_the_status_names_the_stored_one_as_previous() {
    let mut store = store_of(&[(Status::PickedUp, 1), (Status::InTransit, 5)]);
    let settled =
        store.bring(&Brought::of(report("late", Status::Cancelled, Some(minute(3))))).unwrap();
    assert_eq!(settled.disposition, Disposition::Applied);
    assert_eq!(settled.entry.transition, transition(4, Status::InTransit, Status::Cancelled, 3));
    assert_eq!(
        (settled.state.version, settled.state.previous_status),
        (4, Some(Status::InTransit))
    );
    assert_eq!(settled.state.tracking.ended, Some(Status::Cancelled));
}

#[test]
fn a_late_report_that_changes_nothing_is_kept_and_not_told() {
    for (status, disposition) in [
        (Status::OutForDelivery, Disposition::Applied),
        (Status::PickedUp, Disposition::Same),
        (Status::Unknown, Disposition::Unknown),
    ] {
        let mut store = store_of(&[(Status::PickedUp, 1), (Status::InTransit, 5)]);
        let before = store.order.state.clone();
        let settled = store.bring(&Brought::of(report("late", status, Some(minute(3))))).unwrap();
        assert_eq!(
            (settled.disposition, settled.entry.late, &settled.entry.transition),
            (disposition, true, &None)
        );
        let after = State { rev: before.rev + 1, entries: 3, updated_at: store.now, ..before };
        assert_eq!(settled.state, after, "{status}");
        assert!(store.entries.contains_key(&report_id("late")));
    }
}

/// What is told is what the order is now, not what came in.
#[test]
fn a_late_report_can_bring_another_entrys_status_back() {
    let mut store = store_of(&[(Status::OutForDelivery, 1)]);
    let going_back = Report {
        source_status: Some("RTO INITIATED".to_owned()),
        ..report("r1", Status::ReturnInitiated, Some(minute(4)))
    };
    store.bring(&Brought::of(going_back));
    store.bring(&Brought::of(report("r2", Status::InTransit, Some(minute(5)))));
    assert_eq!(store.order.state.tracking.status, Status::InTransit);
    let late = store.bring(&Brought::of(report("r3", Status::Delivered, Some(minute(3))))).unwrap();
    let expected = Transition {
        label: "RTO INITIATED".to_owned(),
        ..transition(5, Status::InTransit, Status::ReturnInitiated, 4).unwrap()
    };
    assert_eq!(late.entry.transition, Some(expected));
}

#[test]
fn every_write_moves_rev_and_only_a_change_moves_version() {
    let mut store = store_of(&[]);
    store.order.state.latest_message_status = Some("read".to_owned());
    let created = store.order.state.clone();
    for (n, status, at, version) in [
        (2, Status::InTransit, 1, 2),
        (3, Status::InTransit, 2, 2),
        (4, Status::Unknown, 3, 2),
        (5, Status::PickedUp, 0, 2),
        (6, Status::Delivered, 4, 3),
        (7, Status::InTransit, 5, 3),
    ] {
        let before = store.order.state.clone();
        let settled =
            store.bring(&Brought::of(report(&format!("r{n}"), status, Some(minute(at))))).unwrap();
        assert_eq!((settled.state.rev, settled.state.version), (n, version), "{status} at {at}");
        assert_eq!(settled.state.updated_at, store.now);
        let previous = if version > before.version {
            Some(before.tracking.status)
        } else {
            before.previous_status
        };
        assert_eq!(settled.state.previous_status, previous, "{status} at {at}");
        assert_eq!(
            settled.entry.transition.is_some(),
            version > before.version,
            "{status} at {at}"
        );
    }
    let end = &store.order.state;
    assert_eq!((end.start, end.created_at), (created.start, created.created_at));
    assert_eq!(end.latest_message_status, created.latest_message_status);
}

#[test]
fn the_same_report_again_is_one_entry_and_one_change() {
    let mut store = store_of(&[(Status::InTransit, 1), (Status::Delivered, 2)]);
    let (state, entries) = (store.order.state.clone(), store.entries.clone());
    for id in ["r0", "r1"] {
        let again = Report { note: Some("again".to_owned()), ..report(id, Status::Lost, None) };
        assert_eq!(
            store.bring(&Brought { event: "another".to_owned(), ..Brought::of(again) }),
            None
        );
    }
    assert_eq!((store.order.state, store.entries), (state, entries));
}

#[test]
fn times_that_are_missing_or_too_far_ahead_are_the_time_of_receipt() {
    assert_eq!(CLOCK_TOLERANCE, Duration::from_secs(600));
    let received = minute(60);
    for (said, counted) in [
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
        let brought =
            Brought { received_at: received, ..Brought::of(report("r0", Status::InTransit, said)) };
        let entry = store.bring(&brought).unwrap().entry;
        assert_eq!(entry.facts.sort_key.occurred_at, counted, "{said:?}");
        assert_eq!(entry.received_at, received);
    }
}

#[test]
fn an_entry_says_what_its_report_said() {
    let said = Report {
        source_status: Some("IN TRANSIT".to_owned()),
        location: Some("Pune".to_owned()),
        note: Some("truck".to_owned()),
        eta: Some(minute(99)),
        ..report("r0", Status::InTransit, Some(minute(3)))
    };
    let mut store = Store::new(Status::Pending);
    let entry = store
        .bring(&Brought { event: "e1".to_owned(), ..Brought::of(said.clone()) })
        .unwrap()
        .entry;
    let facts = &entry.facts;
    assert_eq!(entry.event_id, origin("e1", minute(0)).event_id);
    assert_eq!(facts.source, said.source);
    assert_eq!((&facts.source_status, &facts.location), (&said.source_status, &said.location));
    assert_eq!((&facts.note, facts.eta), (&said.note, said.eta));
    assert_eq!((&facts.sort_key.report_id, facts.sort_key.rank), (&said.id, Status::InTransit));
}

/// Which parcel a report must name, and what the parcel's way does to its status.
#[test]
fn parcels_decide_what_a_report_is_about() {
    use Leg::{Outbound, Return};
    use Status::{Delivered, InTransit, ReturnInTransit, Returned};
    use StatusClaim::{OtherShipment, Status as To};
    let (own, back, foreign) = (awb("A1"), awb("R1"), awb("X9"));
    let both = Parcels { awb: Some(&own), return_awb: Some(&back) };
    let there = Parcels { awb: Some(&own), return_awb: None };
    let only_back = Parcels { awb: None, return_awb: Some(&back) };
    for (parcels, named, leg, status, expected) in [
        (both, Some(&own), Outbound, Delivered, To(Delivered)),
        (both, Some(&back), Outbound, Delivered, To(Returned)),
        (both, Some(&back), Outbound, InTransit, To(ReturnInTransit)),
        (both, Some(&back), Return, Delivered, To(Returned)),
        (both, Some(&own), Return, Delivered, To(Returned)),
        (both, Some(&back), Outbound, Status::Lost, To(Status::Unknown)),
        (both, Some(&foreign), Outbound, Delivered, OtherShipment(Delivered)),
        (both, Some(&foreign), Return, Delivered, OtherShipment(Returned)),
        (both, None, Outbound, Delivered, To(Delivered)),
        (both, None, Return, Delivered, To(Returned)),
        (there, Some(&back), Outbound, Delivered, OtherShipment(Delivered)),
        (only_back, Some(&foreign), Outbound, Delivered, To(Delivered)),
        (only_back, Some(&back), Outbound, Delivered, To(Returned)),
        (Parcels::default(), Some(&foreign), Outbound, Delivered, To(Delivered)),
        (Parcels::default(), None, Outbound, Delivered, To(Delivered)),
    ] {
        let state = State::at_creation(Status::Pending, minute(0));
        let report = Report { awb: named.cloned(), leg, ..report("r0", status, Some(minute(1))) };
        let Arrival::InOrder(next) =
            Arrival::of_report(&state, parcels, &report, &origin("r0", minute(1)))
        else {
            panic!("the first report stands after nothing")
        };
        let facts = next.commit(&state, minute(1)).entry.facts;
        assert_eq!(
            (facts.claim, facts.sort_key.rank),
            (expected, expected.status()),
            "{report:?} for {parcels:?}"
        );
    }
}

#[test]
fn a_reshipment_stands_where_it_happened_whenever_it_arrives() {
    for late in [false, true] {
        let mut store = Store::new(Status::Pending);
        let lost = Brought::of(report("r0", Status::Lost, Some(minute(1))));
        let found = Brought::of(report("r1", Status::InTransit, Some(minute(3))));
        let new_parcel = Brought::reshipment("r2", minute(2));
        for brought in
            if late { [&lost, &found, &new_parcel] } else { [&lost, &new_parcel, &found] }
        {
            store.bring(brought);
        }
        assert_eq!(store.order.state.tracking.status, Status::InTransit);
        assert_eq!(store.order.state.tracking.ended, None);
        let entry = &store.entries[&report_id("r2")];
        assert_eq!((entry.facts.sort_key.rank, entry.late), (Status::Processing, late));
        let versions = if late { (3, Some(Status::Lost)) } else { (4, Some(Status::Processing)) };
        assert_eq!((store.order.state.version, store.order.state.previous_status), versions);
    }
}

/// State and entries are stored as JSON.
#[test]
fn state_and_entries_read_back_as_they_were() {
    let mut store = Store::new(Status::Pending);
    let id = |n: u8| format!("{n}{}", "x".repeat(31));
    let full = |n: u8, status| Report {
        source_status: Some("RTO OUT FOR DELIVERY-AT THE HUB".to_owned()),
        location: Some("Pune_Chakan_H (Maharashtra)".to_owned()),
        note: Some("the customer asked for another day".to_owned()),
        eta: Some(minute(9)),
        ..report(&id(n), status, Some(minute(n.into())))
    };
    store.order.state.latest_message_status = Some("delivered".to_owned());
    store.bring(&Brought::reshipment(&id(0), minute(0)));
    for (n, status) in (1..).zip([
        Status::Assigned,
        Status::Accepted,
        Status::Completed,
        Status::Cancelled,
        Status::ReturnInitiated,
    ]) {
        store.bring(&Brought::of(full(n, status)));
    }
    store
        .bring(&Brought::of(Report { awb: Some(awb("X9")), ..report(&id(9), Status::Lost, None) }));
    let claims: Vec<_> = store.entries.values().map(|entry| entry.facts.claim).collect();
    assert_eq!(
        (claims[0], claims[6]),
        (StatusClaim::Reshipped, StatusClaim::OtherShipment(Status::Lost))
    );
    for entry in store.entries.values() {
        let text = serde_json::to_string(entry).unwrap();
        assert_eq!(serde_json::from_str::<TimelineEntry>(&text).unwrap(), *entry, "{text}");
    }
    let state = &store.order.state;
    assert!(state.tracking.cancellation.is_some() && state.tracking.assigned_at.is_some());
    let text = serde_json::to_string(state).unwrap();
    assert_eq!(serde_json::from_str::<State>(&text).unwrap(), *state, "{text}");
    assert!(text.len() <= 1024, "a state costs one write unit: {} bytes: {text}", text.len());
}

#[test]
fn a_transition_is_told_in_the_words_of_the_sources() {
    let said = |id: &str, status, at, words: &str| {
        Brought::of(Report {
            source_status: Some(words.to_owned()),
            ..report(id, status, Some(minute(at)))
        })
    };
    let mut store = Store::new(Status::Pending);
    let mut told = Vec::new();
    for brought in [
        said("r0", Status::InTransit, 1, "IN TRANSIT"),
        said("r1", Status::InTransit, 2, "REACHED HUB"),
        said("r2", Status::OutForDelivery, 3, "OFD"),
        Brought::of(report("r3", Status::Delivered, Some(minute(4)))),
    ] {
        let transition = store.bring(&brought).unwrap().entry.transition;
        told.extend(transition.map(|transition| (transition.previous_label, transition.label)));
    }
    let words = [("Pending", "IN TRANSIT"), ("REACHED HUB", "OFD"), ("OFD", "Delivered")];
    assert_eq!(told, words.map(|(before, after)| (before.to_owned(), after.to_owned())));
}

/// A query beside a transaction may miss an entry that the state already knows.
#[test]
fn a_late_report_is_not_folded_over_half_a_timeline() {
    let store = store_of(&[(Status::PickedUp, 1), (Status::InTransit, 5)]);
    let late = report("late", Status::Cancelled, Some(minute(3)));
    let arrive = || {
        Arrival::of_report(&store.order.state, Parcels::default(), &late, &origin("e", minute(6)))
    };
    let mut stored: Vec<TimelineEntry> = store.entries.values().cloned().collect();
    let settle = |stored: &[TimelineEntry]| match arrive() {
        Arrival::OutOfOrder(late) => {
            late.commit(&store.order.state, stored.to_vec(), minute(7)).is_some()
        }
        Arrival::InOrder(_) => panic!("it stands before an entry"),
    };
    assert!(settle(&stored));
    stored.pop();
    assert!(!settle(&stored));
}
