//! Parks a report until there is an order for it.

use aws::error::IoError;
use aws::tables::orders::UnmatchedReport;
use domain::core::id::{AccountCode, EventId};
use domain::tracking::report::Report;
use domain::tracking::timeline::Origin;

use crate::Process;
use crate::apply::{AppliedFact, ApplyOutcome};

impl Process {
    /// Applies a report, or parks it until its order is created.
    pub(crate) async fn apply_or_park(
        &self,
        account: &AccountCode,
        report: &Report,
        origin: &Origin,
    ) -> Result<ApplyOutcome, IoError> {
        let unmatched = || UnmatchedReport {
            report: report.clone(),
            event_id: origin.event_id.clone(),
            received_at: origin.received_at,
        };
        let mut first = self.apply(account, report, origin).await?;
        match &mut first {
            ApplyOutcome::Unmatched => {}
            // An earlier run may have parked it.
            ApplyOutcome::Applied(applied) if applied.is_repeat => {
                self.finish_parked(account, unmatched(), applied).await?;
                return Ok(first);
            }
            _ => return Ok(first),
        }
        self.orders.park(account, &unmatched()).await?;
        // The order may have been created after the first lookup and reconciled before the report
        // was parked, so look again.
        let mut second = self.apply(account, report, origin).await?;
        match &mut second {
            ApplyOutcome::Applied(applied) => {
                self.finish_parked(account, unmatched(), applied).await?;
            }
            // It will never apply.
            ApplyOutcome::Full | ApplyOutcome::Withdrawn => {
                self.orders.unpark(account, &unmatched()).await?;
            }
            ApplyOutcome::Unmatched => {}
        }
        Ok(second)
    }

    /// Removes a report that is applied from those that wait, once endpoints are told. If a
    /// reconciliation added it, that one may have been before it was parked, or may not have told
    /// endpoints yet.
    async fn finish_parked(
        &self,
        account: &AccountCode,
        unmatched: UnmatchedReport,
        applied: &mut AppliedFact,
    ) -> Result<(), IoError> {
        if applied.entry.event_id == reconciled_event_id(&unmatched.report) {
            let order = &applied.order.key;
            let reconciled = self.reconcile_report(account, &unmatched, Some(order)).await?;
            return reconciled.undeliverable.map_or(Ok(()), |it| Err(it.into()));
        }
        applied.parked = Some(Box::new(unmatched));
        Ok(())
    }
}

/// The event of a report that was parked: other reports of its original event may have been applied
/// long ago.
pub(crate) fn reconciled_event_id(report: &Report) -> EventId {
    report.id.clone().into()
}
