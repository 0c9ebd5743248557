//! Erases a shopper's data from an order's rows, or the order with all of them.

use std::collections::{BTreeMap, BTreeSet};

use domain::core::id::{OrderKey, ReportId};
use domain::core::timestamp::Timestamp;
use domain::orders::order::Order;
use domain::tracking::entry::TimelineEntry;
use domain::tracking::report::Ref;

use super::facts::Packed;
use super::given_up::is_unchanged;
use super::{Orders, facts, partition, profile_row, sort_key, state_key};
use crate::error::IoError;
use crate::tables::attr::{Item, json, number, read_json, text};
use crate::tables::concurrency::run_all;
use crate::tables::expression::attr;
use crate::tables::keys::order_pk;
use crate::tables::read::{all_rows, get};
use crate::tables::transaction::transact;
use crate::tables::update::Changes;
use crate::tables::write::Write;

/// Marks the state of an order that is being deleted: it counts as absent. Its value has the order's
/// names as JSON.
const DELETING: &str = "deletion";
/// The same in releases that look for facts in rows of their own only: they must not go on with a
/// deletion of this release.
const DELETING_BEFORE: &str = "deleting";

pub(super) fn is_deleting(state_row: &Item) -> bool {
    mark_of(state_row).is_some()
}

fn mark_of(state_row: &Item) -> Option<&'static str> {
    [DELETING, DELETING_BEFORE].into_iter().find(|name| state_row.contains_key(*name))
}

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
    /// Stores an order without its shopper. `entries` are all, without their words; `changed` those
    /// that had some. Returns the number of written rows; `None` if the order was written since it
    /// was read.
    pub async fn erase_customer(
        &self,
        before: &Order,
        after: &Order,
        entries: &[TimelineEntry],
        changed: &[TimelineEntry],
    ) -> Result<Option<u64>, IoError> {
        let recent = facts::recent(before, entries);
        let mut writes = vec![
            self.replace_facts(before, after, Packed::of(after, &recent)?)?,
            Write::put(&self.table, profile_row(after)?),
        ];
        writes.extend(self.phone_writes(Some(before), after));
        let is_aside = |entry: &&TimelineEntry| recent.iter().all(|it| it.id != entry.id);
        let aside: BTreeMap<&ReportId, &TimelineEntry> =
            changed.iter().filter(is_aside).map(|entry| (&entry.id, entry)).collect();
        if !aside.is_empty() {
            let change = |entry: &TimelineEntry| {
                Some(aside.get(&entry.id).map_or(entry, |changed| changed).clone())
            };
            writes.extend(self.change_aside(&before.key, change).await?);
        }
        let rows = u64::try_from(writes.len()).unwrap_or(u64::MAX);
        Ok(transact(&self.client, writes).await?.is_committed().then_some(rows))
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
            // The release before would read the order, and show it.
            .remove("json")
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
        let marks = ["pk", DELETING, DELETING_BEFORE];
        let row = get(&self.client, &self.table, state_key(order), &marks).await?;
        let Some(row) = row else { return Ok(Deletion::None) };
        Ok(match mark_of(&row) {
            Some(mark) => Deletion::Begun { names: read_json(&row, mark)? },
            None => Deletion::Existing,
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
        let is_begun = attr(DELETING).exists().or(attr(DELETING_BEFORE).exists());
        let state = Write::delete(&self.table, state_key(order)).only_if(is_begun);
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
