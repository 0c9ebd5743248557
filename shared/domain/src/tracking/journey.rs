//! The fold of one parcel: its reports, in the order of their times, become its status.
//!
//! An order without parcels has one journey over all its reports.

use std::time::Duration;

use crate::core::timestamp::Timestamp;
use crate::tracking::entry::{Direction, ReportFacts, TimelineEntry};
use crate::tracking::fold::Disposition;
use crate::tracking::report::SourceName;
use crate::tracking::state::Cancellation;
use crate::tracking::status::{Leg, Status};

/// Two failed attempts without a scan between them are at least this far apart.
const BETWEEN_ATTEMPTS: Duration = Duration::from_secs(6 * 60 * 60);

/// The meaning of a report for a parcel of one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Claim {
    Status(Status),
    /// The return will not take place. Of two reports of the same time, it counts as the later one.
    ReturnCalledOff,
}

impl Claim {
    pub(super) fn of(report: &ReportFacts, direction: Direction) -> Self {
        if direction == Direction::Forward && report.leg == Leg::Outbound {
            return Self::Status(report.status);
        }
        match report.status {
            Status::Cancelled => Self::ReturnCalledOff,
            status => Self::Status(status.on_return_leg()),
        }
    }

    /// As shown in the timeline.
    pub(super) fn status(self) -> Status {
        match self {
            Self::Status(status) => status,
            Self::ReturnCalledOff => Status::Cancelled,
        }
    }
}

/// The state of one parcel.
#[derive(Debug, Clone)]
pub(super) struct Journey {
    direction: Direction,
    pub(super) status: Status,
    pub(super) since: Option<Timestamp>,
    pub(super) label: String,
    pub(super) location: Option<String>,
    pub(super) eta: Option<Timestamp>,
    /// The status that ended the outbound leg; kept during a return.
    pub(super) ended: Option<Status>,
    cancelled_by_shop: bool,
    /// Status and label before the return, which come back if it is called off.
    before_return: Option<(Status, String)>,
    counted_attempts: u32,
    reported_attempts: Option<u32>,
    last_attempt: Option<Timestamp>,
    out_since_attempt: bool,
    /// The first physical movement.
    pub(super) picked_up_at: Option<Timestamp>,
    pub(super) delivered_at: Option<Timestamp>,
    /// The beginning of the return that is under way or done.
    pub(super) return_since: Option<Timestamp>,
    pub(super) assigned_at: Option<Timestamp>,
    pub(super) accepted_at: Option<Timestamp>,
    pub(super) completed_at: Option<Timestamp>,
    pub(super) cancellation: Option<Cancellation>,
}

impl Journey {
    pub(super) fn starting_at(status: Status, direction: Direction) -> Self {
        Self {
            direction,
            status,
            since: None,
            label: status.title().to_owned(),
            location: None,
            eta: None,
            ended: status.ends_outbound().then_some(status),
            cancelled_by_shop: status == Status::Cancelled,
            before_return: None,
            counted_attempts: 0,
            reported_attempts: None,
            last_attempt: None,
            out_since_attempt: false,
            picked_up_at: None,
            delivered_at: None,
            return_since: None,
            assigned_at: None,
            accepted_at: None,
            completed_at: None,
            cancellation: None,
        }
    }

