//! An order was created or patched: reports that wait under one of its names find it now.

use std::collections::BTreeMap;

use aws::clock::now;
use aws::error::IoError;
use aws::events::{Event, EventState, Progress};
use aws::orders::Waiting;
use domain::api_event::Adoption;
use domain::id::{OrderKey, ReportId};
use domain::report::Ref;
use domain::timeline::{Arrival, Bringer};

use crate::Process;
use crate::apply::Fate;

impl Process {
    pub(crate) async fn adopt(&self, event: &Event, adoption: &Adoption) -> Result<Progress, IoError> {
        let key = OrderKey { account: event.account.clone(), order: adoption.order_id.clone() };
        let mut untold = self.reship(event, &key, adoption).await?;
        let Some(order) = self.orders.load(&key).await? else {
            return Ok(Progress::because(EventState::Failed, "no such order"));
        };
        let mut names = order.profile.refs();
        names.insert(Ref::Order(key.order.clone()));
        let mut found: BTreeMap<ReportId, Waiting> = BTreeMap::new();
        for name in &names {
            let waiting = self.orders.waiting(&key.account, name).await?;
            found.extend(waiting.into_iter().map(|waiting| (waiting.report.id.clone(), waiting)));
        }
        for waiting in found.values() {
            untold = self.adopt_one(&key, waiting).await?.or(untold);
        }
        Ok(untold.unwrap_or(EventState::Processed.into()))
    }

    /// A new parcel starts the order's way anew.
    async fn reship(&self, event: &Event, key: &OrderKey, adoption: &Adoption) -> Result<Option<Progress>, IoError> {
        let Some(reshipment) = &adoption.reshipped else { return Ok(None) };
        let bringer = Bringer { event_id: event.id.clone(), received_at: event.received_at };
        let (id, at) = (&reshipment.report_id, reshipment.at);
        let fate = self
            .arrive(key, &bringer, &[], |order| Arrival::of_reshipment(&order.state, id.clone(), at, &bringer))
            .await?;
        match fate {
            Fate::Applied(arrived) => self.announce(&event.id, arrived.told.as_slice(), now()).await,
            Fate::Unmatched => Ok(None),
        }
    }

    /// A waiting report is an event of its own: it may have come with others that found their orders long ago. It
    /// waits on where somebody could not be told of it.
    async fn adopt_one(&self, key: &OrderKey, waiting: &Waiting) -> Result<Option<Progress>, IoError> {
        let bringer = Bringer { event_id: waiting.report.id.clone().into(), received_at: waiting.received_at };
        let fate = self.apply(&key.account, &waiting.report, &bringer).await?;
        let Fate::Applied(arrived) = fate else { return Ok(None) };
        let untold = self.announce(&bringer.event_id, arrived.told.as_slice(), now()).await?;
        if untold.is_none() {
            self.events.mark(&waiting.event_id, &EventState::Processed.into(), now()).await?;
            self.orders.release(&key.account, waiting).await?;
        }
        Ok(untold)
    }
}
