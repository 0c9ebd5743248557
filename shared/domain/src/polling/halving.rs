//! Finds the orders that make the carrier fail a whole batch, by polling it in halves: the rest of
//! the batch is answered.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::messages::BatchMessage;
use super::totals::PollCounts;

/// After this many failed calls for parts, too many orders are the cause, or the carrier itself.
/// One order of fifty fails up to six calls for parts (of twelve), two fail up to twelve (of 22).
const MAX_FAILURES: u32 = 30;
/// With two orders that fail, one of the halves and quarters of a batch is answered after this many
/// failed calls.
const QUARTERS: u32 = 4;

/// How far a batch is polled in parts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Halving {
    /// The fingerprint of the batch: two batches may have one number.
    batch: String,
    /// The parts to poll.
    parts: Vec<Range<usize>>,
    /// The orders whose calls failed even alone.
    failed: Vec<usize>,
    /// The orders that failed alone once, perhaps because of an outage. They are polled again after
    /// all other parts.
    doubtful: Vec<usize>,
    is_second_round: bool,
    /// The number of failed calls for parts.
    failures: u32,
    /// The counts of the answered parts.
    pub counts: PollCounts,
}

/// Why a call for a part failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The carrier blames the request.
    Request,
    /// One of the orders, or an outage of the carrier.
    Unclear,
}

impl Halving {
    /// `None` for a batch of one order.
    pub fn of(batch: &BatchMessage) -> Option<Self> {
        let mut halving = Self { batch: batch.fingerprint(), ..Self::default() };
        (batch.orders.len() > 1).then(|| {
            halving.halve(0..batch.orders.len());
            halving
        })
    }

    /// True if this is about the batch, and not about another one of its number.
    pub fn is_of(&self, batch: &BatchMessage) -> bool {
        self.batch == batch.fingerprint()
            && self.parts.iter().all(|part| part.end <= batch.orders.len())
    }

    /// The orders to poll next, or `None` once each is answered or has failed alone.
    pub fn next(&self) -> Option<Range<usize>> {
        self.parts.get(self.next_index()?).cloned()
    }

    /// The carrier has answered the next part.
    pub fn answered(&mut self, counts: PollCounts) {
        self.take_next();
        self.counts = self.counts + counts;
        self.begin_second_round();
    }

    /// The carrier has failed on the next part.
    pub fn failed(&mut self, cause: Cause) {
        let Some(part) = self.take_next() else { return };
        self.failures = self.failures.saturating_add(1);
        if part.len() > 1 {
            self.halve(part);
        } else if cause == Cause::Unclear && !self.is_second_round {
            self.doubtful.extend(part);
        } else {
            self.failed.extend(part);
        }
        self.begin_second_round();
    }

    /// True while the orders that failed alone are polled again.
    pub fn is_second_round(&self) -> bool {
        self.is_second_round
    }

    /// True once the carrier has answered a part: only then a failure is about its orders.
    pub fn has_answer(&self) -> bool {
        self.counts.asked > 0
    }

    pub fn is_hopeless(&self) -> bool {
        self.failures >= MAX_FAILURES
    }

    /// The orders that the carrier does not answer, while it answers their neighbours. A hopeless
    /// batch has no second round; its orders are found in several runs.
    pub fn unanswerable(&self) -> Vec<usize> {
        let doubtful = if self.is_hopeless() { &self.doubtful[..] } else { &[] };
        if self.has_answer() { [&self.failed, doubtful].concat() } else { Vec::new() }
    }

    /// Without any answer, the batch is given up instead.
    fn begin_second_round(&mut self) {
        if self.parts.is_empty() && self.has_answer() {
            self.is_second_round = true;
            self.parts.extend(self.doubtful.drain(..).rev().map(|order| order..order + 1));
        }
    }

    fn take_next(&mut self) -> Option<Range<usize>> {
        self.next_index().map(|index| self.parts.remove(index))
    }

    /// First the largest part is next: the search for one order must not use up the attempts while
    /// the other half would be answered. Once the carrier has answered, or to find any order that
    /// it answers, the last part is next: the search goes down to one order after the other.
    fn next_index(&self) -> Option<usize> {
        if self.has_answer() || self.failures > QUARTERS {
            return self.parts.len().checked_sub(1);
        }
        let parts = self.parts.iter().enumerate();
        parts.max_by_key(|(_, part)| part.len()).map(|(index, _)| index)
    }

