//! Counts the updates of a channel event and derives the event's final state from them.

use std::collections::BTreeMap;

use aws::tables::inbound::{EventState, Progress};

use crate::reason::OmissionReason;

/// Names of fields that a reason shows.
const MAX_FIELDS: usize = 5;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct UpdateCounts {
    pub(super) statuses: usize,
    /// Messages written by shoppers.
    pub(super) inbound: usize,
    /// Messages that the business wrote on its phone.
    pub(super) echoes: usize,
    pub(super) calls: usize,
    /// Statements about accounts, numbers and templates.
    pub(super) statements: usize,
    pub(super) preferences: usize,
    pub(super) number_errors: usize,
    /// Statuses of payments.
    pub(super) payments: usize,
    /// Other statuses that are not those of a message as a whole.
    pub(super) other: usize,
    /// Changes that are not read, by the name of their field.
    pub(super) other_fields: BTreeMap<String, usize>,
    /// Updates for phone numbers and business accounts without an account.
    pub(super) foreign: usize,
    pub(super) unreadable: usize,
}

impl UpdateCounts {
    pub(super) fn skipped(&self) -> usize {
        self.foreign + self.unreadable
    }

    fn total(&self) -> usize {
        let without_effect = self.number_errors + self.payments + self.other;
        let other_fields: usize = self.other_fields.values().sum();
        self.applied() + without_effect + other_fields + self.skipped()
    }

    fn applied(&self) -> usize {
        let messages = self.statuses + self.inbound + self.echoes + self.calls;
        messages + self.statements + self.preferences
    }

    /// The event's state once all its updates are applied.
    pub(super) fn progress(&self) -> Progress {
        let applied = self.applied() > 0;
        let state = if applied { EventState::Processed } else { EventState::Ignored };
        Progress { reason: self.omissions(applied), ..state.into() }
    }

    fn omissions(&self, applied: bool) -> Option<String> {
        let total = self.total();
        if !applied && total == self.foreign && self.foreign > 0 {
            return Some(OmissionReason::OnlyForeignNumbers.to_string());
        }
        let skipped = self.unreadable;
        let reasons = [
            (total == 0).then_some(OmissionReason::NoUpdates),
            (!applied && self.number_errors > 0).then_some(OmissionReason::NumberError),
            (self.payments > 0).then_some(OmissionReason::Payments(self.payments)),
            (self.other > 0).then_some(OmissionReason::OtherStatuses(self.other)),
            (skipped > 0).then_some(OmissionReason::NotUnderstood { skipped, total }),
            (self.foreign > 0).then_some(OmissionReason::ForeignNumbers(self.foreign)),
        ];
        let fields = self.other_fields.iter().take(MAX_FIELDS);
        let fields = fields.map(|(name, count)| OmissionReason::OtherField(name.clone(), *count));
        let reasons = reasons.into_iter().flatten().chain(fields);
        let reasons: Vec<String> = reasons.map(|reason| reason.to_string()).collect();
        (!reasons.is_empty()).then(|| reasons.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derives_state_and_reason_from_the_counts() {
        use EventState::{Ignored, Processed};
        let with =
            |[statuses, inbound, number_errors, foreign, unreadable]: [usize; 5]| UpdateCounts {
                statuses,
                inbound,
                number_errors,
                foreign,
                unreadable,
                ..UpdateCounts::default()
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

    #[test]
    fn shows_the_fields_that_are_not_read() {
        let fields = |names: &[&str]| {
            let fields = names.iter().map(|name| ((*name).to_owned(), 2)).collect();
            UpdateCounts { other_fields: fields, ..UpdateCounts::default() }
        };
        let ignored = fields(&["history", "flows"]).progress();
        assert_eq!(ignored.state, EventState::Ignored);
        assert_eq!(ignored.reason.as_deref(), Some("2 of field flows, 2 of field history"));
        let mixed = UpdateCounts { statements: 1, unreadable: 1, ..fields(&["flows"]) }.progress();
        assert_eq!(mixed.state, EventState::Processed);
        assert_eq!(mixed.reason.as_deref(), Some("1 of 4 not understood, 2 of field flows"));
        let many = fields(&["a", "b", "c", "d", "e", "f"]).progress().reason.unwrap_or_default();
        assert!(many.ends_with("2 of field e"), "{many}");
        for counts in [
            UpdateCounts { calls: 1, ..UpdateCounts::default() },
            UpdateCounts { preferences: 1, ..UpdateCounts::default() },
        ] {
            assert_eq!(counts.progress(), EventState::Processed.into());
        }
    }

    #[test]
    fn shows_statuses_that_are_not_those_of_a_message() {
        use EventState::{Ignored, Processed};
        let with = |[statuses, echoes, payments, other]: [usize; 4]| UpdateCounts {
            statuses,
            echoes,
            payments,
            other,
            ..UpdateCounts::default()
        };
        for (counts, state, reason) in [
            ([0, 1, 0, 0], Processed, None),
            ([0, 0, 1, 0], Ignored, Some("1 about payments")),
            ([1, 0, 2, 0], Processed, Some("2 about payments")),
            ([0, 0, 0, 1], Ignored, Some("1 not about a whole message")),
            ([0, 1, 1, 2], Processed, Some("1 about payments, 2 not about a whole message")),
        ] {
            let expected = Progress { reason: reason.map(str::to_owned), ..state.into() };
            assert_eq!(with(counts).progress(), expected, "{counts:?}");
        }
    }
}
