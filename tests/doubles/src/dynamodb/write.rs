//! Writes of one row, by themselves or in a transaction.

use std::sync::Arc;

use serde_json::Value;

use super::expression::{Condition, Placeholders, Update};
use super::request::Request;
use super::schema::{Position, Table};
use super::size::{size, write_units};
use super::store::{Change, Store};
use super::value::{normalise_all, tagged};
use super::{DynamoDb, Failure, Item};

const MAX_ROW: usize = 400 * 1024;

/// A write whose expressions and values are valid.
pub(super) struct Write<'a> {
    /// The row, as far as the request names one.
    target: Option<Position>,
    /// The row, unless the key is invalid. In a transaction, that is the reason of a cancellation.
    position: Result<Position, Failure>,
    action: Action<'a>,
    condition: Option<Condition<'a>>,
    returns: Returns,
    returns_existing: bool,
}

enum Action<'a> {
    Put(Arc<Item>),
    /// The key, and the changes to the row.
    Update(Item, Update<'a>),
    Delete,
    /// Of a transaction: nothing changes.
    Check,
}

/// The attributes that an answer has.
#[derive(Clone, Copy, PartialEq)]
enum Returns {
    None,
    AllOld,
    AllNew,
    UpdatedOld,
    UpdatedNew,
}

/// An operation by its name in a request.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Kind {
    Put,
    Update,
    Delete,
    ConditionCheck,
}

impl Kind {
    fn own_members(self) -> &'static [&'static str] {
        match self {
            Self::Put => &["Item"],
            Self::Update => &["Key", "UpdateExpression"],
            Self::Delete | Self::ConditionCheck => &["Key"],
        }
    }

    fn returns(self) -> &'static [(&'static str, Returns)] {
        match self {
            Self::Update => &[
                ("NONE", Returns::None),
                ("ALL_OLD", Returns::AllOld),
                ("ALL_NEW", Returns::AllNew),
                ("UPDATED_OLD", Returns::UpdatedOld),
                ("UPDATED_NEW", Returns::UpdatedNew),
            ],
            _ => &[("NONE", Returns::None), ("ALL_OLD", Returns::AllOld)],
        }
    }
}

const MEMBERS: [&str; 5] = [
    "TableName",
    "ConditionExpression",
    "ExpressionAttributeNames",
    "ExpressionAttributeValues",
    "ReturnValuesOnConditionCheckFailure",
];

impl<'r> Write<'r> {
    pub(super) fn of(kind: Kind, request: Request<'r>, table: &Table) -> Result<Self, Failure> {
        let mut placeholders = Placeholders::of(request.0)?;
        let condition = request.text("ConditionExpression")?;
        if condition.is_none() && kind == Kind::ConditionCheck {
            return Err(Failure::validation("A ConditionCheck needs a ConditionExpression"));
        }
        let condition =
            condition.map(|text| Condition::parse(text, &mut placeholders)).transpose()?;
        let update = request.text("UpdateExpression")?;
        let update = update.map(|text| Update::parse(text, &mut placeholders)).transpose()?;
        placeholders.check_all_used()?;
        let item = normalise_all(request.object(kind.own_members()[0])?)?;
        table.check_not_empty(&item)?;
        let target = table.keys().position(&item);
        let position =
            if kind == Kind::Put { table.check_row(&item) } else { table.read_key(&item) };
        let action = match (kind, update) {
            (Kind::Put, _) => Action::Put(Arc::new(checked_size(item)?)),
            (Kind::Update, Some(update)) => Action::Update(item, update),
            (Kind::Update, None) => return Err(Failure::not_modelled("updates without changes")),
            (Kind::Delete, _) => Action::Delete,
            (Kind::ConditionCheck, _) => Action::Check,
        };
        let returns = request.choice("ReturnValues", kind.returns())?.unwrap_or(Returns::None);
        let existing = [("NONE", false), ("ALL_OLD", true)];
        let returns_existing = request.choice("ReturnValuesOnConditionCheckFailure", &existing)?;
        let returns_existing = returns_existing.unwrap_or_default();
        Ok(Self { target, position, action, condition, returns, returns_existing })
    }

