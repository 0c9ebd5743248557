//! The index `due`: deliveries that wait for their next attempt without a message in flight.
//!
//! `due` is the shard, `due_at` the time at which `sweep` is to queue the delivery. Once it has,
//! `due_at` is a quarter of an hour later, in case that message is lost. Only the end of the
//! delivery takes the row out of the index.
//!
//! The deliveries of a paused endpoint are in partitions of their own, by the time at which they
//! were parked or probed.

use aws_sdk_dynamodb::types::KeysAndAttributes;
use domain::core::hash::Fingerprint;
use domain::core::id::{AccountCode, Awb, EndpointName, OrderId};
use domain::core::timestamp::Timestamp;
use domain::webhooks::delivery::Delivery;
use futures::future::try_join_all;

use super::row::{read_kind, read_time};
use super::{Deliveries, delivery_key};
use crate::error::IoError;
use crate::tables::attr::{Item, read_as, read_number, read_optional, read_text, text};
use crate::tables::batch_get::{MAX_KEYS, batch_get};
use crate::tables::expression::{Placeholders, attr};
use crate::tables::read::{first_page, limit, query};
use crate::tables::update::Changes;
use crate::tables::write::Write;

const CALL: &str = "dynamodb:BatchGetItem";
/// Spread the parked deliveries of an endpoint over partitions.
const PARKED_SHARDS: u64 = 4;

/// What a message needs of a row.
const ATTRIBUTES: [&str; 12] = [
    "pk",
    "run",
    "endpoint",
    "format",
    "event",
    "account",
    "order_id",
    "version",
    "order_created_at",
    "awb",
    "due",
    "due_at",
];

/// A delivery in the index.
#[derive(Debug, Clone)]
pub struct Due {
    /// The message to queue. Its body is in the row only.
    pub delivery: Delivery,
    /// When the message is to arrive.
    pub at: Timestamp,
}

#[derive(Debug)]
pub struct DuePage {
    /// Unsorted. Unreadable rows are errors of their own.
    pub deliveries: Vec<Result<Due, IoError>>,
    pub next: Option<DueCursor>,
}

/// Which parked deliveries come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParkedFrom {
    Oldest,
    Newest,
}

#[derive(Debug, Clone)]
pub struct DueCursor(Item);

impl Deliveries {
    /// The shards of the index.
    pub const DUE_SHARDS: std::ops::Range<u64> = 0..16;

    /// A page of a shard's deliveries that are due by `until`, read eventually consistently.
    pub async fn due(
        &self,
        shard: u64,
        until: Timestamp,
        from: Option<DueCursor>,
    ) -> Result<DuePage, IoError> {
        let partition = shard.to_string();
        let of_shard = attr("due").equals(text(partition.as_str()));
        let due = of_shard.and(attr("due_at").at_most(text(until.to_string())));
        let query = query(&self.client, &self.table, due)
            .index_name("due")
            .set_exclusive_start_key(from.map(|cursor| cursor.0))
            .limit(limit(MAX_KEYS));
        let page = first_page(query).await?;
        let deliveries = self.waiting(&partition, &read_ids(&page.rows)?).await?;
        Ok(DuePage { deliveries, next: page.next.map(DueCursor) })
    }

    /// Since when the delivery has been due that is overdue for longest, if there is one. Read
    /// eventually consistently.
    pub async fn oldest_due(&self, now: Timestamp) -> Result<Option<Timestamp>, IoError> {
        let shards = Self::DUE_SHARDS.map(async |shard| {
            let of_shard = attr("due").equals(text(shard.to_string()));
            let due = of_shard.and(attr("due_at").at_most(text(now.to_string())));
            let query = query(&self.client, &self.table, due).index_name("due").limit(1);
            let page = first_page(query).await?;
            page.rows.first().map(|row| read_as(row, "due_at", Timestamp::parse)).transpose()
        });
        Ok(try_join_all(shards).await?.into_iter().flatten().min())
    }

    /// About `limit` of an endpoint's deliveries that were parked or probed by `until`, the oldest or
    /// newest of each of a few shards, read eventually consistently. Unreadable rows are errors of
    /// their own.
    pub async fn parked(
        &self,
        endpoint: &EndpointName,
        until: Timestamp,
        from: ParkedFrom,
        limit_of_all: usize,
    ) -> Result<Vec<Result<Due, IoError>>, IoError> {
        let of_each = limit_of_all.div_ceil(usize::try_from(PARKED_SHARDS).unwrap_or(1));
        let shards = (0..PARKED_SHARDS).map(async |shard| {
            let partition = parked_partition(endpoint, shard);
            let of_shard = attr("due").equals(text(partition.as_str()));
            let parked = of_shard.and(attr("due_at").at_most(text(until.to_string())));
            let query = query(&self.client, &self.table, parked).index_name("due");
            let query = query.scan_index_forward(from == ParkedFrom::Oldest);
            let page = first_page(query.limit(limit(of_each))).await?;
            self.waiting(&partition, &read_ids(&page.rows)?).await
        });
        Ok(try_join_all(shards).await?.into_iter().flatten().collect())
    }

