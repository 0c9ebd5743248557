//! Shares the calls of a run out among accounts, so that one with many orders does not delay one
//! with few.
//!
//! A planner reads the orders of an account one after another, and its batches wait for their turn.
//! The turn of a batch depends on the calls that its accounts have had, not on all calls: the first
//! batch of the last account has turn 0 like that of the first. Batches with the same turn wait in
//! the queue for the workers, which keep to the rate limit.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::messages::PollItem;
use crate::core::id::AccountCode;

/// The points of one call, which its accounts divide among each other.
const CALL: u64 = 100;
/// A planner that is resumed knows the points of this many accounts.
const KEPT: usize = 16;

/// The points of each account in one planner's part of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turns(BTreeMap<AccountCode, u64>);

impl Turns {
    /// The turn of a batch with these orders: that of the account with the fewest calls so far.
    pub fn take(&mut self, orders: &[PollItem]) -> u64 {
        let mut counts: BTreeMap<&AccountCode, u64> = BTreeMap::new();
        for order in orders {
            *counts.entry(&order.account).or_default() += 1;
        }
        let all = orders.len().max(1) as u64;
        let mut least = u64::MAX;
        for (account, count) in counts {
            let points = self.0.entry(account.clone()).or_default();
            least = least.min(*points);
            *points += (count * CALL).div_ceil(all);
        }
        if least == u64::MAX { 0 } else { least / CALL }
    }

    /// The accounts with the most points, to be stored.
    #[must_use]
    pub fn largest(&self) -> Self {
        let mut accounts: Vec<_> = self.0.iter().filter(|(_, points)| **points >= CALL).collect();
        accounts.sort_by_key(|(_, points)| std::cmp::Reverse(**points));
        Self(accounts.into_iter().take(KEPT).map(|(a, points)| (a.clone(), *points)).collect())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::core::id::OrderId;
    use crate::polling::PollState;
    use crate::testing::{awb, minute};

    /// The orders of a batch: this many of each account.
    fn batch(accounts: &[(&str, usize)]) -> Vec<PollItem> {
        let of = |(account, count): &(&str, usize)| {
            let item = PollItem {
                account: AccountCode::parse(account).unwrap(),
                order_id: OrderId::parse("ORD1").unwrap(),
                active: PollState::new(awb("1"), minute(0)),
            };
            vec![item; *count]
        };
        accounts.iter().flat_map(of).collect()
    }

    #[test]
    fn the_batches_of_one_account_take_one_turn_each() {
        let mut turns = Turns::default();
        let sizes = [50, 50, 13, 50];
        assert_eq!(sizes.map(|size| turns.take(&batch(&[("A", size)]))), [0, 1, 2, 3]);
    }

    #[test]
    fn a_small_account_does_not_wait_for_a_large_one() {
        let mut turns = Turns::default();
        let large: Vec<u64> = (0..2000).map(|_| turns.take(&batch(&[("A", 50)]))).collect();
        assert_eq!(large, (0..2000).collect::<Vec<_>>());
        assert_eq!(turns.take(&batch(&[("A", 49), ("B", 1)])), 0);
        assert_eq!(turns.take(&batch(&[("C", 9)])), 0);
        // The large account continues where it was; its share of the common batch counts.
        assert_eq!(turns.take(&batch(&[("A", 50)])), 2000);
        assert_eq!(turns.take(&batch(&[("A", 50)])), 2001);
    }

    #[test]
    fn stores_the_largest_accounts_only() {
        let mut turns = Turns::default();
        for account in 0..40 {
            let name = format!("ACC{account:02}");
            for _ in 0..=account / 2 {
                turns.take(&batch(&[(&name, 50)]));
            }
        }
        turns.take(&batch(&[("A", 49), ("SMALL", 1)]));
        let stored = turns.largest();
        let text = serde_json::to_string(&stored).unwrap();
        assert_eq!(serde_json::from_str::<Turns>(&text).unwrap(), stored);
        assert_eq!(stored.0.len(), KEPT);
        assert!(text.contains(r#""ACC39":2000"#) && !text.contains("SMALL"), "{text}");
        assert!(Turns::default().largest().is_empty());
    }
}