    /// Whether both writes are for the same row of a table.
    pub(super) fn has_target_of(&self, other: &Self) -> bool {
        self.target.is_some() && self.target == other.target
    }

    /// The row as it is.
    pub(super) fn existing<'a>(&self, store: &'a Store) -> Option<&'a Arc<Item>> {
        store.committed().get(self.target.as_ref()?)
    }

    /// The effect on the table as it is.
    pub(super) fn change(&self, store: &Store) -> Result<Change, Failure> {
        let position = self.position.clone()?;
        let before = self.existing(store).cloned();
        let (empty, row) = (Item::new(), before.as_deref());
        let holds = |condition: &Condition<'_>| condition.holds(row.unwrap_or(&empty));
        if !self.condition.as_ref().is_none_or(holds) {
            return Err(Failure::condition(row.filter(|_| self.returns_existing)));
        }
        let after = match &self.action {
            Action::Put(row) => Some(Arc::clone(row)),
            Action::Update(key, update) => {
                check_names(update, &store.table)?;
                let after = checked_size(update.apply(row.unwrap_or(key))?)?;
                store.table.check_index_keys(&after)?;
                Some(Arc::new(after))
            }
            Action::Delete => None,
            Action::Check => before.clone(),
        };
        Ok(Change { position, before, after })
    }

    fn attributes(&self, change: &Change) -> Option<Item> {
        let row = match self.returns {
            Returns::None => None,
            Returns::AllOld | Returns::UpdatedOld => change.before.as_deref(),
            Returns::AllNew | Returns::UpdatedNew => change.after.as_deref(),
        }?;
        let Action::Update(_, update) = &self.action else { return Some(row.clone()) };
        if matches!(self.returns, Returns::AllOld | Returns::AllNew) {
            return Some(row.clone());
        }
        let attribute = |name: &str| Some((name.to_owned(), row.get(name)?.clone()));
        Some(update.names().filter_map(attribute).collect()).filter(|row: &Item| !row.is_empty())
    }
}

fn checked_size(row: Item) -> Result<Item, Failure> {
    if size(&row) > MAX_ROW {
        return Err(Failure::validation("Item size has exceeded the maximum allowed size"));
    }
    Ok(row)
}

fn check_names(update: &Update<'_>, table: &Table) -> Result<(), Failure> {
    match update.names().find(|name| table.is_key(name)) {
        None => Ok(()),
        Some(name) => Err(Failure::validation(format!(
            "One or more parameter values were invalid: Cannot update attribute {name}. This \
             attribute is part of the key"
        ))),
    }
}

/// Reads a write of a transaction.
pub(super) fn in_transaction<'a>(kind: Kind, request: &'a Value) -> Result<Request<'a>, Failure> {
    Request::of(request, &[&MEMBERS, kind.own_members()].concat())
}

impl DynamoDb {
    pub(super) fn write(
        &mut self,
        kind: Kind,
        request: &Value,
        now: u64,
        lag: u64,
    ) -> Result<Value, Failure> {
        let members = [&MEMBERS, kind.own_members(), &["ReturnValues"]].concat();
        let request = Request::of(request, &members)?;
        let store = self.store(request.required_text("TableName")?)?;
        let write = Write::of(kind, request, &store.table)?;
        let change = match write.change(store) {
            Ok(change) => change,
            Err(failure) => {
                // A write whose condition fails is billed.
                self.usage.writes += write_units(write.existing(store).map(AsRef::as_ref), None);
                return Err(failure);
            }
        };
        let table_units = write_units(change.before.as_deref(), change.after.as_deref());
        let units = table_units + store.index_units(&change);
        let attributes = write.attributes(&change);
        self.store_mut(request.required_text("TableName")?)?.commit(change, now, lag);
        self.usage.writes += units;
        let answer = attributes.map(|row| tagged("Attributes", Value::Object(row)));
        Ok(answer.unwrap_or_else(|| Item::new().into()))
    }
}