    /// Those of these deliveries that still are in this partition of the index.
    async fn waiting(
        &self,
        partition: &str,
        ids: &[&str],
    ) -> Result<Vec<Result<Due, IoError>>, IoError> {
        let mut waiting = Vec::with_capacity(ids.len());
        for chunk in ids.chunks(MAX_KEYS) {
            let mut placeholders = Placeholders::default();
            let keys = KeysAndAttributes::builder()
                .set_keys(Some(chunk.iter().map(|id| delivery_key(id)).collect()))
                .projection_expression(placeholders.projection(&ATTRIBUTES))
                .set_expression_attribute_names(placeholders.into_maps().0);
            let rows = batch_get(&self.client, &self.table, keys).await?;
            let is_there = |row: &&Item| read_text(row, "due") == Ok(partition);
            waiting.extend(rows.iter().filter(is_there).map(read_due));
        }
        Ok(waiting)
    }

    /// Records that a message was queued: the delivery is due again at `next`, unless it was
    /// claimed or queued by another run.
    pub async fn mark_queued(&self, due: &Due, next: Timestamp) -> Result<(), IoError> {
        let changes = Changes::new().set("due_at", text(next.to_string()));
        self.update(due, changes).await
    }

    /// As [`Deliveries::mark_queued`], for a parked delivery, which is no longer parked then.
    pub async fn mark_released(&self, due: &Due, next: Timestamp) -> Result<(), IoError> {
        self.update(due, enter_index(Changes::new(), &due.delivery.id, next)).await
    }

    async fn update(&self, due: &Due, changes: Changes) -> Result<(), IoError> {
        let update = Write::update(&self.table, delivery_key(&due.delivery.id), changes)
            .only_if(attr("due_at").equals(text(due.at.to_string())));
        update.send(&self.client).await.map(drop)
    }
}

pub(super) fn enter_index(changes: Changes, id: &str, at: Timestamp) -> Changes {
    changes.set("due", text(shard(id).to_string())).set("due_at", text(at.to_string()))
}

pub(super) fn enter_parking(changes: Changes, delivery: &Delivery, now: Timestamp) -> Changes {
    let shard = Fingerprint::of("parked").with(&delivery.id).number() % PARKED_SHARDS;
    changes
        .set("due", text(parked_partition(&delivery.endpoint, shard)))
        .set("due_at", text(now.to_string()))
}

fn parked_partition(endpoint: &EndpointName, shard: u64) -> String {
    format!("parked:{endpoint}:{shard}")
}

fn read_ids(rows: &[Item]) -> Result<Vec<&str>, IoError> {
    rows.iter().map(|row| read_text(row, "pk")).collect()
}

pub(super) fn leave_index(changes: Changes) -> Changes {
    changes.remove("due").remove("due_at")
}

fn shard(id: &str) -> u64 {
    Fingerprint::of("due").with(id).number() % Deliveries::DUE_SHARDS.end
}

fn read_due(row: &Item) -> Result<Due, IoError> {
    Ok(Due { delivery: read_message(row)?, at: read_as(row, "due_at", Timestamp::parse)? })
}

/// The message of a row, without its body, which stays in the row.
fn read_message(row: &Item) -> Result<Delivery, IoError> {
    let unreadable = |name: &'static str| move || IoError::unreadable(CALL, name);
    let kind = read_kind(row)?.ok_or_else(unreadable("format"))?;
    Ok(Delivery {
        v: kind.version(),
        id: read_text(row, "pk")?.to_owned(),
        run: read_number(row, "run").ok_or_else(unreadable("run"))?,
        endpoint: read_as(row, "endpoint", EndpointName::parse)?,
        kind,
        account: read_optional(row, "account", AccountCode::parse)?,
        order_id: read_optional(row, "order_id", OrderId::parse)?,
        version: read_number(row, "version"),
        order_created_at: read_time(row, "order_created_at"),
        awb: read_optional(row, "awb", Awb::parse)?,
        probe: false,
        accepted_at: None,
        traceparent: None,
        body: String::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_spread_over_the_shards() {
        let mut counts = [0_u32; 16];
        for number in 0..3200 {
            let shard = shard(&format!("msg_{number}"));
            counts[usize::try_from(shard).unwrap_or_default()] += 1;
        }
        assert!(counts.iter().all(|count| (140..260).contains(count)), "{counts:?}");
    }
}
