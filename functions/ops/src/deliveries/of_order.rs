//! The deliveries about an order, from the rows that name them.
//!
//! `process` names deliveries in a trace of the order or in the row of the event, which is written
//! last. If a run is killed before that, this module makes the ids again of the order's facts.

use std::collections::BTreeSet;

use aws::error::IoError;
use aws::tables::orders::{OrderAndTimeline, TracedDelivery};
use domain::core::id::{EventId, OrderKey};
use domain::core::timestamp::Timestamp;
use domain::tracking::entry::TimelineEntry;
use domain::webhooks::answer_event::{self, AnsweredOrder};
use domain::webhooks::delivery::{self, Delivery};
use domain::webhooks::endpoint::Endpoint;
use domain::webhooks::notification::Change;
use domain::webhooks::payload::Context;
use futures::future::try_join;

use crate::Ops;

impl Ops {
    /// Deliveries that may be about the order, or may not exist: their rows decide.
    pub(super) async fn deliveries_of(
        &self,
        key: &OrderKey,
        now: Timestamp,
    ) -> Result<BTreeSet<TracedDelivery>, IoError> {
        let orders = &self.tables.orders;
        let (traced, loaded) =
            try_join(orders.traced(key, now), orders.load_with_timeline(key)).await?;
        let mut found = BTreeSet::from_iter(traced);
        let Some(loaded) = loaded else { return Ok(found) };
        let events: BTreeSet<&EventId> =
            loaded.1.iter().filter(|entry| is_told(entry)).map(|entry| &entry.event_id).collect();
        let noted = self.tables.events.deliveries_of(&events, now).await?;
        let unmarked: Vec<_> = events.into_iter().filter(|id| !noted.contains_key(id)).collect();
        found.extend(noted.into_values().flatten());
        if !unmarked.is_empty() {
            let endpoints = self.endpoints.all(now).await.map_err(IoError::from)?;
            let endpoints: Vec<_> = endpoints.usable().collect();
            let made = unmarked.into_iter().flat_map(|id| made_by(id, &loaded, &endpoints, now));
            found.extend(made.map(|delivery| TracedDelivery::from(&delivery)));
        }
        Ok(found)
    }
}

/// Endpoints may have been told of the fact.
fn is_told(entry: &TimelineEntry) -> bool {
    entry.transition.is_some() || entry.answer().is_some()
}

/// The deliveries that an event makes of an order's facts, with the ids that `process` gives them.
fn made_by(
    event: &EventId,
    (order, entries): &OrderAndTimeline,
    endpoints: &[&Endpoint],
    now: Timestamp,
) -> Vec<Delivery> {
    let endpoints = || endpoints.iter().copied();
    let changes: Vec<_> =
        entries.iter().filter_map(|entry| Change::by_event(event, order, entry, now)).collect();
    let answers: Vec<_> = entries
        .iter()
        .filter_map(|entry| AnsweredOrder::by_event(event, order, entry, now))
        .collect();
    let context = Context { now, links: None };
    let mut made = delivery::fan_out(event, &changes, endpoints(), context);
    made.extend(answer_event::fan_out(event, &answers, endpoints(), None));
    made
}
