//! The rows of a table: as committed, and as readers that are not consistent see them.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;
use std::sync::Arc;

use super::schema::{Keys, Position, Table};
use super::size::entry_units;
use super::{Failure, Item};

pub(super) type Rows = BTreeMap<Position, Arc<Item>>;

pub(super) struct Store {
    pub(super) table: Table,
    committed: Rows,
    replica: Replica,
    /// Committed changes that have not reached the replica, in order.
    queued: VecDeque<(u64, Change)>,
}

/// A copy of the table and its indexes, which lags behind.
struct Replica {
    rows: Rows,
    /// In the order of the table's indexes.
    indexes: Vec<Rows>,
}

/// The effect of a write on a row.
#[derive(Clone)]
pub(super) struct Change {
    pub(super) position: Position,
    pub(super) before: Option<Arc<Item>>,
    pub(super) after: Option<Arc<Item>>,
}

impl Store {
    pub(super) fn new(table: Table) -> Self {
        let indexes = table.indexes.iter().map(|_| Rows::new()).collect();
        let replica = Replica { rows: Rows::new(), indexes };
        Self { table, committed: Rows::new(), replica, queued: VecDeque::new() }
    }

    pub(super) fn committed(&self) -> &Rows {
        &self.committed
    }

    pub(super) fn rows(&self, consistent: bool) -> &Rows {
        if consistent { &self.committed } else { &self.replica.rows }
    }

    /// The keys and entries of an index, or of the table.
    pub(super) fn readable(
        &self,
        index: Option<&str>,
        consistent: bool,
    ) -> Result<(Keys<'_>, &Rows), Failure> {
        let Some(name) = index else { return Ok((self.table.keys(), self.rows(consistent))) };
        let mut indexes = self.table.indexes.iter().zip(&self.replica.indexes);
        let (index, entries) = indexes.find(|(index, _)| index.name == name).ok_or_else(|| {
            Failure::validation(format!("The table does not have the specified index: {name}"))
        })?;
        if consistent {
            return Err(Failure::validation(
                "Consistent reads are not supported on global secondary indexes",
            ));
        }
        Ok((self.table.keys_of(index), entries))
    }

    /// Commits a change. The replica has it `lag` ms later, but not before earlier changes.
    pub(super) fn commit(&mut self, change: Change, now: u64, lag: u64) {
        set(&mut self.committed, &change.position, change.after.as_ref());
        let due = now.saturating_add(lag);
        let due = self.queued.back().map_or(due, |(last, _)| due.max(*last));
        self.queued.push_back((due, change));
        self.catch_up(now);
    }

    /// Applies the changes to the replica that are due.
    pub(super) fn catch_up(&mut self, now: u64) {
        while let Some((_, change)) = self.queued.pop_front_if(|(due, _)| *due <= now) {
            self.replica.apply(&self.table, &change);
        }
    }

    /// The write units of the indexes.
    pub(super) fn index_units(&self, change: &Change) -> u64 {
        let changed = change.changed_indexes(&self.table);
        let units = changed.map(|(_, keys)| {
            let entry = |row: &Option<Arc<Item>>| keys.of(row.as_ref()?);
            entry_units(entry(&change.before).as_ref(), entry(&change.after).as_ref())
        });
        units.sum()
    }
}

impl Replica {
    fn apply(&mut self, table: &Table, change: &Change) {
        set(&mut self.rows, &change.position, change.after.as_ref());
        for (number, keys) in change.changed_indexes(table) {
            let Some(entries) = self.indexes.get_mut(number) else { continue };
            if let Some(position) = change.before.as_ref().and_then(|row| keys.position(row)) {
                entries.remove(&position);
            }
            let entry = change.after.as_ref().and_then(|row| keys.position(row).zip(keys.of(row)));
            if let Some((position, entry)) = entry {
                entries.insert(position, Arc::new(entry));
            }
        }
    }
}

impl Change {
    /// The indexes with another entry than before, by their numbers.
    fn changed_indexes<'a>(&self, table: &'a Table) -> impl Iterator<Item = (usize, Keys<'a>)> {
        let indexes = table.indexes.iter().map(|index| table.keys_of(index)).enumerate();
        indexes.filter(|(_, keys)| !keys.are_same(self.before.as_deref(), self.after.as_deref()))
    }
}

fn set(rows: &mut Rows, position: &Position, row: Option<&Arc<Item>>) {
    match (rows.get_mut(position), row) {
        (Some(place), Some(row)) => *place = Arc::clone(row),
        (None, Some(row)) => drop(rows.insert(position.clone(), Arc::clone(row))),
        (_, None) => drop(rows.remove(position)),
    }
}

/// The rows from `low` to before `high`, in the direction of a query.
pub(super) fn range<'a>(
    rows: &'a Rows,
    low: Bound<&Position>,
    high: Bound<&Position>,
    forward: bool,
) -> Box<dyn Iterator<Item = &'a Arc<Item>> + 'a> {
    let rows = rows.range::<Position, _>((low, high)).map(|(_, row)| row);
    if forward { Box::new(rows) } else { Box::new(rows.rev()) }
}
