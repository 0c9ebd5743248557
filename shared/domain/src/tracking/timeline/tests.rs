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

use store::{Incoming, Store};

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

/// Applies the reports `r0`, `r1`, … with these statuses and minutes.
fn store_of(reports: &[(Status, i64)]) -> Store {
    let mut store = Store::new(Status::Pending);
    for (n, (status, at)) in reports.iter().enumerate() {
        store.apply(&Incoming::of(report(&format!("r{n}"), *status, Some(minute(*at)))));
    }
    store
}

#[test]
fn marks_reports_before_the_latest_entry_as_late() {
    use Status::{Delivered, InTransit, Unknown};
    let late = |stored: &[(Status, i64)], id: &str, status: Status, at: i64| {
        let mut store = store_of(stored);
        store.apply(&Incoming::of(report(id, status, Some(minute(at)))));
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
fn a_late_report_can_change_the_status() {
    let mut store = store_of(&[(Status::PickedUp, 1), (Status::InTransit, 5)]);
    let commit =
        store.apply(&Incoming::of(report("late", Status::Cancelled, Some(minute(3))))).unwrap();
    assert_eq!(commit.disposition, Disposition::Applied);
    assert_eq!(commit.entry.transition, transition(4, Status::InTransit, Status::Cancelled, 3));
    assert_eq!((commit.state.version, commit.state.previous_status), (4, Some(Status::InTransit)));
    assert_eq!(commit.state.tracking.ended, Some(Status::Cancelled));
}

#[test]
fn stores_a_late_report_without_a_change() {
    for (status, disposition) in [
        (Status::OutForDelivery, Disposition::Applied),
        (Status::PickedUp, Disposition::Same),
        (Status::Unknown, Disposition::Unknown),
    ] {
        let mut store = store_of(&[(Status::PickedUp, 1), (Status::InTransit, 5)]);
        let before = store.order.state.clone();
        let commit = store.apply(&Incoming::of(report("late", status, Some(minute(3))))).unwrap();
        assert_eq!(
            (commit.disposition, commit.entry.late, &commit.entry.transition),
            (disposition, true, &None)
        );
        let after = State { rev: before.rev + 1, entries: 3, updated_at: store.now, ..before };
        assert_eq!(commit.state, after, "{status}");
        assert!(store.entries.contains_key(&report_id("late")));
    }
}

/// Endpoints are notified of the new state, not of the late report.
#[test]
fn a_late_report_can_restore_the_status_of_another_entry() {
    let mut store = store_of(&[(Status::OutForDelivery, 1)]);
    let return_report = Report {
        source_status: Some("RTO INITIATED".to_owned()),
        ..report("r1", Status::ReturnInitiated, Some(minute(4)))
    };
    store.apply(&Incoming::of(return_report));
    store.apply(&Incoming::of(report("r2", Status::InTransit, Some(minute(5)))));
    assert_eq!(store.order.state.tracking.status, Status::InTransit);
    let late =
        store.apply(&Incoming::of(report("r3", Status::Delivered, Some(minute(3))))).unwrap();
    let expected = Transition {
        label: "RTO INITIATED".to_owned(),
        ..transition(5, Status::InTransit, Status::ReturnInitiated, 4).unwrap()
    };
    assert_eq!(late.entry.transition, Some(expected));
}

#[test]
fn every_write_increments_rev_and_a_change_increments_version() {
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
        let commit =
            store.apply(&Incoming::of(report(&format!("r{n}"), status, Some(minute(at))))).unwrap();
        assert_eq!((commit.state.rev, commit.state.version), (n, version), "{status} at {at}");
        assert_eq!(commit.state.updated_at, store.now);
        let previous = if version > before.version {
            Some(before.tracking.status)
        } else {
            before.previous_status
        };
        assert_eq!(commit.state.previous_status, previous, "{status} at {at}");
        assert_eq!(commit.entry.transition.is_some(), version > before.version, "{status} at {at}");
    }
    let end = &store.order.state;
    assert_eq!((end.start, end.created_at), (created.start, created.created_at));
    assert_eq!(end.latest_message_status, created.latest_message_status);
}

#[test]
fn a_duplicate_report_is_one_entry_and_one_change() {
    let mut store = store_of(&[(Status::InTransit, 1), (Status::Delivered, 2)]);
    let (state, entries) = (store.order.state.clone(), store.entries.clone());
    for id in ["r0", "r1"] {
        let again = Report { note: Some("again".to_owned()), ..report(id, Status::Lost, None) };
        assert_eq!(
            store.apply(&Incoming { event: "another".to_owned(), ..Incoming::of(again) }),
            None
        );
    }
    assert_eq!((store.order.state, store.entries), (state, entries));
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
        let incoming = Incoming {
            received_at: received,
            ..Incoming::of(report("r0", Status::InTransit, reported))
        };
        let entry = store.apply(&incoming).unwrap().entry;
        assert_eq!(entry.facts.sort_key.occurred_at, expected, "{reported:?}");
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
        ..report("r0", Status::InTransit, Some(minute(3)))
    };
    let mut store = Store::new(Status::Pending);
    let entry = store
        .apply(&Incoming { event: "e1".to_owned(), ..Incoming::of(report.clone()) })
        .unwrap()
        .entry;
    let facts = &entry.facts;
    assert_eq!(entry.event_id, origin("e1", minute(0)).event_id);
    assert_eq!(facts.source, report.source);
    assert_eq!((&facts.source_status, &facts.location), (&report.source_status, &report.location));
    assert_eq!((&facts.note, facts.eta), (&report.note, report.eta));
    assert_eq!((&facts.sort_key.report_id, facts.sort_key.rank), (&report.id, Status::InTransit));
}

