//! What an event of news was made of, and how it ends.

use aws::tables::inbound::{EventState, Progress};

/// How many pieces of news were what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct UpdateCounts {
    /// Statuses of messages.
    pub(super) statuses: usize,
    /// Messages of shoppers.
    pub(super) written: usize,
    /// Troubles with our numbers.
    pub(super) number_errors: usize,
    /// About numbers that are nobody's.
    pub(super) foreign: usize,
    /// What could not be read.
    pub(super) skipped: usize,
}

impl UpdateCounts {
    /// How many were left out.
    pub(super) fn skipped(self) -> usize {
        self.foreign + self.skipped
    }

    fn all(self) -> usize {
        self.statuses + self.written + self.number_errors + self.skipped()
    }

    /// How the event ends, once all that it brought is applied.
    pub(super) fn progress(self) -> Progress {
        let applied = self.statuses + self.written > 0;
        let state = if applied { EventState::Processed } else { EventState::Ignored };
        Progress { reason: self.reason(applied), ..state.into() }
    }

    /// Why there is more to say than that all was applied.
    fn reason(self, applied: bool) -> Option<String> {
        if !applied && self.all() == self.foreign && self.foreign > 0 {
            return Some("foreign_number".to_owned());
        }
        let nothing = self.all() == 0;
        let reasons = [
            nothing.then(|| "no_updates".to_owned()),
            (!applied && self.number_errors > 0).then(|| "number_error".to_owned()),
            (self.skipped > 0)
                .then(|| format!("{} of {} not understood", self.skipped, self.all())),
            (self.foreign > 0).then(|| format!("{} for numbers of nobody", self.foreign)),
        ];
        let reasons: Vec<String> = reasons.into_iter().flatten().collect();
        (!reasons.is_empty()).then(|| reasons.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_says_how_it_ended_and_quotes_nothing() {
        use EventState::{Ignored, Processed};
        let with = |[statuses, written, number_errors, foreign, skipped]: [usize; 5]| {
            UpdateCounts { statuses, written, number_errors, foreign, skipped }
        };
        for (counts, state, reason) in [
            ([1, 0, 0, 0, 0], Processed, None),
            ([0, 1, 0, 0, 0], Processed, None),
            ([19, 0, 0, 0, 1], Processed, Some("1 of 20 not understood")),
            ([15, 2, 0, 3, 0], Processed, Some("3 for numbers of nobody")),
            ([1, 0, 2, 0, 0], Processed, None),
            ([10, 5, 0, 3, 2], Processed, Some("2 of 20 not understood, 3 for numbers of nobody")),
            ([0, 0, 0, 3, 0], Ignored, Some("foreign_number")),
            ([0, 0, 1, 0, 0], Ignored, Some("number_error")),
            ([0, 0, 1, 2, 0], Ignored, Some("number_error, 2 for numbers of nobody")),
            ([0, 0, 0, 0, 3], Ignored, Some("3 of 3 not understood")),
            ([0, 0, 0, 1, 1], Ignored, Some("1 of 2 not understood, 1 for numbers of nobody")),
            ([0, 0, 0, 0, 0], Ignored, Some("no_updates")),
        ] {
            let expected = Progress { reason: reason.map(str::to_owned), ..state.into() };
            assert_eq!(with(counts).progress(), expected, "{counts:?}");
        }
    }
}
