//! Deliveries: each change is told once to each endpoint that asks, and each delivery ends.

use std::collections::{BTreeMap, BTreeSet};

use domain::core::id::{AccountCode, Awb, OrderId, OrderKey};
use domain::core::timestamp::Timestamp;
use domain::tracking::entry::Transition;
use domain::webhooks::delivery::Delivery;
use serde_json::Value;

use super::orders::{Orders, StoredOrder};
use crate::ledger::{Post, Queued};
use crate::setup::endpoints::{ALL_CHANGES, Endpoint, LATEST_ONLY, Standing};
use crate::world::State;

/// A change, as an endpoint is told of it: account, order, version, and the parcel if it is told of
/// parcels.
type Told = (String, String, u64, Option<String>);
/// By change: the deliveries that tell of it.
type ToldBy<'a> = BTreeMap<Told, Vec<&'a Queued>>;

/// Clocks are off by up to two seconds.
const SKEW_MS: u64 = 2000;
/// Within this time `sweep` runs, and notifies endpoints.
const SWEPT_MS: i64 = 180_000;

pub(super) fn judge(state: &State, orders: &Orders) -> Vec<String> {
    let times = Times::of(&told(state, ALL_CHANGES, orders));
    let judge = Judge { state, orders, times };
    let endpoints = state.endpoints.all();
    let mut findings: Vec<String> = endpoints.flat_map(|it| judge.endpoint(it)).collect();
    let deliveries = state.ledger.deliveries.values();
    findings.extend(deliveries.filter_map(|it| ending(state, &it.delivery)));
    findings.extend(untold(state));
    findings.extend(unqueued(state));
    findings
}

/// An endpoint whose state the others were not notified of, although `sweep` ran since.
fn untold(state: &State) -> impl Iterator<Item = String> {
    let rows = state.dynamodb.rows("StateTable").filter(|row| row["pk"]["S"] == "endpoints");
    let text = |row: &doubles::dynamodb::Item, name: &str| {
        row.get(name).and_then(|value| value["S"].as_str()).unwrap_or_default().to_owned()
    };
    let now = i64::try_from(state.now()).unwrap_or(i64::MAX);
    let untold = rows.filter(move |row| {
        let told = format!("{} {}", text(row, "state"), text(row, "since"));
        let since = Timestamp::parse(&text(row, "since")).map(|since| since.millis());
        let is_recent = since.is_ok_and(|since| since + SWEPT_MS > now);
        row.contains_key("state") && text(row, "told") != told && !is_recent
    });
    untold.map(|row| format!("no endpoint is told of the state of {}", row["sk"]["S"]))
}

/// A POST that is of no delivery to that endpoint.
fn unqueued(state: &State) -> impl Iterator<Item = String> {
    let is_queued = |post: &&Post| {
        let queued = state.ledger.deliveries.get(&post.id);
        queued.is_some_and(|queued| queued.delivery.endpoint.as_str() == post.endpoint)
    };
    let unqueued = state.ledger.posts.iter().filter(move |post| !is_queued(post));
    unqueued.map(|post| format!("{} of no delivery reaches {}", post.id, post.endpoint))
}

struct Judge<'a> {
    state: &'a State,
    orders: &'a Orders,
    times: Times,
}

/// When endpoints were told of each change, first and last, by account, order and version.
struct Times(BTreeMap<(String, String, u64), (u64, u64)>);

impl Times {
    fn of(told: &ToldBy<'_>) -> Self {
        let mut times: BTreeMap<_, (u64, u64)> = BTreeMap::new();
        for ((account, order, version, _), by) in told {
            let change = (account.clone(), order.clone(), *version);
            let time = times.entry(change).or_insert((u64::MAX, 0));
            for queued in by {
                *time = (time.0.min(queued.first), time.1.max(queued.last));
            }
        }
        Self(times)
    }

    fn of_change(&self, (account, order, version, _): &Told) -> (u64, u64) {
        let change = (account.clone(), order.clone(), *version);
        self.0.get(&change).copied().unwrap_or((0, u64::MAX))
    }
}

