//! The orders table.
//!
//! | partition | sort key | row |
//! |---|---|---|
//! | `order:…` | `state` | the order's tracking state and newest facts; every write is conditional on its `rev` and the names it gave up |
//! | | `profile` | the data from the shop |
//! | | `facts:{rev}` | earlier facts of the timeline |
//! | | `checkpoints:{AWB}` | the newest scans of a parcel, if they are too many for the state row |
//! | | `trace:{event id}` | where an event has left data of the order elsewhere; 90 days |
//! | `ref:…` | `order` | the order that this reference names |
//! | | `wait:{report id}:{event id}` | a parked report, under one of its references; 90 days |
//!
//! For the rows of polled orders see [`ActiveOrder`] and [`StaleOrder`], for those of phone
//! numbers [`Orders::list_by_phone`].

mod active;
mod checkpoints;
mod create;
mod erase;
mod expiry;
mod facts;
mod find;
mod given_up;
mod list;
mod phones;
mod poll_row;
mod receipts;
mod stale;
#[cfg(test)]
mod tests;
mod timeline;
mod traces;
mod unmatched;
mod watched;

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use domain::core::id::OrderKey;
use domain::orders::order::{Order, Profile};
use domain::orders::view::Checkpoints;
use domain::tracking::entry::TimelineEntry;
use domain::tracking::state::State;

pub use active::{ActiveOrder, ActivePage};
pub use create::{CreateOutcome, PatchOutcome, PatchedNames};
pub use erase::{Deletion, ENTRIES_AT_ONCE};
pub use expiry::Expiring;
#[cfg(feature = "simulation")]
pub use facts::simulation;
use list::found_in;
pub use list::{Listed, sort_key_of};
pub use poll_row::PollRowUpdate;
pub use receipts::StoredReceipt;
pub use stale::StaleOrder;
pub use timeline::{CommitOutcome, NameChanges};
pub use traces::{Links, Traced, TracedDelivery};
pub use unmatched::UnmatchedReport;

use crate::error::IoError;
use crate::tables::attr::{Item, item, json, number, read_json, read_number, read_text, text};
use crate::tables::contention::{Try, retry};
use crate::tables::expression::{Condition, attr};
use crate::tables::keys::{key, order_pk};
use crate::tables::packed::{pack, unpack};
use crate::tables::read::{all_rows, query};

/// The attribute with the [`State`].
const STATE: &str = "state";
/// How often an order is read while a write to it is in progress.
const TRIES: u32 = 5;

#[derive(Debug, Clone)]
pub struct Orders {
    client: Client,
    table: String,
    /// How long an order is kept after its end; `None` for ever.
    retention: Option<Duration>,
}

/// An order with its whole timeline, unsorted.
pub type OrderAndTimeline = (Order, Vec<TimelineEntry>);

impl Orders {
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table, retention: None }
    }

    pub async fn load(&self, key: &OrderKey) -> Result<Option<Order>, IoError> {
        let rows = partition(order_pk(key)).and(attr("sk").between(text("profile"), text("state")));
        Ok(self.load_rows(key, rows).await?.map(|(order, _)| order))
    }

    pub async fn load_with_timeline(
        &self,
        key: &OrderKey,
    ) -> Result<Option<OrderAndTimeline>, IoError> {
        let rows = partition(order_pk(key)).and(attr("sk").between(text("entry:"), text("state")));
        let loaded = retry(TRIES, || self.load_with_timeline_once(key, rows.clone())).await?;
        Ok(loaded.ok_or_else(being_written)?.map(|(order, entries, _)| (order, entries)))
    }

    /// With the checkpoints of its parcels.
    pub async fn load_all_of(
        &self,
        key: &OrderKey,
    ) -> Result<Option<(Order, Vec<TimelineEntry>, Checkpoints)>, IoError> {
        let all = attr("sk").between(text("checkpoints:"), text("state"));
        let rows = partition(order_pk(key)).and(all);
        let loaded = retry(TRIES, || self.load_with_timeline_once(key, rows.clone())).await?;
        let Some((order, entries, rows)) = loaded.ok_or_else(being_written)? else {
            return Ok(None);
        };
        let checkpoints = checkpoints::read(&order, &rows)?;
        Ok(Some((order, entries, checkpoints)))
    }

    async fn load_with_timeline_once(
        &self,
        key: &OrderKey,
        rows: Condition,
    ) -> Result<Try<Option<(Order, Vec<TimelineEntry>, Vec<Item>)>>, IoError> {
        let Some((order, rows)) = self.load_rows(key, rows).await? else {
            return Ok(Try::Done(None));
        };
        let entries = facts::read(&rows)?;
        // Earlier facts are read before the state: one that moved in between is missing.
        let is_whole = facts::is_whole(&order.state, &entries);
        Ok(if is_whole { Try::Done(Some((order, entries, rows))) } else { Try::Contended })
    }

    async fn load_rows(
        &self,
        key: &OrderKey,
        rows: Condition,
    ) -> Result<Option<(Order, Vec<Item>)>, IoError> {
        let loaded = retry(TRIES, || async {
            let rows = all_rows(self.query(rows.clone())).await?;
            Ok::<_, IoError>(match read_order(key, &rows)? {
                OrderRows::Absent => Try::Done(None),
                OrderRows::Complete(order) => Try::Done(Some((*order, rows))),
                OrderRows::Mixed => Try::Contended,
            })
        });
        loaded.await?.ok_or_else(being_written)
    }

    fn query(&self, rows: Condition) -> QueryFluentBuilder {
        query(&self.client, &self.table, rows).consistent_read(true)
    }
}

