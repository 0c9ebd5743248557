//! The change that a fact causes: of the order, and of its parcels.

use super::*;
use crate::tracking::entry::{ParcelTransition, Transition};
use crate::tracking::story::time;

/// `in_transit <- pending v2; A in_transit <- pending`, or empty if there is no change. `x1` are
/// attempts.
fn shown(transition: Option<&Transition>) -> String {
    let Some(it) = transition else { return String::new() };
    let attempts = |attempts: u32| match attempts {
        0 => String::new(),
        _ => format!(" x{attempts}"),
    };
    let (now, before) = (attempts(it.attempts), attempts(it.previous_attempts));
    let order = format!("{}{now} <- {}{before} v{}", it.status, it.previous_status, it.version);
    let parcel = |it: &ParcelTransition| {
        format!("{} {}{} <- {}", it.awb, it.status, attempts(it.attempts), it.previous_status)
    };
    let parcels = it.parcels.iter().map(parcel);
    [order].into_iter().chain(parcels).collect::<Vec<_>>().join("; ")
}

/// The change by the last of the facts.
#[test]
fn a_change_of_the_order_or_of_a_parcel_moves_the_version() {
    for (name, start, facts, expected) in [
        (
            "of both",
            "pending A",
            "A in_transit 1h",
            "in_transit <- pending v2; A in_transit <- pending",
        ),
        ("of the order without parcels", "pending", "- assigned 1h", "assigned <- pending v2"),
        ("the same status again", "pending A", "A in_transit 1h, A in_transit 2h", ""),
        ("an unknown status", "pending A", "A unknown 1h", ""),
        ("after the end", "pending A", "A delivered 1h, A in_transit 2h", ""),
        (
            "of a parcel only",
            "pending A",
            "add B 1h, A in_transit 2h, B in_transit 3h, B out_for_delivery 4h",
            "in_transit <- in_transit v4; B out_for_delivery <- in_transit",
        ),
        (
            "a lost one of two",
            "pending A",
            "add B 1h, A delivered 2h, B lost 3h",
            "delivered <- picked_up v3; B lost <- processing",
        ),
        (
            "a new attempt",
            "pending A",
            "A undelivered 1h, A undelivered 9h",
            "undelivered x2 <- undelivered x1 v3; A undelivered x2 <- undelivered",
        ),
        (
            "an added parcel without a report",
            "pending A",
            "A in_transit 1h, add B 2h",
            "picked_up <- in_transit v3",
        ),
        ("a patch before the first scan", "pending A", "awb B 1h", ""),
        ("and another one", "pending A", "awb B 1h, awb C 2h", ""),
        ("also of an order that went on", "assigned A", "- accepted 1h, awb B 2h, awb C 3h", ""),
        (
            "a patch after it",
            "pending A",
            "A in_transit 1h, awb B 2h",
            "processing <- in_transit v3",
        ),
        (
            "a first parcel that is learnt goes on where the order is",
            "pending",
            "- accepted 1h, A processing 2h",
            "processing <- accepted v3; A processing <- accepted",
        ),
        (
            "a learnt return parcel",
            "pending A",
            "A delivered 1h, R picked_up 2h ret",
            "return_in_transit <- delivered v3; R return_in_transit <- pending",
        ),
        (
            "a withdrawal",
            "pending A",
            "A in_transit 1h, A delivered 2h, withdraw r2 3h",
            "in_transit <- delivered v4; A in_transit <- delivered",
        ),
        (
            "a withdrawal that takes the parcel with it",
            "pending",
            "A in_transit 1h, withdraw r1 2h",
            "pending <- in_transit v3",
        ),
        (
            "a parcel that moves to another order",
            "pending A",
            "A in_transit 1h, B out_for_delivery 2h, A delivered 3h, moved B 4h",
            "delivered <- out_for_delivery v5",
        ),
        (
            "a late report",
            "pending A",
            "A picked_up 1h, A lost 5h, A delivered 3h",
            "delivered <- lost v4; A delivered <- lost",
        ),
        (
            "a late report without a change",
            "pending A",
            "A picked_up 1h, A in_transit 5h, A out_for_delivery 3h",
            "",
        ),
    ] {
        let (before, commit) = Store::last(start, facts);
        let transition = commit.entry.transition.as_ref();
        assert_eq!(shown(transition), expected, "{name}: {start}: {facts}");
        assert_eq!(commit.state.version, before.version + u64::from(transition.is_some()));
    }
}

