//! Writes of single rows: put, update or delete, with or without a condition.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::error::ConditionalCheckFailedException;
use aws_sdk_dynamodb::types::{
    Delete, Put, ReturnValue, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};

use super::attr::Item;
use super::contention::{Try, retry};
use super::expression::{Condition, Placeholders, no_row};
use super::update::Changes;
use crate::error::IoError;

const CONFLICT: &str = "TransactionConflictException";
/// How often a write is sent while a transaction writes the same row.
const TRIES: u32 = 7;

/// A write that can be sent by itself or in a transaction.
#[derive(Debug, Clone)]
pub(crate) struct Write {
    table: String,
    action: Action,
    condition: Option<Condition>,
    returns: Option<ReturnValue>,
    existing: Option<ReturnValuesOnConditionCheckFailure>,
}

#[derive(Debug, Clone)]
enum Action {
    Put(Item),
    Update(Item, Changes),
    Delete(Item),
}

/// How a write ended.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub(crate) enum WriteOutcome {
    /// With the attributes that the write asked for.
    Applied(Item),
    /// With the existing row, if there is one and the write asked for it.
    ConditionFailed(Item),
}

impl WriteOutcome {
    pub(crate) fn is_applied(&self) -> bool {
        matches!(self, Self::Applied(_))
    }

    /// The requested attributes, unless the condition failed.
    pub(crate) fn applied(self) -> Option<Item> {
        match self {
            Self::Applied(attributes) => Some(attributes),
            Self::ConditionFailed(_) => None,
        }
    }
}

/// Sets the table, the expressions and their placeholders on any of the six request builders.
macro_rules! with_expressions {
    ($write:expr, $request:expr, $changes:expr) => {{
        let mut placeholders = Placeholders::default();
        let update = $changes.render(&mut placeholders);
        with_expressions!(@ $write, $request.update_expression(update), placeholders)
    }};
    ($write:expr, $request:expr) => {
        with_expressions!(@ $write, $request, Placeholders::default())
    };
    (@ $write:expr, $request:expr, $placeholders:expr) => {{
        let mut placeholders = $placeholders;
        let condition = $write.condition.clone();
        let condition = condition.map(|condition| condition.render(&mut placeholders));
        let (names, values) = placeholders.into_maps();
        $request
            .table_name(&$write.table)
            .set_condition_expression(condition)
            .set_expression_attribute_names(names)
            .set_expression_attribute_values(values)
            .set_return_values_on_condition_check_failure($write.existing.clone())
    }};
}

impl Write {
    pub(crate) fn put(table: &str, item: Item) -> Self {
        Self::new(table, Action::Put(item))
    }

    /// A put that only takes place if there is no row of this key.
    pub(crate) fn insert(table: &str, item: Item) -> Self {
        Self::put(table, item).only_if(no_row())
    }

    /// An update, which creates a missing row.
    pub(crate) fn update(table: &str, key: Item, changes: Changes) -> Self {
        Self::new(table, Action::Update(key, changes))
    }

    pub(crate) fn delete(table: &str, key: Item) -> Self {
        Self::new(table, Action::Delete(key))
    }

    fn new(table: &str, action: Action) -> Self {
        Self { table: table.to_owned(), action, condition: None, returns: None, existing: None }
    }

    pub(crate) fn only_if(self, condition: Condition) -> Self {
        Self { condition: Some(condition), ..self }
    }

    /// The attributes in [`WriteOutcome::Applied`]; none by default.
    pub(crate) fn returning(self, attributes: ReturnValue) -> Self {
        Self { returns: Some(attributes), ..self }
    }

    /// Asks for the existing row if the condition fails.
    pub(crate) fn returning_existing(self) -> Self {
        Self { existing: Some(ReturnValuesOnConditionCheckFailure::AllOld), ..self }
    }

    /// Sends the write by itself. While a transaction writes the same row it is sent again, after a
    /// pause: whether the condition holds is known only when that transaction has ended.
    pub(crate) async fn send(self, client: &Client) -> Result<WriteOutcome, IoError> {
        let outcome = retry(TRIES, || self.send_once(client)).await?;
        let code = || CONFLICT.to_owned();
        outcome.ok_or_else(|| IoError::Transient { call: self.call(), code: code() })
    }

    async fn send_once(&self, client: &Client) -> Result<Try<WriteOutcome>, IoError> {
        match self.action.clone() {
            Action::Put(item) => {
                let put = with_expressions!(self, client.put_item().set_item(Some(item)));
                let sent = put.set_return_values(self.returns.clone()).send().await;
                outcome(self.call(), sent.map(|sent| sent.attributes), |error| match error {
                    PutItemError::ConditionalCheckFailedException(failed) => Some(failed),
                    _ => None,
                })
            }
            Action::Update(key, changes) => {
                let update =
                    with_expressions!(self, client.update_item().set_key(Some(key)), changes);
                let sent = update.set_return_values(self.returns.clone()).send().await;
                outcome(self.call(), sent.map(|sent| sent.attributes), |error| match error {
                    UpdateItemError::ConditionalCheckFailedException(failed) => Some(failed),
                    _ => None,
                })
            }
            Action::Delete(key) => {
                let delete = with_expressions!(self, client.delete_item().set_key(Some(key)));
                let sent = delete.set_return_values(self.returns.clone()).send().await;
                outcome(self.call(), sent.map(|sent| sent.attributes), |error| match error {
                    DeleteItemError::ConditionalCheckFailedException(failed) => Some(failed),
                    _ => None,
                })
            }
        }
    }

    /// The write as a part of a transaction, which returns no attributes.
    pub(super) fn in_transaction(self) -> Result<TransactWriteItem, IoError> {
        let item = TransactWriteItem::builder();
        let item = match self.action.clone() {
            Action::Put(row) => with_expressions!(self, Put::builder().set_item(Some(row)))
                .build()
                .map(|put| item.put(put)),
            Action::Update(key, changes) => {
                with_expressions!(self, Update::builder().set_key(Some(key)), changes)
                    .build()
                    .map(|update| item.update(update))
            }
            Action::Delete(key) => with_expressions!(self, Delete::builder().set_key(Some(key)))
                .build()
                .map(|delete| item.delete(delete)),
        };
        item.map(|item| item.build())
            .map_err(|_| IoError::unreadable("dynamodb:TransactWriteItems", "write"))
    }

    fn call(&self) -> &'static str {
        match self.action {
            Action::Put(_) => "dynamodb:PutItem",
            Action::Update(..) => "dynamodb:UpdateItem",
            Action::Delete(_) => "dynamodb:DeleteItem",
        }
    }
}

/// The only place that tells a failed condition and a conflict from other errors of a single write.
fn outcome<E: ProvideErrorMetadata, R>(
    call: &'static str,
    sent: Result<Option<Item>, SdkError<E, R>>,
    condition_failed: impl Fn(&E) -> Option<&ConditionalCheckFailedException>,
) -> Result<Try<WriteOutcome>, IoError> {
    let error = match sent {
        Ok(attributes) => {
            return Ok(Try::Done(WriteOutcome::Applied(attributes.unwrap_or_default())));
        }
        Err(error) => error,
    };
    let service = error.as_service_error();
    if let Some(failed) = service.and_then(condition_failed) {
        let existing = failed.item().cloned().unwrap_or_default();
        return Ok(Try::Done(WriteOutcome::ConditionFailed(existing)));
    }
    if service.and_then(ProvideErrorMetadata::code) == Some(CONFLICT) {
        return Ok(Try::Contended);
    }
    Err(IoError::of(call, &error))
}
