//! The active orders are stored and planned in shards.

use crate::core::hash::Fingerprint;
use crate::core::id::OrderKey;

pub const SHARDS: u8 = 16;

/// The shard of an order, below [`SHARDS`].
pub fn shard(key: &OrderKey) -> u8 {
    u8::try_from(number(key) % u64::from(SHARDS)).unwrap_or_default()
}

/// A number below `count`, independent of the order's shard.
pub(super) fn turn(key: &OrderKey, count: u64) -> u64 {
    number(key) / u64::from(SHARDS) % count
}

fn number(key: &OrderKey) -> u64 {
    Fingerprint::of("poll").with(&key.account).with(&key.order).number()
}
