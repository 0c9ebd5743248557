//! The deliveries about an order, from the rows that name them.
//!
//! `process` names deliveries in a trace of the order or in the row of the event, which is written
//! last. If a run is killed before that, this module makes the ids again of the order's facts.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use aws::error::IoError;
use aws::tables::deliveries::Candidates;
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

/// Events whose rows are read for one page: a row may have a large body.
const MAX_EVENTS: usize = 100;

impl Ops {
    /// The deliveries that a page may have which begins at this time, the newest first.
    pub(super) async fn deliveries_of(
        &self,
        key: &OrderKey,
        until: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Candidates, IoError> {
        let orders = &self.tables.orders;
        let (traced, loaded) =
            try_join(orders.traced(key, now), orders.load_with_timeline(key)).await?;
        let times = loaded.as_ref().map(|(_, entries)| told(entries)).unwrap_or_default();
        let (events, rest) = newest(&times, until);
        let traced = traced
            .into_iter()
            .map(|it| (times.get(&it.event).copied().unwrap_or(it.at), it.delivery));
        let is_in_page = |(at, _): &(Timestamp, TracedDelivery)| {
            until.is_none_or(|until| *at <= until) && rest.is_none_or(|rest| *at >= rest)
        };
        let mut deliveries: Vec<_> = traced.filter(is_in_page).collect();
        let ids = events.keys().copied().collect();
        let mut noted = self.tables.events.deliveries_of(&ids, now).await?;
        let mut unmarked = Vec::new();
        for (event, at) in events {
            match noted.remove(event) {
                Some(noted) => deliveries.extend(noted.into_iter().map(|it| (at, it))),
                None => unmarked.push((event, at)),
            }
        }
        if let Some(loaded) = loaded.as_ref().filter(|_| !unmarked.is_empty()) {
            let endpoints = self.endpoints.all(now).await.map_err(IoError::from)?;
            let endpoints: Vec<_> = endpoints.usable().collect();
            for (event, at) in unmarked {
                let made = made_by(event, loaded, &endpoints, now);
                deliveries.extend(made.iter().map(|it| (at, it.into())));
            }
        }
        Ok(Candidates { deliveries, rest })
    }
}

/// The events that endpoints may have been told of, each with the time of its first fact: that of a
/// trace moves when the event is processed again.
fn told(entries: &[TimelineEntry]) -> BTreeMap<&EventId, Timestamp> {
    let mut times = BTreeMap::new();
    for entry in entries.iter().filter(|entry| is_told(entry)) {
        let time = times.entry(&entry.event_id).or_insert(entry.recorded_at);
        *time = entry.recorded_at.min(*time);
    }
    times
}

/// The newest events until this time with their times, and the time of the last if there are older
/// ones. All events of that time are among them.
fn newest<'a>(
    times: &BTreeMap<&'a EventId, Timestamp>,
    until: Option<Timestamp>,
) -> (BTreeMap<&'a EventId, Timestamp>, Option<Timestamp>) {
    let mut events: Vec<(Timestamp, &EventId)> = times.iter().map(|(id, at)| (*at, *id)).collect();
    events.retain(|(at, _)| until.is_none_or(|until| *at <= until));
    events.sort_by_key(|(at, _)| Reverse(*at));
    let last = events.get(MAX_EVENTS - 1).map(|(at, _)| *at);
    let rest = last.filter(|last| events.iter().any(|(at, _)| at < last));
    let newest = events.into_iter().filter(|(at, _)| rest.is_none_or(|rest| *at >= rest));
    (newest.map(|(at, id)| (id, at)).collect(), rest)
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

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// The times of this many events, of which so many share each.
    fn pages_of(count: i64, same: i64) -> Vec<Vec<i64>> {
        let ids: Vec<EventId> =
            (0..count).map(|number| EventId::parse(&format!("e{number}")).unwrap()).collect();
        let time = |number: i64| Timestamp::from_millis(number / same).unwrap();
        let times = ids.iter().zip((0..count).map(time)).collect();
        let (mut pages, mut until): (Vec<Vec<i64>>, _) = (Vec::new(), None);
        loop {
            let (events, rest) = newest(&times, until);
            let mut page: Vec<i64> = events.values().map(|at| at.millis()).collect();
            page.sort_unstable_by_key(|at| Reverse(*at));
            pages.push(page);
            let Some(rest) = rest else { return pages };
            until = Timestamp::from_millis(rest.millis() - 1).ok();
        }
    }

    #[test]
    fn a_page_looks_at_a_hundred_events_and_the_next_goes_on() {
        for (count, same, expected) in [
            (0, 1, &[0][..]),
            (100, 1, &[100]),
            (250, 1, &[100, 100, 50]),
            (102, 3, &[102]),
            (303, 3, &[102, 102, 99]),
            (450, 150, &[150, 150, 150]),
        ] {
            let pages = pages_of(count, same);
            assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), expected, "{count}");
            let all = (0..count).rev().map(|number| number / same).collect::<Vec<_>>();
            assert_eq!(pages.concat(), all, "{count}");
        }
    }
}
