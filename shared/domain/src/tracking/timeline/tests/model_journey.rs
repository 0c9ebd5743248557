//! The fold of one parcel once more.

use super::model::Told;
use crate::core::timestamp::Timestamp;
use crate::tracking::entry::Direction;
use crate::tracking::report::SourceName;
use crate::tracking::status::{Leg, Status};

use Status::*;

/// How the outbound leg ended.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum End {
    Completed,
    Lost,
    Cancelled,
    Delivered,
}

#[derive(Clone)]
pub(super) struct Trip<'a> {
    pub(super) status: Status,
    pub(super) since: Option<Timestamp>,
    pub(super) location: Option<&'a str>,
    pub(super) eta: Option<Timestamp>,
    pub(super) ended: Option<End>,
    pub(super) picked_up_at: Option<Timestamp>,
    pub(super) delivered_at: Option<Timestamp>,
    pub(super) return_since: Option<Timestamp>,
    before_return: Option<Status>,
    shop_cancelled: bool,
    own_count: Option<u32>,
    /// Times of `undelivered` that count.
    failures: Vec<Timestamp>,
    is_out: bool,
}

impl Default for Trip<'_> {
    fn default() -> Self {
        Self::starting_at(Pending)
    }
}

fn end(status: Status) -> Option<End> {
    match status {
        Completed => Some(End::Completed),
        Lost => Some(End::Lost),
        Cancelled => Some(End::Cancelled),
        Delivered => Some(End::Delivered),
        _ => None,
    }
}

/// The status for a parcel of this direction. `None` calls a return off.
fn claim(direction: Direction, (_, report): &Told<'_>) -> Option<Status> {
    if direction == Direction::Forward && report.leg == Leg::Outbound {
        return Some(report.status);
    }
    match report.status {
        Cancelled => None,
        Unknown | Lost => Some(Unknown),
        OutForDelivery | ReturnOutForDelivery => Some(ReturnOutForDelivery),
        Delivered | Completed | Returned => Some(Returned),
        PickedUp | InTransit | Delayed | Exception | Undelivered | ReturnInTransit => {
            Some(ReturnInTransit)
        }
        _ => Some(ReturnInitiated),
    }
}

pub(super) fn travel<'a>(
    first: Status,
    direction: Direction,
    mut reports: Vec<Told<'a>>,
) -> Trip<'a> {
    // Of one time by rank, calling off last, then by id.
    reports.sort_by_key(|told| {
        let claim = claim(direction, told);
        (told.0.occurred_at, claim.is_none(), claim, told.0.id.clone())
    });
    let mut trip = Trip::starting_at(first);
    for told in &reports {
        trip.step(direction, claim(direction, told), told);
    }
    trip
}

impl<'a> Trip<'a> {
    fn starting_at(status: Status) -> Self {
        Self {
            status,
            since: None,
            location: None,
            eta: None,
            ended: end(status),
            picked_up_at: None,
            delivered_at: None,
            return_since: None,
            before_return: None,
            shop_cancelled: status == Cancelled,
            own_count: None,
            failures: Vec::new(),
            is_out: false,
        }
    }

    pub(super) fn attempts(&self) -> u32 {
        self.own_count.unwrap_or_else(|| self.failures.len().try_into().unwrap())
    }

    pub(super) fn is_returning(&self) -> bool {
        self.status >= ReturnInitiated
    }

    /// A new status that is not the current one.
    fn may_become(&self, status: Status) -> bool {
        let is_movement =
            [PickedUp, InTransit, OutForDelivery, Undelivered, Delivered].contains(&status);
        match self.ended {
            _ if status == Unknown || self.status == Returned => false,
            _ if status >= ReturnInitiated => true,
            None => true,
            Some(End::Delivered) => false,
            Some(_) if self.shop_cancelled => status == Delivered,
            Some(End::Completed) if status == Cancelled => true,
            Some(_) => is_movement,
        }
    }

    fn step(&mut self, direction: Direction, claim: Option<Status>, told: &Told<'a>) {
        let at = told.0.occurred_at;
        let is_same = claim == Some(self.status);
        match claim {
            Some(status) if is_same => self.refresh(status, told),
            Some(status) if self.may_become(status) => {
                self.enter(status, at);
                self.refresh(status, told);
            }
            Some(_) => {}
            None if self.status == Returned => {}
            None => self.call_off(direction, told),
        }
        self.shop_cancelled |= claim == Some(Cancelled) && told.1.source == SourceName::API;
    }

    fn enter(&mut self, status: Status, at: Timestamp) {
        if status < ReturnInitiated {
            self.ended = end(status);
            self.return_since = None;
        } else if !self.is_returning() {
            self.before_return = Some(self.status);
            self.return_since = Some(at);
        }
        (self.status, self.since) = (status, Some(at));
        if status.shows_pickup() {
            self.picked_up_at = self.picked_up_at.or(Some(at));
        }
        if status == Delivered {
            self.delivered_at = Some(at);
        }
    }

    fn call_off(&mut self, direction: Direction, told: &Told<'a>) {
        let restored = match direction {
            Direction::Return => (self.status != Cancelled).then_some(Cancelled),
            Direction::Forward if self.is_returning() => self.before_return,
            Direction::Forward => None,
        };
        self.refresh(Unknown, told);
        if let Some(status) = restored {
            (self.status, self.since) = (status, Some(told.0.occurred_at));
            self.before_return = None;
            self.return_since = None;
        }
    }

    fn refresh(&mut self, status: Status, (entry, report): &Told<'a>) {
        self.location = report.location.as_deref().or(self.location);
        self.eta = report.eta.or(self.eta);
        self.own_count = self.own_count.max(report.attempts);
        let hours = |last: &Timestamp| entry.occurred_at.since(*last).as_secs() / 3600;
        match status {
            OutForDelivery => self.is_out = true,
            Undelivered if self.is_out || self.failures.last().is_none_or(|it| hours(it) >= 6) => {
                self.failures.push(entry.occurred_at);
                self.is_out = false;
            }
            _ => {}
        }
    }
}
