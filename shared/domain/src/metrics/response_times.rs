//! How many requests took how long. An hour's counts can be added up, which percentiles cannot.

use std::ops::AddAssign;

/// By the name that it is stored under: the longest time of a range, in milliseconds. A request
/// takes 30 seconds at most, and a moment more.
const RANGES: [(&str, u64); 13] = [
    ("ms_50", 50),
    ("ms_100", 100),
    ("ms_150", 150),
    ("ms_200", 200),
    ("ms_300", 300),
    ("ms_500", 500),
    ("ms_750", 750),
    ("ms_1000", 1_000),
    ("ms_2000", 2_000),
    ("ms_5000", 5_000),
    ("ms_10000", 10_000),
    ("ms_20000", 20_000),
    ("ms_31000", 31_000),
];

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ResponseTimes([u64; RANGES.len()]);

impl ResponseTimes {
    /// One request.
    pub fn of(ms: u64) -> Self {
        let mut counts = [0; RANGES.len()];
        let range = RANGES.iter().position(|(_, longest)| ms <= *longest);
        if let Some(count) = counts.get_mut(range.unwrap_or(RANGES.len() - 1)) {
            *count = 1;
        }
        Self(counts)
    }

    pub(super) fn named(&self) -> impl Iterator<Item = (&'static str, u64)> {
        RANGES.iter().zip(self.0).map(|((name, _), count)| (*name, count))
    }

    pub(super) fn read(count: impl Fn(&str) -> u64) -> Self {
        Self(RANGES.map(|(name, _)| count(name)))
    }

    /// The time within which this share of the requests ended, as far as its range tells: requests
    /// are taken as spread evenly over it. None without requests.
    pub(super) fn percentile(&self, percent: u64) -> Option<u64> {
        let rank = (self.0.iter().sum::<u64>() * percent).div_ceil(100);
        let (mut passed, mut shortest) = (0, 0);
        for ((_, longest), count) in RANGES.iter().zip(self.0) {
            if count > 0 && passed + count >= rank {
                let share = (longest - shortest) * (rank - passed);
                return Some(shortest + share.div_ceil(count));
            }
            (passed, shortest) = (passed + count, *longest);
        }
        None
    }
}

impl AddAssign for ResponseTimes {
    fn add_assign(&mut self, other: Self) {
        for (count, more) in self.0.iter_mut().zip(other.0) {
            *count += more;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(times: &[u64]) -> ResponseTimes {
        let mut sum = ResponseTimes::default();
        times.iter().for_each(|ms| sum += ResponseTimes::of(*ms));
        sum
    }

    #[test]
    fn a_percentile_is_within_its_range() {
        assert_eq!(all(&[]).percentile(50), None);
        for (times, percent, least, most) in [
            (vec![40], 50, 1, 50),
            (vec![40; 100], 95, 40, 50),
            ([vec![20; 94], vec![4_000; 6]].concat(), 50, 1, 50),
            ([vec![20; 94], vec![4_000; 6]].concat(), 95, 2_000, 5_000),
            (vec![90_000; 3], 95, 20_000, 31_000),
        ] {
            let found = all(&times).percentile(percent);
            assert!(found.is_some_and(|ms| (least..=most).contains(&ms)), "{times:?}: {found:?}");
        }
    }

    #[test]
    fn each_time_is_counted_once() {
        for ms in [0, 50, 51, 1_000, 1_001, 31_000, 31_001, u64::MAX] {
            assert_eq!(ResponseTimes::of(ms).0.iter().sum::<u64>(), 1, "{ms}");
        }
    }
}
