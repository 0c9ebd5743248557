//! Erases a shopper's data from an order's rows, or the order with all of them.

use std::collections::BTreeSet;

use domain::core::id::OrderKey;
use domain::core::timestamp::Timestamp;
use domain::orders::order::Order;
use domain::tracking::entry::TimelineEntry;
use domain::tracking::report::Ref;

use super::given_up::is_unchanged;
use super::timeline::entry_key;
use super::{Orders, partition, profile_row, sort_key, state_key};
use crate::error::IoError;
use crate::tables::attr::{Item, json, number, read_json, text};
use crate::tables::concurrency::run_all;
use crate::tables::expression::{attr, row_exists};
use crate::tables::keys::order_pk;
use crate::tables::read::{all_rows, get};
use crate::tables::transaction::transact;
use crate::tables::update::Changes;
use crate::tables::write::Write;

/// Marks the state of an order that is being deleted: it counts as absent. Its value has the order's
/// names as JSON.
pub(super) const DELETING: &str = "deleting";

/// Entries rewritten in one transaction, beside state, profile and phone number.
pub const ENTRIES_AT_ONCE: usize = 90;

/// How far the deletion of an order is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deletion {
    /// There is no order.
    None,
    /// It counts as absent; its other rows may still be there.
    Begun { names: BTreeSet<Ref> },
    /// The order that was created at this time.
    Existing,
}

impl Orders {
    /// Stores an order without its shopper, with these entries without their notes. `false` if the
    /// order was written since it was read.
    pub async fn erase_customer(
        &self,
        before: &Order,
        after: &Order,
        entries: &[TimelineEntry],
    ) -> Result<bool, IoError> {
        let mut writes = vec![
            self.replace_state(before, after, None)?,
            Write::put(&self.table, profile_row(after)?),
        ];
        writes.extend(self.phone_writes(Some(before), after));
        for entry in entries {
            let mut row = entry_key(&before.key, entry.id.as_str());
            row.insert("json".to_owned(), json(entry)?);
            writes.push(Write::put(&self.table, row).only_if(row_exists()));
        }
        Ok(transact(&self.client, writes).await?.is_committed())
    }

    /// Removes the order from all lists and makes it count as absent: no writer that read it before
    /// can write it. `false` if it was written since it was read.
    pub async fn begin_deletion(
        &self,
        before: &Order,
        names: &BTreeSet<Ref>,
        now: Timestamp,
    ) -> Result<bool, IoError> {
        let mut after = before.without_customer(now);
        after.profile.poll = None;
        let changes = Changes::new()
            .set("rev", number(after.state.rev))
            .set(DELETING, json(names)?)
            .remove("listed_in")
            .remove("listed_at")
            .remove("found_in");
        let state = Write::update(&self.table, state_key(&before.key), changes);
        let mut writes = vec![state.only_if(is_unchanged(before)?)];
        writes.extend(self.phone_writes(Some(before), &after));
        writes.extend(self.active_writes(Some(before), &after));
        Ok(transact(&self.client, writes).await?.is_committed())
    }

    pub async fn deletion(&self, order: &OrderKey) -> Result<Deletion, IoError> {
        let row = get(&self.client, &self.table, state_key(order), &["pk", DELETING]).await?;
        Ok(match row {
            None => Deletion::None,
            Some(row) if row.contains_key(DELETING) => {
                Deletion::Begun { names: read_json(&row, DELETING)? }
            }
            Some(_) => Deletion::Existing,
        })
    }

    /// Deletes the names and rows of an order whose deletion has begun, its state last. Returns the
    /// number of rows.
    pub async fn finish_deletion(
        &self,
        order: &OrderKey,
        names: &BTreeSet<Ref>,
    ) -> Result<u64, IoError> {
        let rows = self.keys_of(order, "", "~").await?;
        let rest = rows.iter().filter(|row| sort_key(row) != "state");
        let mut deleted = self.delete_all(rest).await?;
        let with_row = names.iter().filter(|name| !matches!(name, Ref::Order(_)));
        let freed = run_all(with_row.map(async |name| {
            self.free(order, name).send(&self.client).await.map(|outcome| outcome.is_applied())
        }));
        deleted += freed.await?.iter().map(|is_freed| u64::from(*is_freed)).sum::<u64>();
        let state = Write::delete(&self.table, state_key(order)).only_if(attr(DELETING).exists());
        Ok(deleted + u64::from(state.send(&self.client).await?.is_applied()))
    }

    /// Deletes what was written beside an order after its deletion or erasure: scans, and traces if
    /// there is no order. Returns the number of rows.
    pub async fn delete_beside(&self, order: &OrderKey, traces: bool) -> Result<u64, IoError> {
        let mut rows = self.keys_of(order, "checkpoints:", "checkpoints;").await?;
        if traces {
            rows.extend(self.keys_of(order, "trace:", "trace;").await?);
        }
        self.delete_all(rows.iter()).await
    }

    /// The name that a parked report waits under has no order any more, or never had one.
    pub fn waiting_under(order: &OrderKey, names: BTreeSet<Ref>) -> BTreeSet<Ref> {
        names.into_iter().chain([Ref::Order(order.order.clone())]).collect()
    }

    async fn keys_of(&self, order: &OrderKey, from: &str, to: &str) -> Result<Vec<Item>, IoError> {
        let range = match from.is_empty() {
            true => partition(order_pk(order)),
            false => partition(order_pk(order)).and(attr("sk").between(text(from), text(to))),
        };
        all_rows(self.query(range)).await
    }

    async fn delete_all<'a>(&self, rows: impl Iterator<Item = &'a Item>) -> Result<u64, IoError> {
        let deletes = rows.map(async |row| {
            let key = row.iter().filter(|(name, _)| matches!(name.as_str(), "pk" | "sk"));
            let key = key.map(|(name, value)| (name.clone(), value.clone())).collect();
            Write::delete(&self.table, key).send(&self.client).await.map(drop)
        });
        let deleted = run_all(deletes).await?;
        Ok(u64::try_from(deleted.len()).unwrap_or(u64::MAX))
    }
}
