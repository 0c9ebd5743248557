//! Durations, counted in buckets that grow with them.

use std::time::Duration;

/// The number of the last bucket, of 36 days and more: WhatsApp gives a message up after 30.
const LAST: u8 = 44;

/// A range of durations: less than a second, or from `√2^(n-1)` seconds to less than `√2^n`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bucket(u8);

impl Bucket {
    /// Providers report whole seconds.
    pub fn of(duration: Duration) -> Self {
        let seconds = u128::from(duration.as_secs());
        let Some(octave) = seconds.checked_ilog2() else { return Self(0) };
        let is_upper_half = seconds * seconds >= 1 << (2 * octave + 1);
        let number = 2 * octave + u32::from(is_upper_half) + 1;
        Self(u8::try_from(number).map_or(LAST, |number| number.min(LAST)))
    }

    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok().filter(|number| *number <= LAST).map(Self)
    }

    pub fn number(self) -> u8 {
        self.0
    }

    /// The geometric middle, which differs from each of the bucket's durations by a factor of 1.19
    /// (`⁴√2`) at most. In seconds.
    pub fn middle(self) -> f64 {
        match self.0 {
            0 => 0.5,
            number => 2_f64.powf(f64::from(number) / 2.0 - 0.25),
        }
    }
}

/// The bucket of the message that is slower than this percentage of all. `buckets` are sorted.
pub(super) fn percentile(buckets: &[(Bucket, u64)], percent: u64) -> Option<Bucket> {
    let total: u64 = buckets.iter().map(|(_, count)| count).sum();
    let rank = (total * percent).div_ceil(100);
    let mut passed = 0;
    buckets.iter().find_map(|(bucket, count)| {
        passed += count;
        (passed >= rank && *count > 0).then_some(*bucket)
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn number(seconds: u64) -> u8 {
        Bucket::of(Duration::from_secs(seconds)).number()
    }

    #[test]
    fn a_bucket_is_half_an_octave() {
        assert_eq!(Bucket::of(Duration::from_millis(999)).number(), 0);
        for (seconds, expected) in [
            (0, 0),
            (1, 1),
            (2, 3),
            (3, 4),
            (4, 5),
            (5, 5),
            (6, 6),
            (7, 6),
            (8, 7),
            (11, 7),
            (12, 8),
        ] {
            assert_eq!(number(seconds), expected, "{seconds}");
        }
        assert_eq!((number(30 * 86_400), number(u64::MAX)), (43, LAST));
    }

    #[test]
    fn the_middle_is_within_a_fifth_of_each_duration() {
        for seconds in (1..3_000).chain((3_000..2_592_000).step_by(997)) {
            let middle = Bucket::of(Duration::from_secs(seconds)).middle();
            let seconds = f64::from(u32::try_from(seconds).unwrap());
            assert!(middle / seconds < 1.19 && seconds / middle < 1.19, "{seconds} {middle}");
        }
    }

    #[test]
    fn finds_percentiles() {
        let bucket = |number: u8| Bucket::parse(&number.to_string()).unwrap();
        let buckets = [(bucket(1), 50), (bucket(4), 44), (bucket(9), 6)];
        let of = |percent| percentile(&buckets, percent).map(Bucket::number);
        assert_eq!(
            [of(1), of(50), of(51), of(94), of(95), of(100)].map(Option::unwrap),
            [1, 1, 4, 4, 9, 9]
        );
        assert_eq!(percentile(&[], 50), None);
        assert_eq!(percentile(&[(bucket(3), 1)], 50), Some(bucket(3)));
        assert_eq!(Bucket::parse("45"), None);
    }
}
