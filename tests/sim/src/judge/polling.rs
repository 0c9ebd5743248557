//! Polling: what the carrier tells is in the timelines, and every run closes with totals that add
//! up.

use super::orders::Orders;
use crate::world::State;

mod orders;
mod rows;
mod runs;

pub(super) fn judge(state: &State, orders: &Orders) -> Vec<String> {
    if state.carrier.polling.is_none() {
        return Vec::new();
    }
    [orders::judge(state, orders), runs::judge(state)].concat()
}
