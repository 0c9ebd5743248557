//! Timeline entries, written together with the state they lead to.

use domain::core::id::OrderKey;
use domain::orders::order::Order;
use domain::tracking::report::Scan;
use domain::tracking::timeline::{Commit, TimelineEntry};

use super::list::found_in;
use super::{Orders, partition, state_key};
use crate::error::IoError;
use crate::tables::attr::{Item, bytes, compress, item, json, number, read_json, text};
use crate::tables::expression::attr;
use crate::tables::keys::order_pk;
use crate::tables::read::all_rows;
use crate::tables::transaction::{TransactionOutcome, transact};
use crate::tables::update::Changes;
use crate::tables::write::Write;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommitOutcome {
    Committed,
    /// The timeline already has this report.
    Duplicate(Box<TimelineEntry>),
    /// The order was written since it was read: read it again.
    RevMismatch,
}

/// The scans of a parcel, which replace those of the order.
pub type Scans<'a> = Option<&'a [Scan]>;

impl Orders {
    /// All timeline entries of an order, unsorted.
    pub async fn entries(&self, key: &OrderKey) -> Result<Vec<TimelineEntry>, IoError> {
        let entries = partition(order_pk(key)).and(attr("sk").begins_with(text("entry:")));
        let rows = all_rows(self.query(entries)).await?;
        rows.iter().map(|row| read_json(row, "json")).collect()
    }

    /// Stores a timeline entry, if its report is new, together with the state it leads to, if the
    /// order was not written since it was read. A status that starts or ends polling also writes
    /// the polling rows.
    pub async fn commit(
        &self,
        order: &Order,
        commit: &Commit,
        scans: Scans<'_>,
    ) -> Result<CommitOutcome, IoError> {
        let key = &order.key;
        let entry = Write::insert(&self.table, entry_row(key, &commit.entry)?);
        let mut writes = vec![entry.returning_existing(), self.advance(key, commit, scans)?];
        if commit.entry.transition.is_some() {
            let after = Order { state: commit.state.clone(), ..order.clone() };
            writes.extend(self.active_writes(Some(order), &after));
        }
        match transact(&self.client, writes).await? {
            TransactionOutcome::Committed => Ok(CommitOutcome::Committed),
            TransactionOutcome::Cancelled(cancelled) if cancelled.condition_failed(0) => {
                read_json(cancelled.existing(0)?, "json").map(CommitOutcome::Duplicate)
            }
            TransactionOutcome::Cancelled(_) => Ok(CommitOutcome::RevMismatch),
        }
    }

    fn advance(&self, key: &OrderKey, commit: &Commit, scans: Scans<'_>) -> Result<Write, IoError> {
        let state = &commit.state;
        let mut changes = Changes::new()
            .set("json", json(state)?)
            .set("rev", number(state.rev))
            .set("found_in", found_in(&key.account, state.tracking.status));
        if let Some(scans) = scans.filter(|scans| !scans.is_empty()) {
            let content = serde_json::to_vec(scans)
                .map_err(|_| IoError::unreadable("serde_json", "scans"))?;
            changes = changes.set("scans", bytes(compress(&content)));
        }
        let unchanged = attr("rev").equals(number(state.rev - 1));
        Ok(Write::update(&self.table, state_key(key), changes).only_if(unchanged))
    }
}

fn entry_row(key: &OrderKey, entry: &TimelineEntry) -> Result<Item, IoError> {
    Ok(item([
        ("pk", text(order_pk(key))),
        ("sk", text(format!("entry:{}", entry.report_id()))),
        ("json", json(entry)?),
    ]))
}
