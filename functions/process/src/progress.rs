//! The progress of an event, from what became of its reports.

use std::collections::BTreeSet;

use aws::tables::inbound::{EventState, Progress};
use aws::tables::orders::UnmatchedReport;
use domain::core::id::{AccountCode, ReportId};
use domain::tracking::report::Report;

use crate::apply::{AppliedFact, ApplyOutcome};
use crate::reason::OmissionReason;

/// What became of the reports of an event.
#[derive(Default)]
pub(crate) struct Applied {
    pub(crate) total: usize,
    /// Those with an effect beyond their order's timeline.
    pub(crate) facts: Vec<AppliedFact>,
    /// Parked reports that are applied.
    pub(crate) parked: Vec<(AccountCode, UnmatchedReport)>,
    pub(crate) unmatched: BTreeSet<ReportId>,
    /// The number of reports that could not be read.
    pub(crate) skipped: usize,
    pub(crate) is_full: bool,
    pub(crate) is_withdrawn: bool,
    pub(crate) has_unknown: bool,
    /// One of its orders has lost its shopper.
    pub(crate) is_erasable: bool,
}

impl Applied {
    pub(crate) fn add(&mut self, report: &Report, outcome: ApplyOutcome) {
        match outcome {
            ApplyOutcome::Applied(mut fact) => {
                self.is_erasable |= fact.order.is_erased();
                let account = &fact.order.key.account;
                self.parked.extend(fact.parked.take().map(|it| (account.clone(), *it)));
                self.facts.extend(fact.has_effect().then_some(*fact));
            }
            ApplyOutcome::Unmatched => {
                self.unmatched.insert(report.id.clone());
            }
            ApplyOutcome::Full => self.is_full = true,
            ApplyOutcome::Withdrawn => self.is_withdrawn = true,
        }
    }

    pub(crate) fn progress(self) -> Progress {
        let is_erasable = self.is_erasable;
        let omitted = self.omitted().map(|reason| reason.to_string());
        let progress = match (self.total, self.unmatched.is_empty()) {
            _ if self.is_full => EventState::Quarantined.into(),
            (0, _) => EventState::Ignored.into(),
            (_, true) => EventState::Processed.into(),
            (_, false) => Progress::unmatched(self.unmatched),
        };
        Progress { reason: omitted, is_erasable, ..progress }
    }

    fn omitted(&self) -> Option<OmissionReason> {
        let (skipped, total) = (self.skipped, self.total + self.skipped);
        match self {
            Self { is_full: true, .. } => Some(OmissionReason::TimelineFull),
            _ if skipped > 0 => Some(OmissionReason::NotUnderstood { skipped, total }),
            Self { has_unknown: true, .. } => Some(OmissionReason::UnknownStatus),
            Self { is_withdrawn: true, .. } => Some(OmissionReason::Withdrawn),
            _ => None,
        }
    }
}
