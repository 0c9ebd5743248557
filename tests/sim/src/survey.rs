//! The moments of a run at which a kill leaves different things behind.
//!
//! A worker that reads changes nothing: killed before a read, after it, or before the next call, it
//! leaves the same. So every invocation is struck before its first call, before each call that has an
//! effect, and after the last of these. A POST is dropped if its worker dies while it is on its way,
//! so it is struck on both sides.

use std::collections::{BTreeMap, BTreeSet};

use crate::sandbox::{Moment, SandboxId};

/// A call's number in its run, and the side on which it is struck.
pub(crate) type KillPoint = (u64, Moment);

/// What a call does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    Reads,
    /// The call arrives even if its worker dies meanwhile.
    Writes,
    Posts,
}

#[derive(Debug, Default)]
pub(crate) struct Survey {
    points: BTreeSet<KillPoint>,
    /// By sandbox and invocation: the last call, if it has an effect that was not struck after it.
    last_writes: BTreeMap<(SandboxId, u32), Option<u64>>,
}

impl Survey {
    pub(crate) fn note(&mut self, invocation: (SandboxId, u32), call: u64, effect: Effect) {
        let is_first = !self.last_writes.contains_key(&invocation);
        let last_write = self.last_writes.entry(invocation).or_default();
        if is_first || effect != Effect::Reads {
            self.points.insert((call, Moment::Before));
        }
        match effect {
            Effect::Reads => {}
            Effect::Writes => *last_write = Some(call),
            Effect::Posts => {
                self.points.insert((call, Moment::After));
                *last_write = None;
            }
        }
    }

    pub(crate) fn kill_points(&self) -> Vec<KillPoint> {
        let last = self.last_writes.values().flatten().map(|call| (*call, Moment::After));
        self.points.iter().copied().chain(last).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strikes_between_effects_once() {
        let mut survey = Survey::default();
        let (first, second) = ((SandboxId(0), 1), (SandboxId(0), 2));
        for (invocation, call, effect) in [
            (first, 1, Effect::Reads),
            (first, 2, Effect::Reads),
            (first, 3, Effect::Writes),
            (first, 4, Effect::Reads),
            (first, 6, Effect::Writes),
            (first, 7, Effect::Reads),
            (second, 8, Effect::Posts),
            (second, 9, Effect::Reads),
        ] {
            survey.note(invocation, call, effect);
        }
        let mut points = survey.kill_points();
        points.sort_unstable();
        let (before, after) = (Moment::Before, Moment::After);
        let expected = [(1, before), (3, before), (6, before), (6, after), (8, before), (8, after)];
        assert_eq!(points, expected);
    }
}
