//! Arrival order does not matter.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde::Deserialize;

use super::store::{Brought, Store, What};
use crate::testing::{awb, minute, report, second};
use crate::tracking::fold::SortKey;
use crate::tracking::report::Report;
use crate::tracking::status::Status;
use crate::tracking::timeline::Arrival;
use crate::webhooks::delivery::Delivery;

/// One thing that happens to an order, and when the world hears of it.
///
/// A report whose time is missing or too far ahead counts from when it is first received, so its time is only the same
/// in every order of arrival if all who bring it received it at the same time: they do here.
#[derive(Debug, Clone)]
struct Happening {
    brought: Brought,
    /// Its place among all arrivals, once for each time it arrives.
    arrivals: Vec<(u16, Via)>,
}

#[derive(Debug, Clone, Copy)]
enum Via {
    /// The event that names it first in these tests, again.
    ItsEvent,
    /// Another event that tells of it too.
    Another,
}

/// What a report names as its parcel; the order has `A1`, and `R1` on the way back.
const PARCELS: [Option<&str>; 10] = [
    None,
    None,
    None,
    None,
    Some("A1"),
    Some("A1"),
    Some("A1"),
    Some("R1"),
    Some("R1"),
    Some("X9"),
];
/// Seconds from receipt to what happened: missing, before, within the clocks' tolerance, beyond it. Whole minutes, so
/// that times collide often.
const TIMES: [Option<i64>; 12] = [
    None,
    Some(-180),
    Some(-120),
    Some(-120),
    Some(-60),
    Some(-60),
    Some(0),
    Some(0),
    Some(60),
    Some(600),
    Some(601),
    Some(3600),
];

fn happenings() -> impl Strategy<Value = Vec<Happening>> {
    let status = prop::sample::select(Status::ALL);
    let report = (status, prop::sample::select(&TIMES[..]), prop::sample::select(&PARCELS[..]));
    let happening = (any::<u8>(), 0..6_i64, 0..12_u8, report, any::<[u16; 2]>(), 0..4_u8);
    prop::collection::vec(happening, 1..10).prop_map(|drawn| {
        let happenings = drawn.into_iter().enumerate().map(
            |(number, (id, received, kind, report, places, again))| {
                let id = format!("{id:02x}-{number}");
                let brought = if kind == 0 {
                    Brought::reshipment(&id, minute(received))
                } else {
                    reported(&id, received, report)
                };
                let again =
                    [None, None, Some(Via::ItsEvent), Some(Via::Another)][usize::from(again)];
                let first = (places[0], Via::ItsEvent);
                Happening {
                    brought,
                    arrivals: [first]
                        .into_iter()
                        .chain(again.map(|via| (places[1], via)))
                        .collect(),
                }
            },
        );
        happenings.collect()
    })
}

fn reported(
    id: &str,
    received: i64,
    (status, time, parcel): (Status, Option<i64>, Option<&str>),
) -> Brought {
    let occurred_at = time.map(|seconds| second(received * 60 + seconds));
    let said = Report {
        awb: parcel.map(awb),
        source_status: Some(format!("{status} by {id}")),
        location: Some(id.to_owned()),
        eta: Some(minute(received)),
        ..report(id, status, occurred_at)
    };
    Brought { received_at: minute(received), ..Brought::of(said) }
}

fn in_order_of_arrival(happenings: &[Happening]) -> Vec<Brought> {
    let mut arrivals: Vec<(u16, Brought)> = Vec::new();
    for happening in happenings {
        for (place, via) in &happening.arrivals {
            let mut brought = happening.brought.clone();
            if matches!(via, Via::Another) {
                brought.event.push_str("-another");
            }
            arrivals.push((*place, brought));
        }
    }
    arrivals.sort_by_key(|(place, _)| *place);
    arrivals.into_iter().map(|(_, brought)| brought).collect()
}

/// Everything once, each after what stands before it.
fn as_it_happened(empty: &Store, happenings: &[Happening]) -> Store {
    let position = |brought: &Brought| -> SortKey {
        let (Arrival::InOrder(next), state) = (brought.arrival(&empty.order), &empty.order.state)
        else {
            panic!("the first arrival stands after nothing")
        };
        next.commit(state, empty.now).entry.facts.sort_key
    };
    let mut sorted: Vec<_> = happenings.iter().map(|happening| &happening.brought).collect();
    sorted.sort_by_cached_key(|brought| position(brought));
    let mut store = empty.clone();
    for brought in sorted {
        store.bring(brought);
    }
    assert!(store.entries.values().all(|entry| !entry.late));
    store
}

fn timeline(store: &Store) -> BTreeSet<(&str, Status, i64)> {
    let facts = store.entries.values().map(|entry| {
        let position = &entry.facts.sort_key;
        (position.report_id.as_str(), entry.facts.claim.status(), position.occurred_at.millis())
    });
    facts.collect()
}

#[derive(Deserialize)]
struct Notification {
    data: Data,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    status: Status,
    previous_status: Status,
    sequence: u64,
}

