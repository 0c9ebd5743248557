//! Several rows at once: all of them are written, or none.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::builders::{DeleteBuilder, PutBuilder, UpdateBuilder};
use aws_sdk_dynamodb::types::{CancellationReason, TransactWriteItem};

use crate::error::IoError;
use crate::tables::attr::Item;

const CALL: &str = "dynamodb:TransactWriteItems";
const CONDITION: &str = "ConditionalCheckFailed";
const CONFLICT: &str = "TransactionConflict";

/// One write of a transaction.
pub(crate) enum Write {
    Put(PutBuilder),
    Update(UpdateBuilder),
    Delete(DeleteBuilder),
}

impl Write {
    fn build(self) -> Result<TransactWriteItem, IoError> {
        let item = TransactWriteItem::builder();
        let item = match self {
            Self::Put(put) => put.build().map(|put| item.put(put)),
            Self::Update(update) => update.build().map(|update| item.update(update)),
            Self::Delete(delete) => delete.build().map(|delete| item.delete(delete)),
        };
        item.map(|item| item.build()).map_err(|_| IoError::unreadable(CALL, "write"))
    }
}

/// Why nothing was written.
#[derive(Debug)]
pub(crate) struct Cancelled(Vec<CancellationReason>);

impl Cancelled {
    /// Whether the condition of this write failed.
    pub(crate) fn failed(&self, write: usize) -> bool {
        self.0.get(write).is_some_and(|reason| reason.code() == Some(CONDITION))
    }

    /// The row that stood in the way of this write, if it asked for it.
    pub(crate) fn row(&self, write: usize) -> Result<&Item, IoError> {
        let row = self.0.get(write).and_then(CancellationReason::item);
        row.ok_or_else(|| IoError::unreadable(CALL, "cancellation reason"))
    }

    /// For writes without conditions: only another transaction can have stood in their way.
    pub(crate) fn conflict(self) -> IoError {
        IoError::Transient { call: CALL, code: CONFLICT.to_owned() }
    }
}

/// Writes all or nothing.
pub(crate) async fn transact(
    client: &Client,
    writes: Vec<Write>,
) -> Result<Result<(), Cancelled>, IoError> {
    let writes = writes.into_iter().map(Write::build).collect::<Result<Vec<_>, _>>()?;
    let sent = client.transact_write_items().set_transact_items(Some(writes)).send().await;
    let Err(error) = sent else { return Ok(Ok(())) };
    if let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) =
        error.as_service_error()
    {
        let reasons = cancelled.cancellation_reasons();
        // Anything else among the reasons, such as throttling, is no answer to the question that was asked.
        let expected = |reason: &CancellationReason| {
            matches!(reason.code(), Some("None" | CONDITION | CONFLICT) | None)
        };
        if !reasons.is_empty() && reasons.iter().all(expected) {
            return Ok(Err(Cancelled(reasons.to_vec())));
        }
    }
    Err(IoError::of(CALL, &error))
}
