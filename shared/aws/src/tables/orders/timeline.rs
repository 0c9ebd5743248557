//! Entries: read for the fold, and written together with the state they lead to.

use aws_sdk_dynamodb::types::Update;
use domain::core::id::OrderKey;
use domain::tracking::report::Scan;
use domain::tracking::timeline::{Commit, TimelineEntry};

use super::Orders;
use crate::error::IoError;
use crate::tables::attr::{Item, bytes, compress, json, number, read_json, text};
use crate::tables::keys::order_pk;
use crate::tables::transaction::{Write, transact};

/// What became of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommitOutcome {
    /// TimelineEntry and state are stored.
    Done,
    /// The report was there already.
    AlreadyThere(Box<TimelineEntry>),
    /// The order was written in between: read it again.
    Stale,
}

/// The stops of a parcel that replace those of the order.
pub type Scans<'a> = Option<&'a [Scan]>;

impl Orders {
    /// All entries of an order, in no order.
    ///
    /// # Errors
    /// The table cannot be read.
    pub async fn entries(&self, key: &OrderKey) -> Result<Vec<TimelineEntry>, IoError> {
        let query = self.query(order_pk(key), "pk = :pk AND begins_with(sk, :entry)");
        let items = self.all(query.expression_attribute_values(":entry", text("entry:"))).await?;
        items.iter().map(|item| read_json(item, "json")).collect()
    }

    /// Stores an entry if its report is new, and the state it leads to if nobody wrote the order since.
    ///
    /// # Errors
    /// The table cannot be written.
    pub async fn commit(
        &self,
        key: &OrderKey,
        settled: &Commit,
        scans: Scans<'_>,
    ) -> Result<CommitOutcome, IoError> {
        let entry = self
            .put(entry_item(key, &settled.entry)?)
            .condition_expression("attribute_not_exists(pk)");
        let writes = vec![Write::Put(entry), self.advance(key, settled, scans)?];
        let Err(cancelled) = transact(&self.client, writes).await? else {
            return Ok(CommitOutcome::Done);
        };
        if cancelled.failed(0) {
            return Ok(CommitOutcome::AlreadyThere(Box::new(read_json(
                cancelled.row(0)?,
                "json",
            )?)));
        }
        Ok(CommitOutcome::Stale)
    }

    fn advance(
        &self,
        key: &OrderKey,
        settled: &Commit,
        scans: Scans<'_>,
    ) -> Result<Write, IoError> {
        let scans = scans.filter(|scans| !scans.is_empty());
        let set = if scans.is_some() {
            "SET json = :json, rev = :rev, scans = :scans"
        } else {
            "SET json = :json, rev = :rev"
        };
        let mut update = Update::builder()
            .table_name(&self.table)
            .key("pk", text(order_pk(key)))
            .key("sk", text("state"))
            .condition_expression("rev = :before")
            .update_expression(set)
            .expression_attribute_values(":before", number(settled.state.rev - 1))
            .expression_attribute_values(":rev", number(settled.state.rev))
            .expression_attribute_values(":json", json(&settled.state)?);
        if let Some(scans) = scans {
            let content = serde_json::to_vec(scans)
                .map_err(|_| IoError::unreadable("serde_json", "scans"))?;
            update = update.expression_attribute_values(":scans", bytes(compress(&content)));
        }
        Ok(Write::Update(update))
    }
}

fn entry_item(key: &OrderKey, entry: &TimelineEntry) -> Result<Item, IoError> {
    Ok(Item::from([
        ("pk".to_owned(), text(order_pk(key))),
        ("sk".to_owned(), text(format!("entry:{}", entry.report_id()))),
        ("json".to_owned(), json(entry)?),
    ]))
}
