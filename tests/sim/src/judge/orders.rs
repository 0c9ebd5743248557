//! Orders: each is the fold of its facts, and every row about it agrees with it.

use std::collections::{BTreeMap, BTreeSet};

use aws::tables::packed::unpack_bytes;
use domain::core::id::{AccountCode, OrderId, OrderKey, ReportId};
use domain::orders::order::{Order, Profile, went_to};
use domain::tracking::entry::{Fact, ParcelFact, TimelineEntry};
use domain::tracking::fold::{Folded, fold};
use domain::tracking::report::Ref;
use domain::tracking::state::State as OrderState;
use doubles::dynamodb::Item;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::ledger::Promise;
use crate::world::State;

/// An order as it is stored.
#[derive(Debug, Clone)]
pub(crate) struct StoredOrder {
    pub(crate) key: OrderKey,
    pub(crate) state: OrderState,
    pub(crate) profile: Profile,
    pub(crate) entries: Vec<TimelineEntry>,
    given_up: BTreeSet<Ref>,
}

pub(crate) type Orders = BTreeMap<OrderKey, StoredOrder>;

pub(super) fn judge(state: &State, stored: &Orders) -> Vec<String> {
    let orders = state.ledger.orders.iter();
    let lost = orders.filter(|(_, promise)| **promise == Promise::Accepted);
    let lost = lost.filter(|(key, _)| !stored.contains_key(*key));
    let mut findings: Vec<String> = lost.map(|(key, _)| format!("{} is lost", name(key))).collect();
    let is_known = |key: &&OrderKey| {
        state.ledger.orders.get(*key).is_some_and(|promise| *promise != Promise::None)
    };
    let unknown = stored.keys().filter(|key| !is_known(key));
    findings.extend(unknown.map(|key| format!("{} is an unexpected order", name(key))));
    findings.extend(stored.values().flat_map(StoredOrder::history));
    findings
}

pub(super) fn name(key: &OrderKey) -> String {
    format!("{} of {}", key.order, key.account)
}

impl StoredOrder {
    pub(crate) fn name(&self) -> String {
        name(&self.key)
    }

    pub(crate) fn fold(&self) -> Folded {
        fold(&self.state.start, self.state.created_at, &self.entries)
    }

    pub(crate) fn order(&self) -> Order {
        let Self { key, state, profile, given_up, .. } = self.clone();
        Order { key, profile, state, recent: 0, scans: Vec::new(), given_up, watched_until: None }
    }

    /// The names by which reports find it, besides its id.
    pub(super) fn names(&self) -> BTreeSet<Ref> {
        self.order().names(&self.entries)
    }

    pub(super) fn parcel_facts(&self) -> impl Iterator<Item = &ParcelFact> {
        self.entries.iter().filter_map(|entry| match &entry.fact {
            Fact::Parcel(fact) => Some(fact),
            Fact::Report(_) | Fact::Withdrawal { .. } | Fact::Answer(_) => None,
        })
    }

    pub(super) fn withdrawn(&self) -> BTreeSet<&ReportId> {
        let withdrawn = self.entries.iter().filter_map(|entry| match &entry.fact {
            Fact::Withdrawal { report_id } => Some(report_id),
            Fact::Report(_) | Fact::Parcel(_) | Fact::Answer(_) => None,
        });
        withdrawn.collect()
    }

    /// The reports that did not go to another order together with a name.
    pub(super) fn standing(&self) -> impl Iterator<Item = &TimelineEntry> {
        let reports = self.entries.iter().filter(|entry| entry.report().is_some());
        reports.filter(|entry| went_to(&entry.id, &self.entries).is_none())
    }

