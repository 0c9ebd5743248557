//! Takes a mistaken report back.

use std::time::Duration;

use aws::error::IoError;
use aws::tables::inbound::Progress;
use domain::core::id::{OrderKey, ReportId};
use domain::orders::api_event::Withdrawal;
use domain::tracking::entry::{Fact, ReportFacts, TimelineEntry};
use domain::tracking::timeline::NewFact;

use crate::apply::{ApplyOutcome, follow};
use crate::fan_out::Undeliverable;
use crate::progress::Applied;
use crate::reason::FailReason;
use crate::{Process, Run};

impl Process {
    /// Takes the report back in the order that has it now: it may have moved with its parcel since
    /// the request.
    pub(crate) async fn withdraw(
        &self,
        run: &Run<'_>,
        withdrawal: Withdrawal,
    ) -> Result<Option<Progress>, IoError> {
        let Some(key) = run.order(&withdrawal.order_id) else {
            return Ok(Some(FailReason::NoAccount.into()));
        };
        let report_id = withdrawal.report_id.clone();
        let fact = NewFact {
            id: run.event.id.clone().into(),
            occurred_at: run.event.received_at,
            fact: Fact::Withdrawal { report_id: withdrawal.report_id },
        };
        let (mut undeliverable, mut report) = self.tell_of_withdrawn(&key, &report_id).await?;
        let (fact, origin) = (&fact, &run.origin());
        let first = self.commit_withdrawal(&key, fact.clone(), report.as_ref(), origin).await?;
        let outcome = follow(first, &key.account, async |key| {
            let (failed, found) = self.tell_of_withdrawn(&key, &report_id).await?;
            undeliverable = failed.or(undeliverable.take());
            report = found.or(report.take());
            self.commit_withdrawal(&key, fact.clone(), report.as_ref(), origin).await
        });
        let ApplyOutcome::Applied(fact) = outcome.await? else {
            return Ok(Some(FailReason::NoSuchOrder.into()));
        };
        let applied = Applied { total: 1, facts: vec![*fact], ..Applied::default() };
        let progress = self.finish(run, applied).await?;
        Ok(undeliverable.map(|it| FailReason::Undeliverable(it).into()).or(progress))
    }

    /// Tells endpoints of the change that a report made, if its event was interrupted before it did:
    /// from now on it may find the report in another order, as what the report taught is forgotten.
    /// Returns the report too, if the order has it.
    async fn tell_of_withdrawn(
        &self,
        key: &OrderKey,
        report: &ReportId,
    ) -> Result<(Option<Undeliverable>, Option<ReportFacts>), IoError> {
        let Some((order, entries)) = self.orders.load_with_timeline(key).await? else {
            return Ok((None, None));
        };
        let own: Vec<TimelineEntry> =
            entries.iter().filter(|entry| entry.id == *report).cloned().collect();
        let mut undeliverable = None;
        for event in self.interrupted(&own, Duration::ZERO).await? {
            let failed = self.tell_of_changes(&event, &order, &entries).await?;
            undeliverable = failed.or(undeliverable);
        }
        let report = own.first().and_then(TimelineEntry::report).cloned();
        Ok((undeliverable, report))
    }
}
