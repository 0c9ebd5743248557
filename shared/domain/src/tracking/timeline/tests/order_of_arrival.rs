//! Property tests: neither arrival order nor duplicates change an order's final state.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde::Deserialize;

use super::store::{Content, Incoming, Store};
use crate::testing::{awb, minute, report, second};
use crate::tracking::fold::SortKey;
use crate::tracking::report::Report;
use crate::tracking::status::Status;
use crate::tracking::timeline::Arrival;
use crate::webhooks::delivery::Delivery;

/// A report or reshipment that arrives once or twice.
///
/// A report without a plausible time gets the time of its first receipt. All duplicates of a report
/// have the same time of receipt here, so that its time does not depend on the order of arrival.
#[derive(Debug, Clone)]
struct Arriving {
    incoming: Incoming,
    /// Sort keys among all arrivals.
    arrivals: Vec<(u16, Event)>,
}

#[derive(Debug, Clone, Copy)]
enum Event {
    Same,
    /// Another event with the same report.
    Other,
}

/// The AWBs of reports; the order has `A1`, and `R1` on the way back.
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
/// Seconds from the receipt to the time of the report: missing, before, within the clock tolerance,
/// beyond it. Whole minutes, so that ties are frequent.
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

fn reports() -> impl Strategy<Value = Vec<Arriving>> {
    let status = prop::sample::select(Status::ALL);
    let report = (status, prop::sample::select(&TIMES[..]), prop::sample::select(&PARCELS[..]));
    let report = (any::<u8>(), 0..6_i64, 0..12_u8, report, any::<[u16; 2]>(), 0..4_u8);
    prop::collection::vec(report, 1..10).prop_map(|values| {
        let reports = values.into_iter().enumerate().map(
            |(number, (id, received, kind, report, sort_keys, duplicate))| {
                let id = format!("{id:02x}-{number}");
                let incoming = if kind == 0 {
                    Incoming::reshipment(&id, minute(received))
                } else {
                    incoming_report(&id, received, report)
                };
                let duplicate =
                    [None, None, Some(Event::Same), Some(Event::Other)][usize::from(duplicate)];
                let first = (sort_keys[0], Event::Same);
                Arriving {
                    incoming,
                    arrivals: [first]
                        .into_iter()
                        .chain(duplicate.map(|event| (sort_keys[1], event)))
                        .collect(),
                }
            },
        );
        reports.collect()
    })
}

fn incoming_report(
    id: &str,
    received: i64,
    (status, time, parcel): (Status, Option<i64>, Option<&str>),
) -> Incoming {
    let occurred_at = time.map(|seconds| second(received * 60 + seconds));
    let report = Report {
        awb: parcel.map(awb),
        source_status: Some(format!("{status} by {id}")),
        location: Some(id.to_owned()),
        eta: Some(minute(received)),
        ..report(id, status, occurred_at)
    };
    Incoming { received_at: minute(received), ..Incoming::of(report) }
}

fn in_order_of_arrival(reports: &[Arriving]) -> Vec<Incoming> {
    let mut arrivals: Vec<(u16, Incoming)> = Vec::new();
    for report in reports {
        for (sort_key, event) in &report.arrivals {
            let mut incoming = report.incoming.clone();
            if matches!(event, Event::Other) {
                incoming.event.push_str("-other");
            }
            arrivals.push((*sort_key, incoming));
        }
    }
    arrivals.sort_by_key(|(sort_key, _)| *sort_key);
    arrivals.into_iter().map(|(_, incoming)| incoming).collect()
}

/// Applies every report once, in the order of the timeline.
fn apply_sorted(empty: &Store, reports: &[Arriving]) -> Store {
    let sort_key = |incoming: &Incoming| -> SortKey {
        let (Arrival::InOrder(arrival), state) =
            (incoming.arrival(&empty.order), &empty.order.state)
        else {
            panic!("the first report is in order")
        };
        arrival.commit(state, empty.now).entry.facts.sort_key
    };
    let mut sorted: Vec<_> = reports.iter().map(|report| &report.incoming).collect();
    sorted.sort_by_cached_key(|incoming| sort_key(incoming));
    let mut store = empty.clone();
    for incoming in sorted {
        store.apply(incoming);
    }
    assert!(store.entries.values().all(|entry| !entry.late));
    store
}

