//! A run is planned by one to sixteen planners. Each of them reads some of the shards, in turn, and
//! fills its batches over all of them.

use super::shard::SHARDS;

/// One planner for each of so many orders.
const ORDERS: u64 = 8000;

/// The number of planners of a run, from the number of orders that the run before it planned.
pub fn planners(planned_before: u64) -> u8 {
    let planners = planned_before.div_ceil(ORDERS).clamp(1, u64::from(SHARDS));
    u8::try_from(planners).unwrap_or(SHARDS)
}

/// A place among the orders of a planner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub shard: u8,
    /// The sort key of the last order read; `None` at the beginning of the shard.
    pub after: Option<String>,
}

impl Place {
    /// Where the planner begins, or continues from the position that it stored.
    pub fn resume(planner: u8, position: Option<&str>) -> Self {
        let place = position.and_then(|position| {
            let (shard, after) = position.split_once('/')?;
            Some(Self { shard: shard.parse().ok()?, after: Some(after.to_owned()) })
        });
        place.unwrap_or(Self { shard: planner, after: None })
    }

    /// The place after a page, or `None` after the last page of the planner's last shard.
    pub fn after_page(&self, next: Option<String>, planners: u8) -> Option<Self> {
        if next.is_some() {
            return Some(Self { shard: self.shard, after: next });
        }
        let shard = self.shard.checked_add(planners).filter(|shard| *shard < SHARDS)?;
        Some(Self { shard, after: None })
    }

    /// The position of an order of this shard: later ones compare greater.
    pub fn position(&self, sort_key: &str) -> String {
        format!("{:02}/{sort_key}", self.shard)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_run_has_a_planner_for_each_8000_orders() {
        let orders = [0, 1, 8000, 8001, 10_000, 120_000, 120_001, u64::MAX];
        assert_eq!(orders.map(planners), [1, 1, 1, 2, 2, 15, 16, 16]);
    }

    #[test]
    fn planners_read_every_shard_once() {
        for planners in 1..=SHARDS {
            let mut shards = BTreeSet::new();
            for planner in 0..planners {
                let mut place = Some(Place::resume(planner, None));
                while let Some(at) = place {
                    assert!(shards.insert(at.shard), "{planners}");
                    place = at.after_page(None, planners);
                }
            }
            assert_eq!(shards, (0..SHARDS).collect(), "{planners}");
        }
    }

    #[test]
    fn continues_in_the_shard_of_the_stored_position() {
        let place = Place::resume(3, None);
        assert_eq!(place, Place { shard: 3, after: None });
        let page = place.after_page(Some("8:STORE001:a/b".to_owned()), 5).unwrap();
        assert_eq!(Place::resume(3, Some(&page.position("8:STORE001:a/b"))), page);
        let next = page.after_page(None, 5).unwrap();
        assert_eq!(next, Place { shard: 8, after: None });
        assert!(page.position("8:STORE001:z") < next.position("1:A:a"));
        assert_eq!(Place { shard: 13, after: None }.after_page(None, 5), None);
    }
}
