//! Counts how the events of each source end, and reports it once an invocation.

use std::collections::BTreeMap;
use std::mem;
use std::sync::{Mutex, PoisonError};

use aws::tables::counters::Counters;
use aws::tables::inbound::EventState;
use aws::telemetry::Metrics;
use domain::core::timestamp::Timestamp;
use domain::metrics::EventCounts;
use domain::tracking::report::SourceName;
use futures::future::join_all;

/// The invocation's counts so far.
#[derive(Default)]
pub(crate) struct Tally {
    sources: Mutex<BTreeMap<SourceName, EventCounts>>,
}

impl Tally {
    /// Counts an event that ended in this state. It is counted again if it is processed again.
    pub(crate) fn ended(&self, source: &SourceName, state: EventState) {
        let mut sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        let counts = sources.entry(source.clone()).or_default();
        match state {
            EventState::Received => {}
            EventState::Processed => counts.processed += 1,
            EventState::Unmatched => counts.unmatched += 1,
            EventState::Ignored => counts.ignored += 1,
            EventState::Quarantined => counts.quarantined += 1,
            EventState::Failed => counts.failed += 1,
        }
    }

    /// Reports the counts as metrics and adds them to the hour's counters: one line and one write a
    /// source. Then the tally is empty.
    pub(crate) async fn report(&self, counters: &Counters, now: Timestamp) {
        let sources = mem::take(&mut *self.sources.lock().unwrap_or_else(PoisonError::into_inner));
        let reports = sources.iter().map(async |(source, counts)| {
            metrics(source, counts).emit(now);
            counters.add_events(source, counts, now).await;
        });
        join_all(reports).await;
    }
}

fn metrics(source: &SourceName, counts: &EventCounts) -> Metrics {
    Metrics::by("Source", source.as_str())
        .count("EventsProcessed", counts.processed)
        .count("EventsIgnored", counts.ignored)
        .count("EventsUnmatched", counts.unmatched)
        .count("EventsQuarantined", counts.quarantined)
        .count("EventsFailed", counts.failed)
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_counted_by_source() {
        let tally = Tally::default();
        let (api, carrier) = (SourceName::API, SourceName::from("shiprocket"));
        for (source, state) in [
            (&api, EventState::Processed),
            (&api, EventState::Processed),
            (&api, EventState::Unmatched),
            (&carrier, EventState::Ignored),
            (&carrier, EventState::Quarantined),
            (&carrier, EventState::Failed),
        ] {
            tally.ended(source, state);
        }
        let sources = tally.sources.into_inner().unwrap();
        let of_api = EventCounts { processed: 2, unmatched: 1, ..EventCounts::default() };
        let of_carrier =
            EventCounts { ignored: 1, quarantined: 1, failed: 1, ..EventCounts::default() };
        assert_eq!((sources[&api], sources[&carrier]), (of_api, of_carrier));
        let expected =
            Metrics::by("Source", "api").count("EventsProcessed", 2).count("EventsUnmatched", 1);
        assert_eq!(metrics(&api, &of_api), expected);
    }
}
