//! The order as the aggregate of its parcels.

use super::{check, check_ignored};
use crate::tracking::story::{Story, time};

#[test]
fn parcels_and_order_reports() {
    check(&[
        (
            "no parcel: the fold of the order reports",
            "pending",
            "- assigned 1h esahayak, - completed 2h esahayak",
            "completed:",
        ),
        (
            "the first parcel starts where the order did and sees all order reports",
            "assigned A",
            "- accepted 1h api",
            "accepted: A accepted",
        ),
        (
            "a learnt first parcel too",
            "assigned",
            "- accepted 1h api, A processing 2h",
            "processing: A processing (learnt)",
        ),
        (
            "an added one starts at processing and sees order reports after it was added",
            "pending A",
            "- in_transit 1h api, add B 2h",
            "picked_up: A in_transit, B processing",
        ),
        (
            "both see a later one",
            "pending A",
            "- picked_up 1h api, add B 2h, - out_for_delivery 3h api",
            "out_for_delivery: A out_for_delivery, B out_for_delivery",
        ),
        (
            "whenever it becomes known: its time decides",
            "pending A",
            "add B 2h, - out_for_delivery 3h api, - in_transit 1h api",
            "out_for_delivery: A out_for_delivery, B out_for_delivery",
        ),
        (
            "one that replaces a parcel that never moved goes on where it was",
            "assigned A",
            "- accepted 1h, awb B 2h",
            "accepted: A accepted (replaced), B accepted",
        ),
        (
            "one that replaces a parcel on its way starts anew",
            "assigned A",
            "- accepted 1h, A in_transit 2h, awb B 3h",
            "processing: A in_transit (replaced), B processing",
        ),
        (
            "a learnt one that replaces a parcel that never moved goes on where it was",
            "assigned A",
            "- accepted 1h, B pending 2h",
            "pending: A accepted (replaced), B pending (learnt)",
        ),
        (
            "a return parcel sees order reports of the return leg only",
            "pending A / R",
            "A delivered 1h, R in_transit 2h, - in_transit 3h api, - returned 4h api",
            "returned: A returned, R< returned",
        ),
        (
            "and no others",
            "pending A / R",
            "A delivered 1h, R in_transit 2h, - out_for_delivery 3h api",
            "return_in_transit: A delivered, R< return_in_transit",
        ),
    ]);
}

#[test]
fn an_order_is_where_its_least_advanced_parcel_is() {
    check(&[
        (
            "delivered and on its way",
            "pending A",
            "add B 1h, A in_transit 2h, B delivered 3h",
            "in_transit: A in_transit, B delivered",
        ),
        (
            "both delivered",
            "pending A",
            "add B 1h, A delivered 2h, B delivered 3h",
            "delivered: A delivered, B delivered",
        ),
        (
            "delivered and lost reads delivered",
            "pending A",
            "add B 1h, A delivered 2h, B in_transit 2h, B lost 3h",
            "delivered: A delivered, B lost",
        ),
        (
            "delivered and cancelled too",
            "pending A",
            "add B 1h, A delivered 2h, B cancelled 3h",
            "delivered: A delivered, B cancelled",
        ),
        (
            "lost and on its way",
            "pending A",
            "add B 1h, A lost 2h, B in_transit 3h",
            "in_transit: A lost, B in_transit",
        ),
        ("all lost", "pending A", "add B 1h, A lost 2h, B lost 3h", "lost: A lost, B lost"),
        (
            "lost and cancelled",
            "pending A",
            "add B 1h, A cancelled 2h, B lost 3h",
            "lost: A cancelled, B lost",
        ),
        (
            "once one was picked up, those that the shop named and were not count as picked up",
            "pending A",
            "add B 1h, A out_for_delivery 2h, B pickup_failed 3h",
            "picked_up: A out_for_delivery, B pickup_failed",
        ),
        (
            "before that they hold the order back",
            "pending A",
            "add B 1h, A processing 2h, B pickup_failed 3h",
            "processing: A processing, B pickup_failed",
        ),
        (
            "one that was picked up and lost does not count, so that it is not the one",
            "pending A",
            "add B 1h, A picked_up 2h, A lost 3h, B pickup_failed 4h",
            "pickup_failed: A lost, B pickup_failed",
        ),
        (
            "those only learnt do not count",
            "pending A",
            "A out_for_delivery 1h, B processing 2h",
            "out_for_delivery: A out_for_delivery, B processing (learnt)",
        ),
        (
            "a return parcel needs no pickup",
            "pending A / R",
            "A in_transit 1h",
            "in_transit: A in_transit, R< pending",
        ),
    ]);
}

#[test]
fn an_exchange_does_not_count() {
    check(&[
        (
            "a learnt parcel whose first report happened after all others were delivered",
            "pending A",
            "A delivered 1h, B in_transit 2h",
            "delivered: A delivered, B in_transit (learnt)",
        ),
        (
            "counts when the shop names it",
            "pending A",
            "A delivered 1h, B in_transit 2h, add B 3h",
            "in_transit: A delivered, B in_transit",
        ),
        (
            "or patches it: a replaced parcel that is delivered counts too",
            "pending A",
            "A delivered 1h, B in_transit 2h, awb B 3h",
            "in_transit: A delivered, B in_transit",
        ),
        (
            "one that was on its way before counts",
            "pending A",
            "A in_transit 1h, B in_transit 2h, A delivered 3h",
            "in_transit: A delivered, B in_transit (learnt)",
        ),
        (
            "one of two is delivered: a third is no exchange",
            "pending A",
            "add B 1h, A delivered 2h, B in_transit 2h, C picked_up 3h",
            "picked_up: A delivered, B in_transit, C picked_up (learnt)",
        ),
        (
            "a late scan that happened before the delivery decides",
            "pending A",
            "A in_transit 1h, A delivered 3h, B in_transit 4h, B picked_up 2h",
            "in_transit: A delivered, B in_transit (learnt)",
        ),
    ]);
}

