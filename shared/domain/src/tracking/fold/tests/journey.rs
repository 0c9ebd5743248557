//! The fold of one parcel.

use super::{check, check_ignored};
use crate::tracking::fold::Disposition::{self, AfterTerminal, Applied, Same};
use crate::tracking::status::{Leg, Status};
use crate::tracking::story::{Story, dispositions, time};
use Status::*;

/// Physical movement.
const MOVEMENT: [Status; 5] = [PickedUp, InTransit, OutForDelivery, Undelivered, Delivered];

/// True if a carrier's outbound status applies after this end of the outbound leg.
fn reopens(end: Status, after: Status) -> bool {
    match end {
        Delivered => false,
        Completed => MOVEMENT.contains(&after) || after == Cancelled,
        _ => MOVEMENT.contains(&after),
    }
}

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
                _ if reopens(before, after) => Applied,
                _ => AfterTerminal,
            };
            let (folded, dispositions) = dispositions(Pending, &[before, after]);
            assert_eq!(dispositions.last(), Some(&expected), "{after} after {before}");
            let end = if expected == Applied { after } else { before };
            assert_eq!(folded.tracking.status, end, "{after} after {before}");
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
            let applies = !before.ends_outbound() || reopens(before, after);
            let (_, dispositions) = dispositions(Pending, &[before, ReturnInTransit, after]);
            let expected = if applies { Applied } else { AfterTerminal };
            let name = format!("{after} during a return after {before}");
            assert_eq!(dispositions.last(), Some(&expected), "{name}");
        }
    }
}

/// An order that the shop created as cancelled is cancelled by the shop.
#[test]
fn every_status_after_one_at_creation() {
    for before in Status::ALL.iter().copied().filter(|status| *status != Unknown) {
        for after in Status::ALL.iter().copied().filter(|status| *status != Unknown) {
            let (folded, _) = dispositions(before, &[after]);
            let applies = match before {
                Returned => false,
                _ if after.leg() == Some(Leg::Return) || !before.ends_outbound() => true,
                Cancelled => after == Delivered,
                _ => reopens(before, after),
            };
            let end = if applies { after } else { before };
            assert_eq!(folded.tracking.status, end, "{after} after {before}");
        }
    }
}

#[test]
fn folds_typical_sequences_of_reports() {
    check(&[
        (
            "an ordinary delivery",
            "pending A",
            "A picked_up 1h, A in_transit 2h, A out_for_delivery 3h, A delivered 4h",
            "delivered: A delivered",
        ),
        (
            "sorted by time, whenever they become known",
            "pending A",
            "A out_for_delivery 3h, A picked_up 1h, A in_transit 2h",
            "out_for_delivery: A out_for_delivery",
        ),
        (
            "then by rank",
            "pending A",
            "A delivered 1h, A out_for_delivery 1h",
            "delivered: A delivered",
        ),
        (
            "applies also backwards",
            "pending A",
            "A out_for_delivery 1h, A processing 2h",
            "processing: A processing",
        ),
        (
            "a lost parcel is found",
            "pending A",
            "A lost 1h, A in_transit 2h",
            "in_transit: A in_transit",
        ),
        (
            "a carrier cancels, and it moves",
            "pending A",
            "A cancelled 1h, A picked_up 2h",
            "picked_up: A picked_up",
        ),
        (
            "the shop cancels, and it moves",
            "pending A",
            "A cancelled 1h api, A picked_up 2h, A delayed 3h",
            "cancelled: A cancelled",
        ),
        (
            "the shop cancels without naming the parcel",
            "pending A",
            "- cancelled 1h api, A in_transit 2h",
            "cancelled: A cancelled",
        ),
        (
            "once the shop says so too",
            "pending A",
            "A cancelled 1h, A cancelled 2h api, A in_transit 3h",
            "cancelled: A cancelled",
        ),
        (
            "or says so first",
            "pending A",
            "A cancelled 1h api, A cancelled 2h, A in_transit 3h",
            "cancelled: A cancelled",
        ),
        (
            "delivered after the shop cancelled",
            "pending A",
            "A cancelled 1h api, A in_transit 2h, A delivered 3h",
            "delivered: A delivered",
        ),
        (
            "completed, refunded, and delivered after all",
            "pending A",
            "A completed 1h, A cancelled 2h, A completed 3h, A delivered 4h",
            "delivered: A delivered",
        ),
        (
            "failed is not terminal",
            "pending A",
            "A failed 1h, A processing 2h, A completed 3h",
            "completed: A completed",
        ),
    ]);
}

