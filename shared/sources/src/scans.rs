//! Sorts the scans of a parcel.

use domain::tracking::report::Scan;

/// Maximum number of scans kept of one parcel. Live bodies have up to twenty.
pub(crate) const MAX_SCANS: usize = 50;

/// A provider's usual order, for scans whose times do not decide it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    OldestFirst,
    NewestFirst,
}

/// Returns the newest [`MAX_SCANS`] scans, oldest first.
pub(crate) fn newest(mut scans: Vec<Scan>, usual: Order) -> Vec<Scan> {
    if order(&scans).unwrap_or(usual) == Order::NewestFirst {
        scans.reverse();
    }
    sort(&mut scans);
    let surplus = scans.len().saturating_sub(MAX_SCANS);
    scans.split_off(surplus)
}

/// Compares the first and the last time.
fn order(scans: &[Scan]) -> Option<Order> {
    let mut times = scans.iter().filter_map(|scan| scan.at);
    let (first, last) = (times.next()?, times.next_back()?);
    match first.cmp(&last) {
        std::cmp::Ordering::Less => Some(Order::OldestFirst),
        std::cmp::Ordering::Equal => None,
        std::cmp::Ordering::Greater => Some(Order::NewestFirst),
    }
}

/// Stable: scans with the same time keep their order. A scan without a time stays behind its
/// predecessor.
fn sort(scans: &mut Vec<Scan>) {
    let mut latest = None;
    let mut dated: Vec<_> = scans
        .drain(..)
        .map(|scan| {
            latest = scan.at.or(latest);
            (latest, scan)
        })
        .collect();
    dated.sort_by_key(|(at, _)| *at);
    scans.extend(dated.into_iter().map(|(_, scan)| scan));
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use domain::core::timestamp::Timestamp;

    use super::*;

    /// One scan per character: a digit is the hour, a letter has no time.
    fn scan(name: char) -> Scan {
        let hour = name.to_digit(10).map(i64::from);
        let at = hour.map(|hour| Timestamp::from_millis(hour * 3_600_000).unwrap());
        Scan { at, activity: Some(name.to_string()), location: None }
    }

    fn sorted(names: &str, usual: Order) -> String {
        newest(names.chars().map(scan).collect(), usual)
            .into_iter()
            .filter_map(|scan| scan.activity)
            .collect()
    }

    #[test]
    fn sorts_by_time() {
        for (input, expected) in
            [("123", "123"), ("321", "123"), ("213", "123"), ("31a", "a13"), ("a31", "13a")]
        {
            assert_eq!(sorted(input, Order::OldestFirst), expected, "{input}");
            assert_eq!(sorted(input, Order::NewestFirst), expected, "{input}");
        }
    }

    #[test]
    fn falls_back_to_the_usual_order_without_times() {
        for (input, oldest_first, newest_first) in [
            ("", "", ""),
            ("ab", "ab", "ba"),
            ("1ab", "1ab", "ba1"),
            ("1a1", "1a1", "1a1"),
            ("1ab1", "1ab1", "1ba1"),
        ] {
            assert_eq!(sorted(input, Order::OldestFirst), oldest_first, "{input}");
            assert_eq!(sorted(input, Order::NewestFirst), newest_first, "{input}");
        }
    }

    #[test]
    fn drops_the_oldest_scans() {
        let input: String = ('a'..='z').cycle().take(60).collect();
        assert_eq!(sorted(&input, Order::OldestFirst), input[10..]);
        assert_eq!(sorted(&input, Order::NewestFirst).len(), MAX_SCANS);
        assert!(sorted(&input, Order::NewestFirst).ends_with('a'));
    }
}
