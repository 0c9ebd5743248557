//! Where the entries of a timeline are. The newest are in the order's state row, so that a fact is one
//! write, as a rule. When that row has grown, all but the last few move to a row of their own.
//!
//! | sort key | attributes |
//! |---|---|
//! | `state` | `facts`: the newest entries; `recent`: how many |
//! | `facts:{rev}` | `facts`: entries up to this `rev` |
//! | `entry:{report id}` | `json`: one entry; written by releases before |
//!
//! Every write of entries is conditional on the order's `rev`, so rows that were read together with it
//! are as they were read.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::core::id::OrderKey;
use domain::orders::order::Order;
use domain::tracking::entry::TimelineEntry;
use domain::tracking::state::{State, entry_sum};

use super::checkpoints::SCANS;
use super::create::changes_of;
use super::given_up::is_unchanged;
use super::{Orders, partition, sort_key, state_key, state_row};
use crate::error::IoError;
use crate::tables::attr::{Item, item, json, number, read_json, text};
use crate::tables::expression::{attr, row_exists};
use crate::tables::keys::{key, order_pk};
use crate::tables::packed::{pack, unpack};
use crate::tables::read::all_rows;
use crate::tables::write::Write;

#[cfg(test)]
pub(super) mod tests;

pub(super) const FACTS: &str = "facts";
pub(super) const RECENT: &str = "recent";
const PREFIX: &str = "facts:";
const SINGLE: &str = "entry:";
/// Two write units. A larger state row gives entries away.
const MAX_BYTES: usize = 2048;
/// The entries that stay in the state row then.
const STAYING: usize = 2;
/// The attributes of a state row that the order does not show: `fingerprint`, `adoption` and
/// `watched_until`.
const UNSEEN_BYTES: usize = 110;

/// All entries among the rows of an order.
pub(super) fn read(rows: &[Item]) -> Result<Vec<TimelineEntry>, IoError> {
    let entries: Result<Vec<Vec<TimelineEntry>>, IoError> = rows.iter().map(of_row).collect();
    Ok(entries?.into_iter().flatten().collect())
}

fn of_row(row: &Item) -> Result<Vec<TimelineEntry>, IoError> {
    if sort_key(row).starts_with(SINGLE) {
        return Ok(vec![read_json(row, "json")?]);
    }
    if row.contains_key(FACTS) { unpack(row, FACTS) } else { Ok(Vec::new()) }
}

/// True if these are all entries of the order, and no other: a query is not isolated, and may see
/// entries that were replaced since, or miss one that moved.
pub(super) fn is_whole(state: &State, entries: &[TimelineEntry]) -> bool {
    let revs = || entries.iter().map(|entry| entry.rev);
    u64::try_from(entries.len()) == Ok(state.entries)
        && revs().max().unwrap_or_default() == state.entry_rev
        && state.entry_sum.is_none_or(|sum| entry_sum(revs()) == sum)
}

/// The entries in the order's state row: the newest of these, which are all, by time of arrival.
pub(super) fn recent(order: &Order, entries: &[TimelineEntry]) -> Vec<TimelineEntry> {
    let mut newest: Vec<&TimelineEntry> = entries.iter().collect();
    newest.sort_by_key(|entry| entry.rev);
    let earlier = newest.len().saturating_sub(order.recent);
    newest.into_iter().skip(earlier).cloned().collect()
}

/// Takes those of the newest entries out that would make the state row too large.
pub(super) fn overflow(
    order: &Order,
    recent: &mut Vec<TimelineEntry>,
) -> Result<Vec<TimelineEntry>, IoError> {
    let mut row = state_row(order)?;
    row.insert(FACTS.to_owned(), pack(recent)?);
    row.insert(SCANS.to_owned(), pack(&order.scans)?);
    let moving = match size(&row) + UNSEEN_BYTES > max_bytes() {
        true => recent.len().saturating_sub(STAYING),
        false => 0,
    };
    Ok(recent.drain(..moving).collect())
}