#[test]
fn returns() {
    check(&[
        (
            "outbound applies while there was no end",
            "pending A",
            "A in_transit 1h, A return_initiated 2h, A out_for_delivery 3h, A delivered 4h",
            "delivered: A delivered",
        ),
        (
            "outbound does not apply after delivery",
            "pending A",
            "A delivered 1h, A return_initiated 2h, A in_transit 3h, A returned 4h, A delivered 5h",
            "returned: A returned",
        ),
        (
            "a cancelled parcel comes back",
            "pending A",
            "A cancelled 1h api, A return_initiated 2h, A returned 3h",
            "returned: A returned",
        ),
        (
            "called off after delivery",
            "pending A",
            "A delivered 1h, A return_initiated 2h, A return_in_transit 3h, A cancelled 4h ret",
            "delivered: A delivered",
        ),
        (
            "called off on the way",
            "pending A",
            "A undelivered 1h, A return_initiated 2h, A cancelled 3h ret",
            "undelivered x1: A undelivered x1",
        ),
        (
            "called off, and nothing outbound after delivery",
            "pending A",
            "A delivered 1h, A return_initiated 2h, A cancelled 3h ret, A in_transit 4h",
            "delivered: A delivered",
        ),
        (
            "restores what stood before the last return",
            "pending A",
            "A in_transit 1h, A return_initiated 2h, A out_for_delivery 3h, \
             A return_in_transit 4h, A cancelled 5h ret",
            "out_for_delivery: A out_for_delivery",
        ),
        (
            "may begin again",
            "pending A",
            "A delivered 1h, A return_initiated 2h, A cancelled 3h ret, A return_in_transit 4h",
            "return_in_transit: A return_in_transit",
        ),
        (
            "no return to call off",
            "pending A",
            "A in_transit 1h, A cancelled 2h ret",
            "in_transit: A in_transit",
        ),
        (
            "too late to call off",
            "pending A",
            "A delivered 1h, A returned 2h, A cancelled 3h ret",
            "returned: A returned",
        ),
        (
            "of the same time, calling it off counts as the later",
            "pending A",
            "A delivered 1h, A cancelled 2h ret, A return_initiated 2h",
            "delivered: A delivered",
        ),
        (
            "the source's leg makes an outbound status one of the return",
            "pending A",
            "A delivered 1h, A out_for_delivery 2h ret",
            "return_out_for_delivery: A return_out_for_delivery",
        ),
        (
            "a lost return is unknown",
            "pending A",
            "A delivered 1h, A in_transit 2h ret, A lost 3h ret",
            "return_in_transit: A return_in_transit",
        ),
        (
            "called off before its first scan",
            "pending A / R",
            "A delivered 1h, R cancelled 2h",
            "delivered: A delivered, R< cancelled",
        ),
        (
            "a return parcel that is called off may begin again",
            "pending A / R",
            "A delivered 1h, R processing 2h, R cancelled 3h, R picked_up 4h",
            "return_in_transit: A delivered, R< return_in_transit",
        ),
    ]);
}

#[test]
fn counts_delivery_attempts() {
    check(&[
        ("none", "pending A", "A out_for_delivery 1h", "out_for_delivery: A out_for_delivery"),
        ("the first", "pending A", "A undelivered 1h", "undelivered x1: A undelivered x1"),
        (
            "each that follows an out_for_delivery",
            "pending A",
            "A out_for_delivery 1h, A undelivered 2h, A out_for_delivery 3h, A undelivered 4h",
            "undelivered x2: A undelivered x2",
        ),
        (
            "a repeated scan is no attempt",
            "pending A",
            "A out_for_delivery 1h, A undelivered 2h, A undelivered 3h, A in_transit 4h, \
             A undelivered 5h",
            "undelivered x1: A undelivered x1",
        ),
        (
            "six hours after the last attempt",
            "pending A",
            "A undelivered 1h, A undelivered 7h",
            "undelivered x2: A undelivered x2",
        ),
        (
            "a minute less",
            "pending A",
            "A undelivered 60m, A undelivered 419m",
            "undelivered x1: A undelivered x1",
        ),
        (
            "after the last attempt, not after the last scan",
            "pending A",
            "A undelivered 1h, A undelivered 5h, A undelivered 8h",
            "undelivered x2: A undelivered x2",
        ),
        (
            "the source's own count, and of those the highest",
            "pending A",
            "A undelivered 1h n3, A out_for_delivery 2h n1, A undelivered 3h",
            "undelivered x3: A undelivered x3",
        ),
        (
            "the source's own count beats ours",
            "pending A",
            "A undelivered 1h, A undelivered 9h, A in_transit 10h n1",
            "in_transit x1: A in_transit x1",
        ),
        (
            "not after the end",
            "pending A",
            "A out_for_delivery 1h, A delivered 2h, A undelivered 3h",
            "delivered: A delivered",
        ),
    ]);
}

