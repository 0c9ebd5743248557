//! Reads at any time: what they show is a state that the order really had, and of its account.

use std::collections::BTreeSet;

use domain::core::id::ReportId;
use domain::orders::view::OrderView;
use domain::pagination::{MAX_LIMIT, PageRequest};
use serde_json::Value;

use super::Actors;
use super::parcels::ORDERS;
use super::request::vendor;
use super::shop::Shop;
use crate::judge::orders::{StoredOrder, stored_order_of};
use crate::setup::{ACCOUNTS, PHONE};

const STATUSES: [&str; 5] = ["pending", "in_transit", "delivered", "cancelled", "returned"];

impl Actors {
    pub(super) async fn read(&self, shop: &Shop, order: usize) {
        let Some(key) = shop.key(order) else { return };
        let before = stored_order_of(&self.world.lock(), &key);
        let asked = self.ask(&vendor(shop.account, "GET", &shop.path(order), &Value::Null)).await;
        self.expect(&asked, &[200, 404], "a read");
        let Some(answer) = asked.answer else { return };
        let mut state = self.world.lock();
        let after = stored_order_of(&state, &key);
        let finding = match (answer.status, &before, after) {
            (404, Some(_), _) => Some(format!("{} is not found", key.order)),
            (200, before, Some(after)) => compare(&answer.body, before.as_ref(), after),
            _ => None,
        };
        let leak = foreign(&answer.body, shop.account);
        for finding in finding.into_iter().chain(leak) {
            state
                .ledger
                .violation(format!("a read of {} of {}: {finding}", key.order, key.account));
        }
    }

    /// Lists orders by one of the filters.
    pub(super) async fn list(&self, shop: &Shop, order: usize) {
        let (filter, value) = {
            let random = &mut self.world.lock().random;
            match random.u8(..4) {
                0 => ("awb", shop.awb(random)),
                1 => ("phone", format!("{PHONE}{:03}", random.u8(..3))),
                2 => ("status", STATUSES[random.usize(..STATUSES.len())].to_owned()),
                _ => ("limit", format!("{}", order + 1)),
            }
        };
        let mut request = vendor(shop.account, "GET", ORDERS, &Value::Null);
        request.query.push((filter.to_owned(), value.clone()));
        let asked = self.ask(&request).await;
        self.expect(&asked, &[200], "a list");
        let Some(answer) = asked.answer else { return };
        let items = answer.body["items"].as_array().cloned().unwrap_or_default();
        let is_wrong = |item: &&Value| !matches(item, filter, &value);
        let wrong = items.iter().filter(is_wrong).map(|item| item["orderId"].to_string());
        let wrong = wrong.map(|id| format!("it has {id}"));
        let findings = wrong.chain(foreign(&answer.body, shop.account));
        let mut state = self.world.lock();
        for finding in findings {
            state.ledger.violation(format!("a list by {filter} {value}: {finding}"));
        }
    }
}

/// Compares an answer with the order as it was when it had just these entries: they are never
/// changed.
fn compare(shown: &Value, before: Option<&StoredOrder>, mut after: StoredOrder) -> Option<String> {
    let entries = shown["timeline"].as_array()?;
    let ids: BTreeSet<&str> = entries.iter().filter_map(|it| it["reportId"].as_str()).collect();
    let had: Vec<&ReportId> = before.iter().flat_map(|it| &it.entries).map(|it| &it.id).collect();
    if let Some(missing) = had.iter().find(|id| !ids.contains(id.as_str())) {
        return Some(format!("the report {missing} is missing"));
    }
    after.entries.retain(|entry| ids.contains(entry.id.as_str()));
    if after.entries.len() != entries.len() {
        return Some("it has entries that the order has not".to_owned());
    }
    let expected = after.as_shown()?;
    let fields = ["status", "currentShipmentStatus", "deliveryAttempts", "version", "eta"];
    if let Some(field) = fields.into_iter().find(|field| shown[*field] != expected[*field]) {
        let (shown, expected) = (&shown[field], &expected[field]);
        return Some(format!("{field} is {shown}, by its timeline {expected}"));
    }
    if shown["timeline"] != expected["timeline"] {
        return Some("its timeline differs from the fold".to_owned());
    }
    let parcels = |order: &Value| -> Vec<Value> {
        let fields = ["awb", "direction", "status", "learnt", "replaced", "deliveryAttempts"];
        let shipments = order["shipments"].as_array().into_iter().flatten();
        let shipment = |it: &Value| fields.map(|field| it[field].clone()).to_vec().into();
        shipments.map(shipment).collect()
    };
    let differ = parcels(shown) != parcels(&expected);
    differ.then(|| "its shipments differ from the fold".to_owned())
}

impl StoredOrder {
    /// The view of the order with just its entries.
    fn as_shown(&self) -> Option<Value> {
        let folded = self.fold();
        let mut order = self.order();
        let changes = self.entries.iter().filter(|entry| entry.transition.is_some()).count();
        order.state.version = 1 + u64::try_from(changes).ok()?;
        order.state.tracking = folded.tracking;
        order.state.parcels = folded.parcels;
        let page = PageRequest { limit: MAX_LIMIT, after: None };
        let checkpoints = domain::orders::view::Checkpoints::new();
        serde_json::to_value(OrderView::new(&order, &self.entries, &checkpoints, &page, None)).ok()
    }
}

fn matches(item: &Value, filter: &str, value: &str) -> bool {
    match filter {
        "status" => item["status"] == value,
        _ => true,
    }
}

/// Data of another account in an answer.
fn foreign(body: &Value, account: &str) -> Option<String> {
    let text = body.to_string();
    let other = ACCOUNTS.iter().find(|other| **other != account && text.contains(**other))?;
    Some(format!("it shows data of {other}"))
}