impl Judge<'_> {
    fn endpoint(&self, endpoint: &Endpoint) -> Vec<String> {
        let name = endpoint.name;
        let told = told(self.state, name, self.orders);
        let mut findings = Vec::new();
        for (change, by) in told.iter().filter(|(_, by)| is_doubled(by)) {
            let ids: BTreeSet<&str> = by.iter().map(|it| it.delivery.id.as_str()).collect();
            findings.push(format!("{name} is told of {change:?} under {} ids: {ids:?}", by.len()));
        }
        let own = self.orders.values().filter(|it| endpoint.is_for(it.key.account.as_str()));
        let expected: BTreeSet<Told> = own.flat_map(|it| changes(it, endpoint)).collect();
        let missing = expected.iter().filter(|change| !told.contains_key(*change));
        let missing = missing.filter(|change| self.has_to_know(name, change));
        findings.extend(missing.map(|it| format!("{name} is not told of {it:?}")));
        let unexpected = told.keys().filter(|change| !expected.contains(*change));
        findings.extend(unexpected.map(|it| format!("{name} is told of {it:?}, which never was")));
        let late = told.iter().filter(|(_, by)| by.iter().any(|it| self.is_removed(name, it)));
        findings.extend(late.map(|(it, _)| format!("{name} is told of {it:?}, but was removed")));
        findings
    }

    /// True if the endpoint was there from before the change until the last one was told of it. If
    /// its settings could not be used, the event failed, and was retried once they could.
    fn has_to_know(&self, endpoint: &str, change: &Told) -> bool {
        let (first, last) = self.times.of_change(change);
        let allowed = [Standing::On, Standing::Broken];
        self.state.endpoints.stood(endpoint, &allowed, first, last.saturating_add(SKEW_MS))
    }

    fn is_removed(&self, endpoint: &str, queued: &Queued) -> bool {
        let at = queued.first;
        self.state.endpoints.stood(endpoint, &[Standing::Off], at.saturating_sub(SKEW_MS), at)
    }
}

/// True if one change is told twice, apart from batches. A batch that changed between a crash and
/// the redelivery of its event is another delivery: under the old id its endpoint would not learn
/// what is new in it. The same rows under two ids are a repeat.
fn is_doubled(deliveries: &[&Queued]) -> bool {
    let sets: Vec<BTreeSet<String>> = deliveries.iter().map(|it| rows_of(&it.delivery)).collect();
    let single = sets.iter().filter(|rows| rows.len() < 2).count();
    let distinct: BTreeSet<&BTreeSet<String>> = sets.iter().collect();
    single > 1 || distinct.len() < sets.len()
}

/// Orders, parcels and versions of a batch.
fn rows_of(delivery: &Delivery) -> BTreeSet<String> {
    let body: Value = serde_json::from_str(&delivery.body).unwrap_or_default();
    let row = |row: &Value| format!("{}/{}/{}", row["order_id"], row["awb"], row["sequence"]);
    body["orders"].as_array().into_iter().flatten().map(row).collect()
}

/// The changes of an order that an endpoint is told of.
fn changes(order: &StoredOrder, endpoint: &Endpoint) -> Vec<Told> {
    let (account, id) = (order.key.account.to_string(), order.key.order.to_string());
    let transitions = order.entries.iter().filter_map(|entry| entry.transition.as_ref());
    let rows = transitions.flat_map(|transition| {
        let parcels = parcels_told(transition, endpoint);
        parcels.into_iter().map(|awb| (account.clone(), id.clone(), transition.version, awb))
    });
    rows.collect()
}

/// The parcels that a change is told with; `None` for the order.
fn parcels_told(transition: &Transition, endpoint: &Endpoint) -> Vec<Option<String>> {
    let parcels = || transition.parcels.iter().map(|parcel| Some(parcel.awb.to_string()));
    if endpoint.format == "status_update" {
        // A row for each parcel, or one for the order if no parcel changed.
        let rows: Vec<_> = parcels().collect();
        return if rows.is_empty() { vec![None] } else { rows };
    }
    let asks = |event: &str| endpoint.events.contains(&event);
    let is_asked = endpoint.events.is_empty()
        || asks("order.status_changed")
        || asks(transition.status.as_str());
    let of_order = (transition.is_of_order() && is_asked).then_some(None);
    let of_parcels = parcels().filter(|_| asks("shipment.status_changed"));
    of_order.into_iter().chain(of_parcels).collect()
}

/// What an endpoint is told of without a request of an operator.
fn told<'a>(state: &'a State, endpoint: &str, orders: &Orders) -> ToldBy<'a> {
    let mut told = ToldBy::new();
    let queued = state.ledger.deliveries.values().filter(|it| !it.is_triggered);
    for queued in queued.filter(|it| it.delivery.endpoint.as_str() == endpoint) {
        for change in changes_in(&queued.delivery, orders) {
            told.entry(change).or_default().push(queued);
        }
    }
    told
}