#[test]
fn reasons_of_reports_of_one_parcel() {
    check_ignored(&[
        (
            "of all kinds",
            "pending A",
            "A pending 1h, A unknown 2h, A delivered 3h, A in_transit 4h, A delivered 5h",
            "r1 same, r2 unknown, r4 after_terminal, r5 same",
        ),
        ("no return to call off", "pending A", "A in_transit 1h, A cancelled 2h ret", "r2 same"),
        (
            "too late to call off",
            "pending A",
            "A returned 1h, A cancelled 2h ret",
            "r2 after_terminal",
        ),
    ]);
}

/// The current status again refreshes place, ETA and words, and changes nothing else.
#[test]
fn the_current_status_again_refreshes_place_eta_and_words() {
    let steps = [
        ("A in_transit 1h 'IN_TRANSIT-EN @Pune eta9h", "IN_TRANSIT-EN", "Pune", "9h", "1h"),
        ("A in_transit 2h 'REACHED @Surat eta8h", "REACHED", "Surat", "8h", "1h"),
        // Absent fields keep the old value; a new status without words gets the default title.
        ("A in_transit 3h", "REACHED", "Surat", "8h", "1h"),
        ("A out_for_delivery 4h", "Out For Delivery", "Surat", "8h", "4h"),
        ("A unknown 5h '??? @Mars eta1h", "Out For Delivery", "Surat", "8h", "4h"),
        ("A delivered 6h 'DELIVERED @Delhi eta6h", "DELIVERED", "Delhi", "6h", "6h"),
        ("A in_transit 7h 'IN_TRANSIT @Mars eta7h", "DELIVERED", "Delhi", "6h", "6h"),
    ];
    let mut facts = String::new();
    for (fact, label, location, eta, since) in steps {
        facts = format!("{facts}, {fact}");
        let folded = Story::read("pending A", &facts).fold();
        let (order, parcel) = (&folded.tracking, &folded.parcels[0]);
        let shown = (order.label.as_str(), order.location.as_deref(), order.eta, order.since);
        assert_eq!(shown, (label, Some(location), Some(time(eta)), Some(time(since))), "{fact}");
        let of_order = (&order.label, order.eta, order.since);
        assert_eq!((&parcel.label, parcel.eta, parcel.since), of_order, "{fact}");
    }
}

/// By time, then by rank, then by report id.
#[test]
fn reports_of_the_same_time_and_status_sort_by_their_ids() {
    let mut story = Story::read("pending A", "A in_transit 1h @Pune, A in_transit 1h @Surat");
    for _ in 0..2 {
        assert_eq!(story.fold().tracking.location.as_deref(), Some("Surat"));
        story.entries.reverse();
    }
}

/// Entries store the source's status and leg. That a parcel goes back can become known later.
#[test]
fn the_direction_of_its_parcel_gives_a_report_its_status() {
    let status = |facts: &str| {
        let folded = Story::read("pending A", facts).fold();
        folded.judgements[&crate::testing::report_id("r1")].status
    };
    assert_eq!(status("R in_transit 2h"), InTransit);
    assert_eq!(status("R in_transit 2h, A delivered 1h >R"), ReturnInTransit);
    assert_eq!(status("R in_transit 2h, return R 3h"), ReturnInTransit);
    assert_eq!(status("R in_transit 2h, R processing 1h ret"), ReturnInTransit);
    assert_eq!(status("R out_for_delivery 2h, return R 3h"), ReturnOutForDelivery);
    assert_eq!(status("R delivered 2h, return R 3h"), Returned);
    assert_eq!(status("R cancelled 2h, return R 3h"), Cancelled);
    assert_eq!(status("R lost 2h, return R 3h"), Unknown);
}

#[test]
fn a_return_that_is_called_off_restores_the_words() {
    let facts = "A delivered 1h 'LEFT_AT_DOOR, A return_initiated 2h 'RTO, A cancelled 3h ret 'NO";
    let tracking = Story::read("pending A", facts).fold().tracking;
    let shown = (tracking.label.as_str(), tracking.since);
    assert_eq!(shown, ("LEFT_AT_DOOR", Some(time("3h"))));
}