#[test]
fn the_named_parcel_decides_the_claim() {
    use Leg::{Outbound, Return};
    use Status::{Delivered, InTransit, ReturnInTransit, Returned};
    use StatusClaim::{OtherShipment, Status as To};
    let (outbound, back, other) = (awb("A1"), awb("R1"), awb("X9"));
    let both = Parcels { awb: Some(&outbound), return_awb: Some(&back) };
    let only_outbound = Parcels { awb: Some(&outbound), return_awb: None };
    let only_back = Parcels { awb: None, return_awb: Some(&back) };
    for (parcels, named, leg, status, expected) in [
        (both, Some(&outbound), Outbound, Delivered, To(Delivered)),
        (both, Some(&back), Outbound, Delivered, To(Returned)),
        (both, Some(&back), Outbound, InTransit, To(ReturnInTransit)),
        (both, Some(&back), Return, Delivered, To(Returned)),
        (both, Some(&outbound), Return, Delivered, To(Returned)),
        (both, Some(&back), Outbound, Status::Lost, To(Status::Unknown)),
        (both, Some(&other), Outbound, Delivered, OtherShipment(Delivered)),
        (both, Some(&other), Return, Delivered, OtherShipment(Returned)),
        (both, None, Outbound, Delivered, To(Delivered)),
        (both, None, Return, Delivered, To(Returned)),
        (only_outbound, Some(&back), Outbound, Delivered, OtherShipment(Delivered)),
        (only_back, Some(&other), Outbound, Delivered, To(Delivered)),
        (only_back, Some(&back), Outbound, Delivered, To(Returned)),
        (Parcels::default(), Some(&other), Outbound, Delivered, To(Delivered)),
        (Parcels::default(), None, Outbound, Delivered, To(Delivered)),
    ] {
        let state = State::at_creation(Status::Pending, minute(0));
        let report = Report { awb: named.cloned(), leg, ..report("r0", status, Some(minute(1))) };
        let Arrival::InOrder(arrival) =
            Arrival::of_report(&state, parcels, &report, &origin("r0", minute(1)))
        else {
            panic!("the first report is in order")
        };
        let facts = arrival.commit(&state, minute(1)).entry.facts;
        assert_eq!(
            (facts.claim, facts.sort_key.rank),
            (expected, expected.status()),
            "{report:?} for {parcels:?}"
        );
    }
}

#[test]
fn a_reshipment_sorts_by_its_time_when_it_arrives_late() {
    for late in [false, true] {
        let mut store = Store::new(Status::Pending);
        let lost = Incoming::of(report("r0", Status::Lost, Some(minute(1))));
        let found = Incoming::of(report("r1", Status::InTransit, Some(minute(3))));
        let new_parcel = Incoming::reshipment("r2", minute(2));
        for incoming in
            if late { [&lost, &found, &new_parcel] } else { [&lost, &new_parcel, &found] }
        {
            store.apply(incoming);
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
fn state_and_entries_round_trip() {
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
    store.apply(&Incoming::reshipment(&id(0), minute(0)));
    for (n, status) in (1..).zip([
        Status::Assigned,
        Status::Accepted,
        Status::Completed,
        Status::Cancelled,
        Status::ReturnInitiated,
    ]) {
        store.apply(&Incoming::of(full(n, status)));
    }
    store.apply(&Incoming::of(Report {
        awb: Some(awb("X9")),
        ..report(&id(9), Status::Lost, None)
    }));
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
    assert!(
        text.len() <= 1024,
        "a write of the state must cost one unit: {} bytes: {text}",
        text.len()
    );
}

#[test]
fn a_transition_has_the_labels_of_the_sources() {
    let report_with = |id: &str, status, at, label: &str| {
        Incoming::of(Report {
            source_status: Some(label.to_owned()),
            ..report(id, status, Some(minute(at)))
        })
    };
    let mut store = Store::new(Status::Pending);
    let mut labels = Vec::new();
    for incoming in [
        report_with("r0", Status::InTransit, 1, "IN TRANSIT"),
        report_with("r1", Status::InTransit, 2, "REACHED HUB"),
        report_with("r2", Status::OutForDelivery, 3, "OFD"),
        Incoming::of(report("r3", Status::Delivered, Some(minute(4)))),
    ] {
        let transition = store.apply(&incoming).unwrap().entry.transition;
        labels.extend(transition.map(|transition| (transition.previous_label, transition.label)));
    }
    let expected = [("Pending", "IN TRANSIT"), ("REACHED HUB", "OFD"), ("OFD", "Delivered")];
    assert_eq!(labels, expected.map(|(before, after)| (before.to_owned(), after.to_owned())));
}

/// A query during a transaction may miss an entry that the state already counts.
#[test]
fn rejects_a_fold_over_an_incomplete_timeline() {
    let store = store_of(&[(Status::PickedUp, 1), (Status::InTransit, 5)]);
    let late = report("late", Status::Cancelled, Some(minute(3)));
    let arrival = || {
        Arrival::of_report(&store.order.state, Parcels::default(), &late, &origin("e", minute(6)))
    };
    let mut stored: Vec<TimelineEntry> = store.entries.values().cloned().collect();
    let commits = |stored: &[TimelineEntry]| match arrival() {
        Arrival::OutOfOrder(late) => {
            late.commit(&store.order.state, stored.to_vec(), minute(7)).is_some()
        }
        Arrival::InOrder(_) => panic!("the report is out of order"),
    };
    assert!(commits(&stored));
    stored.pop();
    assert!(!commits(&stored));
}
