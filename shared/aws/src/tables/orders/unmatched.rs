//! Reports whose order is not known yet: they wait whole, under every name they give.

use aws_sdk_dynamodb::types::Delete;
use domain::core::id::{AccountCode, EventId};
use domain::core::timestamp::Timestamp;
use domain::tracking::report::{Ref, Report};
use serde::{Deserialize, Serialize};

use super::Orders;
use crate::error::IoError;
use crate::tables::attr::{Item, json, read_json, text, ttl};
use crate::tables::keys::ref_pk;
use crate::tables::transaction::{Cancelled, Write, transact};

/// As long as the log keeps the event that brought it.
const DAYS: u64 = 90;

/// A report that waits for its order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnmatchedReport {
    /// The report.
    pub report: Report,
    /// The event that brought it.
    pub event_id: EventId,
    /// When that event was received.
    pub received_at: Timestamp,
}

impl Orders {
    /// Keeps a report under every name it gives.
    ///
    /// # Errors
    /// The table cannot be written.
    pub async fn park(
        &self,
        account: &AccountCode,
        unmatched: &UnmatchedReport,
    ) -> Result<(), IoError> {
        let content = json(unmatched)?;
        let puts = unmatched.report.refs().into_iter().map(|name| {
            let item = Item::from([
                ("pk".to_owned(), text(ref_pk(account, &name))),
                ("sk".to_owned(), text(wait_key(unmatched))),
                ("json".to_owned(), content.clone()),
                ("ttl".to_owned(), ttl(unmatched.received_at, DAYS)),
            ]);
            Write::Put(self.put(item))
        });
        transact(&self.client, puts.collect()).await?.map_err(Cancelled::conflict)
    }

    /// The reports that wait under a name.
    ///
    /// # Errors
    /// The table cannot be read.
    pub async fn unmatched_reports(
        &self,
        account: &AccountCode,
        name: &Ref,
    ) -> Result<Vec<UnmatchedReport>, IoError> {
        let query = self.query(ref_pk(account, name), "pk = :pk AND begins_with(sk, :wait)");
        let items = self.all(query.expression_attribute_values(":wait", text("wait:"))).await?;
        items.iter().map(|item| read_json(item, "json")).collect()
    }

    /// Forgets a report that waits no longer, under every name.
    ///
    /// # Errors
    /// The table cannot be written.
    pub async fn unpark(
        &self,
        account: &AccountCode,
        unmatched: &UnmatchedReport,
    ) -> Result<(), IoError> {
        let deletes = unmatched.report.refs().into_iter().map(|name| {
            let delete =
                Delete::builder().table_name(&self.table).key("pk", text(ref_pk(account, &name)));
            Write::Delete(delete.key("sk", text(wait_key(unmatched))))
        });
        transact(&self.client, deletes.collect()).await?.map_err(Cancelled::conflict)
    }
}

/// Two events may bring the same report; each of them waits.
fn wait_key(unmatched: &UnmatchedReport) -> String {
    format!("wait:{}:{}", unmatched.report.id, unmatched.event_id)
}
