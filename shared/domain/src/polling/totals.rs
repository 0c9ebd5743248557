//! What came of a run.

use std::iter::Sum;

/// What came of the orders of a batch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PollCounts {
    /// How many the carrier was asked about.
    pub asked: u64,
    /// of how many it claimed something new.
    pub changed: u64,
    /// Whose parcels it does not know.
    pub unknown: u64,
}

/// What came of a shard, or of all of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// How many orders were due.
    pub planned: u64,
    /// In how many batches.
    pub batches: u64,
    /// How many batches were answered.
    pub done: u64,
    /// How many were given up.
    pub failed: u64,
    /// What the answers said.
    pub counts: PollCounts,
}

impl Totals {
    /// Whether every batch has come to its end.
    pub fn are_final(&self) -> bool {
        self.done + self.failed >= self.batches
    }

    /// The share of the orders asked about that webhooks had missed something of, to four places.
    pub fn gap_rate(&self) -> Option<f64> {
        let PollCounts { asked, changed, .. } = self.counts;
        let share = (changed * 10_000 + asked / 2).checked_div(asked)?;
        u32::try_from(share).ok().map(|share| f64::from(share) / 10_000.0)
    }
}

impl Sum for Totals {
    fn sum<I: Iterator<Item = Self>>(shards: I) -> Self {
        shards.fold(Self::default(), |sum, shard| Self {
            planned: sum.planned + shard.planned,
            batches: sum.batches + shard.batches,
            done: sum.done + shard.done,
            failed: sum.failed + shard.failed,
            counts: PollCounts {
                asked: sum.counts.asked + shard.counts.asked,
                changed: sum.counts.changed + shard.counts.changed,
                unknown: sum.counts.unknown + shard.counts.unknown,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn totals(batches: u64, done: u64, failed: u64) -> Totals {
        Totals { batches, done, failed, ..Totals::default() }
    }

    fn gap_rate(changed: u64, asked: u64) -> Option<f64> {
        Totals { counts: PollCounts { asked, changed, unknown: 0 }, ..Totals::default() }.gap_rate()
    }

    #[test]
    fn all_batches_answered_or_given_up_is_the_end() {
        assert!(totals(0, 0, 0).are_final());
        assert!(totals(3, 2, 1).are_final());
        assert!(!totals(3, 2, 0).are_final());
    }

    #[test]
    fn the_gap_rate_has_four_places() {
        assert_eq!(gap_rate(0, 0), None);
        for (changed, asked, expected) in
            [(0, 50, 0.0), (1, 3, 0.3333), (2, 3, 0.6667), (5, 5, 1.0), (7, 10_000, 0.0007)]
        {
            assert_eq!(gap_rate(changed, asked), Some(expected), "{changed} of {asked}");
        }
    }

    #[test]
    fn shards_add_up() {
        let one = Totals {
            planned: 1,
            batches: 2,
            done: 3,
            failed: 4,
            counts: PollCounts { asked: 5, changed: 6, unknown: 7 },
        };
        let twice = Totals {
            planned: 2,
            batches: 4,
            done: 6,
            failed: 8,
            counts: PollCounts { asked: 10, changed: 12, unknown: 14 },
        };
        assert_eq!([one, one].into_iter().sum::<Totals>(), twice);
    }
}
