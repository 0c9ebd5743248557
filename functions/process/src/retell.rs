//! Tells endpoints of changes once more, where an event may have ended before it did.

use std::collections::BTreeSet;

use aws::clock::now;
use aws::error::IoError;
use aws::tables::inbound::EventState;
use domain::core::id::{EventId, OrderKey};
use domain::orders::api_event::TakenName;
use domain::orders::order::Order;
use domain::tracking::entry::TimelineEntry;

use crate::Process;
use crate::apply::AppliedFact;
use crate::copies::moved_with;
use crate::fan_out::Undeliverable;

impl Process {
    /// Tells endpoints of the changes that reports made in an order which they left, though they are
    /// not here either any more.
    pub(crate) async fn tell_of_reports(
        &self,
        key: &OrderKey,
        taken: &TakenName,
    ) -> Result<Option<Undeliverable>, IoError> {
        let from = OrderKey { account: key.account.clone(), order: taken.from.clone() };
        let Some((order, entries)) = self.orders.load_with_timeline(&from).await? else {
            return Ok(None);
        };
        let moved = moved_with(&taken.name, &entries);
        let changes = moved.iter().filter(|entry| entry.transition.is_some());
        let events: BTreeSet<&EventId> = changes.map(|entry| &entry.event_id).collect();
        let mut undeliverable = None;
        for event in events {
            let failed = self.tell_of_changes(event, &order, &entries).await?;
            undeliverable = failed.or(undeliverable);
        }
        Ok(undeliverable)
    }

    /// The events of facts with a change that may not have told endpoints of it yet. When they go on
    /// they find their reports in another order.
    pub(crate) async fn interrupted(
        &self,
        entries: &[TimelineEntry],
    ) -> Result<BTreeSet<EventId>, IoError> {
        let changes = entries.iter().filter(|entry| entry.transition.is_some());
        let mut interrupted: BTreeSet<EventId> = changes.map(|it| it.event_id.clone()).collect();
        for event in interrupted.clone() {
            let stored = self.events.open(&event).await?;
            if stored.is_some_and(|stored| stored.state() == Ok(EventState::Processed)) {
                interrupted.remove(&event);
            }
        }
        Ok(interrupted)
    }

    /// Tells endpoints of the changes that an event made in an order, once more if it told them: the
    /// deliveries have the same ids.
    pub(crate) async fn tell_of_changes(
        &self,
        event: &EventId,
        order: &Order,
        entries: &[TimelineEntry],
    ) -> Result<Option<Undeliverable>, IoError> {
        let own = entries.iter().filter(|entry| entry.event_id == *event);
        let facts: Vec<AppliedFact> =
            own.map(|entry| AppliedFact::of(order.clone(), entry.clone(), event.clone())).collect();
        self.fan_out(event, &facts, now()).await
    }
}
