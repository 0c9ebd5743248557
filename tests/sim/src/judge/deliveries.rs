//! Deliveries: each change is told once to each endpoint that asks, and each delivery ends.

use std::collections::{BTreeMap, BTreeSet};

use domain::core::id::{AccountCode, OrderId, OrderKey};
use domain::webhooks::delivery::Delivery;
use serde_json::Value;

use super::orders::{Orders, StoredOrder};
use crate::setup::ENDPOINTS;
use crate::world::State;

/// A change, as an endpoint is told of it: account, order, version, and the parcel if it is told of
/// parcels.
type Told = (String, String, u64, Option<String>);

pub(super) fn judge(state: &State, orders: &Orders) -> Vec<String> {
    let mut findings = Vec::new();
    for (endpoint, format, accounts) in ENDPOINTS {
        let told = told(state, endpoint, orders);
        for (change, by) in told.iter().filter(|(_, by)| is_doubled(by)) {
            findings.push(format!("{endpoint} is told of {change:?} under {} ids", by.len()));
        }
        let is_subscribed =
            |key: &OrderKey| accounts.contains(&"*") || accounts.contains(&key.account.as_str());
        let own = orders.values().filter(|it| is_subscribed(&it.key));
        let expected: BTreeSet<Told> = own.flat_map(|it| changes(it, format)).collect();
        let missing = expected.iter().filter(|change| !told.contains_key(*change));
        findings.extend(missing.map(|it| format!("{endpoint} is not told of {it:?}")));
        let unexpected = told.keys().filter(|change| !expected.contains(*change));
        findings
            .extend(unexpected.map(|it| format!("{endpoint} is told of {it:?}, which never was")));
    }
    findings.extend(state.ledger.deliveries.values().filter_map(|it| ending(state, it)));
    findings
}

/// True if one change is told twice, apart from batches. A batch that changed between a crash and
/// the redelivery of its event is another delivery: under the old id its endpoint would not learn
/// what is new in it. The same rows under two ids are a repeat.
fn is_doubled(deliveries: &[&Delivery]) -> bool {
    let sets: Vec<BTreeSet<String>> = deliveries.iter().map(|it| rows_of(it)).collect();
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

/// The changes of an order that a format tells of. `status_update` has a row for each parcel.
fn changes(order: &StoredOrder, format: &str) -> Vec<Told> {
    let (account, id) = (order.key.account.to_string(), order.key.order.to_string());
    let told = |version, awb| (account.clone(), id.clone(), version, awb);
    let transitions = order.entries.iter().filter_map(|entry| entry.transition.as_ref());
    if format != "status_update" {
        let of_order = transitions.filter(|transition| transition.is_of_order());
        return of_order.map(|it| told(it.version, None)).collect();
    }
    let rows = transitions.flat_map(|transition| {
        let parcels = transition.parcels.iter().map(|parcel| Some(parcel.awb.to_string()));
        let parcels: Vec<Option<String>> = parcels.collect();
        let rows = if parcels.is_empty() { vec![None] } else { parcels };
        rows.into_iter().map(|awb| told(transition.version, awb)).collect::<Vec<_>>()
    });
    rows.collect()
}

/// What an endpoint is told of, and by which deliveries.
fn told<'a>(
    state: &'a State,
    endpoint: &str,
    orders: &Orders,
) -> BTreeMap<Told, Vec<&'a Delivery>> {
    let mut told: BTreeMap<Told, Vec<&Delivery>> = BTreeMap::new();
    let deliveries = state.ledger.deliveries.values();
    for delivery in deliveries.filter(|it| it.endpoint.as_str() == endpoint) {
        let body: Value = serde_json::from_str(&delivery.body).unwrap_or_default();
        for row in rows(&body) {
            let Some(change) = read(row, &delivery.account, orders) else { continue };
            told.entry(change).or_default().push(delivery);
        }
    }
    told
}

/// The orders of a payload in any format.
fn rows(body: &Value) -> Vec<&Value> {
    match (&body["orders"], &body["data"]) {
        (Value::Array(orders), _) => orders.iter().collect(),
        (_, data @ Value::Object(_)) => vec![data],
        _ => vec![body],
    }
}

fn read(row: &Value, account: &AccountCode, orders: &Orders) -> Option<Told> {
    // Only `status_update` writes field names in this way.
    let is_of_parcel = row["order_id"].is_string();
    let id = row["orderId"].as_str().or_else(|| row["order_id"].as_str())?;
    let version = row["sequence"].as_u64()?;
    let key = OrderKey { account: account.clone(), order: OrderId::parse(id).ok()? };
    let mut entries = orders.get(&key).into_iter().flat_map(|order| &order.entries);
    let transition = entries.find_map(|entry| {
        entry.transition.as_ref().filter(|transition| transition.version == version)
    });
    let has_parcels = transition.is_some_and(|transition| !transition.parcels.is_empty());
    let awb = row["awb"].as_str().filter(|_| is_of_parcel && has_parcels);
    Some((account.to_string(), id.to_owned(), version, awb.map(str::to_owned)))
}

/// A delivery ends as delivered, or as dead with a copy in the dead-letter queue.
fn ending(state: &State, delivery: &Delivery) -> Option<String> {
    let id = &delivery.id;
    let row = state.dynamodb.row("DeliveriesTable", &serde_json::json!({ "pk": { "S": id } }));
    let end = row.and_then(|row| row.get("state")?["S"].as_str()).unwrap_or("nothing");
    let is_taken = state.ledger.posts.iter().any(|post| post.id == *id && post.is_taken);
    let is_dead_letter = || {
        let letters = state.sqs.messages("DeliveriesDlq");
        letters.filter_map(|it| Delivery::from_message(&it.body)).any(|it| it.id == *id)
    };
    match end {
        "delivered" if is_taken => None,
        "delivered" => {
            Some(format!("{id} counts as delivered, but {} did not take it", delivery.endpoint))
        }
        "dead" if is_dead_letter() => None,
        "dead" => Some(format!("{id} is dead without a dead letter")),
        end => Some(format!("{id} ends as {end}")),
    }
}
