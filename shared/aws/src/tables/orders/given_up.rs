//! The names that an order gave up, in its state row. A writer that read the order before it gave one
//! up must read it again.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::core::id::OrderKey;
use domain::orders::order::Order;
use domain::tracking::report::Ref;

use super::watched::is_watched_as;
use super::{Orders, state_key};
use crate::error::IoError;
use crate::tables::attr::{Item, number, read_texts};
use crate::tables::expression::{Condition, attr};
use crate::tables::update::Changes;
use crate::tables::write::Write;

/// A set of names as JSON texts.
pub(super) const GIVEN_UP: &str = "given_up";

impl Orders {
    /// The write by which an order gives names up. It fails if the order was written since it was
    /// read at this revision.
    pub(super) fn give_up<'a>(
        &self,
        order: &OrderKey,
        rev: u64,
        names: impl IntoIterator<Item = &'a Ref>,
    ) -> Result<Write, IoError> {
        let changes = Changes::new().add(GIVEN_UP, set(names)?);
        let unchanged = attr("rev").equals(number(rev));
        Ok(Write::update(&self.table, state_key(order), changes).only_if(unchanged))
    }

    /// The write by which an order regains names, if it gave them up. It fails if the order was
    /// written, or gave up a name, since it was read.
    pub(super) fn regain<'a>(
        &self,
        order: &Order,
        names: impl IntoIterator<Item = &'a Ref>,
    ) -> Result<Write, IoError> {
        let changes = Changes::new().delete(GIVEN_UP, set(names)?);
        let write = Write::update(&self.table, state_key(&order.key), changes);
        Ok(write.only_if(is_unchanged(order)?))
    }
}

/// True for an order that was not written, gave up no name, and got nobody to watch it since it was
/// read.
pub(super) fn is_unchanged(order: &Order) -> Result<Condition, IoError> {
    let given_up = match order.given_up.is_empty() {
        true => attr(GIVEN_UP).absent(),
        false => attr(GIVEN_UP).equals(set(&order.given_up)?),
    };
    let unwritten = attr("rev").equals(number(order.state.rev));
    Ok(unwritten.and(given_up).and(is_watched_as(order)))
}

/// Removes the names that the order regained.
pub(super) fn remove_regained(
    changes: Changes,
    before: &Order,
    after: &Order,
) -> Result<Changes, IoError> {
    let regained: Vec<&Ref> = before.given_up.difference(&after.given_up).collect();
    Ok(match regained.is_empty() {
        true => changes,
        false => changes.delete(GIVEN_UP, set(regained)?),
    })
}

pub(super) fn read(state_row: &Item) -> Result<BTreeSet<Ref>, IoError> {
    let names = read_texts(state_row, GIVEN_UP).iter().map(|name| serde_json::from_str(name));
    names.collect::<Result<_, _>>().map_err(|_| IoError::unreadable("dynamodb", GIVEN_UP))
}

pub(super) fn set<'a>(names: impl IntoIterator<Item = &'a Ref>) -> Result<AttributeValue, IoError> {
    let names: Result<_, _> = names.into_iter().map(serde_json::to_string).collect();
    names.map(AttributeValue::Ss).map_err(|_| IoError::unreadable("serde_json", GIVEN_UP))
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use domain::core::id::{Awb, OrderId, ProviderId};
    use domain::tracking::report::SourceName;

    use super::*;
    use crate::tables::attr::{item, text};

    #[test]
    fn names_are_read_as_they_were_written() {
        let id = ProviderId::parse("#1:2").unwrap();
        let names = BTreeSet::from([
            Ref::awb(&Awb::parse("007").unwrap()),
            Ref::Provider { source: SourceName::new("shiprocket"), id },
            Ref::Order(OrderId::parse("#1").unwrap()),
        ]);
        assert_eq!(read(&item([(GIVEN_UP, set(&names).unwrap())])).unwrap(), names);
        assert_eq!(read(&item([])).unwrap(), BTreeSet::new());
        let unreadable = AttributeValue::Ss(vec!["7".to_owned()]);
        assert!(read(&item([(GIVEN_UP, unreadable), ("pk", text("p"))])).is_err());
    }
}
