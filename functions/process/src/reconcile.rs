//! Reconciliation: after an order is created or patched, applies the unmatched reports parked under
//! its references.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use aws::clock::now;
use aws::error::IoError;
use aws::tables::inbound::{EventState, InboundEvent, Progress};
use aws::tables::orders::UnmatchedReport;
use domain::core::id::{EventId, OrderKey, ReportId};
use domain::orders::api_event::Reconciliation;
use domain::orders::order::Order;
use domain::tracking::report::Ref;
use domain::tracking::timeline::{Origin, plausible_time};

use crate::apply::ApplyOutcome;
use crate::fan_out::Undeliverable;
use crate::reason::FailReason;
use crate::{Process, Run};

impl Process {
    pub(crate) async fn reconcile(
        &self,
        run: &Run<'_>,
        reconciliation: &Reconciliation,
    ) -> Result<Option<Progress>, IoError> {
        let event = run.event;
        let Some(account) = event.account.clone() else {
            return Ok(Some(FailReason::NoAccount.into()));
        };
        let key = OrderKey { account, order: reconciliation.order_id.clone() };
        let mut undeliverable = self.reconcile_parcel(event, &key, reconciliation).await?;
        let Some(order) = self.orders.load(&key).await? else {
            return Ok(Some(FailReason::NoSuchOrder.into()));
        };
        for unmatched in newest_first(self.find_unmatched(&key, &order).await?) {
            // The next run goes on: reports that were applied are no longer parked.
            if !run.has_time() {
                return Ok(None);
            }
            undeliverable = self.reconcile_report(&key, &unmatched).await?.or(undeliverable);
        }
        Ok(Some(undeliverable.map_or_else(
            || EventState::Processed.into(),
            |undeliverable| FailReason::Undeliverable(undeliverable).into(),
        )))
    }

    /// A patch may have given the order a new parcel.
    async fn reconcile_parcel(
        &self,
        event: &InboundEvent,
        key: &OrderKey,
        reconciliation: &Reconciliation,
    ) -> Result<Option<Undeliverable>, IoError> {
        let Some(reshipment) = &reconciliation.reshipped else { return Ok(None) };
        let origin = Origin { event_id: event.id.clone(), received_at: event.received_at };
        match self.apply_reshipment(key, reshipment, &origin).await? {
            ApplyOutcome::Applied(applied) => self.fan_out(&event.id, &[applied], now()).await,
            ApplyOutcome::Unmatched => Ok(None),
        }
    }

    /// A report parked under several references of the order is returned once.
    async fn find_unmatched(
        &self,
        key: &OrderKey,
        order: &Order,
    ) -> Result<BTreeMap<(ReportId, EventId), UnmatchedReport>, IoError> {
        let mut refs = order.profile.refs();
        refs.insert(Ref::Order(key.order.clone()));
        let mut found = BTreeMap::new();
        for reference in &refs {
            let parked = self.orders.unmatched_reports(&key.account, reference).await?;
            found.extend(
                parked.into_iter().map(|it| ((it.report.id.clone(), it.event_id.clone()), it)),
            );
        }
        Ok(found)
    }

    /// An unmatched report becomes an event of its own: other reports of its original event may
    /// have been applied long ago. It stays parked while an endpoint cannot be notified.
    async fn reconcile_report(
        &self,
        key: &OrderKey,
        unmatched: &UnmatchedReport,
    ) -> Result<Option<Undeliverable>, IoError> {
        let origin = Origin {
            event_id: unmatched.report.id.clone().into(),
            received_at: unmatched.received_at,
        };
        let outcome = self.apply(&key.account, &unmatched.report, &origin).await?;
        let ApplyOutcome::Applied(applied) = outcome else { return Ok(None) };
        let undeliverable = self.fan_out(&origin.event_id, &[applied], now()).await?;
        if undeliverable.is_none() {
            self.events.mark_reconciled(&unmatched.event_id, &unmatched.report.id, now()).await?;
            self.orders.unpark(&key.account, unmatched).await?;
        }
        Ok(undeliverable)
    }
}

/// The newest report decides the status, and endpoints are notified of it. The older ones then fill
/// in the timeline, whatever order their rows were read in.
fn newest_first(unmatched: BTreeMap<(ReportId, EventId), UnmatchedReport>) -> Vec<UnmatchedReport> {
    let mut reports: Vec<UnmatchedReport> = unmatched.into_values().collect();
    // Stable: reports of one time and status stay sorted by id.
    reports.sort_by_key(|unmatched| {
        let report = &unmatched.report;
        Reverse((plausible_time(report.occurred_at, unmatched.received_at), report.status))
    });
    reports
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use domain::core::timestamp::Timestamp;
    use domain::tracking::report::{Report, SourceName};
    use domain::tracking::status::{Leg, Status};

    use super::*;

    fn at(hour: u32) -> Timestamp {
        Timestamp::parse(&format!("2026-01-20T{hour:02}:00:00Z")).unwrap()
    }

    fn unmatched(id: &str, status: Status, occurred_at: Option<u32>) -> UnmatchedReport {
        let report = Report {
            id: ReportId::parse(id).unwrap(),
            source: SourceName::new("shiprocket"),
            awb: None,
            return_awb: None,
            provider_id: None,
            order_id: None,
            leg: Leg::Outbound,
            status,
            source_status: None,
            occurred_at: occurred_at.map(at),
            location: None,
            note: None,
            eta: None,
            scans: Vec::new(),
        };
        UnmatchedReport { report, event_id: EventId::parse("e").unwrap(), received_at: at(12) }
    }

    #[test]
    fn applies_the_newest_report_first() {
        let reports = [
            unmatched("a", Status::PickedUp, Some(1)),
            unmatched("b", Status::InTransit, None),
            unmatched("c", Status::Delivered, Some(9)),
            unmatched("d", Status::OutForDelivery, Some(9)),
            unmatched("e", Status::InTransit, Some(3)),
            unmatched("f", Status::InTransit, Some(3)),
        ];
        let by_id = reports.map(|it| ((it.report.id.clone(), it.event_id.clone()), it));
        let sorted = newest_first(BTreeMap::from(by_id));
        let ids: Vec<&str> = sorted.iter().map(|it| it.report.id.as_str()).collect();
        assert_eq!(ids, ["b", "c", "d", "e", "f", "a"]);
    }
}
