//! Many runs, on all cores.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use std::{io, thread};

use crate::run::{Plan, run_plan};
use crate::{Outcome, Topology, kills};

pub struct Campaign {
    pub topology: Arc<Topology>,
    /// So many of the first seeds run twice: a seed that does not repeat is a finding.
    pub repeated: u64,
}

/// Which seeds run.
pub struct Seeds {
    first: u64,
    next: AtomicU64,
    count: u64,
    until: Option<Instant>,
}

/// Sums over all runs.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Totals {
    pub runs: u64,
    pub steps: u64,
    pub virtual_time: Duration,
    pub struck: BTreeMap<&'static str, u64>,
    pub counts: BTreeMap<&'static str, u64>,
    /// With their seeds.
    pub violations: Vec<(u64, String)>,
}

impl Seeds {
    pub fn count(first: u64, count: u64) -> Self {
        Self { first, next: AtomicU64::new(first), count, until: None }
    }

    /// As many as fit in this time.
    pub fn until(first: u64, time: Duration) -> Self {
        let until = Instant::now().checked_add(time);
        Self { until, ..Self::count(first, u64::MAX - first) }
    }

    fn next(&self) -> Option<u64> {
        let is_over = self.until.is_some_and(|until| Instant::now() >= until);
        let seed = self.next.fetch_add(1, Ordering::Relaxed);
        (!is_over && seed - self.first < self.count).then_some(seed)
    }
}

impl Campaign {
    pub fn run(&self, seeds: Seeds) -> io::Result<Totals> {
        self.run_all(|| seeds.next().map(Plan::of), seeds.first + self.repeated)
    }

    pub(crate) fn run_plans(&self, plans: &[Plan]) -> io::Result<Totals> {
        let next = AtomicUsize::new(0);
        self.run_all(|| plans.get(next.fetch_add(1, Ordering::Relaxed)).copied(), 0)
    }

    /// Runs plans on all cores. Those of seeds below `repeated` run twice.
    fn run_all(&self, next: impl Fn() -> Option<Plan> + Sync, repeated: u64) -> io::Result<Totals> {
        let totals = Mutex::new(Totals::default());
        let work = || -> io::Result<()> {
            while let Some(plan) = next() {
                let outcome = self.run_once(plan, plan.seed < repeated)?;
                // At once: a soak may be stopped before its report.
                outcome.violations.iter().for_each(|it| eprintln!("seed {}: {it}", outcome.seed));
                totals.lock().unwrap_or_else(PoisonError::into_inner).add(&outcome);
            }
            Ok(())
        };
        let workers = thread::available_parallelism().map_or(1, usize::from);
        thread::scope(|scope| {
            let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
            let results = workers.into_iter().map(|worker| {
                worker.join().unwrap_or_else(|_| Err(io::Error::other("a run panicked")))
            });
            results.collect::<io::Result<()>>()
        })?;
        let mut totals = totals.into_inner().unwrap_or_else(PoisonError::into_inner);
        totals.violations.sort();
        Ok(totals)
    }

    fn run_once(&self, plan: Plan, is_repeated: bool) -> io::Result<Outcome> {
        let mut outcome = run_plan(plan, &self.topology)?;
        if is_repeated && run_plan(plan, &self.topology)? != outcome {
            outcome.violations.push("the seed does not repeat".to_owned());
        }
        Ok(kills::named(plan, outcome))
    }
}

impl Totals {
    pub fn of(outcome: &Outcome) -> Self {
        let mut totals = Self::default();
        totals.add(outcome);
        totals
    }

    fn add(&mut self, outcome: &Outcome) {
        self.runs += 1;
        self.steps += outcome.steps;
        self.virtual_time += outcome.virtual_time;
        add_all(&mut self.struck, &outcome.struck);
        add_all(&mut self.counts, &outcome.counts);
        let violations = outcome.violations.iter();
        self.violations.extend(violations.map(|violation| (outcome.seed, violation.clone())));
    }
}

fn add_all(sums: &mut BTreeMap<&'static str, u64>, numbers: &BTreeMap<&'static str, u64>) {
    for (name, number) in numbers {
        *sums.entry(name).or_default() += number;
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |numbers: &BTreeMap<&str, u64>| {
            let numbers = numbers.iter().map(|(name, number)| format!("{number} {name}"));
            numbers.collect::<Vec<_>>().join(", ")
        };
        let minutes = self.virtual_time.as_secs() / 60;
        writeln!(f, "{} runs, {} steps, {minutes} virtual minutes", self.runs, self.steps)?;
        writeln!(f, "done: {}", list(&self.counts))?;
        writeln!(f, "faults: {}", list(&self.struck))?;
        write!(f, "broken promises: {}", self.violations.len())
    }
}