    /// Applies these reports in the order of their times, and returns a disposition for each, in
    /// the order given.
    pub(super) fn travel<'a>(
        &mut self,
        entries: impl IntoIterator<Item = (&'a TimelineEntry, &'a ReportFacts)>,
    ) -> Vec<(&'a TimelineEntry, Disposition)> {
        let direction = self.direction;
        let claims = entries.into_iter().map(|(entry, report)| {
            ((entry.occurred_at, Claim::of(report, direction), &entry.id), entry, report)
        });
        let mut sorted: Vec<_> = claims.collect();
        sorted.sort_by(|one, other| one.0.cmp(&other.0));
        let steps = sorted
            .into_iter()
            .map(|((at, claim, _), entry, report)| (entry, self.step(claim, at, report)));
        steps.collect()
    }

    /// The highest count of the source, else the failed attempts among the reports.
    pub(super) fn attempts(&self) -> u32 {
        self.reported_attempts.unwrap_or(self.counted_attempts)
    }

    /// True while a return parcel is on its way or back.
    pub(super) fn is_returning(&self) -> bool {
        self.status.leg() == Some(Leg::Return)
    }

    fn step(&mut self, claim: Claim, at: Timestamp, report: &ReportFacts) -> Disposition {
        let disposition = self.disposition_of(claim);
        if claim == Claim::Status(Status::Cancelled) && report.source == SourceName::API {
            self.cancelled_by_shop = true;
        }
        match (disposition, claim) {
            (Disposition::Applied, Claim::Status(status)) => {
                self.enter(status, at, report);
                self.refresh(report);
            }
            (Disposition::Applied, Claim::ReturnCalledOff) => self.call_off_return(at, report),
            (Disposition::Same, _) => self.refresh(report),
            _ => return disposition,
        }
        self.count_attempt(claim, at, report);
        disposition
    }

    fn disposition_of(&self, claim: Claim) -> Disposition {
        match claim {
            Claim::Status(Status::Unknown) => Disposition::Unknown,
            Claim::Status(status) if status == self.status => Disposition::Same,
            Claim::Status(status) if !self.can_enter(status) => Disposition::AfterTerminal,
            Claim::ReturnCalledOff if self.status == Status::Returned => Disposition::AfterTerminal,
            Claim::ReturnCalledOff if self.is_called_off() || !self.has_return() => {
                Disposition::Same
            }
            Claim::Status(_) | Claim::ReturnCalledOff => Disposition::Applied,
        }
    }

    fn can_enter(&self, status: Status) -> bool {
        if self.status == Status::Returned {
            return false;
        }
        if status.leg() == Some(Leg::Return) {
            return true;
        }
        match self.ended {
            None => true,
            Some(Status::Delivered) => false,
            Some(_) if self.cancelled_by_shop => status == Status::Delivered,
            Some(Status::Completed) => status.is_movement() || status == Status::Cancelled,
            Some(_) => status.is_movement(),
        }
    }

    /// A return parcel can be called off before its first report.
    fn has_return(&self) -> bool {
        self.direction == Direction::Return || self.before_return.is_some() && self.is_returning()
    }

    fn is_called_off(&self) -> bool {
        self.direction == Direction::Return && self.status == Status::Cancelled
    }

    fn enter(&mut self, status: Status, at: Timestamp, report: &ReportFacts) {
        if status.leg() == Some(Leg::Return) {
            if !self.is_returning() {
                self.before_return = Some((self.status, self.label.clone()));
                self.return_since = Some(at);
            }
        } else {
            self.ended = status.ends_outbound().then_some(status);
            self.cancellation = None;
            self.return_since = None;
        }
        self.status = status;
        self.since = Some(at);
        self.label = status.title().to_owned();
        if status.shows_pickup() {
            self.picked_up_at = self.picked_up_at.or(Some(at));
        }
        match status {
            Status::Assigned => self.assigned_at = Some(at),
            Status::Accepted => self.accepted_at = Some(at),
            Status::Completed => self.completed_at = Some(at),
            Status::Delivered => {
                self.completed_at = Some(at);
                self.delivered_at = Some(at);
            }
            Status::Cancelled => {
                let reason = report.note.clone().or_else(|| report.source_status.clone());
                self.cancellation = Some(Cancellation { at, reason, by: report.source.clone() });
            }
            _ => {}
        }
    }

    /// The forward parcel is again where it was. A return parcel ends.
    fn call_off_return(&mut self, at: Timestamp, report: &ReportFacts) {
        self.refresh(report);
        (self.status, self.label) = match (self.direction, self.before_return.take()) {
            (Direction::Forward, Some(before)) => before,
            _ => {
                let words = report.source_status.clone();
                let title = || Status::Cancelled.title().to_owned();
                (Status::Cancelled, words.unwrap_or_else(title))
            }
        };
        self.since = Some(at);
        self.return_since = None;
    }

    fn refresh(&mut self, report: &ReportFacts) {
        if let Some(label) = &report.source_status {
            self.label.clone_from(label);
        }
        if report.location.is_some() {
            self.location.clone_from(&report.location);
        }
        if report.eta.is_some() {
            self.eta = report.eta;
        }
    }

    fn count_attempt(&mut self, claim: Claim, at: Timestamp, report: &ReportFacts) {
        self.reported_attempts = self.reported_attempts.max(report.attempts);
        match claim {
            Claim::Status(Status::OutForDelivery) => self.out_since_attempt = true,
            Claim::Status(Status::Undelivered) => {
                let long_ago = |last: Timestamp| at.since(last) >= BETWEEN_ATTEMPTS;
                if self.out_since_attempt || self.last_attempt.is_none_or(long_ago) {
                    self.counted_attempts += 1;
                    self.last_attempt = Some(at);
                    self.out_since_attempt = false;
                }
            }
            Claim::Status(_) | Claim::ReturnCalledOff => {}
        }
    }
}
