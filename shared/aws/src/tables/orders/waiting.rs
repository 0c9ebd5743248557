//! Reports whose order is not known yet: they wait whole, under every name they give.

use aws_sdk_dynamodb::types::Delete;
use domain::core::id::{AccountCode, EventId};
use domain::core::timestamp::Timestamp;
use domain::tracking::report::{Ref, Report};
use serde::{Deserialize, Serialize};

use super::Orders;
use crate::error::IoError;
use crate::tables::item::{Item, json, read_json, ref_pk, text, ttl};
use crate::tables::transaction::{Cancelled, Write, transact};

/// As long as the log keeps the event that brought it.
const DAYS: u64 = 90;

/// A report that waits for its order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
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
    pub async fn hold(&self, account: &AccountCode, waiting: &Waiting) -> Result<(), IoError> {
        let content = json(waiting)?;
        let puts = waiting.report.refs().into_iter().map(|name| {
            let item = Item::from([
                ("pk".to_owned(), text(ref_pk(account, &name))),
                ("sk".to_owned(), text(wait_key(waiting))),
                ("json".to_owned(), content.clone()),
                ("ttl".to_owned(), ttl(waiting.received_at, DAYS)),
            ]);
            Write::Put(self.put(item))
        });
        transact(&self.client, puts.collect()).await?.map_err(Cancelled::conflict)
    }

    /// The reports that wait under a name.
    ///
    /// # Errors
    /// The table cannot be read.
    pub async fn waiting(
        &self,
        account: &AccountCode,
        name: &Ref,
    ) -> Result<Vec<Waiting>, IoError> {
        let query = self.query(ref_pk(account, name), "pk = :pk AND begins_with(sk, :wait)");
        let items = self.all(query.expression_attribute_values(":wait", text("wait:"))).await?;
        items.iter().map(|item| read_json(item, "json")).collect()
    }

    /// Forgets a report that waits no longer, under every name.
    ///
    /// # Errors
    /// The table cannot be written.
    pub async fn release(&self, account: &AccountCode, waiting: &Waiting) -> Result<(), IoError> {
        let deletes = waiting.report.refs().into_iter().map(|name| {
            let delete =
                Delete::builder().table_name(&self.table).key("pk", text(ref_pk(account, &name)));
            Write::Delete(delete.key("sk", text(wait_key(waiting))))
        });
        transact(&self.client, deletes.collect()).await?.map_err(Cancelled::conflict)
    }
}

/// Two events may bring the same report; each of them waits.
fn wait_key(waiting: &Waiting) -> String {
    format!("wait:{}:{}", waiting.report.id, waiting.event_id)
}
