//! What the carrier claimed when it was asked: many orders at once, without a row of its own. The message is all there
//! is, so it comes back until all of it is applied and told.

use std::collections::BTreeMap;

use aws::batch::Ending;
use aws::clock::now;
use aws::error::IoError;
use domain::id::{AccountCode, OrderKey};
use domain::poll::{Found, FoundReport, event_of};
use domain::timeline::Bringer;

use crate::Process;
use crate::apply::{Fate, Heard};

impl Process {
    pub(crate) async fn found(&self, found: &Found) -> Result<Ending, IoError> {
        let mut by_account: BTreeMap<&AccountCode, Vec<&FoundReport>> = BTreeMap::new();
        for report in &found.reports {
            by_account.entry(&report.account).or_default().push(report);
        }
        for (account, reports) in by_account {
            self.found_for(account, &reports, found).await?;
        }
        Ok(Ending::Done)
    }

    /// An account's claims are one event, which their ids name: it may tell all of them at once.
    async fn found_for(&self, account: &AccountCode, reports: &[&FoundReport], found: &Found) -> Result<(), IoError> {
        let event_id = event_of(account, reports.iter().map(|found| &found.report.id));
        let bringer = Bringer { event_id, received_at: found.received_at };
        let mut arrived = Vec::new();
        for found in reports {
            let key = OrderKey { account: account.clone(), order: found.order_id.clone() };
            match self.apply_to(&key, &found.report, &bringer, Heard::ByAsking).await? {
                Fate::Applied(report) => arrived.push(report),
                Fate::Unmatched => tracing::warn!(%account, order_id = %key.order, "report.order_gone"),
            }
        }
        match self.announce(&bringer.event_id, &arrived, now()).await? {
            None => Ok(()),
            // Whoever could be told knows the repeat by its ids.
            Some(_) => Err(IoError::Transient { call: "ssm:GetParametersByPath", code: "wrong setting".to_owned() }),
        }
    }
}
