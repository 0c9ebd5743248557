//! The limits of the Cloud API: messages of a number in any second, and to one shopper.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;

use crate::setup::messages::DEFAULT_PER_SECOND;

const SECOND_MS: u64 = 1000;
/// One message every six seconds, and so many at once (WhatsApp Cloud API, "Throughput").
const PAIR_BURST_MS: u64 = 45 * PAIR_MS;
const PAIR_MS: u64 = 6000;

/// A limit that a message exceeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Beyond {
    Second,
    Pair,
}

impl Beyond {
    /// HTTP status and code of the answer.
    pub(super) fn error(self) -> (u16, u32) {
        match self {
            Self::Second => (429, 130_429),
            Self::Pair => (400, 131_056),
        }
    }
}

impl fmt::Display for Beyond {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Second => write!(f, "{DEFAULT_PER_SECOND} messages in a second"),
            Self::Pair => write!(f, "a shopper may get"),
        }
    }
}

/// The messages of the near past.
#[derive(Default)]
pub(super) struct Limits {
    /// The times of a number's messages.
    seconds: BTreeMap<String, VecDeque<u64>>,
    /// By number and shopper: when all that was sent is used up.
    pairs: BTreeMap<(String, String), u64>,
}

impl Limits {
    /// Counts a message, unless it is beyond a limit.
    pub(super) fn take(&mut self, number: &str, to: &str, now: u64) -> Result<(), Beyond> {
        let recent = self.seconds.entry(number.to_owned()).or_default();
        while recent.front().is_some_and(|at| at + SECOND_MS <= now) {
            recent.pop_front();
        }
        if recent.len() >= DEFAULT_PER_SECOND {
            return Err(Beyond::Second);
        }
        let used_until = self.pairs.entry((number.to_owned(), to.to_owned())).or_default();
        let next = (*used_until).max(now) + PAIR_MS;
        if next > now + PAIR_BURST_MS {
            return Err(Beyond::Pair);
        }
        *used_until = next;
        recent.push_back(now);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_second_has_eighty_messages_of_a_number() {
        let mut limits = Limits::default();
        let mut take = |number: &str, now: u64| limits.take(number, &now.to_string(), now);
        for at in 0..80 {
            assert_eq!(take("1", 5000 + at * 10), Ok(()));
        }
        assert_eq!(take("1", 5999), Err(Beyond::Second));
        assert_eq!(take("2", 5999), Ok(()));
        assert_eq!(take("1", 6000), Ok(()));
        assert_eq!(take("1", 6001), Err(Beyond::Second));
    }

    #[test]
    fn a_shopper_gets_a_burst_and_then_one_in_six_seconds() {
        let mut limits = Limits::default();
        for _ in 0..45 {
            assert_eq!(limits.take("1", "a", 100_000), Ok(()));
        }
        assert_eq!(limits.take("1", "a", 105_999), Err(Beyond::Pair));
        assert_eq!(limits.take("1", "a", 106_000), Ok(()));
        assert_eq!(limits.take("1", "a", 106_000), Err(Beyond::Pair));
        assert_eq!(limits.take("1", "b", 106_000), Ok(()));
        assert_eq!(limits.take("2", "a", 106_000), Ok(()));
    }
}
