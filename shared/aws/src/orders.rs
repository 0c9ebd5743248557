//! The orders table.
//!
//! | partition | sort key | what |
//! |---|---|---|
//! | `order:…` | `state` | where the order stands; `rev` is the condition of every write |
//! | | `profile` | what its shop told us |
//! | | `entry:{report id}` | one report of its timeline |
//! | `ref:…` | `order` | the order that this name means |
//! | | `wait:{report id}` | a report that waits for an order of this name, 90 days |

mod create;
mod list;
mod timeline;
mod waiting;

use std::collections::BTreeSet;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use domain::id::{AccountCode, OrderId, OrderKey};
use domain::order::{Order, Profile};
use domain::report::Ref;
use domain::timeline::{Entry, State};

pub use create::{Created, Patched};
pub use list::{Listed, sort_key_of};
pub use timeline::{Committed, Scans};
pub use waiting::Waiting;

use crate::error::IoError;
use crate::item::{Item, number, order_pk, read_json, read_text, ref_pk, text};

/// The orders table.
#[derive(Debug, Clone)]
pub struct Orders {
    client: Client,
    table: String,
}

/// An order with its whole timeline, in no order.
pub type OrderAndTimeline = (Order, Vec<Entry>);

impl Orders {
    /// The table of this name.
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// Reads state and profile in one call.
    ///
    /// # Errors
    /// The table cannot be read.
    pub async fn load(&self, key: &OrderKey) -> Result<Option<Order>, IoError> {
        let query = self.query(order_pk(key), "pk = :pk AND sk BETWEEN :from AND :to");
        let query = query.expression_attribute_values(":from", text("profile"));
        let items = self.all(query.expression_attribute_values(":to", text("state"))).await?;
        read_order(key, &items)
    }

    /// Reads everything an order has.
    ///
    /// # Errors
    /// The table cannot be read.
    pub async fn load_with_timeline(&self, key: &OrderKey) -> Result<Option<OrderAndTimeline>, IoError> {
        let items = self.all(self.query(order_pk(key), "pk = :pk")).await?;
        let Some(order) = read_order(key, &items)? else { return Ok(None) };
        let entries = items.iter().filter(|item| sort_key(item).starts_with("entry:"));
        let entries = entries.map(|item| read_json(item, "json")).collect::<Result<_, _>>()?;
        Ok(Some((order, entries)))
    }

    /// The order that one of these names means; the first that is known wins. Its own id is known as soon as the
    /// order exists, without a row of its own.
    ///
    /// # Errors
    /// The table cannot be read.
    pub async fn find(&self, account: &AccountCode, names: &[Ref]) -> Result<Option<OrderId>, IoError> {
        for name in names {
            let (pk, sk) = match name {
                Ref::Order(order) => (order_pk(&OrderKey { account: account.clone(), order: order.clone() }), "state"),
                _ => (ref_pk(account, name), "order"),
            };
            let request = self.client.get_item().table_name(&self.table).consistent_read(true);
            let request = request.key("pk", text(pk)).key("sk", text(sk)).projection_expression("order_id");
            let answer = request.send().await.map_err(|error| IoError::of("dynamodb:GetItem", &error))?;
            if let Some(item) = answer.item {
                let order = read_text(&item, "order_id")?;
                return OrderId::parse(order).map(Some).map_err(|_| IoError::unreadable("dynamodb", "order_id"));
            }
        }
        Ok(None)
    }

    fn query(&self, pk: String, condition: &str) -> QueryFluentBuilder {
        let query = self.client.query().table_name(&self.table).consistent_read(true);
        query.key_condition_expression(condition).expression_attribute_values(":pk", text(pk))
    }

    async fn all(&self, query: QueryFluentBuilder) -> Result<Vec<Item>, IoError> {
        let items: Result<Vec<Item>, _> = query.into_paginator().items().send().collect().await;
        items.map_err(|error| IoError::of("dynamodb:Query", &error))
    }
}

fn sort_key(item: &Item) -> &str {
    read_text(item, "sk").unwrap_or_default()
}

fn read_order(key: &OrderKey, items: &[Item]) -> Result<Option<Order>, IoError> {
    let find = |sk: &str| items.iter().find(|item| sort_key(item) == sk);
    let (Some(state), Some(profile)) = (find("state"), find("profile")) else { return Ok(None) };
    let state: State = read_json(state, "json")?;
    let profile: Profile = read_json(profile, "json")?;
    Ok(Some(Order { key: key.clone(), profile, state }))
}

/// The order's names as rows: `(partition, name)`.
fn ref_rows(account: &AccountCode, names: &BTreeSet<Ref>) -> Vec<(String, Ref)> {
    names.iter().map(|name| (ref_pk(account, name), name.clone())).collect()
}

fn state_item(order: &Order) -> Result<Item, IoError> {
    Ok(Item::from([
        ("pk".to_owned(), text(order_pk(&order.key))),
        ("sk".to_owned(), text("state")),
        ("order_id".to_owned(), text(order.key.order.as_str())),
        ("listed_in".to_owned(), text(order.key.account.as_str())),
        ("listed_at".to_owned(), text(sort_key_of(order))),
        ("rev".to_owned(), number(order.state.rev)),
        ("json".to_owned(), crate::item::json(&order.state)?),
    ]))
}
