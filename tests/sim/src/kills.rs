//! Kills a worker at every point of a run without other faults at which its death leaves something else
//! behind.

use std::io;
use std::sync::Arc;

use crate::actors::meetings::{MEETINGS, Meeting};
use crate::campaign::{Campaign, Totals};
use crate::run::{Plan, run_plan};
use crate::sandbox::Moment;
use crate::{Outcome, Topology};

/// The runs whose every call is struck. They have one order each, or one small flow.
const SEEDS: std::ops::RangeInclusive<u64> = 1..=10;
/// The calls of a meeting take other times with each seed.
const SEEDS_OF_MEETING: std::ops::RangeInclusive<u64> = 1..=2;

/// Runs each seed, and each meeting, once for every such point.
pub fn run(topology: &Arc<Topology>) -> io::Result<Totals> {
    let seeds = SEEDS.map(Plan::of);
    let of_meeting = |meeting: &'static Meeting| {
        SEEDS_OF_MEETING.map(move |seed| Plan { meeting: Some(meeting), ..Plan::of(seed) })
    };
    let mut plans = Vec::new();
    for plan in seeds.chain(MEETINGS.iter().flat_map(of_meeting)) {
        let undisturbed = Plan { kill_at: Some(Plan::NO_KILL), ..plan };
        let points = run_plan(undisturbed, topology)?.kill_points.into_iter();
        plans.push(undisturbed);
        plans.extend(points.map(|point| Plan { kill_at: Some(point), ..plan }));
    }
    Campaign { topology: Arc::clone(topology), repeated: 0 }.run_plans(&plans)
}

/// The story of one kill, in the run of a seed or of the meeting with this name. `None` if there is
/// no such meeting.
pub fn tell(
    topology: &Arc<Topology>,
    seed: u64,
    (call, is_before): (u64, bool),
    meeting: Option<&str>,
) -> io::Result<Option<Outcome>> {
    let known = meeting.map(|name| MEETINGS.iter().find(|meeting| meeting.name == name));
    if known == Some(None) {
        return Ok(None);
    }
    let moment = if is_before { Moment::Before } else { Moment::After };
    let plan = Plan {
        tells: true,
        kill_at: Some((call, moment)),
        meeting: known.flatten(),
        ..Plan::of(seed)
    };
    run_plan(plan, topology).map(|outcome| Some(named(plan, outcome)))
}

/// Names the call at which the kill of a broken run struck.
pub(crate) fn named(plan: Plan, mut outcome: Outcome) -> Outcome {
    let meeting = plan.meeting.map(|meeting| format!(" ({})", meeting.name));
    let kill = plan.kill_at.map(|(call, moment)| format!(" (killed at call {call}, {moment:?})"));
    for violation in &mut outcome.violations {
        violation.extend(meeting.iter().chain(&kill).map(String::as_str));
    }
    outcome
}

#[cfg(test)]
mod tests {
    use fastrand::Rng;

    use super::*;
    use crate::flows::Flows;

    #[test]
    fn strikes_every_flow() {
        let flows = SEEDS.map(|seed| {
            let plan = Plan { kill_at: Some((1, Moment::Before)), ..Plan::of(seed) };
            plan.draw(&mut Rng::with_seed(seed)).1
        });
        let flows: Vec<Flows> = flows.collect();
        assert!(flows.iter().any(|flows| flows.is_plain()), "{flows:?}");
        assert!(flows.iter().any(|flows| flows.polling.is_some()), "{flows:?}");
        assert!(flows.iter().any(|flows| flows.messages), "{flows:?}");
        assert!(flows.iter().any(|flows| flows.sends), "{flows:?}");
        assert!(flows.iter().any(|flows| flows.rules), "{flows:?}");
        assert!(flows.iter().any(|flows| flows.clients > 0), "{flows:?}");
    }
}
