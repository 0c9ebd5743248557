//! The indexes in which operators find deliveries. Each is sorted by `created_at`.
//!
//! `by_day` has every delivery, by the day on which its run began and a bucket of its endpoint, for a
//! list mostly asks for one. `dead` has dead deliveries only, by the same key.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::core::id::EndpointName;
use domain::core::timestamp::Timestamp;

use crate::tables::attr::text;
use crate::tables::buckets::partition_of;
use crate::tables::update::Changes;

/// The key of a row that is created. Rows of older releases enter the index at their next claim.
pub(super) fn enter(changes: Changes, endpoint: &EndpointName, now: Timestamp) -> Changes {
    changes.set_if_absent("day", day_of(endpoint, now))
}

/// The key of a row that begins another run: its expiry is renewed, and lists look back only as far
/// as a row of one run lives.
pub(super) fn renew(changes: Changes, endpoint: &EndpointName, now: Timestamp) -> Changes {
    changes.set("day", day_of(endpoint, now))
}

pub(super) fn day_of(endpoint: &EndpointName, now: Timestamp) -> AttributeValue {
    text(partition_of(&date(now), endpoint.as_str()))
}

/// E.g. `2026-01-20`.
pub(super) fn date(time: Timestamp) -> String {
    time.to_string().chars().take(10).collect()
}
