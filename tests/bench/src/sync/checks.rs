//! Requirements on one run, and on runs of different sizes: completeness, flat memory, linear cost.

use crate::sync::cost::Dollars;
use crate::sync::run::{Outcome, Totals};

/// Limit on the memory of the largest run, in percent of that of the smallest.
const MEMORY_PERCENT: u64 = 120;
/// Added to that limit.
const MEMORY_KIB: u64 = 2 * 1024;
/// Limit on the difference in cost per order of the two largest runs, in percent.
const COST_PERCENT: u64 = 10;

/// Returns the violated requirements. `outcomes` are sorted by size.
pub(crate) fn failures(outcomes: &[Outcome]) -> Vec<String> {
    let mut failures: Vec<String> = outcomes.iter().filter_map(incompleteness).collect();
    if let [first, .., last] = outcomes {
        failures.extend(
            ["sync", "poll"]
                .into_iter()
                .filter_map(|function| memory_growth(function, first, last)),
        );
    }
    if let [.., before, last] = outcomes {
        failures.extend(cost_growth(before, last));
    }
    failures
}

/// A run must handle every order with as few calls as its planners allow.
fn incompleteness(outcome: &Outcome) -> Option<String> {
    let Outcome { orders, changed, most_calls, usage, .. } = outcome;
    let expected = Totals {
        planned: *orders,
        batches: usage.carrier_calls,
        done: usage.carrier_calls,
        failed: 0,
        asked: *orders,
        changed: *changed,
        unknown: 0,
    };
    if outcome.totals != expected {
        return Some(format!("{orders} orders: expected {expected:?}, got {:?}", outcome.totals));
    }
    if usage.carrier_calls > *most_calls {
        return Some(format!(
            "{orders} orders: {} calls instead of {most_calls} at most",
            usage.carrier_calls
        ));
    }
    (usage.reports != *changed)
        .then(|| format!("{orders} orders: {} reports instead of {changed}", usage.reports))
}

fn memory_growth(function: &str, first: &Outcome, last: &Outcome) -> Option<String> {
    let (few, many) = (first.peak_kib(function), last.peak_kib(function));
    let limit = few * MEMORY_PERCENT / 100 + MEMORY_KIB;
    (many > limit).then(|| {
        format!(
            "{function} used {few} KiB for {} orders but {many} KiB for {}",
            first.orders, last.orders
        )
    })
}

fn cost_growth(before: &Outcome, last: &Outcome) -> Option<String> {
    let cost = |outcome: &Outcome| Dollars::of(&outcome.usage).per_order(outcome.orders);
    let (few, many) = (cost(before), cost(last));
    let linear = few.abs_diff(many) * 100 <= few * COST_PERCENT;
    (!linear).then(|| {
        format!(
            "an order costs ${few}e-12 in a run of {}, but ${many}e-12 in a run of {}",
            before.orders, last.orders
        )
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::sync::run::Peak;
    use crate::sync::usage::Usage;

    fn outcome(orders: u64, kib: u64, writes: u64) -> Outcome {
        let (changed, calls) = (orders / 20, orders / 50);
        Outcome {
            orders,
            changed,
            fewest_calls: calls,
            most_calls: calls + 1,
            totals: Totals {
                planned: orders,
                batches: calls,
                done: calls,
                asked: orders,
                changed,
                ..Totals::default()
            },
            usage: Usage { carrier_calls: calls, reports: changed, writes, ..Usage::default() },
            wall: Duration::ZERO,
            peaks: vec![Peak { function: "poll", kib }],
        }
    }

    #[test]
    fn reports_an_incomplete_run() {
        assert_eq!(failures(&[outcome(100, 1, 1)]), [""; 0]);
        let faults: [fn(&mut Outcome); 4] = [
            |outcome| outcome.totals.asked -= 1,
            |outcome| outcome.totals.failed += 1,
            |outcome| {
                let calls = outcome.most_calls + 1;
                outcome.usage.carrier_calls = calls;
                (outcome.totals.batches, outcome.totals.done) = (calls, calls);
            },
            |outcome| outcome.usage.reports -= 1,
        ];
        for inject in faults {
            let mut outcome = outcome(100, 1, 1);
            inject(&mut outcome);
            assert_eq!(failures(&[outcome]).len(), 1);
        }
    }

    #[test]
    fn reports_growing_memory_and_nonlinear_cost() {
        let (small, medium) = (outcome(10_000, 10_000, 100), outcome(100_000, 11_000, 1000));
        for (kib, writes, expected) in [
            (10_000, 10_000, 0),
            (14_048, 10_999, 0),
            (14_049, 10_000, 1),
            (10_000, 11_100, 1),
            (10_000, 8_900, 1),
            (99_999, 99_999, 2),
        ] {
            let violations =
                failures(&[small.clone(), medium.clone(), outcome(1_000_000, kib, writes)]);
            assert_eq!(violations.len(), expected, "{kib} {writes}: {violations:?}");
        }
    }
}
