//! What an answer means for the orders that were asked about.

use std::time::Duration;

use domain::core::timestamp::Timestamp;
use domain::polling::{PollCounts, PollItem, PollResult, PolledReport, Stalled};
use domain::tracking::report::SourceName;
use sources::shipway::pull;

/// The carrier, as the timeline names it.
const SOURCE: SourceName = SourceName::new("shipway");
/// A message of SQS may have 1 MiB; in most answers fifty claims have a fifth of that.
const MAX_MESSAGE: usize = 900_000;

/// What is to be done about a batch.
#[derive(Debug, Default)]
pub(crate) struct Findings<'a> {
    /// How many orders the carrier was asked about.
    asked: usize,
    /// Claims that are new to us.
    pub(crate) reports: Vec<PolledReport>,
    /// Orders whose parcels it does not know.
    pub(crate) unknown: Vec<&'a PollItem>,
    /// Orders whose parcels it knows after all, without news of them.
    pub(crate) found_again: Vec<&'a PollItem>,
    /// Orders that stand still.
    pub(crate) stalled: Vec<Stalled>,
}

impl<'a> Findings<'a> {
    /// Of orders and what was found of each. An order that has stood still for `stalled_after` is told of once.
    pub(crate) fn of(
        answered: impl Iterator<Item = (&'a PollItem, pull::ParcelAnswer)>,
        now: Timestamp,
        stalled_after: Option<Duration>,
    ) -> Self {
        let mut findings = Self::default();
        for (order, found) in answered {
            findings.asked += 1;
            if findings.take(order, found)
                && stalled_after.is_some_and(|days| is_stalled(order, now, days))
            {
                let PollItem { account, order_id, active } = order.clone();
                findings.stalled.push(Stalled { account, order_id, since: active.moved_at });
            }
        }
        findings
    }

    /// Orders that it cannot even be asked about: as if it did not know them, so that they do not go unseen.
    pub(crate) fn and_unasked(mut self, orders: impl IntoIterator<Item = &'a PollItem>) -> Self {
        self.unknown.extend(orders);
        self
    }

    /// Whether the order is where it was.
    fn take(&mut self, order: &'a PollItem, found: pull::ParcelAnswer) -> bool {
        match found {
            pull::ParcelAnswer::Known(report) if order.active.seen.as_ref() != Some(&report.id) => {
                let (account, order_id) = (order.account.clone(), order.order_id.clone());
                self.reports.push(PolledReport { account, order_id, report: *report });
                return false;
            }
            pull::ParcelAnswer::Known(_) if order.active.unknown.is_some() => {
                self.found_again.push(order)
            }
            pull::ParcelAnswer::Known(_) => {}
            pull::ParcelAnswer::Unknown => self.unknown.push(order),
        }
        true
    }

    pub(crate) fn counts(&self) -> PollCounts {
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        PollCounts {
            asked: count(self.asked),
            changed: count(self.reports.len()),
            unknown: count(self.unknown.len()),
        }
    }

    /// The message that brings the news, if there is any. Several where it would be too long for the queue.
    pub(crate) fn messages(&self, received_at: Timestamp) -> Vec<String> {
        if self.reports.is_empty() && self.stalled.is_empty() {
            return Vec::new();
        }
        messages(&self.reports, &self.stalled, received_at)
    }
}

fn messages(reports: &[PolledReport], stalled: &[Stalled], received_at: Timestamp) -> Vec<String> {
    let (some, others) = (reports.to_vec(), stalled.to_vec());
    let found = PollResult {
        v: PollResult::VERSION,
        source: SOURCE,
        received_at,
        reports: some,
        stalled: others,
    };
    let whole = serde_json::to_string(&found).unwrap_or_default();
    if whole.len() <= MAX_MESSAGE || reports.len() < 2 {
        return vec![whole];
    }
    let (first, second) = reports.split_at(reports.len() / 2);
    [messages(first, stalled, received_at), messages(second, &[], received_at)].concat()
}

fn is_stalled(order: &PollItem, now: Timestamp, days: Duration) -> bool {
    order.active.stalled.is_none() && now.since(order.active.moved_at) >= days
}

#[cfg(test)]
mod tests;
