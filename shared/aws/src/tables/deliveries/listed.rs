//! The indexes in which operators find deliveries. Each is sorted by `created_at`.
//!
//! `by_day` has every delivery, `by_order` those of an order, or of an account if they are about
//! several orders. These keys are written when the row is created and never change. `dead` has
//! dead deliveries only, by the day of their creation.

use domain::core::id::{AccountCode, OrderKey};
use domain::core::timestamp::Timestamp;
use domain::webhooks::delivery::Delivery;

use crate::tables::attr::text;
use crate::tables::keys::{order_pk, tenant};
use crate::tables::update::Changes;

/// A row's first claim creates it. Rows of older releases enter the indexes at their next claim.
pub(super) fn enter(changes: Changes, delivery: &Delivery, now: Timestamp) -> Changes {
    let changes = changes.set_if_absent("day", text(day(now)));
    let Some(account) = &delivery.account else { return changes };
    let of_order = match &delivery.order_id {
        Some(order) => order_pk(&OrderKey { account: account.clone(), order: order.clone() }),
        None => batches(account),
    };
    changes.set_if_absent("of_order", text(of_order))
}

/// The partition of an account's deliveries about several orders.
pub(super) fn batches(account: &AccountCode) -> String {
    format!("orders:{}", tenant(account))
}

/// E.g. `2026-01-20`.
pub(super) fn day(time: Timestamp) -> String {
    time.to_string().chars().take(10).collect()
}
