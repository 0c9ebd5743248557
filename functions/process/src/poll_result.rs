//! What the carrier facts when it was asked: many orders at once, without a row of its own. The message is all there
//! is, so it comes back until all of it is applied and told.

use std::collections::BTreeMap;

use aws::clock::now;
use aws::error::IoError;
use aws::lambda::sqs_batch::RecordOutcome;
use domain::core::id::{AccountCode, OrderKey};
use domain::polling::{PollResult, PolledReport, Stalled, poll_event_id, stalled_event_id};
use domain::tracking::timeline::Origin;
use domain::webhooks::delivery::fan_out_stalled;
use domain::webhooks::notification::StalledOrder;

use crate::Process;
use crate::apply::{ApplyOutcome, Via};

impl Process {
    pub(crate) async fn apply_poll_result(
        &self,
        result: &PollResult,
    ) -> Result<RecordOutcome, IoError> {
        let mut by_account: BTreeMap<&AccountCode, Vec<&PolledReport>> = BTreeMap::new();
        for report in &result.reports {
            by_account.entry(&report.account).or_default().push(report);
        }
        // One account's trouble keeps nothing from the others.
        let mut ended = Ok(RecordOutcome::Ack);
        for (account, reports) in by_account {
            ended = ended.and(
                self.apply_for_account(account, &reports, result)
                    .await
                    .map(|()| RecordOutcome::Ack),
            );
        }
        for still in &result.stalled {
            ended = ended.and(self.notify_stalled(still).await.map(|()| RecordOutcome::Ack));
        }
        ended
    }

    /// An account's claims are one event, which their ids name: it may tell all of them at once.
    async fn apply_for_account(
        &self,
        account: &AccountCode,
        reports: &[&PolledReport],
        result: &PollResult,
    ) -> Result<(), IoError> {
        let event_id = poll_event_id(account, reports.iter().map(|found| &found.report.id));
        let origin = Origin { event_id, received_at: result.received_at };
        let mut applied = Vec::new();
        for found in reports {
            let key = OrderKey { account: account.clone(), order: found.order_id.clone() };
            match self.apply_to(&key, &found.report, &origin, Via::Poll).await? {
                ApplyOutcome::Applied(report) => applied.push(report),
                ApplyOutcome::Unmatched => {
                    tracing::warn!(%account, order_id = %key.order, "report.order_gone")
                }
            }
        }
        match self.fan_out(&origin.event_id, &applied, now()).await? {
            None => Ok(()),
            Some(_) => Err(undeliverable()),
        }
    }

    /// Tells once that an order stands still. It may have moved since somebody noticed.
    async fn notify_stalled(&self, still: &Stalled) -> Result<(), IoError> {
        let event = stalled_event_id(still);
        let key = OrderKey { account: still.account.clone(), order: still.order_id.clone() };
        let Some(order) = self.orders.load(&key).await? else { return Ok(()) };
        if !order.is_polled() || !self.orders.mark_stalled(still, &event).await? {
            return Ok(());
        }
        let endpoints = self.endpoints.all(now()).await?;
        let stalled = [StalledOrder { order: &order, since: still.since }];
        self.deliver(&event, fan_out_stalled(&event, &stalled, endpoints.usable.values(), now()))
            .await?;
        match endpoints.invalid.iter().any(|endpoint| endpoint.accounts.include(&still.account)) {
            false => Ok(()),
            true => Err(undeliverable()),
        }
    }
}

/// An endpoint's settings are wrong. The message comes back until they are right, and whoever could be told knows the
/// repeat by its ids.
fn undeliverable() -> IoError {
    IoError::Transient { call: "ssm:GetParametersByPath", code: "wrong setting".to_owned() }
}
