//! What has to hold of a run, and of runs of several sizes.

use crate::bill::Dollars;
use crate::run::{Outcome, Totals};

/// The largest run may have this much of the smallest one's memory, in percent,
const MEMORY_PERCENT: u64 = 120;
/// and this many KiB more.
const MEMORY_KIB: u64 = 2 * 1024;
/// So much an order of the largest run may cost more or less than one of the run before it, in percent.
const COST_PERCENT: u64 = 10;

/// What does not hold, in words. `outcomes` are in the order of their sizes.
pub(crate) fn failures(outcomes: &[Outcome]) -> Vec<String> {
    let mut failures: Vec<String> = outcomes.iter().filter_map(incomplete).collect();
    if let [first, .., last] = outcomes {
        failures.extend(
            ["sync", "poll"].into_iter().filter_map(|function| grown(function, first, last)),
        );
    }
    if let [.., before, last] = outcomes {
        failures.extend(dearer(before, last));
    }
    failures
}

/// Whether a run did not do what it should have done, or made more calls for it than needed.
fn incomplete(outcome: &Outcome) -> Option<String> {
    let Outcome { orders, news, needed, usage, .. } = outcome;
    let expected = Totals {
        planned: *orders,
        batches: *needed,
        done: *needed,
        failed: 0,
        asked: *orders,
        changed: *news,
        unknown: 0,
    };
    if outcome.totals != expected {
        return Some(format!("{orders} orders: expected {expected:?}, got {:?}", outcome.totals));
    }
    if usage.carrier_calls != *needed {
        return Some(format!("{orders} orders: {} calls instead of {needed}", usage.carrier_calls));
    }
    (usage.reports != *news)
        .then(|| format!("{orders} orders: {} claims handed on instead of {news}", usage.reports))
}

fn grown(function: &str, first: &Outcome, last: &Outcome) -> Option<String> {
    let (few, many) = (first.peak_kib(function), last.peak_kib(function));
    let most = few * MEMORY_PERCENT / 100 + MEMORY_KIB;
    (many > most).then(|| {
        format!(
            "{function} had {few} KiB for {} orders and {many} KiB for {}",
            first.orders, last.orders
        )
    })
}

fn dearer(before: &Outcome, last: &Outcome) -> Option<String> {
    let cost = |outcome: &Outcome| Dollars::of(&outcome.usage).per(outcome.orders);
    let (few, many) = (cost(before), cost(last));
    let linear = few.abs_diff(many) * 100 <= few * COST_PERCENT;
    (!linear).then(|| {
        format!(
            "an order costs ${few}e-12 of {}, but ${many}e-12 of {}",
            before.orders, last.orders
        )
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::run::Peak;
    use crate::usage::Usage;

    fn outcome(orders: u64, kib: u64, writes: u64) -> Outcome {
        let (news, needed) = (orders / 20, orders / 50);
        Outcome {
            orders,
            news,
            needed,
            totals: Totals {
                planned: orders,
                batches: needed,
                done: needed,
                asked: orders,
                changed: news,
                ..Totals::default()
            },
            usage: Usage { carrier_calls: needed, reports: news, writes, ..Usage::default() },
            wall: Duration::ZERO,
            peaks: vec![Peak { function: "poll", kib }],
        }
    }

    #[test]
    fn a_run_has_to_be_complete() {
        assert_eq!(failures(&[outcome(100, 1, 1)]), [""; 0]);
        let wrong: [fn(&mut Outcome); 4] = [
            |outcome| outcome.totals.asked -= 1,
            |outcome| outcome.totals.failed += 1,
            |outcome| outcome.usage.carrier_calls += 1,
            |outcome| outcome.usage.reports -= 1,
        ];
        for make in wrong {
            let mut outcome = outcome(100, 1, 1);
            make(&mut outcome);
            assert_eq!(failures(&[outcome]).len(), 1);
        }
    }

    #[test]
    fn memory_has_to_be_flat_and_costs_linear() {
        let (few, some) = (outcome(10_000, 10_000, 100), outcome(100_000, 11_000, 1000));
        for (kib, writes, expected) in [
            (10_000, 10_000, 0),
            (14_048, 10_999, 0),
            (14_049, 10_000, 1),
            (10_000, 11_100, 1),
            (10_000, 8_900, 1),
            (99_999, 99_999, 2),
        ] {
            let found = failures(&[few.clone(), some.clone(), outcome(1_000_000, kib, writes)]);
            assert_eq!(found.len(), expected, "{kib} {writes}: {found:?}");
        }
    }
}
