//! The parcels of an order: given, replaced, added, learnt, moved, recycled, withdrawn.

use super::{check, check_ignored};
use crate::tracking::story::{Story, time};

#[test]
fn parcels_that_the_shop_names() {
    check(&[
        (
            "the same number with other leading zeros is the same parcel",
            "pending 00123",
            "123 in_transit 1h",
            "in_transit: 00123 in_transit",
        ),
        ("given at creation", "pending A / R", "", "pending: A pending, R< pending"),
        (
            "a patch replaces what `awb` named before",
            "pending A",
            "A in_transit 1h, awb B 2h",
            "processing: A in_transit (replaced), B processing",
        ),
        (
            "also with null in between",
            "pending A",
            "A in_transit 1h, awb - 2h, awb B 3h",
            "processing: A in_transit (replaced), B processing",
        ),
        (
            "null alone leaves the parcel",
            "pending A",
            "A in_transit 1h, awb - 2h",
            "in_transit: A in_transit",
        ),
        (
            "also where the new number was already learnt",
            "pending A",
            "A in_transit 1h, B picked_up 2h, awb B 3h",
            "picked_up: A in_transit (replaced), B picked_up",
        ),
        (
            "and where the new number was added",
            "pending A",
            "A in_transit 1h, add B 2h, B picked_up 3h, awb B 4h",
            "picked_up: A in_transit (replaced), B picked_up",
        ),
        (
            "a replaced parcel that is named again is current again",
            "pending A",
            "A in_transit 1h, awb B 2h, awb A 3h",
            "in_transit: A in_transit, B processing (replaced)",
        ),
        (
            "also where a learnt parcel had replaced it",
            "pending A",
            "B picked_up 1h, awb C 2h, awb A 3h",
            "picked_up: A pending, B picked_up (learnt), C pending (replaced)",
        ),
        (
            "a parcel that is named after a learnt one stays, whatever its own reports say",
            "pending",
            "B picked_up 2h, awb A 3h, A processing 1h",
            "picked_up: A processing, B picked_up (learnt)",
        ),
        (
            "the same parcel again changes nothing",
            "pending A",
            "A in_transit 1h, awb A 2h",
            "in_transit: A in_transit",
        ),
        (
            "only the last named one counts",
            "pending A",
            "A in_transit 1h, awb B 2h, B out_for_delivery 3h, awb C 4h, C picked_up 5h",
            "picked_up: A in_transit (replaced), B out_for_delivery (replaced), C picked_up",
        ),
        (
            "an added parcel stands beside the others",
            "pending A",
            "A in_transit 1h, add B 2h, B delivered 3h",
            "in_transit: A in_transit, B delivered",
        ),
        (
            "a patch leaves an added parcel alone",
            "pending A",
            "add B 1h, A in_transit 2h, B in_transit 2h, awb C 3h, C delivered 4h",
            "in_transit: A in_transit (replaced), B in_transit, C delivered",
        ),
        (
            "a return parcel is replaced by a return parcel only",
            "pending A / R",
            "A delivered 1h, R in_transit 2h, return S 3h, S delivered 4h",
            "returned: A delivered, R< return_in_transit (replaced), S< returned",
        ),
        (
            "a patch with the AWB of a learnt return parcel makes it a forward one",
            "pending A",
            "A in_transit 1h, R picked_up 2h ret, awb R 3h",
            "return_in_transit: A in_transit (replaced), R return_in_transit",
        ),
    ]);
}

