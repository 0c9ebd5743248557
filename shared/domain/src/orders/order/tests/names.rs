//! The names of an order, and when it gives one up.

use std::collections::BTreeSet;

use super::*;
use crate::orders::order::{
    GivenUp, goes_to, has_left, is_withdrawn, moved_to, names_by_id, reports_under, went_to,
};
use crate::tracking::entry::ReportFacts;
use crate::tracking::status::Status::*;

fn provider(source: &str, id: &str) -> Ref {
    Ref::Provider { source: SourceName::from(source), id: ProviderId::parse(id).unwrap() }
}

fn name(number: &str) -> Ref {
    Ref::awb(&awb(number))
}

fn about(id: &str, number: &str, status: Status, minutes: i64) -> Report {
    Report { awb: Some(awb(number)), ..report(id, status, Some(minute(minutes))) }
}

/// The order `ORD-1` with these AWBs.
fn given(awbs: &str) -> Told {
    new(&format!(r#"{{"orderId":"ORD-1"{awbs}}}"#))
}

const BOTH: &str = r#","awb":"0012","returnAwb":"R","refs":{"shiprocket":"77"}"#;

#[test]
fn names_are_given_or_learnt() {
    let mut told = given(BOTH);
    let names = |told: &Told| told.0.names(&told.1);
    let mut expected = BTreeSet::from([name("12"), name("R"), provider("shiprocket", "77")]);
    assert_eq!(names(&told), expected);
    say(&mut told, "p1", 1, patched(2, Direction::Forward, "B"));
    say(&mut told, "p2", 2, added(3, "C"));
    tell(
        &mut told,
        &Report {
            return_awb: Some(awb("S")),
            provider_id: Some(ProviderId::parse("78").unwrap()),
            ..about("r1", "D", InTransit, 3)
        },
    );
    expected.extend(["B", "C", "D", "S"].map(name));
    expected.insert(provider("shiprocket", "78"));
    assert_eq!(names(&told), expected, "replaced ones included");
    say(&mut told, "w", 4, Fact::Withdrawal { report_id: report_id("r1") });
    for gone in [name("D"), name("S"), provider("shiprocket", "78")] {
        assert!(expected.remove(&gone));
    }
    assert_eq!(names(&told), expected, "what only the withdrawn report taught is gone");
    let moved = ParcelChange::Moved { name: name("B"), to: order_id("ORD-2") };
    say(&mut told, "m", 5, parcel(4, moved));
    expected.remove(&name("B"));
    assert_eq!(names(&told), expected);
}

#[test]
fn what_a_shop_says_beats_what_was_learnt() {
    let mut told = given(BOTH);
    // The request adds the parcel; its fact follows.
    told.0.state.added = vec![awb("C")];
    assert_eq!(told.0.gives_up(&name("C"), &told.1, minute(10)), None, "before its fact");
    say(&mut told, "p1", 1, added(2, "C"));
    for given in ["0012", "C", "R"] {
        assert_eq!(told.0.gives_up(&name(given), &told.1, minute(10)), None, "{given}");
    }
    tell(
        &mut told,
        &Report {
            return_awb: Some(awb("S")),
            provider_id: Some(ProviderId::parse("78").unwrap()),
            ..about("r1", "D", InTransit, 3)
        },
    );
    let (order, entries) = &told;
    for (name, expected) in [
        // The carrier replaced both by D.
        (name("0012"), Some(GivenUp::WithReports)),
        (name("C"), Some(GivenUp::WithReports)),
        (name("R"), None),
        (provider("shiprocket", "77"), None),
        (name("D"), Some(GivenUp::WithReports)),
        (name("S"), Some(GivenUp::WithReports)),
        (provider("shiprocket", "78"), Some(GivenUp::WithReports)),
        (Ref::Order(order_id("ORD-1")), None),
    ] {
        assert_eq!(order.gives_up(&name, entries, minute(10)), expected, "{name:?}");
    }
}

#[test]
fn a_replaced_parcel_gives_its_name_up() {
    let mut told = given(r#","awb":"A""#);
    tell(&mut told, &about("r1", "A", InTransit, 1));
    assert_eq!(told.0.gives_up(&name("A"), &told.1, minute(10)), None);
    // A patch writes the profile, then its fact.
    told.0.profile.awb = Some(awb("B"));
    say(&mut told, "p1", 2, patched(2, Direction::Forward, "B"));
    let gives_up = |name| told.0.gives_up(&name, &told.1, minute(10));
    assert_eq!(gives_up(name("A")), Some(GivenUp::WithReports));
    assert_eq!(gives_up(name("B")), None);
}

#[test]
fn a_replaced_parcel_stays_once_the_shop_asks_for_it_again() {
    let mut told = given(r#","awb":"A""#);
    told.0.profile.awb = Some(awb("B"));
    say(&mut told, "p1", 2, patched(2, Direction::Forward, "B"));
    let gives_up = |told: &Told| told.0.gives_up(&name("A"), &told.1, minute(10));
    assert_eq!(gives_up(&told), Some(GivenUp::WithReports));
    let before = told.clone();
    // The requests change the order; their facts follow.
    told.0.profile.awb = Some(awb("A"));
    assert_eq!(gives_up(&told), None, "named again");
    let mut told = before;
    told.0.state.added = vec![awb("A")];
    assert_eq!(gives_up(&told), None, "added");
    assert!(told.0.names(&told.1).contains(&name("A")));
}

/// Both facts may have the same `rev`.
#[test]
fn a_parcel_leaves_after_the_request_that_named_it() {
    let to = order_id("ORD-2");
    let departure = parcel(2, ParcelChange::Moved { name: name("B"), to: to.clone() });
    for ids in [("a", "z"), ("z", "a")] {
        let mut told = given("");
        say(&mut told, ids.0, 1, added(2, "B"));
        say(&mut told, ids.1, 1, departure.clone());
        assert_eq!(moved_to(&awb("B"), &told.1), Some(&to));
        assert!(told.0.state.parcels.is_empty());
    }
}

#[test]
fn a_number_is_free_after_its_order() {
    const DAY: i64 = 24 * 60;
    for (reports, now, expected) in [
        (&[(Delivered, 1)][..], 30 * DAY, None),
        (&[(Delivered, 1)], 30 * DAY + 1, Some(GivenUp::Recycled)),
        (&[(InTransit, 1)], 99 * DAY, None),
        (&[(Returned, 1)], 31 * DAY, Some(GivenUp::Recycled)),
        (&[(Lost, 1)], 31 * DAY, Some(GivenUp::Recycled)),
        // At once where it was cancelled before pickup.
        (&[(Cancelled, 1)], 2, Some(GivenUp::Recycled)),
        (&[(Processing, 1), (Cancelled, 2)], 3, Some(GivenUp::Recycled)),
        (&[(PickedUp, 1), (Cancelled, 2)], 3, None),
        (&[(PickedUp, 1), (Cancelled, 2)], 31 * DAY, Some(GivenUp::Recycled)),
        // An order of old times, e.g. an imported one.
        (&[(Delivered, -90 * DAY)], 1, None),
        (&[(Delivered, -90 * DAY)], 30 * DAY, Some(GivenUp::Recycled)),
    ] {
        let mut told = given(r#","awb":"A""#);
        for (n, (status, at)) in reports.iter().enumerate() {
            tell(&mut told, &about(&format!("r{n}"), "A", *status, *at));
        }
        let gives_up = told.0.gives_up(&name("A"), &told.1, minute(now));
        assert_eq!(gives_up, expected, "{reports:?} at {now}");
    }
}

#[test]
fn the_last_fact_about_a_parcel_tells_where_it_is() {
    let mut told = given(r#","awb":"A""#);
    let moved = |to: &str| ParcelChange::Moved { name: name("A"), to: order_id(to) };
    assert_eq!(moved_to(&awb("A"), &told.1), None);
    say(&mut told, "m1", 1, parcel(2, moved("ORD-2")));
    assert_eq!(moved_to(&awb("A"), &told.1), Some(&order_id("ORD-2")));
    say(&mut told, "p1", 2, patched(4, Direction::Forward, "A"));
    assert_eq!(moved_to(&awb("A"), &told.1), None);
    say(&mut told, "m2", 3, parcel(3, moved("ORD-3")));
    assert_eq!(moved_to(&awb("A"), &told.1), None, "by rev, not by arrival");
    assert_eq!(moved_to(&awb("B"), &told.1), None);
}

#[test]
fn knows_withdrawn_reports() {
    let mut told = given("");
    say(&mut told, "w", 1, Fact::Withdrawal { report_id: report_id("r1") });
    assert!(is_withdrawn(&report_id("r1"), &told.1));
    assert!(!is_withdrawn(&report_id("r2"), &told.1));
}

#[test]
fn what_only_a_moved_parcel_taught_goes_with_it() {
    let mut told = given("");
    let mut report = about("r1", "X", InTransit, 1);
    report.return_awb = Some(awb("R"));
    tell(&mut told, &report);
    tell(&mut told, &about("r2", "Y", InTransit, 2));
    let moved = ParcelChange::Moved { name: name("X"), to: order_id("ORD-2") };
    say(&mut told, "m", 3, parcel(4, moved));
    assert_eq!(told.0.names(&told.1), BTreeSet::from([name("Y")]));
}

#[test]
fn an_order_does_not_have_the_name_of_a_released_parcel() {
    let mut told = given(r#","awb":"A""#);
    tell(&mut told, &about("r1", "A", Cancelled, 1));
    assert_eq!(told.0.gives_up(&name("A"), &told.1, minute(10)), Some(GivenUp::Recycled));
    let to = order_id("ORD-2");
    say(&mut told, "m", 2, parcel(3, ParcelChange::Released { awb: awb("A"), to: to.clone() }));
    assert!(told.0.names(&told.1).is_empty());
    assert_eq!(moved_to(&awb("A"), &told.1), Some(&to));
    let parcel = &told.0.state.parcels[0];
    assert_eq!((parcel.status, parcel.released), (Cancelled, true), "its reports stay");
    assert!(told.0.polled_parcels().next().is_none());
    say(&mut told, "p", 3, patched(4, Direction::Forward, "A"));
    assert_eq!(moved_to(&awb("A"), &told.1), None, "it has the parcel again");
}

#[test]
fn a_name_that_was_given_up_is_no_name_of_the_order() {
    let mut told = given(r#","awb":"A""#);
    let exact = order_id("ORD-1_740007001");
    let spelled = |id: &str, number: &str| Report {
        order_id: Some(exact.clone()),
        ..about(id, number, InTransit, 1)
    };
    tell(&mut told, &spelled("r1", "X"));
    tell(&mut told, &Report { awb: None, ..spelled("r2", "-") });
    let by_id = Ref::Order(exact.clone());
    assert_eq!(names_by_id(&exact, &told.0, &told.1), [name("X"), by_id.clone()]);
    told.0.given_up = [name("X"), by_id].into();
    assert_eq!(told.0.names(&told.1), BTreeSet::from([name("A")]));
    assert_eq!(names_by_id(&exact, &told.0, &told.1), []);
}

#[test]
fn a_parcel_that_the_shop_gives_back_is_the_orders_before_the_timeline_shows_it() {
    let mut told = given("");
    tell(&mut told, &about("r1", "X", InTransit, 1));
    let moved = ParcelChange::Moved { name: name("X"), to: order_id("ORD-2") };
    say(&mut told, "m", 2, parcel(2, moved));
    let has_it = |told: &Told| told.0.names(&told.1).contains(&name("X"));
    assert!(!has_it(&told));
    let mut added = told.clone();
    added.0.state.added = vec![awb("X")];
    assert!(has_it(&added));
    told.0.profile.awb = Some(awb("X"));
    assert!(has_it(&told));
}

#[test]
fn an_order_has_a_providers_id_again_that_the_shop_or_a_later_report_gives_it() {
    let taught = |id: &str, minutes| Report {
        provider_id: Some(ProviderId::parse("78").unwrap()),
        ..about(id, "A", InTransit, minutes)
    };
    let mut told = given(r#","awb":"A""#);
    let provider = provider("shiprocket", "78");
    let has_it = |told: &Told| told.0.names(&told.1).contains(&provider);
    tell(&mut told, &taught("r1", 1));
    let moved = ParcelChange::Moved { name: provider.clone(), to: order_id("ORD-2") };
    say(&mut told, "m", 2, parcel(2, moved));
    assert!(!has_it(&told));
    let mut by_shop = told.clone();
    by_shop.0.profile.refs = given(r#","refs":{"shiprocket":"78"}"#).0.profile.refs;
    assert!(has_it(&by_shop));
    tell(&mut told, &taught("r2", 3));
    assert!(has_it(&told));
    // The move is written late: the order had given the name up before the report.
    let late = ParcelChange::Moved { name: provider.clone(), to: order_id("ORD-3") };
    say(&mut told, "m-late", 4, parcel(2, late));
    assert!(has_it(&told));
}

/// A report about a parcel goes with it, whatever id it has.
#[test]
fn an_order_with_the_exact_id_takes_the_parcels_that_only_its_reports_name() {
    let mut told = given(r#","awb":"A""#);
    let exact = order_id("ORD-1_740007001");
    let spelled = |id: &str, number: &str| Report {
        order_id: Some(exact.clone()),
        ..about(id, number, InTransit, 1)
    };
    tell(&mut told, &spelled("r1", "A"));
    tell(&mut told, &spelled("r2", "X"));
    tell(&mut told, &spelled("r3", "Y"));
    tell(&mut told, &about("r4", "Y", InTransit, 2));
    tell(&mut told, &Report { awb: None, ..spelled("r5", "-") });
    let by_id = Ref::Order(exact.clone());
    assert_eq!(names_by_id(&exact, &told.0, &told.1), [name("X"), by_id.clone()]);
    assert_eq!(reports_under(&by_id, &told.1), BTreeSet::from([report_id("r5")]));

    for (number, name) in [(2, by_id), (3, Ref::awb(&awb("X")))] {
        let change = ParcelChange::Moved { name, to: exact.clone() };
        say(&mut told, &format!("m{number}"), 2, parcel(number, change));
    }
    assert_eq!(told.0.names(&told.1), BTreeSet::from([name("A"), name("Y")]));
    assert_eq!(names_by_id(&exact, &told.0, &told.1), []);
    assert!(has_left(&awb("X"), &told.1) && !has_left(&awb("Y"), &told.1));
    for (report, expected) in [("r1", None), ("r2", Some(&exact)), ("r5", Some(&exact))] {
        assert_eq!(went_to(&report_id(report), &told.1), expected, "{report}");
    }
    let late = ReportFacts::of(&Report { awb: None, ..spelled("r6", "-") }, &order_id("ORD-1"));
    assert_eq!(goes_to(&late, &told.1), Some(&exact));
}

/// The parcel that had the number before stays.
#[test]
fn a_report_stays_with_an_order_whose_awb_is_used_again() {
    let mut told = given(r#","awb":"A""#);
    tell(&mut told, &about("r1", "A", Cancelled, 1));
    let to = order_id("ORD-2");
    say(&mut told, "m", 2, parcel(3, ParcelChange::Released { awb: awb("A"), to: to.clone() }));
    assert_eq!(went_to(&report_id("r1"), &told.1), None);
    let late = ReportFacts::of(&about("r2", "A", InTransit, 3), &order_id("ORD-1"));
    assert_eq!(goes_to(&late, &told.1), Some(&to));
}
