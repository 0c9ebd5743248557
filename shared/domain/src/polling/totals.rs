//! Counts of a run, for its row, its log line and the gap rate.

use std::iter::Sum;
use std::ops::Add;

use serde::{Deserialize, Serialize};

/// Counts of the orders in answered batches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PollCounts {
    pub asked: u64,
    /// Orders with a report that no webhook had brought.
    pub changed: u64,
    /// Orders whose AWB the carrier does not know.
    pub unknown: u64,
}

impl Add for PollCounts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            asked: self.asked + other.asked,
            changed: self.changed + other.changed,
            unknown: self.unknown + other.unknown,
        }
    }
}

/// Totals of a planner's part of a run, or of a whole run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Orders that were due, in batches.
    pub planned: u64,
    /// Orders that were due, of accounts without credentials.
    pub without_credentials: u64,
    pub batches: u64,
    /// Batches that the carrier answered.
    pub done: u64,
    /// Batches in the dead-letter queue.
    pub failed: u64,
    /// Planners in the dead-letter queue: they did not plan all of their orders.
    pub failed_planners: u64,
    pub counts: PollCounts,
}

impl Totals {
    /// True when every batch is answered or given up.
    pub fn are_final(&self) -> bool {
        self.done + self.failed >= self.batches
    }

    /// The share of polled orders whose webhooks had missed a report, to four decimal places.
    pub fn gap_rate(&self) -> Option<f64> {
        let PollCounts { asked, changed, .. } = self.counts;
        let share = (changed * 10_000 + asked / 2).checked_div(asked)?;
        u32::try_from(share).ok().map(|share| f64::from(share) / 10_000.0)
    }
}

impl Sum for Totals {
    fn sum<I: Iterator<Item = Self>>(parts: I) -> Self {
        parts.fold(Self::default(), |sum, part| Self {
            planned: sum.planned + part.planned,
            without_credentials: sum.without_credentials + part.without_credentials,
            batches: sum.batches + part.batches,
            done: sum.done + part.done,
            failed: sum.failed + part.failed,
            failed_planners: sum.failed_planners + part.failed_planners,
            counts: sum.counts + part.counts,
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
    fn totals_are_final_when_all_batches_are_done_or_failed() {
        assert!(totals(0, 0, 0).are_final());
        assert!(totals(3, 2, 1).are_final());
        assert!(!totals(3, 2, 0).are_final());
    }

    #[test]
    fn the_gap_rate_has_four_decimal_places() {
        assert_eq!(gap_rate(0, 0), None);
        for (changed, asked, expected) in
            [(0, 50, 0.0), (1, 3, 0.3333), (2, 3, 0.6667), (5, 5, 1.0), (7, 10_000, 0.0007)]
        {
            assert_eq!(gap_rate(changed, asked), Some(expected), "{changed} of {asked}");
        }
    }

    #[test]
    fn parts_add_up() {
        let one = Totals {
            planned: 1,
            without_credentials: 9,
            batches: 2,
            done: 3,
            failed: 4,
            failed_planners: 1,
            counts: PollCounts { asked: 5, changed: 6, unknown: 7 },
        };
        let twice = Totals {
            planned: 2,
            without_credentials: 18,
            batches: 4,
            done: 6,
            failed: 8,
            failed_planners: 2,
            counts: PollCounts { asked: 10, changed: 12, unknown: 14 },
        };
        assert_eq!([one, one].into_iter().sum::<Totals>(), twice);
    }
}