#[test]
fn a_return_parcel_counts_from_its_first_report_until_it_is_called_off() {
    check(&[
        ("not before", "pending A / R", "A delivered 1h", "delivered: A delivered, R< pending"),
        (
            "from its first own report",
            "pending A / R",
            "A delivered 1h, R processing 2h",
            "return_initiated: A delivered, R< return_initiated",
        ),
        (
            "an unknown status begins nothing",
            "pending A / R",
            "A delivered 1h, R unknown 2h",
            "delivered: A delivered, R< pending",
        ),
        (
            "returned included",
            "pending A / R",
            "A delivered 1h, R in_transit 2h, R delivered 3h",
            "returned: A delivered, R< returned",
        ),
        (
            "until it is called off",
            "pending A / R",
            "A delivered 1h, R processing 2h, R cancelled 3h",
            "delivered: A delivered, R< cancelled",
        ),
        (
            "by whoever",
            "pending A / R",
            "A delivered 1h, R processing 2h, R cancelled 3h api",
            "delivered: A delivered, R< cancelled",
        ),
        (
            "a lost return changes nothing",
            "pending A / R",
            "A delivered 1h, R in_transit 2h, R lost 3h",
            "return_in_transit: A delivered, R< return_in_transit",
        ),
        (
            "a return without a forward parcel",
            "delivered - / R",
            "R in_transit 1h",
            "return_in_transit: R< return_in_transit",
        ),
    ]);
}

#[test]
fn a_return_parcel_stands_in_for_a_forward_one() {
    check(&[
        (
            "for the one that announced it",
            "pending A",
            "add B 1h, A delivered 2h, B delivered 2h, A return_initiated 3h >R, R in_transit 4h",
            "delivered: A return_initiated, B delivered, R< return_in_transit (learnt)",
        ),
        (
            "and for no other, though that was delivered and the announcing one was not",
            "pending A",
            "add B 1h, A in_transit 2h >R, B delivered 2h, R in_transit 4h",
            "delivered: A in_transit, B delivered, R< return_in_transit (learnt)",
        ),
        (
            "else for those delivered when it began",
            "pending A",
            "add B 1h, A delivered 2h, B in_transit 2h, R in_transit 3h ret",
            "in_transit: A delivered, B in_transit, R< return_in_transit (learnt)",
        ),
        (
            "a parcel delivered later stays",
            "pending A",
            "add B 1h, A delivered 2h, B in_transit 2h, R in_transit 3h ret, B delivered 4h",
            "delivered: A delivered, B delivered, R< return_in_transit (learnt)",
        ),
        (
            "or on the return leg when it began",
            "pending A",
            "add B 1h, A return_initiated 2h, B in_transit 2h, R delivered 3h ret, B delivered 4h",
            "delivered: A return_initiated, B delivered, R< returned (learnt)",
        ),
        (
            "else for all",
            "pending A",
            "add B 1h, A in_transit 2h, B in_transit 2h, R picked_up 3h ret",
            "return_in_transit: A in_transit, B in_transit, R< return_in_transit (learnt)",
        ),
        (
            "the least advanced of two returns",
            "pending A / R",
            "A delivered 1h, R delivered 2h, S in_transit 3h ret",
            "return_in_transit: A delivered, R< returned, S< return_in_transit (learnt)",
        ),
    ]);
}

#[test]
fn reasons_of_reports_that_do_not_apply() {
    check_ignored(&[
        ("of a replaced parcel", "pending A", "A in_transit 1h, awb B 2h", "r1 replaced_parcel"),
        (
            "an unknown status is unknown there too",
            "pending A",
            "A unknown 1h, awb B 2h",
            "r1 unknown",
        ),
        (
            "it applies again when its parcel counts again",
            "pending A",
            "A in_transit 1h, awb B 2h, B cancelled 3h",
            "",
        ),
        (
            "an order report that one of two parcels takes",
            "pending A",
            "add B 1h, A in_transit 2h, - in_transit 3h api",
            "",
        ),
        (
            "an order report that both have",
            "pending A",
            "add B 1h, A delivered 2h, B delivered 2h, - in_transit 3h api",
            "r4 after_terminal",
        ),
    ]);
}

#[test]
fn place_and_eta_are_those_of_the_least_advanced_parcel() {
    for (facts, location, eta) in [
        ("A in_transit 1h @Pune eta9h, B picked_up 2h @Surat eta8h", "Surat", "8h"),
        ("A in_transit 1h @Pune eta9h, B delivered 2h @Surat eta8h", "Pune", "9h"),
        // Of two with one status the latest.
        ("A in_transit 3h @Pune eta9h, B in_transit 2h @Surat eta8h", "Pune", "9h"),
        ("A in_transit 1h @Pune eta9h, B in_transit 2h @Surat eta8h", "Surat", "8h"),
    ] {
        let tracking = Story::read("pending A", &format!("add B 0h, {facts}")).fold().tracking;
        let shown = (tracking.location.as_deref(), tracking.eta);
        assert_eq!(shown, (Some(location), Some(time(eta))), "{facts}");
    }
}

#[test]
fn an_order_has_the_attempts_of_its_parcel_with_the_most() {
    check(&[(
        "though that one was replaced",
        "pending A",
        "add B 1h, A undelivered 2h n3, B undelivered 2h n2",
        "undelivered x3: A undelivered x3, B undelivered x2",
    )]);
}
