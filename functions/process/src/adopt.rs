//! An order was created or patched: reports that wait under one of its names find it now.

use std::collections::BTreeMap;

use aws::clock::now;
use aws::error::IoError;
use aws::tables::inbound::{Event, EventState, Progress};
use aws::tables::orders::Waiting;
use domain::core::id::{EventId, OrderKey, ReportId};
use domain::orders::api_event::Adoption;
use domain::tracking::report::Ref;
use domain::tracking::timeline::Bringer;

use crate::apply::Fate;
use crate::{NO_ACCOUNT, Process};

impl Process {
    pub(crate) async fn adopt(
        &self,
        event: &Event,
        adoption: &Adoption,
    ) -> Result<Progress, IoError> {
        let Some(account) = event.account.clone() else {
            return Ok(Progress::because(EventState::Failed, NO_ACCOUNT));
        };
        let key = OrderKey { account, order: adoption.order_id.clone() };
        let mut untold = self.adopt_parcel(event, &key, adoption).await?;
        let Some(order) = self.orders.load(&key).await? else {
            return Ok(Progress::because(EventState::Failed, "no such order"));
        };
        let mut names = order.profile.refs();
        names.insert(Ref::Order(key.order.clone()));
        let mut found: BTreeMap<(ReportId, EventId), Waiting> = BTreeMap::new();
        for name in &names {
            let waiting = self.orders.waiting(&key.account, name).await?;
            found.extend(
                waiting.into_iter().map(|it| ((it.report.id.clone(), it.event_id.clone()), it)),
            );
        }
        for waiting in found.values() {
            untold = self.adopt_one(&key, waiting).await?.or(untold);
        }
        Ok(untold.unwrap_or(EventState::Processed.into()))
    }

    /// A patch may have given the order a new parcel.
    async fn adopt_parcel(
        &self,
        event: &Event,
        key: &OrderKey,
        adoption: &Adoption,
    ) -> Result<Option<Progress>, IoError> {
        let Some(reshipment) = &adoption.reshipped else { return Ok(None) };
        let bringer = Bringer { event_id: event.id.clone(), received_at: event.received_at };
        match self.reship(key, reshipment, &bringer).await? {
            Fate::Applied(arrived) => self.announce(&event.id, &[arrived], now()).await,
            Fate::Unmatched => Ok(None),
        }
    }

    /// A waiting report is an event of its own: it may have come with others that found their orders long ago. It
    /// waits on where somebody could not be told of it.
    async fn adopt_one(
        &self,
        key: &OrderKey,
        waiting: &Waiting,
    ) -> Result<Option<Progress>, IoError> {
        let bringer = Bringer {
            event_id: waiting.report.id.clone().into(),
            received_at: waiting.received_at,
        };
        let fate = self.apply(&key.account, &waiting.report, &bringer).await?;
        let Fate::Applied(arrived) = fate else { return Ok(None) };
        let untold = self.announce(&bringer.event_id, &[arrived], now()).await?;
        if untold.is_none() {
            self.events.adopted(&waiting.event_id, &waiting.report.id, now()).await?;
            self.orders.release(&key.account, waiting).await?;
        }
        Ok(untold)
    }
}
