//! Writes of single rows: put, update or delete, with or without a condition.
//!
//! A write fails with a conflict while a transaction writes the same row. There is one rule for it.
//! A caller that reads the row again and retries after a failed condition uses
//! [`Write::send_if_unchanged`], where a conflict counts as a failed condition: the row is about to
//! change. Every other caller uses [`Write::send`], which sends the same write again.

use std::collections::HashMap;

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

#[cfg(test)]
mod tests;

/// The error code of a single write.
const CONFLICT_ERROR: &str = "TransactionConflictException";
/// How often a write is sent while a transaction writes the same row.
const TRIES: u32 = 7;

/// A write that can be sent by itself or in a transaction.
#[derive(Debug, Clone)]
pub(crate) struct Write {
    table: String,
    action: Action,
    condition: Option<Condition>,
    returns: Option<ReturnValue>,
    returns_existing: bool,
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

impl Write {
    pub(crate) fn put(table: &str, item: Item) -> Self {
        Self::new(table, Action::Put(item))
    }

    /// A put that only takes place if there is no row of this key.
    pub(crate) fn insert(table: &str, item: Item) -> Self {
        Self::put(table, item).only_if(no_row())
    }

    /// An update, which creates a missing row. It needs a change.
    pub(crate) fn update(table: &str, key: Item, changes: Changes) -> Self {
        debug_assert!(!changes.is_empty(), "an update without changes");
        Self::new(table, Action::Update(key, changes))
    }

    pub(crate) fn delete(table: &str, key: Item) -> Self {
        Self::new(table, Action::Delete(key))
    }

    fn new(table: &str, action: Action) -> Self {
        Self {
            table: table.to_owned(),
            action,
            condition: None,
            returns: None,
            returns_existing: false,
        }
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
        Self { returns_existing: true, ..self }
    }

    /// Sends the write by itself, and again after a pause while a transaction writes the same row.
    pub(crate) async fn send(self, client: &Client) -> Result<WriteOutcome, IoError> {
        let request = self.render();
        let outcome = retry(TRIES, || request.clone().send(client)).await?;
        outcome.ok_or_else(|| IoError::Transient {
            call: request.kind.call(),
            code: CONFLICT_ERROR.to_owned(),
        })
    }

    /// Sends the write by itself, once. `false` if the condition failed, or a transaction writes
    /// the same row: the caller reads the row again.
    pub(crate) async fn send_if_unchanged(self, client: &Client) -> Result<bool, IoError> {
        Ok(match self.render().send(client).await? {
            Try::Done(outcome) => outcome.is_applied(),
            Try::Contended => false,
        })
    }

    /// The write as a part of a transaction, which returns no attributes.
    pub(super) fn in_transaction(self) -> Result<TransactWriteItem, IoError> {
        self.render().in_transaction()
    }

    fn render(self) -> Request {
        let mut placeholders = Placeholders::default();
        let (kind, row, update) = match self.action {
            Action::Put(row) => (Kind::Put, row, None),
            Action::Update(key, changes) => {
                (Kind::Update, key, Some(changes.render(&mut placeholders)))
            }
            Action::Delete(key) => (Kind::Delete, key, None),
        };
        let condition = self.condition.map(|condition| condition.render(&mut placeholders));
        let (names, values) = placeholders.into_maps();
        let existing = self.returns_existing.then_some(ReturnValuesOnConditionCheckFailure::AllOld);
        let (table, returns) = (self.table, self.returns);
        Request { table, kind, row, update, condition, names, values, returns, existing }
    }
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Put,
    Update,
    Delete,
}

impl Kind {
    fn call(self) -> &'static str {
        match self {
            Self::Put => "dynamodb:PutItem",
            Self::Update => "dynamodb:UpdateItem",
            Self::Delete => "dynamodb:DeleteItem",
        }
    }
}

/// A write with its expressions as text and their placeholders.
#[derive(Debug, Clone)]
struct Request {
    table: String,
    kind: Kind,
    /// The whole row of a put, else the key.
    row: Item,
    update: Option<String>,
    condition: Option<String>,
    names: Option<HashMap<String, String>>,
    values: Option<Item>,
    returns: Option<ReturnValue>,
    existing: Option<ReturnValuesOnConditionCheckFailure>,
}

/// Sets the common fields of the six request builders, which share no trait.
macro_rules! fill {
    ($builder:expr, $request:expr) => {
        $builder
            .table_name($request.table)
            .set_condition_expression($request.condition)
            .set_expression_attribute_names($request.names)
            .set_expression_attribute_values($request.values)
            .set_return_values_on_condition_check_failure($request.existing)
    };
}

impl Request {
    async fn send(self, client: &Client) -> Result<Try<WriteOutcome>, IoError> {
        let (call, row, returns) = (self.kind.call(), Some(self.row), self.returns);
        match self.kind {
            Kind::Put => {
                let put = fill!(client.put_item().set_item(row), self);
                let sent = put.set_return_values(returns).send().await;
                outcome(call, sent.map(|sent| sent.attributes), |error| match error {
                    PutItemError::ConditionalCheckFailedException(failed) => Some(failed),
                    _ => None,
                })
            }
            Kind::Update => {
                let update = client.update_item().set_key(row).set_update_expression(self.update);
                let update = fill!(update, self);
                let sent = update.set_return_values(returns).send().await;
                outcome(call, sent.map(|sent| sent.attributes), |error| match error {
                    UpdateItemError::ConditionalCheckFailedException(failed) => Some(failed),
                    _ => None,
                })
            }
            Kind::Delete => {
                let delete = fill!(client.delete_item().set_key(row), self);
                let sent = delete.set_return_values(returns).send().await;
                outcome(call, sent.map(|sent| sent.attributes), |error| match error {
                    DeleteItemError::ConditionalCheckFailedException(failed) => Some(failed),
                    _ => None,
                })
            }
        }
    }

    fn in_transaction(self) -> Result<TransactWriteItem, IoError> {
        let (row, item) = (Some(self.row), TransactWriteItem::builder());
        let item = match self.kind {
            Kind::Put => fill!(Put::builder().set_item(row), self).build().map(|put| item.put(put)),
            Kind::Update => {
                let update = Update::builder().set_key(row).set_update_expression(self.update);
                fill!(update, self).build().map(|update| item.update(update))
            }
            Kind::Delete => fill!(Delete::builder().set_key(row), self)
                .build()
                .map(|delete| item.delete(delete)),
        };
        item.map(|item| item.build())
            .map_err(|_| IoError::unreadable("dynamodb:TransactWriteItems", "write"))
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
    if service.and_then(ProvideErrorMetadata::code) == Some(CONFLICT_ERROR) {
        return Ok(Try::Contended);
    }
    Err(IoError::of(call, &error))
}
