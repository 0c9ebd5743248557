//! Long outages, and a crowd: after each of them, everything is applied and told in time, once.

use std::sync::Arc;
use std::thread::ScopedJoinHandle;
use std::time::Duration;
use std::{fmt, io, thread};

use crate::call::Service;
use crate::faults::Faults;
use crate::flows::Flows;
use crate::run::Plan;
use crate::{Outcome, Topology};

const MINUTE: Duration = Duration::from_secs(60);

/// What the system goes through, and how long it may take after its end.
pub struct Scenario {
    pub name: &'static str,
    pub(crate) trial: Trial,
    pub(crate) lasts: Duration,
    pub within: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Trial {
    Faults(Faults),
    /// The service answers nothing.
    Away(Service),
    /// Customers' servers answer nothing.
    Receivers,
    /// A thousand orders change at one moment, each with a message to its shopper.
    Crowd,
}

pub const ALL: &[Scenario] = &[
    Scenario {
        name: "30 % of all calls throttled for an hour",
        trial: Trial::Faults(Faults { throttle: 0.3, ..Faults::NONE }),
        lasts: MINUTE.saturating_mul(60),
        within: MINUTE.saturating_mul(2),
    },
    Scenario {
        name: "30 % of all calls committed, then reset, for an hour",
        trial: Trial::Faults(Faults { lose_answer: 0.3, ..Faults::NONE }),
        lasts: MINUTE.saturating_mul(60),
        within: MINUTE.saturating_mul(2),
    },
    Scenario {
        name: "SQS away for ten minutes",
        trial: Trial::Away(Service::Sqs),
        lasts: MINUTE.saturating_mul(10),
        within: MINUTE.saturating_mul(2),
    },
    // Their endpoints are paused by then. A probe comes every 15 minutes, and the rest follows.
    Scenario {
        name: "customers' servers down for two days",
        trial: Trial::Receivers,
        lasts: MINUTE.saturating_mul(2 * 24 * 60),
        within: MINUTE.saturating_mul(30),
    },
    // One shopper has more orders than WhatsApp lets a number write to one at once, and one account
    // has quiet hours for a quarter of an hour more.
    Scenario {
        name: "1,000 orders that send messages change at one moment",
        trial: Trial::Crowd,
        lasts: Duration::ZERO,
        within: MINUTE.saturating_mul(30),
    },
];

impl Scenario {
    /// Beside orders and their webhooks.
    pub(crate) fn flows(&self) -> Flows {
        Flows { crowd: self.trial == Trial::Crowd, ..Flows::default() }
    }
}

/// Each scenario runs with these.
const SEEDS: std::ops::RangeInclusive<u64> = 1..=2;

/// How the runs of a scenario ended.
pub struct Report {
    name: &'static str,
    within: Duration,
    outcomes: Vec<Outcome>,
}

/// Runs all scenarios side by side, each seed by itself: the last one is much the longest.
pub fn run_all(topology: &Arc<Topology>) -> io::Result<Vec<Report>> {
    thread::scope(|scope| {
        let runs: Vec<_> =
            ALL.iter().map(|scenario| scope.spawn(|| run(scenario, topology))).collect();
        runs.into_iter().map(joined).collect()
    })
}

/// Runs a scenario, counted from 1, and keeps its story.
pub fn tell(topology: &Arc<Topology>, number: usize, seed: u64) -> io::Result<Option<Outcome>> {
    let scenario = number.checked_sub(1).and_then(|index| ALL.get(index));
    let plan = |scenario| Plan { tells: true, scenario: Some(scenario), ..Plan::of(seed) };
    scenario.map(|it| crate::run::run_plan(plan(it), topology)).transpose()
}

fn run(scenario: &'static Scenario, topology: &Arc<Topology>) -> io::Result<Report> {
    let run = |seed| {
        let plan = Plan { scenario: Some(scenario), ..Plan::of(seed) };
        crate::run::run_plan(plan, topology)
    };
    let outcomes: io::Result<Vec<Outcome>> = thread::scope(|scope| {
        let runs: Vec<_> = SEEDS.map(|seed| scope.spawn(move || run(seed))).collect();
        runs.into_iter().map(joined).collect()
    });
    Ok(Report { name: scenario.name, within: scenario.within, outcomes: outcomes? })
}

fn joined<T>(run: ScopedJoinHandle<'_, io::Result<T>>) -> io::Result<T> {
    run.join().unwrap_or_else(|_| Err(io::Error::other("a scenario panicked")))
}

impl Report {
    pub fn is_kept(&self) -> bool {
        let is_kept = |it: &Outcome| it.violations.is_empty() && it.settled_after <= self.within;
        self.outcomes.iter().all(is_kept)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let after = self.outcomes.iter().map(|it| it.settled_after.as_secs());
        let after: Vec<String> = after.map(|seconds| seconds.to_string()).collect();
        let (after, within) = (after.join(", "), self.within.as_secs());
        write!(f, "{}: done {after} s after its end (at most {within} s)", self.name)?;
        let violations =
            self.outcomes.iter().flat_map(|it| it.violations.iter().map(|text| (it.seed, text)));
        for (seed, text) in violations {
            write!(f, "\n  BROKEN by seed {seed}: {text}")?;
        }
        Ok(())
    }
}