    fn halve(&mut self, part: Range<usize>) {
        let middle = part.start + part.len() / 2;
        self.parts.extend([middle..part.end, part.start..middle]);
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::core::id::{AccountCode, OrderId};
    use crate::polling::{Batch, PlanMessage, PollItem, PollState, Run};
    use crate::testing::{awb, minute};

    fn batch(orders: usize) -> BatchMessage {
        let item = |n: usize| PollItem {
            account: AccountCode::parse("STORE001").unwrap(),
            order_id: OrderId::parse(&format!("ORD{n}")).unwrap(),
            active: PollState::new(awb(&format!("A{n}")), minute(0)),
        };
        let plan = PlanMessage::new(Run::hourly(minute(0)), 0, 1, 5.0);
        let orders = (0..orders).map(item).collect();
        BatchMessage::new(&plan, 0, 0, Batch { credential: None, orders })
    }

    /// Polls a batch in parts. Calls for these orders fail.
    fn poll(orders: usize, broken: &[usize]) -> (Halving, Vec<usize>) {
        let mut halving = Halving::of(&batch(orders)).unwrap();
        let mut answered = Vec::new();
        while let Some(part) = halving.next() {
            if broken.iter().any(|order| part.contains(order)) {
                halving.failed(Cause::Request);
            } else {
                let asked = part.len() as u64;
                halving.answered(PollCounts { asked, ..PollCounts::default() });
                answered.extend(part);
            }
        }
        answered.sort_unstable();
        (halving, answered)
    }

    #[test]
    fn finds_the_orders_that_fail_and_polls_all_others() {
        for orders in [2, 3, 7, 50] {
            for one in 0..orders {
                for other in one..orders {
                    let (halving, answered) = poll(orders, &[one, other]);
                    let mut expected: Vec<usize> = (0..orders).collect();
                    expected.retain(|order| ![one, other].contains(order));
                    assert_eq!(answered, expected);
                    assert_eq!(halving.counts.asked, expected.len() as u64);
                    assert!(!halving.is_hopeless());
                    let mut failed = halving.failed.clone();
                    failed.sort_unstable();
                    failed.dedup();
                    let broken = if one == other { vec![one] } else { vec![one, other] };
                    assert_eq!(failed, broken, "{orders}");
                    let is_blamed = !halving.unanswerable().is_empty();
                    assert_eq!(is_blamed, !expected.is_empty());
                }
            }
        }
    }

    #[test]
    fn one_order_of_fifty_takes_a_dozen_calls_and_two_take_two_dozen() {
        let (mut calls, mut failures) = ([0; 2], [0; 2]);
        for one in 0..50 {
            for other in one..50 {
                let mut halving = Halving::of(&batch(50)).unwrap();
                let (mut made, n) = (0, usize::from(one != other));
                while let Some(part) = halving.next() {
                    made += 1;
                    if part.contains(&one) || part.contains(&other) {
                        halving.failed(Cause::Request);
                    } else {
                        halving.answered(PollCounts { asked: 1, ..PollCounts::default() });
                    }
                }
                calls[n] = made.max(calls[n]);
                failures[n] = halving.failures.max(failures[n]);
            }
        }
        assert_eq!((calls, failures), ([12, 22], [6, 12]));
    }

    #[test]
    fn polls_the_largest_part_until_the_carrier_answers() {
        let mut halving = Halving::of(&batch(50)).unwrap();
        assert_eq!(halving.next(), Some(0..25));
        halving.failed(Cause::Request);
        assert_eq!(halving.next(), Some(25..50));
        halving.failed(Cause::Request);
        assert_eq!(halving.next(), Some(37..50));
        halving.answered(PollCounts { asked: 13, ..PollCounts::default() });
        assert_eq!(halving.next(), Some(25..37));
        halving.failed(Cause::Request);
        assert_eq!(halving.next(), Some(25..31));
    }

    #[test]
    fn blames_no_order_while_the_carrier_answers_nothing() {
        let (halving, answered) = poll(4, &[0, 1, 2, 3]);
        assert_eq!((halving.unanswerable(), answered.len()), (vec![], 0));
        assert!(!halving.has_answer());
        let (halving, _) = poll(50, &(0..40).collect::<Vec<_>>());
        assert!(halving.is_hopeless());
    }

    #[test]
    fn polls_an_order_twice_before_an_unclear_failure_is_about_it() {
        let one = PollCounts { asked: 1, ..PollCounts::default() };
        let mut halving = Halving::of(&batch(3)).unwrap();
        halving.failed(Cause::Unclear);
        halving.failed(Cause::Unclear);
        halving.answered(one);
        // During an outage.
        halving.failed(Cause::Unclear);
        assert!(halving.is_second_round() && halving.unanswerable().is_empty());
        assert_eq!(halving.next(), Some(1..2));
        halving.failed(Cause::Unclear);
        assert_eq!(halving.next(), Some(0..1));
        halving.answered(one);
        assert_eq!((halving.next(), halving.unanswerable()), (None, vec![1]));
    }

    #[test]
    fn is_about_one_batch() {
        assert_eq!(Halving::of(&batch(1)), None);
        let halving = Halving::of(&batch(3)).unwrap();
        assert_eq!(halving.next(), Some(1..3));
        assert!(halving.is_of(&batch(3)) && !halving.is_of(&batch(4)));
        let text = serde_json::to_string(&halving).unwrap();
        assert_eq!(serde_json::from_str::<Halving>(&text).unwrap(), halving);
    }
}
