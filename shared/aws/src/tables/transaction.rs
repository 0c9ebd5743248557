//! Several writes at once: all of them take place, or none.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::CancellationReason;

use super::attr::Item;
use super::write::Write;
use crate::error::IoError;

#[cfg(test)]
mod tests;

const CALL: &str = "dynamodb:TransactWriteItems";
/// Reasons of a cancellation.
const CONDITION_REASON: &str = "ConditionalCheckFailed";
const CONFLICT_REASON: &str = "TransactionConflict";

/// How a transaction ended.
#[derive(Debug)]
#[must_use]
pub(crate) enum TransactionOutcome {
    Committed,
    Cancelled(Cancellation),
}

/// The reasons of a rollback: conditions failed, or another transaction wrote one of the rows.
/// Without a failed condition it was a conflict: the caller reads the rows again and retries.
#[derive(Debug)]
pub(crate) struct Cancellation(Vec<CancellationReason>);

impl Cancellation {
    /// True if the condition of the write at this index failed.
    pub(crate) fn condition_failed(&self, write: usize) -> bool {
        self.0.get(write).is_some_and(|reason| reason.code() == Some(CONDITION_REASON))
    }

    /// True if only writes from this index on met another transaction, and nothing else is wrong.
    pub(crate) fn conflicts_only_from(&self, write: usize) -> bool {
        let (first, rest) = self.0.split_at(write.min(self.0.len()));
        let is = |reason: &CancellationReason, code| reason.code() == Some(code);
        first.iter().all(|reason| matches!(reason.code(), Some("None") | None))
            && rest.iter().any(|reason| is(reason, CONFLICT_REASON))
            && !rest.iter().any(|reason| is(reason, CONDITION_REASON))
    }

    /// The row that the write at this index found, if it asked for it.
    pub(crate) fn existing(&self, write: usize) -> Result<&Item, IoError> {
        let row = self.0.get(write).and_then(CancellationReason::item);
        row.ok_or_else(|| IoError::unreadable(CALL, "cancellation reason"))
    }
}

impl TransactionOutcome {
    pub(crate) fn is_committed(&self) -> bool {
        matches!(self, Self::Committed)
    }

    /// For writes without conditions, which only a conflict can cancel.
    pub(crate) fn unless_conflict(self) -> Result<(), IoError> {
        match self {
            Self::Committed => Ok(()),
            Self::Cancelled(_) => {
                Err(IoError::Transient { call: CALL, code: CONFLICT_REASON.to_owned() })
            }
        }
    }
}

pub(crate) async fn transact(
    client: &Client,
    writes: Vec<Write>,
) -> Result<TransactionOutcome, IoError> {
    let writes = writes.into_iter().map(Write::in_transaction).collect::<Result<Vec<_>, _>>()?;
    let sent = client.transact_write_items().set_transact_items(Some(writes)).send().await;
    let Err(error) = sent else { return Ok(TransactionOutcome::Committed) };
    if let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) =
        error.as_service_error()
    {
        let reasons = cancelled.cancellation_reasons();
        // Any other reason, such as throttling, says nothing about the conditions.
        let is_answer = |reason: &CancellationReason| {
            matches!(reason.code(), Some("None" | CONDITION_REASON | CONFLICT_REASON) | None)
        };
        if !reasons.is_empty() && reasons.iter().all(is_answer) {
            return Ok(TransactionOutcome::Cancelled(Cancellation(reasons.to_vec())));
        }
    }
    Err(IoError::of(CALL, &error))
}
