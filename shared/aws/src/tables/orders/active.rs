//! Polled orders have a row of their own, by shard, so that a poll run reads no other rows.
//!
//! | partition | sort key | row |
//! |---|---|---|
//! | `active:{shard}` | `{length of account}:{account}:{order id}` | the order's polling state |
//!
//! The transactions that create or patch the order, or change its status, create and delete the
//! row. `process` updates it after each report. No correctness depends on that update: with an
//! older row a run polls once too often, or reports a known status again.

use domain::core::id::{AccountCode, Awb, EventId, OrderId, OrderKey, ReportId};
use domain::core::timestamp::Timestamp;
use domain::orders::order::Order;
use domain::polling::{ENDED_DAYS, PollState, Polling, shard};

use super::stale::stale_key;
use super::{Orders, partition};
use crate::error::IoError;
use crate::tables::attr::{Item, read_as, read_json, read_optional, read_text, text, ttl};
use crate::tables::keys::{key, tenant};
use crate::tables::read::{first_page, query};
use crate::tables::update::Changes;
use crate::tables::write::Write;

/// A polled order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActiveOrder {
    pub key: OrderKey,
    pub active: PollState,
}

impl ActiveOrder {
    /// The cursor of the page after this order.
    pub fn sort_key(&self) -> String {
        sort_key(&self.key)
    }
}

/// A page of a shard's orders.
#[derive(Debug)]
pub struct ActivePage {
    /// By sort key, so that an account's orders are adjacent. Unreadable rows are errors of their
    /// own.
    pub orders: Vec<Result<ActiveOrder, IoError>>,
    /// The cursor of the next page, if there is one.
    pub next: Option<String>,
}

impl Orders {
    /// The orders of a shard after this cursor, read eventually consistently.
    pub async fn active(
        &self,
        shard: u8,
        after: Option<&str>,
        limit: i32,
    ) -> Result<ActivePage, IoError> {
        let from = after.map(|sk| key(shard_pk(shard), sk));
        let query = query(&self.client, &self.table, partition(shard_pk(shard)))
            .set_exclusive_start_key(from)
            .limit(limit);
        let page = first_page(query).await?;
        let next = page.next.map(|key| read_text(&key, "sk").map(str::to_owned)).transpose()?;
        Ok(ActivePage { orders: page.rows.iter().map(read_active).collect(), next })
    }

    /// The writes that keep an order's polling rows in step with it.
    pub(super) fn active_writes(&self, before: Option<&Order>, after: &Order) -> Vec<Write> {
        let polled = |order: &Order| order.polling().zip(order.profile.awb.clone());
        let (old, new) = (before.and_then(polled), polled(after));
        if old == new {
            return Vec::new();
        }
        let at = after.state.updated_at;
        let active = match new {
            None => Write::delete(&self.table, active_key(&after.key)),
            Some((polling, awb)) if old.is_some_and(|(_, old)| old == awb) => {
                let changes = changes(&after.key, &awb, polling, at);
                Write::update(&self.table, active_key(&after.key), changes)
            }
            Some((polling, awb)) => {
                let ended_at = (polling == Polling::Ended).then_some(at);
                let active = PollState { ended_at, ..PollState::new(awb, at) };
                Write::put(&self.table, active_row(&after.key, &active))
            }
        };
        // The order may have been stale.
        let stale = before.map(|_| Write::delete(&self.table, stale_key(&after.key)));
        std::iter::once(active).chain(stale).collect()
    }
}

/// The changes of the row when an order ends or comes back. The table's TTL may have deleted the
/// row of an order that ended long ago.
fn changes(order: &OrderKey, awb: &Awb, polling: Polling, at: Timestamp) -> Changes {
    let now = text(at.to_string());
    let changes = Changes::new()
        .set("account", text(order.account.as_str()))
        .set("order_id", text(order.order.as_str()))
        .set("awb", text(awb.as_str()))
        .remove("unknown")
        .remove("stale_since");
    match polling {
        Polling::Moving => {
            changes.set("moved_at", now).remove("stalled").remove("ended_at").remove("ttl")
        }
        Polling::Ended => changes
            .set_if_absent("moved_at", now.clone())
            .set("ended_at", now)
            .set("ttl", ttl(at, ENDED_DAYS)),
    }
}

fn shard_pk(shard: u8) -> String {
    format!("active:{shard:02}")
}

fn sort_key(order: &OrderKey) -> String {
    format!("{}:{}", tenant(&order.account), order.order)
}

pub(super) fn active_key(order: &OrderKey) -> Item {
    key(shard_pk(shard(order)), sort_key(order))
}

fn active_row(order: &OrderKey, active: &PollState) -> Item {
    let mut row = active_key(order);
    let attributes = [
        ("account", order.account.as_str()),
        ("order_id", order.order.as_str()),
        ("awb", active.awb.as_str()),
        ("moved_at", &active.moved_at.to_string()),
    ];
    row.extend(attributes.map(|(name, value)| (name.to_owned(), text(value))));
    if let Some(at) = active.ended_at {
        row.insert("ended_at".to_owned(), text(at.to_string()));
        row.insert("ttl".to_owned(), ttl(at, ENDED_DAYS));
    }
    row
}

fn read_active(row: &Item) -> Result<ActiveOrder, IoError> {
    let has_unknown = read_text(row, "unknown").is_ok();
    Ok(ActiveOrder {
        key: OrderKey {
            account: read_as(row, "account", AccountCode::parse)?,
            order: read_as(row, "order_id", OrderId::parse)?,
        },
        active: PollState {
            awb: read_as(row, "awb", Awb::parse)?,
            seen: read_as(row, "seen", ReportId::parse).ok(),
            heard_at: read_optional(row, "heard_at", Timestamp::parse)?,
            moved_at: read_as(row, "moved_at", Timestamp::parse)?,
            unknown: has_unknown.then(|| read_json(row, "unknown")).transpose()?,
            stale_since: read_optional(row, "stale_since", Timestamp::parse)?,
            stalled: read_as(row, "stalled", EventId::parse).ok(),
            ended_at: read_optional(row, "ended_at", Timestamp::parse)?,
        },
    })
}