#[test]
fn parcels_that_are_learnt() {
    check(&[
        ("a forward parcel", "pending", "A picked_up 1h", "picked_up: A picked_up (learnt)"),
        (
            "on the return leg: a return parcel",
            "pending A",
            "A delivered 1h, R return_in_transit 2h",
            "return_in_transit: A delivered, R< return_in_transit (learnt)",
        ),
        (
            "also if the source's status is an outbound one",
            "pending A",
            "A delivered 1h, R delivered 2h ret",
            "returned: A delivered, R< returned (learnt)",
        ),
        (
            "named as return AWB: a return parcel",
            "pending A",
            "A return_initiated 1h >R, R in_transit 2h",
            "return_in_transit: A return_initiated, R< return_in_transit (learnt)",
        ),
        (
            "also if that becomes known after its first reports",
            "pending A",
            "R in_transit 1h, A delivered 2h >R",
            "return_in_transit: A delivered, R< return_in_transit (learnt)",
        ),
        (
            "announced without a report of its own: it waits",
            "pending A",
            "A delivered 1h >R",
            "delivered: A delivered, R< pending (learnt)",
        ),
        (
            "a report does not announce its own parcel",
            "pending A",
            "A delivered 1h >A",
            "delivered: A delivered",
        ),
        (
            "replaces those that none of their own reports shows picked up",
            "pending A",
            "A processing 1h, B picked_up 2h",
            "picked_up: A processing (replaced), B picked_up (learnt)",
        ),
        (
            "a late scan tells that the earlier parcel was picked up",
            "pending A",
            "A processing 1h, B picked_up 2h, A in_transit 3h",
            "picked_up: A in_transit, B picked_up (learnt)",
        ),
        (
            "an order report does not show a parcel picked up",
            "pending A",
            "- in_transit 1h, B picked_up 2h",
            "picked_up: A in_transit (replaced), B picked_up (learnt)",
        ),
        (
            "replaces cancelled ones",
            "pending A",
            "A in_transit 1h, A cancelled 2h, B in_transit 3h",
            "in_transit: A cancelled (replaced), B in_transit (learnt)",
        ),
        (
            "replaces lost ones",
            "pending A",
            "A in_transit 1h, A lost 2h, B picked_up 3h",
            "picked_up: A lost (replaced), B picked_up (learnt)",
        ),
        (
            "one that was lost and found again stands beside it",
            "pending A",
            "A in_transit 1h, A lost 2h, B in_transit 3h, A out_for_delivery 4h",
            "in_transit: A out_for_delivery, B in_transit (learnt)",
        ),
        (
            "does not replace one on its way",
            "pending A",
            "A in_transit 1h, B in_transit 2h, A delivered 3h",
            "in_transit: A delivered, B in_transit (learnt)",
        ),
        (
            "a parcel that the shop adds replaces none",
            "pending A",
            "A processing 1h, add B 90m, B picked_up 2h",
            "picked_up: A processing, B picked_up",
        ),
        (
            "does not replace a later one",
            "pending",
            "B picked_up 2h, add A 3h",
            "picked_up: B picked_up (learnt), A processing",
        ),
    ]);
}

#[test]
fn a_learnt_parcel_has_the_time_of_its_earliest_report() {
    let added_at = |start: &str, facts: &str| {
        Story::read(start, facts).fold().parcels.last().unwrap().added_at
    };
    assert_eq!(added_at("pending", "B in_transit 3h, B picked_up 2h"), time("2h"));
    assert_eq!(added_at("pending A", "B in_transit 3h, A processing 1h"), time("3h"));
    assert_eq!(added_at("pending", "B in_transit -3h"), time("0h"), "not before its order");
    assert_eq!(added_at("pending", "B in_transit 1h, awb B 5h"), time("1h"), "though named later");
    assert_eq!(added_at("pending", "awb B 5h"), time("5h"));
}

#[test]
fn parcels_and_reports_that_move_to_another_order() {
    check(&[
        (
            "the parcel and its reports leave",
            "pending A",
            "A in_transit 1h, B in_transit 2h, moved B 3h, B lost 4h",
            "in_transit: A in_transit",
        ),
        ("the only parcel leaves", "pending", "A in_transit 1h, moved A 2h", "pending:"),
        (
            "so does a return parcel that a report announced",
            "pending A",
            "A delivered 1h >R, R in_transit 2h, moved R 3h",
            "delivered: A delivered",
        ),
        (
            "and one that its reports announced",
            "pending",
            "A in_transit 1h >R, moved A 2h",
            "pending:",
        ),
        (
            "a parcel that is named again comes back",
            "pending",
            "A in_transit 1h, moved A 2h, awb A 3h",
            "in_transit: A in_transit",
        ),
        (
            "the parcel that stood before a moved one counts again",
            "pending A",
            "A in_transit 1h, awb B 2h, moved B 3h",
            "in_transit: A in_transit",
        ),
        (
            "and replaces what it replaced before",
            "pending A",
            "A in_transit 1h, awb B 2h, awb C 3h, moved C 4h",
            "processing: A in_transit (replaced), B processing",
        ),
        (
            "a moved parcel that is added again replaces none",
            "pending A",
            "A in_transit 1h, awb B 2h, moved B 3h, add B 4h",
            "picked_up: A in_transit, B processing",
        ),
        (
            "an order created later with the exact id takes its reports",
            "pending",
            "A in_transit 1h #7001, - assigned 2h #7001, moved #7001 3h, moved A 3h",
            "pending:",
        ),
        (
            "a report goes with its parcel only",
            "pending",
            "A in_transit 1h #7001, - assigned 2h #7001, moved #7001 3h",
            "in_transit: A in_transit (learnt)",
        ),
    ]);
}

