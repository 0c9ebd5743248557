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

use super::checkpoints::{SCANS, pack_scans};
use super::create::changes_of;
use super::given_up::{self, GIVEN_UP, is_unchanged};
use super::{Orders, STATE, partition, sort_key, state_key, unpacked_row};
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

/// The compressed attributes of a state row.
pub(super) struct Packed {
    state: AttributeValue,
    /// How many facts.
    recent: usize,
    facts: Option<AttributeValue>,
    scans: Option<AttributeValue>,
}

impl Packed {
    pub(super) fn of(order: &Order, recent: &[TimelineEntry]) -> Result<Packed, IoError> {
        Packed::with_scans(order, recent, pack_scans(&order.scans)?)
    }

    fn with_scans(
        order: &Order,
        recent: &[TimelineEntry],
        scans: Option<AttributeValue>,
    ) -> Result<Packed, IoError> {
        let (state, facts) = (pack(&order.state)?, pack_facts(recent)?);
        Ok(Packed { state, recent: recent.len(), facts, scans })
    }

    /// Also takes those of the newest entries out that would make the state row too large.
    pub(super) fn with_overflow(
        order: &Order,
        recent: &mut Vec<TimelineEntry>,
        scans: Option<AttributeValue>,
    ) -> Result<(Packed, Vec<TimelineEntry>), IoError> {
        let mut packed = Packed::with_scans(order, recent, scans)?;
        let moving = recent.len().saturating_sub(STAYING);
        if moving == 0 || packed.row_bytes(order)? <= max_bytes() {
            return Ok((packed, Vec::new()));
        }
        let moved = recent.drain(..moving).collect();
        (packed.facts, packed.recent) = (pack_facts(recent)?, recent.len());
        Ok((packed, moved))
    }

    fn row_bytes(&self, order: &Order) -> Result<usize, IoError> {
        let names = given_up::set(&order.given_up)?;
        let packed = [(FACTS, &self.facts), (SCANS, &self.scans)];
        let packed = packed.into_iter().filter_map(|(name, it)| Some((name, it.as_ref()?)));
        let written = packed.chain([(STATE, &self.state), (GIVEN_UP, &names)]);
        let written: usize = written.map(|(name, value)| bytes(name, value)).sum();
        let others: usize = unpacked_row(order).iter().map(|(name, it)| bytes(name, it)).sum();
        Ok(written + others + UNSEEN_BYTES)
    }
}

fn pack_facts(entries: &[TimelineEntry]) -> Result<Option<AttributeValue>, IoError> {
    if entries.is_empty() { Ok(None) } else { pack(&entries).map(Some) }
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
fn bytes(name: &str, value: &AttributeValue) -> usize {
    let value = match value {
        AttributeValue::S(text) | AttributeValue::N(text) => text.len(),
        AttributeValue::B(bytes) => bytes.as_ref().len(),
        AttributeValue::Ss(texts) => texts.iter().map(String::len).sum(),
        _ => 0,
    };
    name.len() + value
}

impl Orders {
    /// Writes an order's new state with its newest entries and scans, unless the order was written
    /// since it was read.
    pub(super) fn replace_facts(
        &self,
        before: &Order,
        after: &Order,
        packed: Packed,
    ) -> Result<Write, IoError> {
        let Packed { state, recent, facts, scans } = packed;
        let changes = changes_of(before, after, state)?
            .set_or_remove(FACTS, facts)
            .set(RECENT, number(recent));
        let changes = match after.scans == before.scans {
            true => changes,
            false => changes.set_or_remove(SCANS, scans),
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
