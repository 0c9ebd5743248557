//! An order was created or patched: reports that wait under one of its names find it now.

use std::collections::BTreeMap;

use aws::clock::now;
use aws::error::IoError;
use aws::tables::inbound::{EventState, InboundEvent, Progress};
use aws::tables::orders::UnmatchedReport;
use domain::core::id::{EventId, OrderKey, ReportId};
use domain::orders::api_event::Reconciliation;
use domain::tracking::report::Ref;
use domain::tracking::timeline::Origin;

use crate::apply::ApplyOutcome;
use crate::{NO_ACCOUNT, Process};

impl Process {
    pub(crate) async fn reconcile(
        &self,
        event: &InboundEvent,
        reconciliation: &Reconciliation,
    ) -> Result<Progress, IoError> {
        let Some(account) = event.account.clone() else {
            return Ok(Progress::because(EventState::Failed, NO_ACCOUNT));
        };
        let key = OrderKey { account, order: reconciliation.order_id.clone() };
        let mut undeliverable = self.reconcile_parcel(event, &key, reconciliation).await?;
        let Some(order) = self.orders.load(&key).await? else {
            return Ok(Progress::because(EventState::Failed, "no such order"));
        };
        let mut names = order.profile.refs();
        names.insert(Ref::Order(key.order.clone()));
        let mut found: BTreeMap<(ReportId, EventId), UnmatchedReport> = BTreeMap::new();
        for name in &names {
            let unmatched = self.orders.unmatched_reports(&key.account, name).await?;
            found.extend(
                unmatched.into_iter().map(|it| ((it.report.id.clone(), it.event_id.clone()), it)),
            );
        }
        for unmatched in found.values() {
            undeliverable = self.reconcile_one(&key, unmatched).await?.or(undeliverable);
        }
        Ok(undeliverable.unwrap_or(EventState::Processed.into()))
    }

    /// A patch may have given the order a new parcel.
    async fn reconcile_parcel(
        &self,
        event: &InboundEvent,
        key: &OrderKey,
        reconciliation: &Reconciliation,
    ) -> Result<Option<Progress>, IoError> {
        let Some(reshipment) = &reconciliation.reshipped else { return Ok(None) };
        let origin = Origin { event_id: event.id.clone(), received_at: event.received_at };
        match self.reship(key, reshipment, &origin).await? {
            ApplyOutcome::Applied(applied) => self.fan_out(&event.id, &[applied], now()).await,
            ApplyOutcome::Unmatched => Ok(None),
        }
    }

    /// A unmatched report is an event of its own: it may have come with others that found their orders long ago. It
    /// waits on where somebody could not be told of it.
    async fn reconcile_one(
        &self,
        key: &OrderKey,
        unmatched: &UnmatchedReport,
    ) -> Result<Option<Progress>, IoError> {
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
