//! Poll results: carrier reports for many orders at once. They have no row in the inbound log; the
//! SQS message is the only copy, so it is retried until every report is applied and every endpoint
//! is notified.

use std::collections::BTreeMap;

use aws::clock::now;
use aws::error::IoError;
use aws::lambda::sqs_batch::RecordOutcome;
use domain::core::id::{AccountCode, OrderKey};
use domain::core::timestamp::Timestamp;
use domain::polling::{
    PollResult, PolledReport, Polling, Stalled, poll_event_id, stalled_event_id,
};
use domain::tracking::timeline::Origin;
use domain::webhooks::delivery::fan_out_stalled;
use domain::webhooks::notification::StalledOrder;
use domain::webhooks::payload::Context;

use crate::apply::{ApplyOutcome, Via};
use crate::fan_out::Undeliverable;
use crate::{OUT_OF_TIME, Process};

impl Process {
    pub(crate) async fn apply_poll_result(
        &self,
        poll_result: &PollResult,
        deadline: Timestamp,
    ) -> Result<RecordOutcome, IoError> {
        let mut by_account: BTreeMap<&AccountCode, Vec<&PolledReport>> = BTreeMap::new();
        for polled in &poll_result.reports {
            by_account.entry(&polled.account).or_default().push(polled);
        }
        // A failure for one account or order must not block the others; the first error is
        // returned.
        let mut outcome = Ok(RecordOutcome::Ack);
        for (account, reports) in by_account {
            if now() >= deadline {
                return outcome.and(Ok(OUT_OF_TIME));
            }
            let undeliverable =
                self.apply_for_account(account, &reports, poll_result, deadline).await;
            outcome = outcome.and(ack_or_retry(undeliverable));
        }
        for stalled in &poll_result.stalled {
            if now() >= deadline {
                return outcome.and(Ok(OUT_OF_TIME));
            }
            outcome = outcome.and(ack_or_retry(self.notify_stalled(stalled).await));
        }
        outcome
    }

    /// All reports of an account share one event id, derived from theirs, so that one delivery can
    /// carry them all.
    async fn apply_for_account(
        &self,
        account: &AccountCode,
        reports: &[&PolledReport],
        poll_result: &PollResult,
        deadline: Timestamp,
    ) -> Result<Option<Undeliverable>, IoError> {
        let event_id = poll_event_id(account, reports.iter().map(|polled| &polled.report.id));
        let origin = Origin { event_id, logged_as: None, received_at: poll_result.received_at };
        let mut applied = Vec::new();
        let mut failed = None;
        for polled in reports {
            let key = OrderKey { account: account.clone(), order: polled.order_id.clone() };
            match self.apply_to_order(&key, &polled.report, &origin, Via::Poll).await {
                Ok(ApplyOutcome::Applied(report)) => applied.push(*report),
                Ok(ApplyOutcome::Unmatched) => {
                    tracing::warn!(%account, order_id = %key.order, "report.order_gone")
                }
                Ok(ApplyOutcome::Full | ApplyOutcome::Withdrawn) => {}
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        let undeliverable = self.fan_out(&origin, &applied, now()).await?;
        self.follow_up_all(&applied, deadline).await;
        failed.map_or(Ok(undeliverable), Err)
    }

    /// Notifies endpoints once that an order is stalled, unless it moved after the poll.
    async fn notify_stalled(&self, stalled: &Stalled) -> Result<Option<Undeliverable>, IoError> {
        let event = stalled_event_id(stalled);
        let key = OrderKey { account: stalled.account.clone(), order: stalled.order_id.clone() };
        let Some(order) = self.orders.load(&key).await? else { return Ok(None) };
        if order.polling(&stalled.awb) != Some(Polling::Moving)
            || !self.orders.mark_stalled(stalled, &event).await?
        {
            return Ok(None);
        }
        let endpoints = self.endpoints.all(now()).await?;
        let orders =
            [StalledOrder { order: &order, awb: Some(&stalled.awb), since: stalled.since }];
        let (now, links) = (now(), self.links.get(now()).await?);
        let context = Context { now, links: links.as_ref().as_ref() };
        let deliveries = fan_out_stalled(&event, &orders, endpoints.usable(), context);
        self.orders.trace_all(&event, std::iter::once(&key), &deliveries, now).await?;
        self.deliveries.send_deliveries(&event, &deliveries).await?;
        Ok(Undeliverable::find(&endpoints.invalid, std::iter::once(&stalled.account)))
    }
}

/// An invalid endpoint setting makes the whole message return with backoff. The endpoints already
/// notified dedup the repeat by its delivery ids.
fn ack_or_retry(result: Result<Option<Undeliverable>, IoError>) -> Result<RecordOutcome, IoError> {
    result?.map_or(Ok(RecordOutcome::Ack), |undeliverable| Err(undeliverable.into()))
}
