//! Polled parcels have rows of their own, by shard, so that a poll run reads no other rows.
//!
//! | partition | sort key | row |
//! |---|---|---|
//! | `active:{shard}` | `{length of account}:{account}:{order id}/{AWB}` | the parcel's polling state |
//!
//! The transactions that create or patch the order, or change a parcel, create and delete the
//! rows. `process` updates it after each report. No correctness depends on that update: with an
//! older row a run polls once too often, or reports a known status again.

use std::collections::{BTreeMap, BTreeSet};

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

/// A polled parcel and its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActiveOrder {
    pub key: OrderKey,
    pub active: PollState,
}

impl ActiveOrder {
    /// The cursor of the page after this order.
    pub fn sort_key(&self) -> String {
        sort_key(&self.key, &self.active.awb)
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
        // The carrier is asked for the AWB as it was given.
        let polled = |order: &Order| -> BTreeMap<Awb, (Awb, Polling)> {
            let parcels = order.polled_parcels();
            let row = |awb: &Awb, polling| (awb.canonical(), (awb.clone(), polling));
            parcels.map(|(parcel, polling)| row(&parcel.awb, polling)).collect()
        };
        let (old, new) = (before.map(polled).unwrap_or_default(), polled(after));
        let awbs: BTreeSet<&Awb> = old.keys().chain(new.keys()).collect();
        let changed = awbs.into_iter().filter(|awb| old.get(awb) != new.get(awb));
        let key = &after.key;
        let at = after.state.updated_at;
        let writes = changed.flat_map(|awb| {
            let active = match (old.get(awb), new.get(awb)) {
                (_, None) => Write::delete(&self.table, active_key(key, awb)),
                (Some(_), Some((awb, polling))) => {
                    let changes = changes(key, awb, *polling, at);
                    Write::update(&self.table, active_key(key, awb), changes)
                }
                (None, Some((awb, polling))) => {
                    let ended_at = (*polling == Polling::Ended).then_some(at);
                    let active = PollState { ended_at, ..PollState::new(awb.clone(), at) };
                    Write::put(&self.table, active_row(key, &active))
                }
            };
            // The parcel may have been stale.
            let was_polled = old.contains_key(awb);
            let stale = was_polled.then(|| Write::delete(&self.table, stale_key(key, awb)));
            std::iter::once(active).chain(stale)
        });
        writes.collect()
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

/// No id contains a `/`.
fn sort_key(order: &OrderKey, awb: &Awb) -> String {
    format!("{}:{}/{}", tenant(&order.account), order.order, awb.canonical())
}

pub(super) fn active_key(order: &OrderKey, awb: &Awb) -> Item {
    key(shard_pk(shard(order)), sort_key(order, awb))
}

fn active_row(order: &OrderKey, active: &PollState) -> Item {
    let mut row = active_key(order, &active.awb);
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
