//! Clients of sockets: each sees changes of its scope only, as they were, and in the end knows the last
//! version of every order that it knows at all.

use std::collections::BTreeSet;

use domain::core::id::{AccountCode, OrderId, OrderKey};
use serde_json::Value;

use super::messages::rows::Stored;
use super::orders::{Orders, StoredOrder, stored_order_of};
use crate::ledger::sockets::Gone;
use crate::sockets::Client;
use crate::world::State;

/// Rows of a socket outlive its two hours by ten minutes.
const LONGEST_SECONDS: u64 = 131 * 60;

pub(super) fn judge(state: &State, orders: &Orders) -> Vec<String> {
    let messages = messages(&Stored::read(state));
    let seen = state.ledger.sockets.seen.iter().filter_map(|seen| {
        let problem = untrue(&state.sockets.clients[seen.client], &seen.frame, orders, &messages)?;
        Some(format!("client-{} sees {}, {problem}", seen.client, seen.frame))
    });
    let clients = state.sockets.clients.iter().enumerate();
    let clients = clients.flat_map(|(number, client)| ignorance(number, client, orders));
    seen.chain(clients).chain(unforgotten(state)).chain(lasting(state)).collect()
}

/// Accounts and the ids of their messages.
type Messages = BTreeSet<(AccountCode, String)>;

fn messages(stored: &Stored) -> Messages {
    let about_orders = stored.records.iter();
    let about_orders = about_orders.map(|(order, records)| (&order.account, records));
    let all = about_orders.chain(&stored.sends);
    all.flat_map(|(account, records)| {
        records.values().map(|record| (account.clone(), record.id.clone()))
    })
    .collect()
}

/// What is wrong with a frame.
fn untrue(
    client: &Client,
    frame: &Value,
    orders: &Orders,
    messages: &Messages,
) -> Option<&'static str> {
    let id = frame["orderId"].as_str().and_then(|id| OrderId::parse(id).ok());
    match frame["type"].as_str().unwrap_or_default() {
        "registered" | "pong" => None,
        "error" => {
            let is_expected =
                matches!(frame["code"].as_str(), Some("not_connected" | "unavailable"));
            (!is_expected).then_some("though it sent nothing wrong")
        }
        "message_status_update" => {
            let message = frame["messageId"].as_str().unwrap_or_default().to_owned();
            let is_own = messages.contains(&(client.account.clone(), message));
            (!is_own || !sees(client, id.as_ref())).then_some("which it may not see")
        }
        "order_update" => {
            let id = id.filter(|id| sees(client, Some(id)));
            let Some(id) = id else { return Some("which it may not see") };
            let order = orders.get(&OrderKey { account: client.account.clone(), order: id });
            match order {
                None => Some("which it may not see"),
                Some(order) => (!is_true(order, frame)).then_some("which never was"),
            }
        }
        _ => Some("which is no frame"),
    }
}

fn sees(client: &Client, order: Option<&OrderId>) -> bool {
    client.order.is_none() || client.order.as_ref() == order
}

/// True if the order had this status at this version.
fn is_true(order: &StoredOrder, frame: &Value) -> bool {
    let version = frame["version"].as_u64();
    let transitions = order.entries.iter().filter_map(|entry| entry.transition.as_ref());
    let mut changes = transitions.filter(|change| Some(change.version) == version);
    match changes.next() {
        Some(change) => frame["status"] == change.status.as_str(),
        // An order begins with version 1.
        None => version == Some(1),
    }
}

fn ignorance(number: usize, client: &Client, orders: &Orders) -> Vec<String> {
    let own = client.order.iter().map(|order| (order, 0));
    let known = client.known.iter().map(|(order, version)| (order, *version));
    let unknown = own.filter(|(order, _)| !client.known.contains_key(*order));
    let orders = known.chain(unknown).filter_map(|(order, version)| {
        let order =
            orders.get(&OrderKey { account: client.account.clone(), order: order.clone() })?;
        let last = order.state.version;
        let name = order.name();
        (version != last).then(|| {
            format!("client-{number} does not know version {last} of {name}, but {version}")
        })
    });
    orders.collect()
}

/// Sockets of which `push` learnt that they are closed.
fn unforgotten(state: &State) -> impl Iterator<Item = String> {
    let stays = |gone: &&Gone| {
        let sandbox = state.sandbox(gone.sandbox);
        let key = serde_json::json!({
            "pk": { "S": format!("socket:{}", gone.connection) }, "sk": { "S": "socket" },
        });
        sandbox.function == "push"
            && !sandbox.had_trouble_since(gone.at)
            && state.dynamodb.row("ConnectionsTable", &key).is_some()
    };
    let gone = state.ledger.sockets.gone.iter().filter(stays);
    gone.map(|gone| format!("{} is gone, but its row stays", gone.connection))
}

/// Every row ends soon.
fn lasting(state: &State) -> impl Iterator<Item = String> {
    let latest = state.now() / 1000 + LONGEST_SECONDS;
    let rows = state.dynamodb.rows("ConnectionsTable").filter(move |row| {
        let ttl = row.get("ttl").and_then(|ttl| ttl["N"].as_str()?.parse::<u64>().ok());
        ttl.is_none_or(|ttl| ttl > latest)
    });
    rows.map(|row| format!("the row {} of a socket stays", row["pk"]["S"]))
}

impl State {
    /// A client that is registered is told of every change of its order, unless a worker stopped on the
    /// way or logged a loss.
    pub(crate) fn check_told(&mut self) {
        let untold: Vec<String> =
            (0..self.sockets.clients.len()).filter_map(|client| self.untold(client)).collect();
        untold.into_iter().for_each(|text| self.ledger.violation(text));
    }

    fn untold(&mut self, number: usize) -> Option<String> {
        if !self.is_connected(number) || self.may_have_lost(number) {
            return None;
        }
        let client = &self.sockets.clients[number];
        let key = OrderKey { account: client.account.clone(), order: client.order.clone()? };
        let order = stored_order_of(self, &key)?;
        let known = client.known.get(&key.order).copied();
        let last = order.state.version;
        (client.is_registered && known != Some(last)).then(|| {
            let name = order.name();
            format!("client-{number} was not told of version {last} of {name}, but {known:?}")
        })
    }

    fn may_have_lost(&self, client: usize) -> bool {
        let since = self.sockets.clients[client].asked_at;
        let functions = ["process", "push", "realtime"];
        let mut sandboxes = self.sandboxes.iter();
        sandboxes.any(|it| {
            functions.contains(&it.function.as_str()) && it.stopped_within(since, u64::MAX)
        }) || self.ledger.sockets.lost_at.iter().any(|at| *at >= since)
    }
}