#[test]
fn replaced_parcels_that_count_again() {
    check(&[
        (
            "delivered after all",
            "pending A",
            "A in_transit 1h, awb B 2h, A delivered 3h",
            "picked_up: A delivered, B processing",
        ),
        (
            "its replacement is cancelled",
            "pending A",
            "A in_transit 1h, awb B 2h, B cancelled 3h",
            "in_transit: A in_transit, B cancelled",
        ),
        (
            "its replacement is lost",
            "pending A",
            "A in_transit 1h, awb B 2h, B in_transit 3h, B lost 4h",
            "in_transit: A in_transit, B lost",
        ),
        (
            "its learnt replacement is cancelled",
            "pending A",
            "A processing 1h, B picked_up 2h, B cancelled 3h",
            "processing: A processing, B cancelled (learnt)",
        ),
        (
            "not while one of two replacements is not",
            "pending A",
            "A processing 1h, B processing 2h, B cancelled 3h, C picked_up 4h",
            "picked_up: A processing (replaced), B cancelled (learnt) (replaced), \
             C picked_up (learnt)",
        ),
    ]);
}

#[test]
fn recycled_numbers() {
    check(&[
        (
            "a recycled parcel sees no report over 30 days before its order",
            "pending A!",
            "A delivered -31d, A in_transit 1h",
            "in_transit: A in_transit",
        ),
        ("it sees later ones", "pending A!", "A in_transit -30d", "in_transit: A in_transit"),
        (
            "so does a recycled return parcel",
            "pending A / R!",
            "A delivered 1h, R delivered -31d, R in_transit 2h",
            "return_in_transit: A delivered, R< return_in_transit",
        ),
        (
            "and one that was named or added later",
            "pending",
            "awb A 1h recycled, A delivered -31d, add B 1h recycled, B delivered -31d",
            "pending: A pending, B processing",
        ),
        (
            "nor does an old report announce a return parcel",
            "pending A!",
            "A delivered -31d >R",
            "pending: A pending",
        ),
        (
            "imports have old reports",
            "pending A",
            "A in_transit -40d, A delivered -39d",
            "delivered: A delivered",
        ),
    ]);
    check_ignored(&[(
        "an old report is about another parcel",
        "pending A!",
        "A delivered -31d, A in_transit 1h",
        "r1 replaced_parcel",
    )]);
}

#[test]
fn withdrawn_reports() {
    check(&[
        (
            "the order is what the rest says",
            "pending A",
            "A in_transit 1h, A delivered 2h, withdraw r2 3h",
            "in_transit: A in_transit",
        ),
        (
            "a parcel that only it taught is gone",
            "pending A",
            "A in_transit 1h, B in_transit 2h, withdraw r2 3h",
            "in_transit: A in_transit",
        ),
        (
            "a parcel that another report names too stays",
            "pending A",
            "A in_transit 1h, B in_transit 2h, B in_transit 3h, withdraw r2 4h",
            "in_transit: A in_transit, B in_transit (learnt)",
        ),
        (
            "a return parcel that only it announced is gone",
            "pending A",
            "A delivered 1h >R, withdraw r1 2h",
            "pending: A pending",
        ),
        (
            "attempts that it counted are gone",
            "pending A",
            "A out_for_delivery 1h, A undelivered 2h n4, A undelivered 3h, withdraw r2 4h",
            "undelivered x1: A undelivered x1",
        ),
        (
            "a tombstone without a report changes nothing",
            "pending A",
            "A in_transit 1h, withdraw r9 2h",
            "in_transit: A in_transit",
        ),
    ]);
    check_ignored(&[(
        "says so in the timeline",
        "pending A",
        "A in_transit 1h, A delivered 2h, withdraw r2 3h, A out_for_delivery 4h",
        "r2 withdrawn",
    )]);
}
