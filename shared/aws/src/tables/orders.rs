//! The orders table.
//!
//! | partition | sort key | what |
//! |---|---|---|
//! | `order:…` | `state` | where the order stands; `rev` is the condition of every write |
//! | | `profile` | what its shop told us |
//! | | `entry:{report id}` | one report of its timeline |
//! | `ref:…` | `order` | the order that this name means |
//! | | `wait:{report id}:{event id}` | a report that waits for an order of this name, 90 days |

mod active;
mod create;
mod list;
mod timeline;
mod unmatched;

use std::collections::BTreeSet;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use domain::core::id::{AccountCode, OrderId, OrderKey};
use domain::orders::order::{Order, Profile};
use domain::tracking::report::Ref;
use domain::tracking::timeline::{State, TimelineEntry};

pub use active::{ActiveOrder, ActivePage, PollRowUpdate, Stale};
pub use create::{Created, Patched};
pub use list::{Listed, sort_key_of};
pub use timeline::{CommitOutcome, Scans};
pub use unmatched::UnmatchedReport;

use crate::error::IoError;
use crate::tables::attr::{Item, number, read_json, read_number, read_text, text};
use crate::tables::contention::pause;
use crate::tables::keys::{order_pk, ref_pk};

/// The orders table.
#[derive(Debug, Clone)]
pub struct Orders {
    client: Client,
    table: String,
}

/// An order with its whole timeline, in no order.
pub type OrderAndTimeline = (Order, Vec<TimelineEntry>);

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
        let query = query.expression_attribute_values(":to", text("state"));
        for attempt in 0..TRIES {
            let items = self.all(query.clone()).await?;
            match read_order(key, &items)? {
                Read::Nothing => return Ok(None),
                Read::Whole(order) => return Ok(Some(*order)),
                Read::Torn => pause(attempt).await,
            }
        }
        Err(torn())
    }

    /// Reads everything an order has.
    ///
    /// # Errors
    /// The table cannot be read.
    pub async fn load_with_timeline(
        &self,
        key: &OrderKey,
    ) -> Result<Option<OrderAndTimeline>, IoError> {
        for attempt in 0..TRIES {
            let items = self.all(self.query(order_pk(key), "pk = :pk")).await?;
            match read_order(key, &items)? {
                Read::Nothing => return Ok(None),
                Read::Whole(order) => {
                    let entries = items.iter().filter(|item| sort_key(item).starts_with("entry:"));
                    let entries =
                        entries.map(|item| read_json(item, "json")).collect::<Result<_, _>>()?;
                    return Ok(Some((*order, entries)));
                }
                Read::Torn => pause(attempt).await,
            }
        }
        Err(torn())
    }

    /// The order that one of these names means; the first that is known wins. Its own id is known as soon as the
    /// order exists, without a row of its own.
    ///
    /// # Errors
    /// The table cannot be read.
    pub async fn find(
        &self,
        account: &AccountCode,
        names: &[Ref],
    ) -> Result<Option<OrderId>, IoError> {
        for name in names {
            let (pk, sk) = match name {
                Ref::Order(order) => (
                    order_pk(&OrderKey { account: account.clone(), order: order.clone() }),
                    "state",
                ),
                _ => (ref_pk(account, name), "order"),
            };
            let request = self.client.get_item().table_name(&self.table).consistent_read(true);
            let request =
                request.key("pk", text(pk)).key("sk", text(sk)).projection_expression("order_id");
            let answer =
                request.send().await.map_err(|error| IoError::of("dynamodb:GetItem", &error))?;
            if let Some(item) = answer.item {
                let order = read_text(&item, "order_id")?;
                return OrderId::parse(order)
                    .map(Some)
                    .map_err(|_| IoError::unreadable("dynamodb", "order_id"));
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

/// What a query over an order's rows saw. It may see some rows of a transaction and not yet others.
enum Read {
    Nothing,
    Whole(Box<Order>),
    /// State and profile are not of the same write.
    Torn,
}

/// How often an order is read until its rows belong together.
const TRIES: u32 = 5;

fn torn() -> IoError {
    IoError::Transient { call: "dynamodb:Query", code: "order is being written".to_owned() }
}

fn read_order(key: &OrderKey, items: &[Item]) -> Result<Read, IoError> {
    let find = |sk: &str| items.iter().find(|item| sort_key(item) == sk);
    let (state, profile) = match (find("state"), find("profile")) {
        (Some(state), Some(profile)) => (state, profile),
        (None, None) => return Ok(Read::Nothing),
        _ => return Ok(Read::Torn),
    };
    let (state, written): (State, u64) =
        (read_json(state, "json")?, read_number(profile, "rev").unwrap_or_default());
    if state.profile_rev != written {
        return Ok(Read::Torn);
    }
    let profile: Profile = read_json(profile, "json")?;
    Ok(Read::Whole(Box::new(Order { key: key.clone(), profile, state })))
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
        ("json".to_owned(), crate::tables::attr::json(&order.state)?),
    ]))
}
