//! Finds the smallest seed that shows a planted bug.

use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::{io, thread};

use super::Bug;
use super::effects::INVALID;
use crate::{Topology, run};

/// More than `make test` runs: some bugs need a rare coincidence.
pub const SEEDS: RangeInclusive<u64> = 1..=3000;

/// A bug and how it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Find {
    pub bug: Bug,
    pub seed: u64,
    pub violation: String,
}

/// The end of a search.
#[derive(Debug)]
pub enum Hunt {
    Found(Find),
    /// `other` is broken by the bug too: [`Bug::explains`] may lack it.
    NotFound {
        other: Option<Find>,
    },
}

pub struct Hunter {
    /// The text of template.yaml.
    template: String,
    sound: Arc<Topology>,
}

impl Hunter {
    pub fn new(template: String) -> io::Result<Self> {
        let sound = topology(None, &template)?;
        Ok(Self { template, sound })
    }

    /// Runs seeds until one of them finds the bug.
    pub fn hunt(&self, bug: Bug) -> io::Result<Hunt> {
        let topology = topology(Some(bug), &self.template)?;
        let mut other = None;
        for seed in SEEDS {
            match self.look(bug, &topology, seed)? {
                Some(find) if bug.explains(&find.violation) => return Ok(Hunt::Found(find)),
                found => other = other.or(found),
            }
        }
        Ok(Hunt::NotFound { other })
    }

    /// Looks whether a seed finds the bug, and finds nothing without it.
    pub fn check(&self, bug: Bug, seed: u64) -> io::Result<Option<Find>> {
        let find = self.look(bug, &topology(Some(bug), &self.template)?, seed)?;
        Ok(find.filter(|find| bug.explains(&find.violation)))
    }

    /// What a seed finds with the bug but not without it, best what the bug explains.
    fn look(&self, bug: Bug, topology: &Arc<Topology>, seed: u64) -> io::Result<Option<Find>> {
        let outcome = run(seed, topology, false)?;
        if outcome.violations.iter().any(|it| it == INVALID) {
            return Err(io::Error::other(format!("{bug}: {INVALID}")));
        }
        let explained = outcome.violations.iter().find(|it| bug.explains(it));
        let Some(violation) = explained.or(outcome.violations.first()).cloned() else {
            return Ok(None);
        };
        let is_sound = run(seed, &self.sound, false)?.violations.is_empty();
        Ok(is_sound.then_some(Find { bug, seed, violation }))
    }

    /// Does this for every bug, on all cores. The results are in the order of the bugs.
    pub fn for_each<T: Send>(
        &self,
        bugs: &[Bug],
        work: impl Fn(Bug) -> io::Result<T> + Sync,
    ) -> io::Result<Vec<T>> {
        let (next, results) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
        let workers = thread::available_parallelism().map_or(1, usize::from);
        thread::scope(|scope| {
            for _ in 0..workers {
                scope.spawn(|| {
                    while let Some(bug) = bugs.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let result = work(*bug);
                        results.lock().unwrap_or_else(PoisonError::into_inner).push((*bug, result));
                    }
                });
            }
        });
        let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
        results.sort_by_key(|(bug, _)| *bug);
        results.into_iter().map(|(_, result)| result).collect()
    }
}

fn topology(bug: Option<Bug>, template: &str) -> io::Result<Arc<Topology>> {
    Topology::with(bug, template).map(Arc::new).map_err(io::Error::other)
}
