//! What the carrier claimed when it was asked: many orders at once, without a row of its own. The message is all there
//! is, so it comes back until all of it is applied and told.

use std::collections::BTreeMap;

use aws::clock::now;
use aws::error::IoError;
use aws::lambda::sqs_batch::Ending;
use domain::core::id::{AccountCode, OrderKey};
use domain::polling::{Found, FoundReport, StoodStill, event_of, event_of_standstill};
use domain::tracking::timeline::Bringer;
use domain::webhooks::delivery::{StalledOrder, announce_stalled};

use crate::Process;
use crate::apply::{Fate, Heard};

impl Process {
    pub(crate) async fn found(&self, found: &Found) -> Result<Ending, IoError> {
        let mut by_account: BTreeMap<&AccountCode, Vec<&FoundReport>> = BTreeMap::new();
        for report in &found.reports {
            by_account.entry(&report.account).or_default().push(report);
        }
        // One account's trouble keeps nothing from the others.
        let mut ended = Ok(Ending::Done);
        for (account, reports) in by_account {
            ended =
                ended.and(self.found_for(account, &reports, found).await.map(|()| Ending::Done));
        }
        for still in &found.stalled {
            ended = ended.and(self.tell_standstill(still).await.map(|()| Ending::Done));
        }
        ended
    }

    /// An account's claims are one event, which their ids name: it may tell all of them at once.
    async fn found_for(
        &self,
        account: &AccountCode,
        reports: &[&FoundReport],
        found: &Found,
    ) -> Result<(), IoError> {
        let event_id = event_of(account, reports.iter().map(|found| &found.report.id));
        let bringer = Bringer { event_id, received_at: found.received_at };
        let mut arrived = Vec::new();
        for found in reports {
            let key = OrderKey { account: account.clone(), order: found.order_id.clone() };
            match self.apply_to(&key, &found.report, &bringer, Heard::ByAsking).await? {
                Fate::Applied(report) => arrived.push(report),
                Fate::Unmatched => {
                    tracing::warn!(%account, order_id = %key.order, "report.order_gone")
                }
            }
        }
        match self.announce(&bringer.event_id, &arrived, now()).await? {
            None => Ok(()),
            Some(_) => Err(untold()),
        }
    }

    /// Tells once that an order stands still. It may have moved since somebody noticed.
    async fn tell_standstill(&self, still: &StoodStill) -> Result<(), IoError> {
        let event = event_of_standstill(still);
        let key = OrderKey { account: still.account.clone(), order: still.order_id.clone() };
        let Some(order) = self.orders.load(&key).await? else { return Ok(()) };
        if !order.is_polled() || !self.orders.stand_still(still, &event).await? {
            return Ok(());
        }
        let endpoints = self.endpoints.all(now()).await?;
        let stalled = [StalledOrder { order: &order, since: still.since }];
        self.deliver(&event, announce_stalled(&event, &stalled, endpoints.usable.values(), now()))
            .await?;
        match endpoints.unusable.iter().any(|endpoint| endpoint.accounts.include(&still.account)) {
            false => Ok(()),
            true => Err(untold()),
        }
    }
}

/// An endpoint's settings are wrong. The message comes back until they are right, and whoever could be told knows the
/// repeat by its ids.
fn untold() -> IoError {
    IoError::Transient { call: "ssm:GetParametersByPath", code: "wrong setting".to_owned() }
}