fn timeline(store: &Store) -> BTreeSet<(&str, Status, i64)> {
    let facts = store.entries.values().map(|entry| {
        let sort_key = &entry.facts.sort_key;
        (sort_key.report_id.as_str(), entry.facts.claim.status(), sort_key.occurred_at.millis())
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

/// Applies all arrivals and checks their deliveries: the new ones form a chain from the status at
/// creation to the current one; those of a duplicate have the ids of earlier ones.
fn apply_all(empty: &Store, arrivals: &[Incoming]) -> Result<Store, TestCaseError> {
    let mut store = empty.clone();
    let mut deliveries: Vec<Delivery> = Vec::new();
    for incoming in arrivals {
        let before = store.order.state.clone();
        let commit = store.apply(incoming);
        let fanned_out = store.fan_out(incoming);
        let Some(commit) = commit else {
            prop_assert_eq!(&store.order.state, &before);
            prop_assert!(
                fanned_out
                    .iter()
                    .all(|repeat| deliveries.iter().any(|first| first.id == repeat.id))
            );
            continue;
        };
        let changed = commit.state.tracking.status != before.tracking.status;
        prop_assert_eq!(fanned_out.len(), usize::from(changed));
        prop_assert_eq!(store.order.state.version, before.version + u64::from(changed));
        deliveries.extend(fanned_out);
    }
    let (mut status, mut version) = (empty.order.state.start, 1);
    for delivery in &deliveries {
        let data = read(delivery);
        prop_assert_eq!((data.previous_status, data.sequence), (status, version + 1));
        prop_assert_eq!(delivery.version, Some(data.sequence));
        (status, version) = (data.status, data.sequence);
    }
    prop_assert_eq!(
        (status, version),
        (store.order.state.tracking.status, store.order.state.version)
    );
    let ids: BTreeSet<_> = deliveries.iter().map(|delivery| &delivery.id).collect();
    prop_assert_eq!(ids.len(), deliveries.len());
    Ok(store)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 10_000, failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn arrival_order_and_duplicates_do_not_change_the_state(
        start in prop::sample::select(&Status::ALL[1..]),
        reports in reports(),
    ) {
        let empty = Store::new(start);
        let expected = apply_sorted(&empty, &reports);
        let store = apply_all(&empty, &in_order_of_arrival(&reports))?;
        let (state, sorted) = (&store.order.state, &expected.order.state);
        prop_assert_eq!(&state.tracking, &sorted.tracking);
        prop_assert_eq!(&state.latest, &sorted.latest);
        prop_assert_eq!(timeline(&store), timeline(&expected));
    }
}

fn permutations(reports: &[Incoming; 4]) -> Vec<Vec<&Incoming>> {
    let mut orders = Vec::new();
    for bits in 0..256_usize {
        let indexes = [bits & 3, bits >> 2 & 3, bits >> 4 & 3, bits >> 6 & 3];
        if BTreeSet::from(indexes).len() == 4 {
            orders.push(indexes.iter().map(|index| &reports[*index]).collect());
        }
    }
    orders
}

#[test]
fn four_reports_give_the_same_status_in_all_24_orders() {
    use Status::{Delivered, InTransit, OutForDelivery, PickedUp, ReturnInitiated, Undelivered};
    for (statuses, end) in [
        ([PickedUp, InTransit, OutForDelivery, Delivered], Delivered),
        ([InTransit, OutForDelivery, Undelivered, InTransit], InTransit),
        ([OutForDelivery, Delivered, InTransit, ReturnInitiated], ReturnInitiated),
    ] {
        let mut n = 0;
        let reports = statuses.map(|status| {
            n += 1;
            Incoming::of(report(&format!("r{n}"), status, Some(minute(n))))
        });
        let orders = permutations(&reports);
        assert_eq!(orders.len(), 24);
        for order in orders {
            let mut store = Store::new(Status::Pending);
            for incoming in &order {
                store.apply(incoming);
            }
            assert_eq!(store.order.state.tracking.status, end, "{order:?}");
            assert_eq!(store.entries.len(), 4);
        }
    }
}

/// The generator must produce the cases that the property is about.
#[test]
fn the_generator_covers_late_repeated_and_tied_reports() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let (mut late, mut changed_late, mut repeated, mut reshipped, mut ties) = (0, 0, 0, 0, 0);
    for _ in 0..200 {
        let reports = reports().new_tree(&mut runner).unwrap().current();
        let arrivals = in_order_of_arrival(&reports);
        repeated += usize::from(arrivals.len() > reports.len());
        let mut store = Store::new(Status::Pending);
        for incoming in &arrivals {
            let Some(commit) = store.apply(incoming) else { continue };
            late += usize::from(commit.entry.late);
            changed_late += usize::from(commit.entry.late && commit.entry.transition.is_some());
            reshipped += usize::from(matches!(incoming.content, Content::Reshipment { .. }));
        }
        let times: BTreeSet<_> =
            store.entries.values().map(|entry| entry.facts.sort_key.occurred_at).collect();
        ties += usize::from(times.len() < store.entries.len());
    }
    let reached = [late, changed_late, repeated, reshipped, ties];
    assert!(reached.iter().all(|count| *count > 20), "{reached:?}");
}