/// The changes in a payload of any format.
pub(super) fn changes_in(delivery: &Delivery, orders: &Orders) -> Vec<Told> {
    let body: Value = serde_json::from_str(&delivery.body).unwrap_or_default();
    let Some(account) = &delivery.account else { return Vec::new() };
    let is_of_parcel = body["type"] == "shipment.status_changed";
    match (&body["orders"], &body["data"]) {
        (Value::Array(rows), _) => {
            let read = |row: &Value| {
                let has_parcels = has_parcels(row, account, orders);
                read(row, "order_id", account, has_parcels)
            };
            rows.iter().filter_map(read).collect()
        }
        (_, data @ Value::Object(_)) => {
            read(data, "orderId", account, is_of_parcel).into_iter().collect()
        }
        _ => read(&body, "orderId", account, false).into_iter().collect(),
    }
}

fn read(row: &Value, id: &str, account: &AccountCode, is_of_parcel: bool) -> Option<Told> {
    let awb = row["awb"].as_str().filter(|_| is_of_parcel).map(str::to_owned);
    Some((account.to_string(), row[id].as_str()?.to_owned(), row["sequence"].as_u64()?, awb))
}

/// True if the change of a row is one of parcels.
fn has_parcels(row: &Value, account: &AccountCode, orders: &Orders) -> bool {
    let id = row["order_id"].as_str().and_then(|id| OrderId::parse(id).ok());
    let key = id.map(|order| OrderKey { account: account.clone(), order });
    let entries = key.and_then(|key| orders.get(&key)).into_iter().flat_map(|it| &it.entries);
    let mut transitions = entries.filter_map(|entry| entry.transition.as_ref());
    transitions.any(|it| row["sequence"] == it.version && !it.parcels.is_empty())
}

/// True if the endpoint wants the latest delivery only, and there is one about the same order or
/// parcel.
fn has_newer(state: &State, delivery: &Delivery) -> bool {
    let about = |it: &Delivery| {
        let awb = it.awb.as_ref().map(Awb::canonical);
        (it.kind.event(), it.account.clone(), it.order_id.clone(), awb)
    };
    let mut to_endpoint =
        state.ledger.deliveries.values().filter(|it| it.delivery.endpoint == delivery.endpoint);
    delivery.endpoint.as_str() == LATEST_ONLY
        && to_endpoint.any(|it| {
            about(&it.delivery) == about(delivery) && it.delivery.version > delivery.version
        })
}

/// A delivery ends as delivered or superseded, or as dead with a copy in the dead-letter queue, which would begin
/// the next run.
fn ending(state: &State, delivery: &Delivery) -> Option<String> {
    let id = &delivery.id;
    let row = state.dynamodb.row("DeliveriesTable", &serde_json::json!({ "pk": { "S": id } }));
    let end = row.and_then(|row| row.get("state")?["S"].as_str()).unwrap_or("nothing");
    let run: u32 = row.and_then(|row| row.get("run")?["N"].as_str()?.parse().ok()).unwrap_or(0);
    let is_taken = state
        .ledger
        .posts
        .iter()
        .any(|post| post.id == *id && post.run == u64::from(run) && post.is_taken);
    let is_dead_letter = || {
        let letters = state.sqs.messages("DeliveriesDlq");
        let mut letters = letters.filter_map(|it| Delivery::from_message(&it.body));
        letters.any(|it| it.id == *id && it.run == run + 1)
    };
    let mut redriven = state.ledger.redriven.iter().filter(|(it, _)| it == id);
    let mut replayed = state.ledger.replayed.iter().filter(|(it, _)| it == id);
    if let Some((_, replayed)) = replayed.find(|(_, replayed)| *replayed > run) {
        return Some(format!("{id} was replayed as run {replayed}, but is at run {run}"));
    }
    match end {
        "delivered" if is_taken => None,
        "delivered" => {
            Some(format!("{id} counts as delivered, but {} did not take it", delivery.endpoint))
        }
        // A run that an operator began is not superseded.
        "superseded" if run == 1 && has_newer(state, delivery) => None,
        "superseded" => Some(format!("{id} is superseded by no newer delivery")),
        "dead" if redriven.any(|(_, redriven)| *redriven > run) => {
            Some(format!("{id} was redriven, but is at run {run}"))
        }
        "dead" if is_dead_letter() => None,
        "dead" => Some(format!("{id} is dead without a dead letter")),
        end => Some(format!("{id} ends as {end}")),
    }
}