#[test]
fn every_write_increments_rev_and_a_change_increments_version() {
    let facts = "A in_transit 1h, A in_transit 2h, A unknown 3h, A picked_up 0h, A undelivered 4h, \
                 A undelivered 12h, add B 13h, awb - 14h, withdraw r6 15h, A delivered 16h";
    let versions = [2, 2, 2, 2, 3, 4, 5, 5, 6, 7];
    let story = Story::read("pending A", facts);
    let mut store = Store::starting(story.start);
    store.order.state.latest_message_status = Some("read".to_owned());
    let created = store.order.state.clone();
    for (rev, (entry, version)) in (2..).zip(story.entries.iter().zip(versions)) {
        let before = store.order.state.clone();
        let commit = store.apply(&Incoming::again(entry)).unwrap();
        assert_eq!((commit.state.rev, commit.state.version), (rev, version), "{}", entry.id);
        assert_eq!(commit.state.updated_at, store.now);
        let has_changed = commit.state.tracking.status != before.tracking.status;
        let previous =
            if has_changed { Some(before.tracking.status) } else { before.previous_status };
        assert_eq!(commit.state.previous_status, previous, "{}", entry.id);
        assert_eq!(commit.entry.transition.is_some(), version > before.version, "{}", entry.id);
    }
    let end = &store.order.state;
    assert_eq!((&end.start, end.created_at), (&created.start, created.created_at));
    assert_eq!(end.latest_message_status, created.latest_message_status);
}

#[test]
fn a_late_report_can_change_the_status() {
    let facts = "A picked_up 1h, A lost 5h, A delivered 3h";
    let (_, commit) = Store::last("pending A", facts);
    let transition = commit.entry.transition.unwrap();
    assert!(commit.entry.late);
    assert_eq!(commit.judgement.unwrap().disposition, Disposition::Applied);
    assert_eq!((transition.version, transition.occurred_at), (4, time("3h")));
    assert_eq!(commit.state.previous_status, Some(Status::Lost));
}

#[test]
fn stores_a_late_report_without_a_change() {
    for (status, disposition) in [
        (Status::OutForDelivery, Disposition::Applied),
        (Status::PickedUp, Disposition::Same),
        (Status::Unknown, Disposition::Unknown),
    ] {
        let facts = format!("A picked_up 1h, A in_transit 5h, A {status} 3h");
        let (before, commit) = Store::last("pending A", &facts);
        assert_eq!(commit.judgement.unwrap().disposition, disposition);
        assert_eq!((commit.entry.late, &commit.entry.transition), (true, &None));
        let updated_at = commit.state.updated_at;
        let rev = before.rev + 1;
        let entry_sum = Some(2_u64.pow(3) + 3_u64.pow(3) + 4_u64.pow(3));
        let after = State { rev, entry_rev: rev, entries: 3, entry_sum, updated_at, ..before };
        assert_eq!(commit.state, after, "{status}");
    }
}

/// The order was in transit before it had a parcel: that was told.
#[test]
fn the_first_parcel_of_a_moving_order_is_no_change() {
    let (before, commit) = Store::last("pending", "- in_transit 1h, A in_transit 2h");
    assert_eq!((before.version, commit.state.version, &commit.entry.transition), (2, 2, &None));
    assert_eq!(commit.state.parcels[0].status, Status::InTransit);
}

/// Endpoints are notified of the new state, not of the late report.
#[test]
fn a_late_report_can_restore_the_status_of_another_entry() {
    let facts = "A out_for_delivery 1h, A return_initiated 4h 'RTO_INITIATED, A in_transit 5h, \
                 A delivered 3h";
    let (_, commit) = Store::last("pending A", facts);
    let transition = commit.entry.transition.unwrap();
    let change = (transition.status, transition.previous_status);
    assert_eq!(change, (Status::ReturnInitiated, Status::InTransit));
    assert_eq!((transition.label.as_str(), transition.occurred_at), ("RTO_INITIATED", time("4h")));
    assert_eq!(transition.parcels[0].occurred_at, time("4h"));
}

#[test]
fn a_transition_has_the_labels_of_the_sources() {
    let facts = "A in_transit 1h 'IN_TRANSIT, A in_transit 2h 'REACHED_HUB, \
                 A out_for_delivery 3h 'OFD, A delivered 4h";
    let store = Store::of("pending A", facts);
    let transitions = store.entries.values().filter_map(|entry| entry.transition.as_ref());
    let labels: Vec<_> = transitions
        .map(|it| {
            let parcel = &it.parcels[0];
            assert_eq!(
                (&parcel.previous_label, &parcel.label),
                (&it.previous_label, &it.label),
                "the parcel has the same words"
            );
            (it.previous_label.as_str(), it.label.as_str())
        })
        .collect();
    assert_eq!(labels, [("Pending", "IN_TRANSIT"), ("REACHED_HUB", "OFD"), ("OFD", "Delivered")]);
}

#[test]
fn a_parcel_keeps_its_checkpoints() {
    let mut store = Store::of("pending A", "A in_transit 1h");
    store.order.state.parcels[0].checkpoints = Some("hash".to_owned());
    let next = report("next", Status::InTransit, Some(time("2h")));
    store.apply(&Incoming::of(&next));
    assert_eq!(store.order.state.parcels[0].checkpoints.as_deref(), Some("hash"));
}
