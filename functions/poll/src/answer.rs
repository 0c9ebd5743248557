//! Evaluates the carrier's answer for each order of a batch.

use std::time::Duration;

use domain::core::timestamp::Timestamp;
use domain::polling::{PollCounts, PollItem, PollResult, PolledReport, Stalled};
use sources::Source;
use sources::shipway::{Shipway, tracking_api};

/// In bytes. SQS allows 1 MiB; the reports of fifty orders usually take a fifth of that.
const MAX_MESSAGE: usize = 900_000;

#[derive(Debug, Default)]
pub(crate) struct BatchAnswer<'a> {
    polled: usize,
    /// Reports not seen before.
    pub(crate) reports: Vec<PolledReport>,
    /// Orders with a tracking number the carrier does not know.
    pub(crate) unknown: Vec<&'a PollItem>,
    /// Orders unknown in an earlier run and now known, without a new report.
    pub(crate) reappeared: Vec<&'a PollItem>,
    pub(crate) stalled: Vec<Stalled>,
}

impl<'a> BatchAnswer<'a> {
    pub(crate) fn of(
        answered: impl Iterator<Item = (&'a PollItem, tracking_api::ParcelAnswer)>,
        now: Timestamp,
        stalled_after: Option<Duration>,
    ) -> Self {
        let mut batch = Self::default();
        for (order, parcel) in answered {
            batch.polled += 1;
            let moved = batch.add(order, parcel);
            if !moved && stalled_after.is_some_and(|limit| is_newly_stalled(order, now, limit)) {
                let PollItem { account, order_id, active } = order.clone();
                let (awb, since) = (active.awb.clone(), active.moved_at);
                batch.stalled.push(Stalled { account, order_id, awb, since });
            }
        }
        batch
    }

    /// Adds orders with tracking numbers the API cannot query. They count as unknown, so that they
    /// become stale too.
    pub(crate) fn with_unpollable(
        mut self,
        orders: impl IntoIterator<Item = &'a PollItem>,
    ) -> Self {
        self.unknown.extend(orders);
        self
    }

    /// True if there is a new report.
    fn add(&mut self, order: &'a PollItem, parcel: tracking_api::ParcelAnswer) -> bool {
        match parcel {
            tracking_api::ParcelAnswer::Known(report)
                if order.active.seen.as_ref() != Some(&report.id) =>
            {
                let (account, order_id) = (order.account.clone(), order.order_id.clone());
                self.reports.push(PolledReport { account, order_id, report: *report });
                return true;
            }
            tracking_api::ParcelAnswer::Known(_) if order.active.unknown.is_some() => {
                self.reappeared.push(order)
            }
            tracking_api::ParcelAnswer::Known(_) => {}
            tracking_api::ParcelAnswer::Unknown => self.unknown.push(order),
        }
        false
    }

    pub(crate) fn counts(&self) -> PollCounts {
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        PollCounts {
            asked: count(self.polled),
            changed: count(self.reports.len()),
            unknown: count(self.unknown.len()),
        }
    }

    /// The poll results to queue: none without news, several if one would exceed the SQS limit.
    pub(crate) fn messages(&self, received_at: Timestamp) -> Vec<String> {
        if self.reports.is_empty() && self.stalled.is_empty() {
            return Vec::new();
        }
        split_messages(&self.reports, &self.stalled, received_at)
    }
}

fn split_messages(
    reports: &[PolledReport],
    stalled: &[Stalled],
    received_at: Timestamp,
) -> Vec<String> {
    let result = PollResult {
        v: PollResult::VERSION,
        source: Shipway.name(),
        received_at,
        reports: reports.to_vec(),
        stalled: stalled.to_vec(),
    };
    let message = result.to_message();
    if message.len() <= MAX_MESSAGE || reports.len() < 2 {
        return vec![message];
    }
    let (first, second) = reports.split_at(reports.len() / 2);
    [split_messages(first, stalled, received_at), split_messages(second, &[], received_at)].concat()
}

/// False once the order was reported as stalled, and for one that was cancelled or lost.
fn is_newly_stalled(order: &PollItem, now: Timestamp, limit: Duration) -> bool {
    let active = &order.active;
    active.stalled.is_none() && active.ended_at.is_none() && now.since(active.moved_at) >= limit
}

#[cfg(test)]
mod tests;
