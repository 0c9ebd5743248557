//! Messages: statuses, records and conversations are what was told, and nothing else.

use crate::world::State;

use super::orders::Orders;

mod figures;
pub(crate) mod rows;
mod sends;
pub(crate) mod statuses;
mod talks;
mod told;

pub(super) fn judge(state: &State, orders: &Orders) -> Vec<String> {
    let stored = rows::Stored::read(state);
    let (told, mut findings) = told::told(state);
    findings.extend(stored.odd.iter().map(|key| format!("the row {key} is odd")));
    findings.extend(sends::judge(&state.ledger.sends, &stored));
    findings.extend(statuses::judge(&told, &state.ledger, &stored, orders));
    findings.extend(talks::judge(&told, &stored));
    findings.extend(figures::judge(&stored));
    findings
}
