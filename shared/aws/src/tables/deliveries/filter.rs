//! The filter of a list of deliveries.

use std::collections::VecDeque;

use domain::auth::Accounts;
use domain::core::id::{AccountCode, EndpointName, OrderKey};
use domain::core::timestamp::Timestamp;
use domain::webhooks::endpoint::EventType;
use domain::webhooks::lease::DeliveryState;
use domain::webhooks::retry::DeadReason;

use super::listed::{batches, day};
use super::{DeliveryRow, Direction};
use crate::tables::keys::order_pk;

const DAY_MILLIS: i64 = 24 * 60 * 60 * 1000;
/// How many days back there may be rows: a row is kept for 30 days after its last attempt, which
/// may be 15 days after its first.
const DAYS: i64 = 45;

/// Deliveries that match every part, and whose account is one of `accounts`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryFilter {
    pub accounts: Accounts,
    pub account: Option<AccountCode>,
    pub order: Option<OrderKey>,
    pub endpoint: Option<EndpointName>,
    pub state: Option<DeliveryState>,
    pub kind: Option<EventType>,
    pub reason: Option<DeadReason>,
    /// Created at this time or later.
    pub from: Option<Timestamp>,
    /// Created before this time.
    pub to: Option<Timestamp>,
}

/// A partition of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Partition {
    pub(super) index: &'static str,
    pub(super) attribute: &'static str,
    pub(super) value: String,
}

impl DeliveryFilter {
    pub fn all(accounts: Accounts) -> Self {
        Self {
            accounts,
            account: None,
            order: None,
            endpoint: None,
            state: None,
            kind: None,
            reason: None,
            from: None,
            to: None,
        }
    }

    /// The partitions that have all matching rows, in the order in which they are read. Those of an
    /// order come first, then its account's deliveries about several orders.
    pub(super) fn partitions(&self, direction: Direction, now: Timestamp) -> VecDeque<Partition> {
        if let Some(order) = &self.order {
            let of = |value| Partition { index: "by_order", attribute: "of_order", value };
            return [order_pk(order), batches(&order.account)].map(of).into();
        }
        let (index, attribute) = match self.state {
            Some(DeliveryState::Dead) => ("dead", "dead"),
            _ => ("by_day", "day"),
        };
        let mut days = self.days(now);
        if direction == Direction::OldestFirst {
            days.reverse();
        }
        days.into_iter().map(|value| Partition { index, attribute, value }).collect()
    }

    /// The newest first.
    fn days(&self, now: Timestamp) -> Vec<String> {
        let number = |time: Timestamp| time.millis().div_euclid(DAY_MILLIS);
        let newest = number(self.to.map_or(now, |to| to.min(now)));
        let oldest = (number(now) - DAYS).max(self.from.map_or(0, number));
        (oldest..=newest)
            .rev()
            .filter_map(|number| Timestamp::from_millis(number * DAY_MILLIS).ok())
            .map(day)
            .collect()
    }

    /// True if many rows may have to be read for few matches.
    pub(super) fn is_narrow(&self) -> bool {
        let has_own_index = self.order.is_some() || self.state == Some(DeliveryState::Dead);
        self.state.is_some() && !has_own_index
            || self.account.is_some() && self.order.is_none()
            || self.accounts != Accounts::All && self.order.is_none()
            || self.endpoint.is_some()
            || self.kind.is_some()
            || self.reason.is_some()
    }

    /// True for a row of the partitions that matches the other parts of the filter.
    pub fn matches(&self, row: &DeliveryRow) -> bool {
        let delivery = &row.delivery;
        let account = delivery.account.as_ref();
        let is_in_time = self.from.is_none_or(|from| row.created_at >= from)
            && self.to.is_none_or(|to| row.created_at < to);
        is_in_time
            && self.accounts.can_see(account)
            && self.account.as_ref().is_none_or(|own| Some(own) == account)
            && self.endpoint.as_ref().is_none_or(|endpoint| *endpoint == delivery.endpoint)
            && self.state.is_none_or(|state| state == row.state)
            && self.kind.is_none_or(|kind| kind == delivery.event)
            && self.reason.is_none_or(|reason| row.reason.as_deref() == Some(reason.as_str()))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use domain::core::id::OrderId;

    use super::*;

    const NOW: &str = "2026-03-02T12:00:00.000Z";

    fn time(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn partitions(filter: &DeliveryFilter, direction: Direction) -> Vec<String> {
        let all = filter.partitions(direction, time(NOW));
        all.into_iter().map(|it| format!("{}={}", it.index, it.value)).collect()
    }

    #[test]
    fn reads_the_days_that_may_have_rows() {
        let all = partitions(&DeliveryFilter::all(Accounts::All), Direction::NewestFirst);
        assert_eq!(all[..2], ["by_day=2026-03-02", "by_day=2026-03-01"]);
        assert_eq!((all.len(), all.last().unwrap().as_str()), (46, "by_day=2026-01-16"));
        let dead = DeliveryFilter {
            state: Some(DeliveryState::Dead),
            from: Some(time("2026-02-27T23:59:59.999Z")),
            to: Some(time("2026-03-01T00:00:00Z")),
            ..DeliveryFilter::all(Accounts::All)
        };
        let days = ["dead=2026-02-27", "dead=2026-02-28", "dead=2026-03-01"];
        assert_eq!(partitions(&dead, Direction::OldestFirst), days);
        let future = DeliveryFilter { from: Some(time("2026-03-03T00:00:00Z")), ..dead };
        assert_eq!(partitions(&future, Direction::NewestFirst), [""; 0]);
    }

    #[test]
    fn an_order_has_partitions_of_its_own() {
        let account = AccountCode::parse("A1").unwrap();
        let order = OrderKey { account, order: OrderId::parse("O-1").unwrap() };
        let filter = DeliveryFilter { order: Some(order), ..DeliveryFilter::all(Accounts::All) };
        let expected = ["by_order=order:2:A1:O-1", "by_order=orders:2:A1"];
        assert_eq!(partitions(&filter, Direction::NewestFirst), expected);
        assert!(!filter.is_narrow());
    }
}
