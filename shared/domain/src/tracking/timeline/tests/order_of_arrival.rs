//! Property: neither the order of arrival nor duplicates change what an order's facts make of it.
//! The reports name their parcels, or the order as a whole.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde::Deserialize;

use super::generator::{Facts, facts};
use super::model::{model, outcome};
use super::store::{Incoming, Store};
use crate::core::id::{Awb, ReportId};
use crate::core::timestamp::Timestamp;
use crate::orders::order::Order;
use crate::tracking::entry::{Fact, TimelineEntry};
use crate::tracking::fold::fold;
use crate::tracking::state::State;
use crate::tracking::status::Status;
use crate::tracking::story::Story;
use crate::webhooks::delivery::Delivery;
use crate::webhooks::notification::{CurrentOrder, Notification};
use crate::webhooks::payload;

/// The facts among these entries.
fn timeline<'a>(
    entries: impl IntoIterator<Item = &'a TimelineEntry>,
) -> Vec<(&'a ReportId, Timestamp, &'a Fact)> {
    entries.into_iter().map(|it| (&it.id, it.occurred_at, &it.fact)).collect()
}

#[derive(Debug, Deserialize)]
struct Payload {
    r#type: String,
    data: Data,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    status: Status,
    previous_status: Option<Status>,
    sequence: u64,
    location: Option<String>,
    eta: Option<Timestamp>,
    delivery_attempts: u32,
    shipments: Vec<Shipment>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shipment {
    awb: Awb,
    status: Status,
    delivery_attempts: u32,
    replaced: bool,
}

fn read(body: &str) -> Payload {
    serde_json::from_str(body).unwrap()
}

/// The delivery carries what the order is.
fn check_payload(data: &Data, order: &Order) -> Result<(), TestCaseError> {
    let state = &order.state;
    prop_assert_eq!((data.status, data.sequence), (state.tracking.status, state.version));
    let shipments = data.shipments.iter();
    let carried: Vec<_> =
        shipments.map(|it| (&it.awb, it.status, it.delivery_attempts, it.replaced)).collect();
    let parcels = state.parcels.iter();
    let expected: Vec<_> =
        parcels.map(|it| (&it.awb, it.status, it.attempts, it.replaced)).collect();
    prop_assert_eq!(carried, expected);
    Ok(())
}

/// A delivery built after the last fact.
fn check_last(order: &Order) -> Result<(), TestCaseError> {
    let current = CurrentOrder { order, last: None };
    let data = read(&payload::standard(&Notification::current(&current), None)).data;
    check_payload(&data, order)?;
    let tracking = &order.state.tracking;
    let shown = (data.location, data.eta, data.delivery_attempts);
    prop_assert_eq!(shown, (tracking.location.clone(), tracking.eta, tracking.attempts));
    Ok(())
}

/// What the endpoint has been told so far.
struct Told {
    status: Status,
    version: u64,
    ids: BTreeSet<String>,
}

impl Told {
    /// Each change is one version, and begins where the change before ended.
    fn hear(&mut self, deliveries: &[Delivery], order: &Order) -> Result<(), TestCaseError> {
        self.version += u64::from(!deliveries.is_empty());
        for delivery in deliveries {
            let Payload { r#type, data } = read(&delivery.body);
            prop_assert!(self.ids.insert(delivery.id.clone()), "a delivery of its own");
            prop_assert_eq!((delivery.version, data.sequence), (Some(self.version), self.version));
            if r#type == "order.status_changed" {
                prop_assert_eq!(data.previous_status, Some(self.status));
                self.status = data.status;
            }
            check_payload(&data, order)?;
        }
        Ok(())
    }
}

/// Nothing that the API shows of the order, but when it was written.
fn check_ignored(before: &State, after: &State) -> Result<(), TestCaseError> {
    let State { rev, entries, entry_rev, entry_sum, updated_at, .. } = after.clone();
    let seen = State { rev, entries, entry_rev, entry_sum, updated_at, ..before.clone() };
    prop_assert_eq!(after, &seen);
    Ok(())
}

fn apply_all(facts: &Facts) -> Result<Store, TestCaseError> {
    let mut store = Store::starting(facts.start.clone());
    let status = store.order.state.tracking.status;
    let mut told = Told { status, version: 1, ids: BTreeSet::new() };
    for incoming in facts.arriving() {
        let before = store.order.state.clone();
        let is_new = store.apply(&incoming).is_some();
        if matches!(incoming.new.fact, Fact::Answer(_)) {
            check_ignored(&before, &store.order.state)?;
        }
        let has_changed = store.entries[&incoming.new.id].transition.is_some();
        let deliveries = if has_changed { store.fan_out(&incoming) } else { Vec::new() };
        if is_new {
            told.hear(&deliveries, &store.order)?;
        } else {
            prop_assert_eq!(&store.order.state, &before);
            prop_assert!(deliveries.iter().all(|it| told.ids.contains(&it.id)));
        }
    }
    let state = &store.order.state;
    prop_assert_eq!((told.status, told.version), (state.tracking.status, state.version));
    check_last(&store.order)?;
    Ok(store)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 10_000, failure_persistence: None, max_shrink_iters: 20_000,
        ..ProptestConfig::default()
    })]

    #[test]
    fn arrival_order_and_duplicates_do_not_change_the_state(facts in facts()) {
        let store = apply_all(&facts)?;
        let state = &store.order.state;
        prop_assert_eq!(timeline(store.entries.values()), timeline(&facts.entries));
        // Step by step ends where one fold over all facts ends.
        let folded = fold(&facts.start, state.created_at, &facts.entries);
        prop_assert_eq!(&state.tracking, &folded.tracking);
        prop_assert_eq!(&state.parcels, &folded.parcels);
        prop_assert_eq!(outcome(&folded), model(&facts.start, &facts.entries));
    }
}