fn being_written() -> IoError {
    IoError::Transient { call: "dynamodb:Query", code: "order is being written".to_owned() }
}

fn partition(pk: String) -> Condition {
    attr("pk").equals(text(pk))
}

fn state_key(order: &OrderKey) -> Item {
    key(order_pk(order), "state")
}

fn sort_key(row: &Item) -> &str {
    read_text(row, "sk").unwrap_or_default()
}

/// An order as a query sees it. A query is not isolated from transactions: it may see some rows of
/// one and not yet others.
enum OrderRows {
    Absent,
    Complete(Box<Order>),
    /// State and profile belong to different writes.
    Mixed,
}

fn read_order(key: &OrderKey, rows: &[Item]) -> Result<OrderRows, IoError> {
    let find = |sk: &str| rows.iter().find(|row| sort_key(row) == sk);
    let (state_row, profile) = match (find("state"), find("profile")) {
        (Some(state), _) if erase::is_deleting(state) => return Ok(OrderRows::Absent),
        (Some(state), Some(profile)) => (state, profile),
        (None, None) => return Ok(OrderRows::Absent),
        _ => return Ok(OrderRows::Mixed),
    };
    let profile_rev: u64 = read_number(profile, "rev").unwrap_or_default();
    let state = read_state(state_row)?;
    if state.profile_rev != profile_rev {
        return Ok(OrderRows::Mixed);
    }
    let profile: Profile = read_json(profile, "json")?;
    let given_up = given_up::read(state_row)?;
    let watched_until = watched::read(state_row);
    let recent = read_number(state_row, facts::RECENT).unwrap_or_default();
    let scans = checkpoints::of_state(state_row)?;
    let order = Order { key: key.clone(), profile, state, recent, scans, given_up, watched_until };
    Ok(OrderRows::Complete(Box::new(order)))
}

/// Releases before wrote it as text.
fn read_state(row: &Item) -> Result<State, IoError> {
    if row.contains_key(STATE) { unpack(row, STATE) } else { read_json(row, "json") }
}

/// Of a new order.
fn state_row(order: &Order) -> Result<Item, IoError> {
    let mut row = unpacked_row(order);
    row.insert(STATE.to_owned(), pack(&order.state)?);
    Ok(row)
}

fn unpacked_row(order: &Order) -> Item {
    let mut row = item([
        ("pk", text(order_pk(&order.key))),
        ("sk", text("state")),
        ("order_id", text(order.key.order.as_str())),
        ("listed_in", text(order.key.account.as_str())),
        ("listed_at", text(sort_key_of(order))),
        ("rev", number(order.state.rev)),
    ]);
    let found_in = found_in(&order.key.account, order.state.tracking.status);
    row.extend(found_in.map(|found_in| ("found_in".to_owned(), found_in)));
    row
}

fn profile_row(order: &Order) -> Result<Item, IoError> {
    Ok(item([
        ("pk", text(order_pk(&order.key))),
        ("sk", text("profile")),
        ("rev", number(order.state.profile_rev)),
        ("json", json(&order.profile)?),
    ]))
}
