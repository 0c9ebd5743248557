//! Until when somebody may watch an order live, in its state row. `process` has read it anyway when it
//! changes the order, so it knows whether to tell sockets.
//!
//! It moves no `rev`, but is a condition of every write: a change that was decided before somebody
//! began to watch is read again. So a change is either told to a new socket, or in what it reads next.

use domain::core::id::OrderKey;
use domain::core::timestamp::Timestamp;
use domain::orders::order::Order;

use super::{Orders, state_key};
use crate::error::IoError;
use crate::tables::attr::{Item, number, read_number};
use crate::tables::expression::{Condition, attr, row_exists};
use crate::tables::update::Changes;
use crate::tables::write::Write;

const WATCHED_UNTIL: &str = "watched_until";

impl Orders {
    /// Notes that somebody watches the order. Does nothing if there is no such order.
    pub async fn watch(&self, order: &OrderKey, until: Timestamp) -> Result<(), IoError> {
        let changes = Changes::new().set(WATCHED_UNTIL, number(until.millis()));
        let watch = Write::update(&self.table, state_key(order), changes);
        watch.only_if(row_exists()).send(&self.client).await.map(drop)
    }
}

pub(super) fn read(state_row: &Item) -> Option<Timestamp> {
    Timestamp::from_millis(read_number(state_row, WATCHED_UNTIL)?).ok()
}

/// True if nobody began to watch the order since it was read.
pub(super) fn is_watched_as(order: &Order) -> Condition {
    let watched = attr(WATCHED_UNTIL);
    match order.watched_until {
        Some(until) => watched.equals(number(until.millis())),
        None => watched.absent(),
    }
}