fn permutations<T>(items: &[T; 4]) -> Vec<Vec<&T>> {
    let mut orders = Vec::new();
    for bits in 0..256_usize {
        let indexes = [bits & 3, bits >> 2 & 3, bits >> 4 & 3, bits >> 6 & 3];
        if BTreeSet::from(indexes).len() == 4 {
            orders.push(indexes.iter().map(|index| &items[*index]).collect());
        }
    }
    orders
}

#[test]
fn four_facts_give_the_same_status_in_all_24_orders() {
    use Status::{Delivered, InTransit, ReturnInTransit, ReturnInitiated};
    for (facts, end) in [
        ("A picked_up 1h, A in_transit 2h, A out_for_delivery 3h, A delivered 4h", Delivered),
        ("A in_transit 1h, A out_for_delivery 2h, A undelivered 3h, A in_transit 4h", InTransit),
        (
            "A out_for_delivery 1h, A delivered 2h, A in_transit 3h, A return_initiated 4h",
            ReturnInitiated,
        ),
        ("A in_transit 1h, awb B 2h, B in_transit 3h, A delivered 4h", InTransit),
        ("awb B 1h, awb C 2h, C in_transit 3h, B lost 4h", InTransit),
        ("A delivered 1h >R, R in_transit 2h, A lost 3h, R in_transit 4h", ReturnInTransit),
        ("A in_transit 1h, A delivered 2h, withdraw r2 3h, A unknown 4h", InTransit),
    ] {
        let story = Story::read("pending A", facts);
        let entries: &[TimelineEntry; 4] = story.entries.as_slice().try_into().unwrap();
        let orders = permutations(entries);
        assert_eq!(orders.len(), 24);
        for order in orders {
            let mut store = Store::starting(story.start.clone());
            for entry in &order {
                store.apply(&Incoming::again(entry));
            }
            assert_eq!(store.order.state.tracking.status, end, "{order:?}");
            assert_eq!(store.entries.len(), 4);
        }
    }
}

/// The generator must produce the cases that the property is about.
#[test]
fn the_generator_covers_the_rules() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let mut counts = std::collections::BTreeMap::<&str, u32>::new();
    for _ in 0..400 {
        let facts = facts().new_tree(&mut runner).unwrap().current();
        let arriving = facts.arriving();
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        let mut see = |what, is_seen: bool| is_seen.then(|| seen.insert(what));
        see("duplicate", arriving.len() > facts.entries.len());
        let mut store = Store::starting(facts.start.clone());
        for incoming in &arriving {
            let Some(commit) = store.apply(incoming) else { continue };
            let has_changed = commit.entry.transition.is_some();
            see("late", commit.entry.late);
            see("late with a change", commit.entry.late && has_changed);
            let parcels_only =
                commit.entry.transition.is_some_and(|transition| !transition.is_of_order());
            see("change of a parcel only", parcels_only);
        }
        see("withdrawal", facts.any(|fact| matches!(fact, Fact::Withdrawal { .. })));
        see("answer", facts.any(|fact| matches!(fact, Fact::Answer(_))));
        see("order report", facts.any(|fact| matches!(fact, Fact::Report(it) if it.awb.is_none())));
        let parcels = &store.order.state.parcels;
        see("three parcels", parcels.len() > 2);
        see("learnt", parcels.iter().any(|it| it.learnt));
        see("replaced", parcels.iter().any(|it| it.replaced));
        see("attempts", store.order.state.tracking.attempts > 1);
        see("return leg", store.order.state.tracking.status >= Status::ReturnInitiated);
        let times: BTreeSet<_> = facts.entries.iter().map(|entry| entry.occurred_at).collect();
        see("ties", times.len() < facts.entries.len());
        seen.into_iter().for_each(|what| *counts.entry(what).or_default() += 1);
    }
    assert!(counts.len() == 13 && counts.values().all(|count| *count > 20), "{counts:?}");
}
