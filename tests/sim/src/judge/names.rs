//! Names: each is of one order, and no report waits under the name of an order.

use std::collections::{BTreeMap, BTreeSet};

use aws::tables::orders::UnmatchedReport;
use domain::core::id::{AccountCode, Awb, EventId, OrderId, OrderKey, ProviderId, ReportId};
use domain::orders::order::has_left;
use domain::tracking::report::{Ref, Report, SourceName};

use super::orders::{Orders, StoredOrder, name, of_tenant, read};
use crate::world::State;

/// The names in the table, besides the orders' own ids.
#[derive(Default)]
pub(crate) struct Names {
    /// By account and name.
    owners: BTreeMap<(AccountCode, Ref), OrderId>,
    parked: BTreeMap<(AccountCode, ReportId, EventId), Parked>,
}

/// A report that waits for its order, as one event has it: another event may name another order.
struct Parked {
    report: Report,
    under: BTreeSet<Ref>,
}

impl Names {
    pub(crate) fn read(state: &State) -> Self {
        let mut names = Self::default();
        for row in state.dynamodb.rows("OrdersTable") {
            let text = |name: &str| row.get(name).and_then(|value| value["S"].as_str());
            let (Some(pk), Some(sk)) = (text("pk"), text("sk")) else { continue };
            let Some((account, name)) = pk.strip_prefix("ref:").and_then(read_name) else {
                continue;
            };
            if sk == "order"
                && let Some(order) = text("order_id").and_then(|id| OrderId::parse(id).ok())
            {
                names.owners.insert((account, name), order);
            } else if let Some(waiting) = row.get("json").and_then(read) {
                let UnmatchedReport { report, event_id, .. } = waiting;
                let key = (account, report.id.clone(), event_id);
                let parked = Parked { report, under: BTreeSet::new() };
                names.parked.entry(key).or_insert(parked).under.insert(name);
            }
        }
        names
    }

    pub(crate) fn owner(&self, account: &AccountCode, name: &Ref) -> Option<&OrderId> {
        self.owners.get(&(account.clone(), name.clone()))
    }

    /// True if a report waits under each of its names.
    pub(super) fn is_parked(&self, account: &AccountCode, report: &Report) -> bool {
        let mut parked =
            self.parked.iter().filter(|((of, id, _), _)| of == account && *id == report.id);
        parked.any(|(_, parked)| parked.under == references(&parked.report))
    }

    /// The order that a report finds now, by the rules of the documentation.
    pub(super) fn find(
        &self,
        account: &AccountCode,
        report: &Report,
        orders: &Orders,
    ) -> Option<OrderId> {
        let named = |name: &Ref| match name {
            Ref::Order(order) => {
                let key = OrderKey { account: account.clone(), order: order.clone() };
                orders.contains_key(&key).then(|| order.clone())
            }
            name => self.owner(account, name).cloned(),
        };
        let alternatives = || {
            let found: Vec<OrderId> = report.alternative_refs().iter().filter_map(named).collect();
            <[OrderId; 1]>::try_from(found).ok().map(|[order]| order)
        };
        report.refs().iter().find_map(named).or_else(alternatives)
    }
}

fn references(report: &Report) -> BTreeSet<Ref> {
    report.refs().into_iter().chain(report.alternative_refs()).collect()
}

fn read_name(pk: &str) -> Option<(AccountCode, Ref)> {
    let (account, rest) = of_tenant(pk)?;
    let (kind, rest) = rest.split_once(':')?;
    let name = match kind {
        "awb" => Ref::Awb(Awb::parse(rest).ok()?),
        "order" => Ref::Order(OrderId::parse(rest).ok()?),
        _ => {
            let (source, id) = rest.split_once(':')?;
            Ref::Provider { source: SourceName::from(source), id: ProviderId::parse(id).ok()? }
        }
    };
    Some((account, name))
}

/// True for a name in reports that left the order with their parcel and came back with it, while a
/// report of another parcel keeps the name with the order that had it in between.
fn came_back(order: &StoredOrder, name: &Ref, owner: Option<&OrderId>, orders: &Orders) -> bool {
    let naming = order.standing().filter_map(|entry| entry.report());
    let mut naming = naming.filter(|report| report.names().any(|it| it == *name)).peekable();
    let have_left = naming.peek().is_some()
        && naming
            .all(|report| report.awb.as_ref().is_some_and(|awb| has_left(awb, &order.entries)));
    let owner = owner.map(|owner| OrderKey { order: owner.clone(), ..order.key.clone() });
    let owner = owner.and_then(|key| orders.get(&key));
    have_left && owner.is_some_and(|owner| owner.names().contains(name))
}

/// `leftovers`: a report may wait though its order has it. A park that times out may reach the table
/// after the order was reconciled, and one of a message's second run has no run after it. Such a row
/// has no effect; the order's next name, or its age, removes it.
pub(super) fn judge(names: &Names, orders: &Orders, leftovers: bool) -> Vec<String> {
    let mut findings = Vec::new();
    let mut own: BTreeSet<(AccountCode, Ref)> = BTreeSet::new();
    for order in orders.values() {
        for name in order.names() {
            let owner = names.owner(&order.key.account, &name);
            if owner != Some(&order.key.order) && !came_back(order, &name, owner, orders) {
                let has = owner.map_or("no order", OrderId::as_str);
                findings.push(format!("{} has the name {name:?}, its row: {has}", order.name()));
            }
            own.insert((order.key.account.clone(), name));
        }
    }
    for ((account, name), owner) in names.owners.iter().filter(|(it, _)| !own.contains(*it)) {
        findings.push(format!("the row of {name:?} of {account} has {owner}, which has it not"));
    }
    for ((account, id, _), parked) in &names.parked {
        if let Some(order) = names.find(account, &parked.report, orders) {
            let key = OrderKey { account: account.clone(), order };
            let has_it = |order: &StoredOrder| order.standing().any(|entry| entry.id == *id);
            if leftovers && orders.get(&key).is_some_and(has_it) {
                continue;
            }
            let order = self::name(&key);
            findings.push(format!("report {id} waits, though {order} is there"));
        }
    }
    findings
}