    /// State and versions are those of the timeline.
    fn history(&self) -> Vec<String> {
        let (name, Self { state, entries, .. }) = (self.name(), self);
        let mut findings = Vec::new();
        let mut folded = self.fold();
        for parcel in &mut folded.parcels {
            let stored = state.parcel(&parcel.awb);
            parcel.checkpoints = stored.and_then(|stored| stored.checkpoints.clone());
        }
        if (&folded.tracking, &folded.parcels) != (&state.tracking, &state.parcels) {
            findings.push(format!("{name} is not the fold of its facts"));
        }
        if u64::try_from(entries.len()).ok() != Some(state.entries) {
            let (is, says) = (entries.len(), state.entries);
            findings.push(format!("{name} has {is} entries, its state says {says}"));
        }
        let versions = entries.iter().filter_map(|entry| entry.transition.as_ref());
        let mut versions: Vec<u64> = versions.map(|transition| transition.version).collect();
        versions.sort_unstable();
        if versions != (2..=state.version).collect::<Vec<_>>() {
            let version = state.version;
            findings.push(format!("{name} is at version {version}, its changes are {versions:?}"));
        }
        findings
    }
}

/// The orders in the table.
pub(crate) fn stored_orders(state: &State) -> Orders {
    let orders = partitions(state, "order:").into_iter().filter_map(|(pk, rows)| {
        let order = stored_order(pk, &rows)?;
        Some((order.key.clone(), order))
    });
    orders.collect()
}

/// One order, as it is now.
pub(crate) fn stored_order_of(state: &State, key: &OrderKey) -> Option<StoredOrder> {
    let pk = format!("order:{}:{}", tenant(&key.account), key.order);
    let rows = partitions(state, &pk).remove(pk.as_str())?;
    stored_order(&pk, &rows)
}

/// The start of every key of an account.
pub(super) fn tenant(account: &AccountCode) -> String {
    format!("{}:{account}", account.as_str().len())
}

/// The rows by their partition and sort key.
fn partitions<'a>(state: &'a State, prefix: &str) -> BTreeMap<&'a str, Vec<(&'a str, &'a Item)>> {
    let mut partitions: BTreeMap<&str, Vec<(&str, &Item)>> = BTreeMap::new();
    for row in state.dynamodb.rows("OrdersTable") {
        let text = |name: &str| row.get(name).and_then(|value| value["S"].as_str());
        let (Some(pk), Some(sk)) = (text("pk"), text("sk")) else { continue };
        if pk.starts_with(prefix) {
            partitions.entry(pk).or_default().push((sk, row));
        }
    }
    partitions
}

fn stored_order(pk: &str, rows: &[(&str, &Item)]) -> Option<StoredOrder> {
    let (account, order) = of_tenant(pk.strip_prefix("order:")?)?;
    let key = OrderKey { account, order: OrderId::parse(order).ok()? };
    let find = |name: &str| rows.iter().find(|(sk, _)| *sk == name).map(|(_, row)| *row);
    let (state_row, profile) = (find("state")?, find("profile")?);
    let (state, profile) = (unpack(state_row.get("state")?)?, read(profile.get("json")?)?);
    let given_up = state_row.get("given_up").and_then(|names| names["SS"].as_array());
    let given_up = given_up.into_iter().flatten().filter_map(|name| name.as_str());
    let given_up = given_up.filter_map(|name| serde_json::from_str(name).ok()).collect();
    let facts = rows.iter().filter_map(|(_, row)| row.get("facts"));
    let entries = facts.filter_map(unpack::<Vec<TimelineEntry>>).flatten().collect();
    Some(StoredOrder { key, state, profile, entries, given_up })
}

/// Splits `{length of account}:{account}:{rest}`.
pub(super) fn of_tenant(text: &str) -> Option<(AccountCode, &str)> {
    let (length, rest) = text.split_once(':')?;
    let (account, rest) = rest.split_at_checked(length.parse().ok()?)?;
    Some((AccountCode::parse(account).ok()?, rest.strip_prefix(':')?))
}

fn unpack<T: DeserializeOwned>(packed: &Value) -> Option<T> {
    unpack_bytes(&aws_smithy_types::base64::decode(packed["B"].as_str()?).ok()?)
}

pub(super) fn read<T: DeserializeOwned>(json: &Value) -> Option<T> {
    serde_json::from_str(json["S"].as_str()?).ok()
}