fn max_bytes() -> usize {
    #[cfg(feature = "simulation")]
    if let Some(bytes) = simulation::max_bytes() {
        return bytes;
    }
    MAX_BYTES
}

/// Lets short timelines have facts outside the state row. No deploy build has this.
#[cfg(feature = "simulation")]
pub mod simulation {
    use std::cell::Cell;

    thread_local! {
        static MAX_BYTES: Cell<Option<usize>> = const { Cell::new(None) };
    }

    /// Sets how large a state row may be, for this thread.
    pub fn set_state_row(bytes: usize) {
        MAX_BYTES.set(Some(bytes));
    }

    pub(super) fn max_bytes() -> Option<usize> {
        MAX_BYTES.get()
    }
}

/// As DynamoDB counts, but for numbers, which are at most as long as their digits.
fn size(row: &Item) -> usize {
    let value = |value: &AttributeValue| match value {
        AttributeValue::S(text) | AttributeValue::N(text) => text.len(),
        AttributeValue::B(bytes) => bytes.as_ref().len(),
        _ => 0,
    };
    row.iter().map(|(name, it)| name.len() + value(it)).sum()
}

impl Orders {
    /// Writes an order's new state with its newest entries and scans, unless the order was written
    /// since it was read.
    pub(super) fn replace_facts(
        &self,
        before: &Order,
        after: &Order,
        recent: &[TimelineEntry],
    ) -> Result<Write, IoError> {
        let facts = if recent.is_empty() { None } else { Some(pack(&recent)?) };
        let changes = changes_of(before, after)?
            .set_or_remove(FACTS, facts)
            .set(RECENT, number(recent.len()));
        let changes = match (after.scans == before.scans, after.scans.as_slice()) {
            (true, _) => changes,
            (false, []) => changes.remove(SCANS),
            (false, scans) => changes.set(SCANS, pack(&scans)?),
        };
        let write = Write::update(&self.table, state_key(&after.key), changes);
        Ok(write.only_if(is_unchanged(before)?))
    }

    /// The write of entries that leave the state row.
    pub(super) fn put_aside(
        &self,
        order: &OrderKey,
        entries: &[TimelineEntry],
    ) -> Result<Option<Write>, IoError> {
        let Some(last) = entries.last() else { return Ok(None) };
        let sk = format!("{PREFIX}{}", last.rev);
        let row = item([("pk", text(order_pk(order))), ("sk", text(sk)), (FACTS, pack(&entries)?)]);
        Ok(Some(Write::insert(&self.table, row)))
    }

    /// The writes that change entries outside the state row; `None` removes one.
    pub(super) async fn change_aside(
        &self,
        order: &OrderKey,
        change: impl Fn(&TimelineEntry) -> Option<TimelineEntry>,
    ) -> Result<Vec<Write>, IoError> {
        let aside = attr("sk").between(text(SINGLE), text("facts;"));
        let rows = all_rows(self.query(partition(order_pk(order)).and(aside))).await?;
        let mut writes = Vec::new();
        for row in &rows {
            let before = of_row(row)?;
            let after: Vec<TimelineEntry> = before.iter().filter_map(&change).collect();
            if after != before {
                writes.push(self.write_aside(order, row, &after)?);
            }
        }
        Ok(writes)
    }

    fn write_aside(
        &self,
        order: &OrderKey,
        row: &Item,
        entries: &[TimelineEntry],
    ) -> Result<Write, IoError> {
        let mut new = key(order_pk(order), sort_key(row));
        match entries {
            [] => return Ok(Write::delete(&self.table, new)),
            [entry] if row.contains_key("json") => new.insert("json".to_owned(), json(entry)?),
            _ => new.insert(FACTS.to_owned(), pack(&entries)?),
        };
        Ok(Write::put(&self.table, new).only_if(row_exists()))
    }
}
