mod sequences;

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

/// Outbound statuses that still apply after an outbound terminal.
const AFTER_AN_END: [(Status, Status); 4] =
    [(Completed, Delivered), (Completed, Cancelled), (Lost, Delivered), (Cancelled, Delivered)];

/// The rules for all pairs of statuses.
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

/// The same during a return, when the terminal status is no longer the current one.
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
                "{after} during a return after {before}"
            );
        }
    }
}

#[test]
fn applied_entries_have_no_reason() {
    let reasons = [Applied, Same, Disposition::Unknown, Disposition::OtherShipment, AfterTerminal]
        .map(Disposition::reason);
    assert_eq!(
        reasons,
        [None, Some("same"), Some("unknown"), Some("other_shipment"), Some("after_terminal")]
    );
}

#[test]
fn entries_sort_by_time_then_rank_then_report_id() {
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

/// An entry with source status, location and ETA.
fn full_entry(n: i64, status: Status, label: &str, location: &str) -> ReportFacts {
    ReportFacts {
        source_status: Some(label.to_owned()),
        location: Some(location.to_owned()),
        eta: Some(minute(1000 + n)),
        ..facts(&format!("r{n}"), minute(n), to(status))
    }
}

#[test]
fn keeps_label_location_and_eta_of_the_last_applied_or_same_entry() {
    let mut tracking = TrackingState::at_creation(Pending);
    assert_eq!(
        (tracking.label.as_str(), &tracking.location, tracking.eta),
        ("Pending", &None, None)
    );
    let bare = |n, status| facts(&format!("r{n}"), minute(n), to(status));
    type Shown = (&'static str, Option<&'static str>, Option<i64>);
    let steps: [(ReportFacts, Shown); 7] = [
        (
            full_entry(1, InTransit, "IN TRANSIT-EN", "Pune"),
            ("IN TRANSIT-EN", Some("Pune"), Some(1001)),
        ),
        (
            full_entry(2, InTransit, "Reached hub", "Surat"),
            ("Reached hub", Some("Surat"), Some(1002)),
        ),
        // Absent fields keep the old value; a new status without a label gets the default title.
        (bare(3, InTransit), ("Reached hub", Some("Surat"), Some(1002))),
        (bare(4, OutForDelivery), ("Out For Delivery", Some("Surat"), Some(1002))),
        (full_entry(5, Unknown, "???", "Mars"), ("Out For Delivery", Some("Surat"), Some(1002))),
        (full_entry(6, Delivered, "DELIVERED", "Delhi"), ("DELIVERED", Some("Delhi"), Some(1006))),
        (full_entry(7, InTransit, "IN TRANSIT", "Mars"), ("DELIVERED", Some("Delhi"), Some(1006))),
    ];
    for (entry, (label, location, eta)) in steps {
        tracking.step(&entry);
        let shown = (tracking.label.as_str(), tracking.location.as_deref(), tracking.eta);
        assert_eq!(shown, (label, location, eta.map(minute)), "{:?}", entry.sort_key);
    }
    let other_shipment =
        ReportFacts { claim: OtherShipment(Delivered), ..full_entry(8, Delivered, "LOST", "Mars") };
    let before = tracking.clone();
    tracking.step(&other_shipment);
    assert_eq!(tracking, before);
}

#[test]
fn a_reshipment_resets_the_state() {
    for (status, since) in [(InTransit, 4), (Processing, 2)] {
        let mut tracking = TrackingState::at_creation(Lost);
        tracking.step(&full_entry(1, ReturnInTransit, "RTO", "Pune"));
        tracking.step(&facts("r2", minute(2), Reshipped));
        tracking.step(&full_entry(3, status, "x", "Surat"));
        tracking.step(&facts("r4", minute(4), Reshipped));
        let expected =
            TrackingState { since: Some(minute(since)), ..TrackingState::at_creation(Processing) };
        assert_eq!(tracking, expected, "reshipped from {status}");
    }
}

#[test]
fn milestones_are_the_times_of_applied_entries() {
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
fn records_time_reason_and_source_of_a_cancellation() {
    let entry = |source_status: Option<&str>, note: Option<&str>| ReportFacts {
        source_status: source_status.map(str::to_owned),
        note: note.map(str::to_owned),
        source: SourceName::API,
        ..facts("r0", minute(0), to(Cancelled))
    };
    for (entry, reason) in [
        (entry(None, None), None),
        (entry(Some("CANCELED"), None), Some("CANCELED")),
        (entry(Some("CANCELED"), Some("customer called")), Some("customer called")),
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
fn keeps_the_cancellation_until_an_outbound_status_applies() {
    for (after, expected) in [
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
        assert_eq!(tracking.cancellation.map(|c| c.at), expected.then_some(minute(0)), "{after:?}");
    }
}
