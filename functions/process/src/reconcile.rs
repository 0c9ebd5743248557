//! Reconciliation: after an order is created or patched, applies the unmatched reports parked under
//! its references.

use std::collections::BTreeMap;

use aws::clock::now;
use aws::error::IoError;
use aws::tables::inbound::{EventState, InboundEvent, Progress};
use aws::tables::orders::UnmatchedReport;
use domain::core::id::{EventId, OrderKey, ReportId};
use domain::orders::api_event::Reconciliation;
use domain::orders::order::Order;
use domain::tracking::report::Ref;
use domain::tracking::timeline::Origin;

use crate::Process;
use crate::apply::ApplyOutcome;
use crate::fan_out::Undeliverable;
use crate::reason::FailReason;

impl Process {
    pub(crate) async fn reconcile(
        &self,
        event: &InboundEvent,
        reconciliation: &Reconciliation,
    ) -> Result<Progress, IoError> {
        let Some(account) = event.account.clone() else {
            return Ok(FailReason::NoAccount.into());
        };
        let key = OrderKey { account, order: reconciliation.order_id.clone() };
        let mut undeliverable = self.reconcile_parcel(event, &key, reconciliation).await?;
        let Some(order) = self.orders.load(&key).await? else {
            return Ok(FailReason::NoSuchOrder.into());
        };
        for unmatched in self.find_unmatched(&key, &order).await?.values() {
            undeliverable = self.reconcile_report(&key, unmatched).await?.or(undeliverable);
        }
        Ok(undeliverable.map_or_else(
            || EventState::Processed.into(),
            |undeliverable| FailReason::Undeliverable(undeliverable).into(),
        ))
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
