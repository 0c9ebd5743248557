//! The names that an order gave up, in its state row. They fence the order: a writer that read it
//! before may not write it any more.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::core::id::{OrderId, OrderKey};
use domain::orders::order::Order;
use domain::tracking::report::Ref;
use serde::{Deserialize, Serialize};

use super::{Orders, state_key};
use crate::error::IoError;
use crate::tables::attr::{Item, number, read_texts};
use crate::tables::expression::{Condition, attr};
use crate::tables::update::Changes;
use crate::tables::write::Write;

/// A set of JSON texts.
const GIVEN_UP: &str = "given_up";

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct GivenUp {
    pub(super) name: Ref,
    /// The order that took it over.
    pub(super) to: Option<OrderId>,
}

impl Orders {
    /// The write that notes names as given up. It fails if the order was written since it was read
    /// at this revision.
    pub(super) fn give_up(
        &self,
        order: &OrderKey,
        rev: u64,
        names: &[GivenUp],
    ) -> Result<Write, IoError> {
        let changes = Changes::new().add(GIVEN_UP, set(names)?);
        let unchanged = attr("rev").equals(number(rev));
        Ok(Write::update(&self.table, state_key(order), changes).only_if(unchanged))
    }

    /// The write that an order needs which gets names back.
    pub(super) fn regain(&self, order: &Order, names: &[Ref]) -> Result<Option<Write>, IoError> {
        let mut after = order.clone();
        after.given_up.retain(|name, _| !names.contains(name));
        if after.given_up == order.given_up {
            return Ok(None);
        }
        let changes = get_back(Changes::new(), order, &after)?;
        let write = Write::update(&self.table, state_key(&order.key), changes);
        Ok(Some(write.only_if(is_unchanged(order)?)))
    }
}

/// True for an order that was not written, and gave up no name, since it was read.
pub(super) fn is_unchanged(order: &Order) -> Result<Condition, IoError> {
    let given_up = match order.given_up.is_empty() {
        true => attr(GIVEN_UP).absent(),
        false => attr(GIVEN_UP).equals(set(&members(&order.given_up))?),
    };
    Ok(attr("rev").equals(number(order.state.rev)).and(given_up))
}

/// Takes the names out that the order has got back.
pub(super) fn get_back(
    changes: Changes,
    before: &Order,
    after: &Order,
) -> Result<Changes, IoError> {
    let mut back = before.given_up.clone();
    back.retain(|name, _| !after.given_up.contains_key(name));
    Ok(match back.is_empty() {
        true => changes,
        false => changes.delete(GIVEN_UP, set(&members(&back))?),
    })
}

pub(super) fn read(state_row: &Item) -> Result<BTreeMap<Ref, Option<OrderId>>, IoError> {
    let names = read_texts(state_row, GIVEN_UP).iter().map(|name| serde_json::from_str(name));
    let names = names.map(|name| name.map(|GivenUp { name, to }| (name, to)));
    names.collect::<Result<_, _>>().map_err(|_| IoError::unreadable("dynamodb", GIVEN_UP))
}

fn members(names: &BTreeMap<Ref, Option<OrderId>>) -> Vec<GivenUp> {
    names.iter().map(|(name, to)| GivenUp { name: name.clone(), to: to.clone() }).collect()
}

fn set(names: &[GivenUp]) -> Result<AttributeValue, IoError> {
    let names: Result<_, _> = names.iter().map(serde_json::to_string).collect();
    names.map(AttributeValue::Ss).map_err(|_| IoError::unreadable("serde_json", GIVEN_UP))
}
