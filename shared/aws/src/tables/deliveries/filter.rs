//! The filter of a list of deliveries.

use std::collections::VecDeque;

use domain::auth::Accounts;
use domain::core::id::{AccountCode, EndpointName};
use domain::core::timestamp::Timestamp;
use domain::pagination::MAX_LIMIT;
use domain::webhooks::endpoint::EventType;
use domain::webhooks::kind::Kind;
use domain::webhooks::lease::DeliveryState;
use domain::webhooks::retry::DeadReason;

use super::listed::date;
use super::{DeliveryRow, Direction};
use crate::tables::buckets::{partition_of, partitions_of};

const DAY_MILLIS: i64 = 24 * 60 * 60 * 1000;
/// How many days back there may be rows: a row is kept for 30 days after its last attempt, which
/// may be 15 days after the first of its run.
const DAYS: i64 = 45;

/// Deliveries that match every part, and whose account is one of `accounts`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryFilter {
    pub accounts: Accounts,
    pub account: Option<AccountCode>,
    pub endpoint: Option<EndpointName>,
    pub state: Option<DeliveryState>,
    pub kind: Option<EventType>,
    pub reason: Option<DeadReason>,
    /// Created at this time or later.
    pub from: Option<Timestamp>,
    /// Created before this time.
    pub to: Option<Timestamp>,
}

/// Partitions of an index that are read as one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Partitions {
    pub(super) index: &'static str,
    pub(super) attribute: &'static str,
    pub(super) values: Vec<String>,
}

impl DeliveryFilter {
    pub fn all(accounts: Accounts) -> Self {
        Self {
            accounts,
            account: None,
            endpoint: None,
            state: None,
            kind: None,
            reason: None,
            from: None,
            to: None,
        }
    }

    /// The partitions that have all matching rows, in the order in which they are read.
    pub(super) fn partitions(&self, direction: Direction, now: Timestamp) -> VecDeque<Partitions> {
        let mut days: VecDeque<_> = self.days(now).map(|day| self.of_day(day)).collect();
        if direction == Direction::NewestFirst {
            days.make_contiguous().reverse();
        }
        days
    }

    fn of_day(&self, day: String) -> Partitions {
        let (index, attribute) = match self.state {
            Some(DeliveryState::Dead) => ("dead", "dead"),
            _ => ("by_day", "day"),
        };
        let buckets = match &self.endpoint {
            Some(endpoint) => vec![partition_of(&day, endpoint.as_str())],
            None => partitions_of(&day).collect(),
        };
        // Rows of older releases are in a partition without bucket until they expire.
        let values = buckets.into_iter().chain([day]).collect();
        Partitions { index, attribute, values }
    }

    /// The oldest first. A replay brings a row to a later day than that of its creation.
    fn days(&self, now: Timestamp) -> impl Iterator<Item = String> {
        let number = |time: Timestamp| time.millis().div_euclid(DAY_MILLIS);
        let oldest = (number(now) - DAYS).max(self.from.map_or(0, number));
        (oldest..=number(now))
            .filter_map(|number| Timestamp::from_millis(number * DAY_MILLIS).ok())
            .map(date)
    }

    /// The first and the last millisecond in which a delivery may have been created.
    pub(super) fn times(&self) -> (i64, i64) {
        let from = self.from.map_or(0, Timestamp::millis);
        (from, self.to.map_or(i64::MAX, |to| to.millis().saturating_sub(1)))
    }

    /// How many rows to read at once for a page of `max`: as many, or the most if few of them may
    /// match.
    pub(super) fn step(&self, max: usize) -> usize {
        let is_narrow = self.kind.is_some()
            || self.reason.is_some()
            || self.endpoint.is_some()
            || self.state.is_some_and(|state| state != DeliveryState::Dead);
        let has_others = self.account.is_some() || self.accounts != Accounts::All;
        if is_narrow || has_others { MAX_LIMIT } else { max }
    }

    /// True for a row of the partitions that matches the other parts of the filter.
    pub fn matches(&self, row: &DeliveryRow) -> bool {
        let account = row.account.as_ref();
        let is_in_time = self.from.is_none_or(|from| row.created_at >= from)
            && self.to.is_none_or(|to| row.created_at < to);
        is_in_time
            && self.accounts.can_see(account)
            && self.account.as_ref().is_none_or(|own| Some(own) == account)
            && self.endpoint.as_ref().is_none_or(|endpoint| *endpoint == row.endpoint)
            && self.state.is_none_or(|state| state == row.state)
            && self.kind.is_none_or(|kind| Some(kind) == row.kind.and_then(Kind::event))
            && self.reason.is_none_or(|reason| row.reason.as_deref() == Some(reason.as_str()))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;

    const NOW: &str = "2026-03-02T12:00:00.000Z";

    fn time(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn partitions(filter: &DeliveryFilter, direction: Direction) -> Vec<String> {
        let all = filter.partitions(direction, time(NOW));
        all.into_iter().map(|it| format!("{}={}", it.index, it.values.join(" "))).collect()
    }

    #[test]
    fn reads_the_days_that_may_have_rows() {
        let endpoint = EndpointName::parse("shop").ok();
        let of_endpoint =
            DeliveryFilter { endpoint: endpoint.clone(), ..DeliveryFilter::all(Accounts::All) };
        let all = partitions(&of_endpoint, Direction::NewestFirst);
        assert_eq!(all[0], format!("by_day={} 2026-03-02", partition_of("2026-03-02", "shop")));
        let oldest = format!("by_day={} 2026-01-16", partition_of("2026-01-16", "shop"));
        assert_eq!((all.len(), all.last()), (46, Some(&oldest)));
        let of_all =
            DeliveryFilter::all(Accounts::All).partitions(Direction::OldestFirst, time(NOW));
        assert_eq!((of_all.len(), of_all[45].values.len()), (46, 17));
        assert_eq!(of_all[45].values[..2], ["2026-03-02/00", "2026-03-02/01"]);
        let dead = DeliveryFilter {
            state: Some(DeliveryState::Dead),
            from: Some(time("2026-02-27T23:59:59.999Z")),
            to: Some(time("2026-03-01T00:00:00Z")),
            ..DeliveryFilter::all(Accounts::All)
        };
        let days = dead.partitions(Direction::OldestFirst, time(NOW));
        assert!(days.iter().all(|it| (it.index, it.values.len()) == ("dead", 17)));
        let plain: Vec<&str> = days.iter().map(|it| it.values[16].as_str()).collect();
        assert_eq!(plain, ["2026-02-27", "2026-02-28", "2026-03-01", "2026-03-02"]);
        let future = DeliveryFilter { from: Some(time("2026-03-03T00:00:00Z")), ..dead };
        assert_eq!(partitions(&future, Direction::NewestFirst), [""; 0]);
    }
}
