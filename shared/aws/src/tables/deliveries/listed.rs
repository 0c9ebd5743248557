//! The indexes in which operators find deliveries. Each is sorted by `created_at`.
//!
//! `by_day` has every delivery, by the day on which its run began and a bucket of its endpoint, for a
//! list mostly asks for one. `by_order` has those of an order, or of an account if they are about
//! several orders. `dead` has dead deliveries only, by the same key as `by_day`.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::core::id::{AccountCode, EndpointName, OrderId, OrderKey};
use domain::core::timestamp::Timestamp;

use crate::tables::attr::text;
use crate::tables::buckets::partition_of;
use crate::tables::keys::{order_pk, tenant};
use crate::tables::update::Changes;

/// The keys of a row that is created. Rows of older releases enter the indexes at their next claim.
pub(super) fn enter(
    changes: Changes,
    endpoint: &EndpointName,
    account: Option<&AccountCode>,
    order: Option<&OrderId>,
    now: Timestamp,
) -> Changes {
    by_order(changes.set_if_absent("day", day_of(endpoint, now)), account, order)
}

/// The keys of a row that begins another run: its expiry is renewed, and lists look back only as far
/// as a row of one run lives.
pub(super) fn renew(changes: Changes, endpoint: &EndpointName, now: Timestamp) -> Changes {
    changes.set("day", day_of(endpoint, now))
}

pub(super) fn by_order(
    changes: Changes,
    account: Option<&AccountCode>,
    order: Option<&OrderId>,
) -> Changes {
    let Some(account) = account else { return changes };
    let of_order = match order {
        Some(order) => order_pk(&OrderKey { account: account.clone(), order: order.clone() }),
        None => batches(account),
    };
    changes.set_if_absent("of_order", text(of_order))
}

pub(super) fn day_of(endpoint: &EndpointName, now: Timestamp) -> AttributeValue {
    text(partition_of(&date(now), endpoint.as_str()))
}

/// The partition of an account's deliveries about several orders.
pub(super) fn batches(account: &AccountCode) -> String {
    format!("orders:{}", tenant(account))
}

/// E.g. `2026-01-20`.
pub(super) fn date(time: Timestamp) -> String {
    time.to_string().chars().take(10).collect()
}
