//! A parcel's stops, in one order whatever order they come in.

use domain::tracking::report::Scan;

/// The most that is kept of one parcel. Live bodies have twenty at most.
pub(crate) const MOST: usize = 50;

/// How a provider lists scans, where their times do not tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    OldestFirst,
    NewestFirst,
}

/// The newest [`MOST`], oldest first.
pub(crate) fn newest(mut scans: Vec<Scan>, usual: Order) -> Vec<Scan> {
    if order(&scans).unwrap_or(usual) == Order::NewestFirst {
        scans.reverse();
    }
    sort(&mut scans);
    let surplus = scans.len().saturating_sub(MOST);
    scans.split_off(surplus)
}

/// The order that the first and the last time show.
fn order(scans: &[Scan]) -> Option<Order> {
    let mut times = scans.iter().filter_map(|scan| scan.at);
    let (first, last) = (times.next()?, times.next_back()?);
    match first.cmp(&last) {
        std::cmp::Ordering::Less => Some(Order::OldestFirst),
        std::cmp::Ordering::Equal => None,
        std::cmp::Ordering::Greater => Some(Order::NewestFirst),
    }
}

/// Scans may share a second, and then keep the order they came in; one without a time stays with the one before it.
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

    /// A scan a character: a digit is its hour, a letter has no time.
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
    fn times_decide_where_they_can() {
        for (came, expected) in
            [("123", "123"), ("321", "123"), ("213", "123"), ("31a", "a13"), ("a31", "13a")]
        {
            assert_eq!(sorted(came, Order::OldestFirst), expected, "{came}");
            assert_eq!(sorted(came, Order::NewestFirst), expected, "{came}");
        }
    }

    #[test]
    fn elsewhere_the_usual_order_does() {
        for (came, oldest_first, newest_first) in [
            ("", "", ""),
            ("ab", "ab", "ba"),
            ("1ab", "1ab", "ba1"),
            ("1a1", "1a1", "1a1"),
            ("1ab1", "1ab1", "1ba1"),
        ] {
            assert_eq!(sorted(came, Order::OldestFirst), oldest_first, "{came}");
            assert_eq!(sorted(came, Order::NewestFirst), newest_first, "{came}");
        }
    }

    #[test]
    fn the_oldest_are_left_out() {
        let came: String = ('a'..='z').cycle().take(60).collect();
        assert_eq!(sorted(&came, Order::OldestFirst), came[10..]);
        assert_eq!(sorted(&came, Order::NewestFirst).len(), MOST);
        assert!(sorted(&came, Order::NewestFirst).ends_with('a'));
    }
}
