//! Triggered deliveries: each request sends the current state of its orders to each endpoint that
//! takes it, and of no other.

use std::collections::BTreeSet;

use domain::core::id::{OrderId, OrderKey};

use super::deliveries::changes_in;
use super::orders::Orders;
use crate::ledger::{Promise, Queued, Trigger};
use crate::setup::endpoints::Standing;
use crate::world::State;

pub(super) fn judge(state: &State, orders: &Orders) -> Vec<String> {
    let triggers = &state.ledger.triggers;
    let mut findings: Vec<String> =
        triggers.iter().flat_map(|trigger| answered(state, orders, trigger)).collect();
    let sent = state.ledger.deliveries.values().filter(|queued| queued.is_triggered);
    findings.extend(sent.filter_map(|queued| unasked(queued, orders, triggers)));
    findings
}

/// The deliveries that an answer names were queued, one for each endpoint that takes them.
fn answered(state: &State, orders: &Orders, trigger: &Trigger) -> Vec<String> {
    if trigger.promise != Promise::Accepted {
        return Vec::new();
    }
    let queued = trigger.deliveries.iter().map(|id| state.ledger.deliveries.get(id));
    let queued: Vec<&Queued> = queued.flatten().filter(|it| it.is_triggered).collect();
    let mut findings = Vec::new();
    if queued.len() < trigger.deliveries.len() {
        findings.push(format!("deliveries of {:?} were not queued", trigger.orders));
    }
    let asked = trigger.orders.iter().filter(|order| {
        let order = OrderId::parse(order).ok();
        let key = order.map(|order| OrderKey { account: trigger.account.clone(), order });
        key.is_some_and(|key| created_before(orders, &key, trigger.from))
    });
    let asked: BTreeSet<&String> = asked.collect();
    for endpoint in state.endpoints.all().filter(|it| it.format == "status_update") {
        let is_there =
            state.endpoints.stood(endpoint.name, &[Standing::On], trigger.from, trigger.until);
        let own = queued.iter().filter(|it| it.delivery.endpoint.as_str() == endpoint.name);
        let told = own.flat_map(|it| changes_in(&it.delivery, orders));
        let told: BTreeSet<String> = told.map(|(_, order, ..)| order).collect();
        let missing = asked.iter().find(|order| !told.contains(**order));
        if let Some(order) = missing.filter(|_| is_there) {
            findings.push(format!("{} is not sent the state of {order}", endpoint.name));
        }
    }
    findings
}

fn created_before(orders: &Orders, key: &OrderKey, at: u64) -> bool {
    let created = orders.get(key).map(|order| order.state.created_at.millis());
    // Clocks are off by up to two seconds.
    created.and_then(|ms| u64::try_from(ms).ok()).is_some_and(|ms| ms + 4000 < at)
}

/// A delivery of an order that no operator asked for, or one more than there were requests.
fn unasked(queued: &Queued, orders: &Orders, triggers: &[Trigger]) -> Option<String> {
    let account = &queued.delivery.account;
    let own = triggers.iter().filter(|it| Some(&it.account) == account.as_ref());
    let asked: BTreeSet<&String> = own.flat_map(|it| &it.orders).collect();
    let told = changes_in(&queued.delivery, orders);
    let (_, order, ..) = told.iter().find(|(_, order, ..)| !asked.contains(order))?;
    Some(format!("the state of {order} is sent without a request"))
}
