//! Tells endpoints of changes once more, where an event may have ended before it did.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws::clock::now;
use aws::error::IoError;
use aws::tables::inbound::EventState;
use domain::core::id::{EventId, OrderKey};
use domain::core::timestamp::Timestamp;
use domain::orders::api_event::TakenName;
use domain::orders::order::Order;
use domain::tracking::entry::TimelineEntry;

use crate::Process;
use crate::apply::AppliedFact;
use crate::copies::moved_with;
use crate::fan_out::Undeliverable;

impl Process {
    /// Tells endpoints of the changes that a name's reports made in its old order. For a name that
    /// has gone back, whose reports are not copied.
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
    /// they find their reports in another order. An event of polling has no row: it counts for the time
    /// `rowless_for` after its change.
    pub(crate) async fn interrupted(
        &self,
        entries: &[TimelineEntry],
        rowless_for: Duration,
    ) -> Result<BTreeSet<EventId>, IoError> {
        let changes = entries.iter().filter(|entry| entry.transition.is_some());
        let events: BTreeMap<&EventId, Timestamp> =
            changes.map(|entry| (&entry.event_id, entry.recorded_at)).collect();
        let mut interrupted = BTreeSet::new();
        for (event, recorded_at) in events {
            let is_over = match self.events.open(event).await? {
                Some(stored) => stored.state() == Ok(EventState::Processed),
                None => recorded_at.after(rowless_for) < now(),
            };
            interrupted.extend((!is_over).then(|| event.clone()));
        }
        Ok(interrupted)
    }

    /// Tells endpoints of the changes that an event made in an order, once more if it told them. The
    /// deliveries have the same ids, but for a batch with changes of other orders too.
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
