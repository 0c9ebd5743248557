//! Kills a worker before and after every single call of a run without other faults.

use std::io;
use std::sync::Arc;

use crate::campaign::{Campaign, Totals};
use crate::run::{Plan, run_plan};
use crate::sandbox::Moment;
use crate::{Outcome, Topology};

/// The runs whose every call is struck. They have one order each.
const SEEDS: std::ops::RangeInclusive<u64> = 1..=6;

/// Runs each seed once for every call and moment.
pub fn run(topology: &Arc<Topology>) -> io::Result<Totals> {
    let mut plans = Vec::new();
    for seed in SEEDS {
        // A call that is never made kills nobody.
        let undisturbed = Plan { kill_at: Some((u64::MAX, Moment::Before)), ..Plan::of(seed) };
        let calls = run_plan(undisturbed, topology)?.counts.get("calls").copied();
        let moments = (1..=calls.unwrap_or_default())
            .flat_map(|call| [(call, Moment::Before), (call, Moment::After)]);
        plans.extend(moments.map(|at| Plan { kill_at: Some(at), ..Plan::of(seed) }));
    }
    Campaign { topology: Arc::clone(topology), repeated: 0, with_shops: false }.run_plans(&plans)
}

/// Names the call at which the kill of a broken run struck.
pub(crate) fn named(plan: Plan, mut outcome: Outcome) -> Outcome {
    if let Some((call, moment)) = plan.kill_at {
        for violation in &mut outcome.violations {
            violation.push_str(&format!(" (killed at call {call}, {moment:?})"));
        }
    }
    outcome
}
