use crate::testing::{facts, minute, report_id};
use crate::tracking::fold::{
    Cancellation, Disposition, ReportFacts, SortKey, StatusClaim, TrackingState,
};
use crate::tracking::report::SourceName;
use crate::tracking::status::{Leg, Status};

use Disposition::{AfterTerminal, Applied, Same};
use Status::*;
use StatusClaim::{OtherShipment, Reshipped};

/// One claim a minute.
fn entries(claims: &[StatusClaim]) -> Vec<ReportFacts> {
    (0_i64..).zip(claims).map(|(n, claim)| facts(&format!("r{n}"), minute(n), *claim)).collect()
}

fn walk(start: Status, claims: &[StatusClaim]) -> (TrackingState, Vec<Disposition>) {
    TrackingState::fold(start, &entries(claims))
}

fn to(status: Status) -> StatusClaim {
    StatusClaim::Status(status)
}

/// What happens to an order, one claim after the other, and what the fold makes of each.
#[test]
fn stories() {
    type Story = (&'static str, Status, Vec<(StatusClaim, Disposition)>, Status);
    const S: fn(Status) -> StatusClaim = StatusClaim::Status;
    let stories: &[Story] = &[
        ("nothing was reported", Pending, vec![], Pending),
        (
            "the way there",
            Pending,
            vec![(S(PickedUp), Applied), (S(InTransit), Applied), (S(Delivered), Applied)],
            Delivered,
        ),
        ("the status at creation again", Pending, vec![(S(Pending), Same)], Pending),
        (
            "a failed attempt goes back",
            Pending,
            vec![
                (S(OutForDelivery), Applied),
                (S(Undelivered), Applied),
                (S(InTransit), Applied),
                (S(OutForDelivery), Applied),
            ],
            OutForDelivery,
        ),
        (
            "what nobody understands changes nothing, wherever it stands",
            Pending,
            vec![
                (S(Unknown), Disposition::Unknown),
                (S(Returned), Applied),
                (S(Unknown), Disposition::Unknown),
            ],
            Returned,
        ),
        (
            "another parcel's report changes nothing, whatever it says",
            InTransit,
            vec![
                (OtherShipment(Delivered), Disposition::OtherShipment),
                (OtherShipment(InTransit), Disposition::OtherShipment),
                (OtherShipment(Unknown), Disposition::OtherShipment),
                (S(Delivered), Applied),
            ],
            Delivered,
        ),
        (
            "delivered is the end",
            Pending,
            vec![(S(Delivered), Applied), (S(InTransit), AfterTerminal), (S(Delivered), Same)],
            Delivered,
        ),
        (
            "a terminal that did not apply is not remembered",
            Pending,
            vec![(OtherShipment(Lost), Disposition::OtherShipment), (S(InTransit), Applied)],
            InTransit,
        ),
        (
            "a stamp is made, delivered, and that is the end",
            Pending,
            vec![
                (S(Completed), Applied),
                (S(Delivered), Applied),
                (S(Cancelled), AfterTerminal),
                (S(Completed), AfterTerminal),
            ],
            Delivered,
        ),
        (
            "a stamp is made, refunded, and handed over all the same",
            Pending,
            vec![
                (S(Completed), Applied),
                (S(Cancelled), Applied),
                (S(Completed), AfterTerminal),
                (S(Delivered), Applied),
            ],
            Delivered,
        ),
        (
            "a lost parcel is found",
            Pending,
            vec![(S(Lost), Applied), (S(InTransit), AfterTerminal), (S(Delivered), Applied)],
            Delivered,
        ),
        (
            "the terminal is remembered while the parcel comes back",
            Pending,
            vec![
                (S(Delivered), Applied),
                (S(ReturnInitiated), Applied),
                (S(Delivered), AfterTerminal),
                (S(InTransit), AfterTerminal),
                (S(ReturnInTransit), Applied),
                (S(ReturnInitiated), Applied),
                (S(Returned), Applied),
            ],
            Returned,
        ),
        (
            "without a terminal outbound is legal during a return",
            InTransit,
            vec![
                (S(ReturnInitiated), Applied),
                (S(OutForDelivery), Applied),
                (S(ReturnInTransit), Applied),
                (S(Delivered), Applied),
            ],
            Delivered,
        ),
        (
            "an exception to the end counts during a return too",
            Pending,
            vec![
                (S(Lost), Applied),
                (S(ReturnInTransit), Applied),
                (S(Cancelled), AfterTerminal),
                (S(Delivered), Applied),
            ],
            Delivered,
        ),
        (
            "nothing comes after returned",
            InTransit,
            vec![
                (S(Returned), Applied),
                (S(ReturnInTransit), AfterTerminal),
                (S(Delivered), AfterTerminal),
                (S(Returned), Same),
            ],
            Returned,
        ),
        (
            "a new parcel forgets the terminal",
            Pending,
            vec![
                (S(Cancelled), Applied),
                (Reshipped, Applied),
                (S(InTransit), Applied),
                (S(Delivered), Applied),
                (S(Cancelled), AfterTerminal),
            ],
            Delivered,
        ),
        (
            "a new parcel after the first came back",
            Pending,
            vec![(S(Returned), Applied), (Reshipped, Applied), (S(PickedUp), Applied)],
            PickedUp,
        ),
        (
            "a new parcel for an order that is being made ready is no change, but forgets the terminal",
            Completed,
            vec![(Reshipped, Applied), (Reshipped, Same), (S(Completed), Applied)],
            Completed,
        ),
        (
            "created as cancelled: that is a terminal",
            Cancelled,
            vec![(S(InTransit), AfterTerminal), (S(Delivered), Applied)],
            Delivered,
        ),
        (
            "created on its way back: nothing ended",
            ReturnInitiated,
            vec![(S(InTransit), Applied)],
            InTransit,
        ),
        (
            "failed is no end",
            Pending,
            vec![(S(Failed), Applied), (S(Processing), Applied), (S(Completed), Applied)],
            Completed,
        ),
    ];
    for (story, start, claims, end) in stories {
        let (claims, expected): (Vec<_>, Vec<_>) = claims.iter().copied().unzip();
        let (tracking, dispositions) = walk(*start, &claims);
        assert_eq!((dispositions, tracking.status), (expected, *end), "{story}");
    }
}

/// Outbound statuses that still apply after an outbound terminal.
const AFTER_AN_END: [(Status, Status); 4] =
    [(Completed, Delivered), (Completed, Cancelled), (Lost, Delivered), (Cancelled, Delivered)];

/// The rules, for every two statuses there are.
#[test]
fn every_status_after_every_other() {
    for before in Status::ALL.iter().copied().filter(|status| *status != Unknown) {
        for after in Status::ALL.iter().copied() {
            let expected = match (before, after) {
                (_, Unknown) => Disposition::Unknown,
                _ if before == after => Same,
                (Returned, _) => AfterTerminal,
                _ if after.leg() == Some(Leg::Return) || !before.ends_outbound() => Applied,
                pair if AFTER_AN_END.contains(&pair) => Applied,
                _ => AfterTerminal,
            };
            for (start, claims) in
                [(before, vec![to(after)]), (Pending, vec![to(before), to(after)])]
            {
                let (tracking, dispositions) = walk(start, &claims);
                assert_eq!(dispositions.last(), Some(&expected), "{after} after {before}");
                assert_eq!(
                    tracking.status,
                    if expected == Applied { after } else { before },
                    "{after} after {before}"
                );
            }
        }
    }
}

/// The same once the parcel is on its way back, where the terminal itself is no longer the current status.
#[test]
fn every_outbound_status_during_a_return() {
    let outbound =
        || Status::ALL.iter().copied().filter(|status| status.leg() == Some(Leg::Outbound));
    for before in outbound() {
        for after in outbound() {
            let legal = !before.ends_outbound() || AFTER_AN_END.contains(&(before, after));
            let (_, dispositions) = walk(Pending, &[to(before), to(ReturnInTransit), to(after)]);
            let expected = if legal { Applied } else { AfterTerminal };
            assert_eq!(
                dispositions.last(),
                Some(&expected),
                "{after} on the way back after {before}"
            );
        }
    }
}

#[test]
fn only_what_applied_has_no_reason() {
    let reasons = [Applied, Same, Disposition::Unknown, Disposition::OtherShipment, AfterTerminal]
        .map(Disposition::reason);
    assert_eq!(
        reasons,
        [None, Some("same"), Some("unknown"), Some("other_shipment"), Some("after_terminal")]
    );
}

#[test]
fn positions_sort_by_time_then_rank_then_id() {
    let at = |minutes, rank, id| SortKey {
        occurred_at: minute(minutes),
        rank,
        report_id: report_id(id),
    };
    let sorted = [
        at(0, Returned, "z"),
        at(1, Unknown, "z"),
        at(1, Pending, "z"),
        at(1, InTransit, "z"),
        at(1, Delivered, "a"),
        at(1, Delivered, "b"),
        at(1, ReturnInitiated, "a"),
        at(2, Unknown, "a"),
    ];
    assert!(sorted.is_sorted_by(|a, b| a < b));
}

/// A claim with everything a source can say.
fn told(n: i64, status: Status, words: &str, place: &str) -> ReportFacts {
    ReportFacts {
        source_status: Some(words.to_owned()),
        location: Some(place.to_owned()),
        eta: Some(minute(1000 + n)),
        ..facts(&format!("r{n}"), minute(n), to(status))
    }
}

#[test]
fn words_place_and_eta_are_those_of_the_last_that_counted() {
    let mut tracking = TrackingState::at_creation(Pending);
    assert_eq!(
        (tracking.label.as_str(), &tracking.location, tracking.eta),
        ("Pending", &None, None)
    );
    let silent = |n, status| facts(&format!("r{n}"), minute(n), to(status));
    type Seen = (&'static str, Option<&'static str>, Option<i64>);
    let steps: [(ReportFacts, Seen); 7] = [
        (told(1, InTransit, "IN TRANSIT-EN", "Pune"), ("IN TRANSIT-EN", Some("Pune"), Some(1001))),
        (told(2, InTransit, "Reached hub", "Surat"), ("Reached hub", Some("Surat"), Some(1002))),
        // Who says nothing of words, place and ETA does not take them back; a new status without words has ours.
        (silent(3, InTransit), ("Reached hub", Some("Surat"), Some(1002))),
        (silent(4, OutForDelivery), ("Out For Delivery", Some("Surat"), Some(1002))),
        (told(5, Unknown, "???", "Mars"), ("Out For Delivery", Some("Surat"), Some(1002))),
        (told(6, Delivered, "DELIVERED", "Delhi"), ("DELIVERED", Some("Delhi"), Some(1006))),
        (told(7, InTransit, "IN TRANSIT", "Mars"), ("DELIVERED", Some("Delhi"), Some(1006))),
    ];
    for (entry, (label, location, eta)) in steps {
        tracking.step(&entry);
        let seen = (tracking.label.as_str(), tracking.location.as_deref(), tracking.eta);
        assert_eq!(seen, (label, location, eta.map(minute)), "{:?}", entry.sort_key);
    }
    let foreign =
        ReportFacts { claim: OtherShipment(Delivered), ..told(8, Delivered, "LOST", "Mars") };
    let before = tracking.clone();
    tracking.step(&foreign);
    assert_eq!(tracking, before);
}

#[test]
fn a_new_parcel_takes_nothing_over_from_the_old_one() {
    for (status, since) in [(InTransit, 4), (Processing, 2)] {
        let mut tracking = TrackingState::at_creation(Lost);
        tracking.step(&told(1, ReturnInTransit, "RTO", "Pune"));
        tracking.step(&facts("r2", minute(2), Reshipped));
        tracking.step(&told(3, status, "x", "Surat"));
        tracking.step(&facts("r4", minute(4), Reshipped));
        let anew =
            TrackingState { since: Some(minute(since)), ..TrackingState::at_creation(Processing) };
        assert_eq!(tracking, anew, "reshipped from {status}");
    }
}

#[test]
fn milestones_are_the_times_of_what_applied() {
    let milestones = |claims: &[StatusClaim]| {
        let (tracking, _) = walk(Pending, claims);
        [tracking.assigned_at, tracking.accepted_at, tracking.completed_at]
    };
    let at = |n: i64| Some(minute(n));
    for (claims, expected) in [
        (vec![], [None, None, None]),
        (vec![to(Assigned), to(Accepted), to(InTransit), to(Delivered)], [at(0), at(1), at(3)]),
        (vec![to(Assigned), to(Assigned)], [at(0), None, None]),
        (vec![to(Assigned), to(Pending), to(Assigned)], [at(2), None, None]),
        (vec![to(Completed), to(Completed), to(Accepted)], [None, None, at(0)]),
        (vec![to(Completed), to(Delivered)], [None, None, at(1)]),
        (vec![to(Completed), to(Cancelled)], [None, None, at(0)]),
        (vec![to(Delivered), to(Returned)], [None, None, at(0)]),
        (vec![OtherShipment(Delivered), to(Lost)], [None, None, None]),
    ] {
        assert_eq!(milestones(&claims), expected, "{claims:?}");
    }
}

#[test]
fn a_cancellation_says_when_who_and_why() {
    let said = |words: Option<&str>, note: Option<&str>| ReportFacts {
        source_status: words.map(str::to_owned),
        note: note.map(str::to_owned),
        source: SourceName::API,
        ..facts("r0", minute(0), to(Cancelled))
    };
    for (entry, reason) in [
        (said(None, None), None),
        (said(Some("CANCELED"), None), Some("CANCELED")),
        (said(Some("CANCELED"), Some("customer called")), Some("customer called")),
    ] {
        let (tracking, _) = TrackingState::fold(Pending, &[entry]);
        let reason = reason.map(str::to_owned);
        assert_eq!(
            tracking.cancellation,
            Some(Cancellation { at: minute(0), reason, by: SourceName::API })
        );
    }
}

#[test]
fn a_cancellation_stands_while_nothing_outbound_follows() {
    for (after, kept) in [
        (vec![], true),
        (vec![to(Cancelled)], true),
        (vec![to(InTransit)], true),
        (vec![to(ReturnInitiated), to(Returned)], true),
        (vec![OtherShipment(Delivered)], true),
        (vec![to(Delivered)], false),
        (vec![to(ReturnInTransit), to(Delivered)], false),
        (vec![Reshipped], false),
    ] {
        let (tracking, _) = walk(Pending, &[vec![to(Cancelled)], after.clone()].concat());
        assert_eq!(tracking.cancellation.map(|c| c.at), kept.then_some(minute(0)), "{after:?}");
    }
}