fn read(delivery: &Delivery) -> Data {
    serde_json::from_str::<Notification>(&delivery.body).unwrap().data
}

/// Brings all of it and checks what is told on the way: the first announcements form a chain from the status at
/// creation to the current one, and what is announced again has the ids of before.
fn bring_all(empty: &Store, arrivals: &[Brought]) -> Result<Store, TestCaseError> {
    let mut store = empty.clone();
    let mut told: Vec<Delivery> = Vec::new();
    for brought in arrivals {
        let before = store.order.state.clone();
        let settled = store.bring(brought);
        let announced = store.fan_out(brought);
        let Some(settled) = settled else {
            prop_assert_eq!(&store.order.state, &before);
            prop_assert!(
                announced.iter().all(|again| told.iter().any(|first| first.id == again.id))
            );
            continue;
        };
        let changed = settled.state.tracking.status != before.tracking.status;
        prop_assert_eq!(announced.len(), usize::from(changed));
        prop_assert_eq!(store.order.state.version, before.version + u64::from(changed));
        told.extend(announced);
    }
    let (mut status, mut version) = (empty.order.state.start, 1);
    for delivery in &told {
        let data = read(delivery);
        prop_assert_eq!((data.previous_status, data.sequence), (status, version + 1));
        prop_assert_eq!(delivery.version, Some(data.sequence));
        (status, version) = (data.status, data.sequence);
    }
    prop_assert_eq!(
        (status, version),
        (store.order.state.tracking.status, store.order.state.version)
    );
    let ids: BTreeSet<_> = told.iter().map(|delivery| &delivery.id).collect();
    prop_assert_eq!(ids.len(), told.len());
    Ok(store)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_order_of_arrival_and_any_repetition_end_the_same(
        start in prop::sample::select(&Status::ALL[1..]),
        happenings in happenings(),
    ) {
        let empty = Store::new(start);
        let expected = as_it_happened(&empty, &happenings);
        let store = bring_all(&empty, &in_order_of_arrival(&happenings))?;
        let (state, sorted) = (&store.order.state, &expected.order.state);
        prop_assert_eq!(&state.tracking, &sorted.tracking);
        prop_assert_eq!(&state.latest, &sorted.latest);
        prop_assert_eq!(timeline(&store), timeline(&expected));
    }
}

/// Every order that four reports can arrive in.
fn permutations(reports: &[Brought; 4]) -> Vec<Vec<&Brought>> {
    let mut orders = Vec::new();
    for picks in 0..256_usize {
        let places = [picks & 3, picks >> 2 & 3, picks >> 4 & 3, picks >> 6 & 3];
        if BTreeSet::from(places).len() == 4 {
            orders.push(places.iter().map(|place| &reports[*place]).collect());
        }
    }
    orders
}

#[test]
fn four_reports_in_all_24_orders() {
    use Status::{Delivered, InTransit, OutForDelivery, PickedUp, ReturnInitiated, Undelivered};
    for (statuses, end) in [
        ([PickedUp, InTransit, OutForDelivery, Delivered], Delivered),
        ([InTransit, OutForDelivery, Undelivered, InTransit], InTransit),
        ([OutForDelivery, Delivered, InTransit, ReturnInitiated], ReturnInitiated),
    ] {
        let mut n = 0;
        let reports = statuses.map(|status| {
            n += 1;
            Brought::of(report(&format!("r{n}"), status, Some(minute(n))))
        });
        let orders = permutations(&reports);
        assert_eq!(orders.len(), 24);
        for order in orders {
            let mut store = Store::new(Status::Pending);
            for brought in &order {
                store.bring(brought);
            }
            assert_eq!(store.order.state.tracking.status, end, "{order:?}");
            assert_eq!(store.entries.len(), 4);
        }
    }
}

/// The generator must reach what it claims to test.
#[test]
fn the_cases_are_not_all_easy() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let (mut late, mut changed_late, mut repeated, mut reshipped, mut ties) = (0, 0, 0, 0, 0);
    for _ in 0..200 {
        let happenings = happenings().new_tree(&mut runner).unwrap().current();
        let arrivals = in_order_of_arrival(&happenings);
        repeated += usize::from(arrivals.len() > happenings.len());
        let mut store = Store::new(Status::Pending);
        for brought in &arrivals {
            let Some(settled) = store.bring(brought) else { continue };
            late += usize::from(settled.entry.late);
            changed_late += usize::from(settled.entry.late && settled.entry.transition.is_some());
            reshipped += usize::from(matches!(brought.what, What::Reshipment { .. }));
        }
        let times: BTreeSet<_> =
            store.entries.values().map(|entry| entry.facts.sort_key.occurred_at).collect();
        ties += usize::from(times.len() < store.entries.len());
    }
    let reached = [late, changed_late, repeated, reshipped, ties];
    assert!(reached.iter().all(|count| *count > 20), "{reached:?}");
}
