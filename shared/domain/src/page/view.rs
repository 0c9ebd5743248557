//! The tracking page of an order as a value, without words and markup.

use super::checkpoints::{Checkpoint, list};
use super::messages::MessageLine;
use super::progress::{Headline, Progress, Way};
use super::words::plain;
use crate::core::id::Awb;
use crate::core::timestamp::Timestamp;
use crate::orders::order::Order;
use crate::orders::view::Checkpoints;
use crate::tracking::entry::{Direction, Fact, TimelineEntry};
use crate::tracking::fold::{Disposition, Folded, fold};
use crate::tracking::report::{Scan, SourceName};
use crate::tracking::state::ParcelState;
use crate::tracking::status::{Leg, Status};

/// Couriers give a parcel back after so many failed attempts as a rule.
const USUAL_ATTEMPTS: u32 = 3;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrackingPage {
    pub order_id: String,
    /// Of the order.
    pub version: u64,
    /// The only personal data of the page.
    pub first_name: Option<String>,
    /// The number of items ordered; 0 if it is not known.
    pub items: u64,
    /// Of the whole order.
    pub headline: Headline,
    /// Those that count. An order without parcels has one, without an AWB.
    pub parcels: Vec<ParcelCard>,
    /// Others took their place.
    pub replaced: Vec<ParcelCard>,
    /// Newest first.
    pub messages: Vec<MessageLine>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParcelCard {
    pub awb: Option<Awb>,
    pub direction: Direction,
    pub carrier: Option<String>,
    pub headline: Headline,
    pub date: Option<PageDate>,
    /// Where it was seen last.
    pub place: Option<String>,
    pub progress: Progress,
    pub notice: Option<Notice>,
    /// Newest first.
    pub checkpoints: Vec<Checkpoint>,
}

/// The date that belongs to the headline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageDate {
    Expected(Timestamp),
    /// Its day is over.
    Overdue(Timestamp),
    /// Delivered, returned, cancelled, lost.
    Ended(Timestamp),
}

/// A problem, and the next step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// No report yet.
    NothingYet,
    PaymentDue,
    PickupFailed,
    Delayed,
    Problem {
        reason: Option<String>,
    },
    /// The courier comes again.
    AttemptFailed {
        number: u32,
        reason: Option<String>,
    },
    /// The courier may not come again.
    LastAttemptFailed {
        number: u32,
        reason: Option<String>,
    },
    /// On its way to another attempt.
    AnotherAttempt {
        failed: u32,
    },
    Lost,
    Cancelled,
    GoingBack,
    Returned,
}

/// The facts of a page.
#[derive(Debug, Clone, Copy)]
pub struct PageFacts<'a> {
    pub order: &'a Order,
    pub entries: &'a [TimelineEntry],
    pub checkpoints: &'a Checkpoints,
}

impl TrackingPage {
    pub fn new(facts: &PageFacts<'_>, messages: Vec<MessageLine>, now: Timestamp) -> Self {
        let PageFacts { order, entries, .. } = *facts;
        let state = &order.state;
        let folded = fold(&state.start, state.created_at, entries);
        let card = |parcel: &ParcelState| Card::of_parcel(facts, &folded, parcel).build(now);
        let (replaced, parcels): (Vec<_>, Vec<_>) =
            state.parcels.iter().partition(|parcel| parcel.replaced);
        let mut parcels: Vec<ParcelCard> = parcels.into_iter().map(card).collect();
        // Parcels on their way to the shopper are above returns.
        parcels.sort_by_key(|card| card.direction);
        if parcels.is_empty() {
            parcels.push(Card::of_order(facts, &folded).build(now));
        }
        let headline = match parcels.as_slice() {
            [only] => only.headline,
            _ => Headline::of(state.tracking.status).unwrap_or(Headline::Received),
        };
        let name = order.profile.customer.first_name.as_deref();
        Self {
            order_id: order.key.order.to_string(),
            version: state.version,
            first_name: name.and_then(plain),
            items: order.profile.counts().1,
            headline,
            parcels,
            replaced: replaced.into_iter().map(card).collect(),
            messages,
        }
    }
}

/// The source of one card.
struct Card<'a> {
    order: &'a Order,
    folded: &'a Folded,
    /// Of this parcel, or of the order.
    entries: Vec<&'a TimelineEntry>,
    scans: &'a [Scan],
    parcel: Option<&'a ParcelState>,
    status: Status,
    since: Option<Timestamp>,
    eta: Option<Timestamp>,
    attempts: u32,
}

impl<'a> Card<'a> {
    fn of_parcel(facts: &PageFacts<'a>, folded: &'a Folded, parcel: &'a ParcelState) -> Self {
        let is_of_it = |entry: &&TimelineEntry| {
            let Fact::Report(report) = &entry.fact else { return false };
            match &report.awb {
                Some(awb) => awb.is_same_parcel(&parcel.awb),
                // Reports that name no parcel are about those that were there.
                None => {
                    let is_return = report.status.leg() == Some(Leg::Return);
                    parcel.direction == Direction::Forward || is_return
                }
            }
        };
        let scans = facts.checkpoints.get(&parcel.awb.canonical());
        Self {
            order: facts.order,
            folded,
            entries: facts.entries.iter().filter(is_of_it).collect(),
            scans: scans.map(Vec::as_slice).unwrap_or_default(),
            parcel: Some(parcel),
            status: parcel.status,
            since: parcel.since,
            eta: parcel.eta,
            attempts: parcel.attempts,
        }
    }

    fn of_order(facts: &PageFacts<'a>, folded: &'a Folded) -> Self {
        let tracking = &facts.order.state.tracking;
        Self {
            order: facts.order,
            folded,
            entries: facts.entries.iter().filter(|entry| entry.report().is_some()).collect(),
            scans: &[],
            parcel: None,
            status: tracking.status,
            since: tracking.since,
            eta: tracking.eta,
            attempts: tracking.attempts,
        }
    }

    fn build(self, now: Timestamp) -> ParcelCard {
        let checkpoints = self.checkpoints();
        let is_replaced = self.parcel.is_some_and(|parcel| parcel.replaced);
        let carrier = self.parcel.and_then(|parcel| self.order.carrier_name_of(parcel));
        ParcelCard {
            awb: self.parcel.map(|parcel| parcel.awb.clone()),
            direction: self.parcel.map_or(Direction::Forward, |parcel| parcel.direction),
            carrier: carrier.and_then(plain),
            headline: if is_replaced { Headline::Replaced } else { self.headline() },
            date: self.date(now),
            place: checkpoints.iter().find_map(|checkpoint| checkpoint.place.clone()),
            progress: Progress::of(self.status, self.applied()),
            notice: self.notice().filter(|_| !is_replaced),
            checkpoints,
        }
    }

    /// A return parcel begins as `pending`: it is a return all the same.
    fn headline(&self) -> Headline {
        let is_return = self.parcel.is_some_and(|it| it.direction == Direction::Return);
        match Headline::of(self.status) {
            _ if is_return && self.status == Status::Pending => Headline::ReturnStarted,
            // A shop without a parcel is still preparing it.
            Some(Headline::AwaitingPickup) if self.parcel.is_none() => Headline::Preparing,
            headline => headline.unwrap_or(Headline::Received),
        }
    }

    fn applied(&self) -> impl Iterator<Item = Status> {
        self.entries.iter().filter_map(|entry| {
            let judgement = self.folded.judgements.get(&entry.id)?;
            (judgement.disposition == Disposition::Applied).then_some(judgement.status)
        })
    }

    fn checkpoints(&self) -> Vec<Checkpoint> {
        let is_replaced = self.parcel.is_some_and(|parcel| parcel.replaced);
        let reports = self.entries.iter().filter_map(|entry| {
            let mut judgement = *self.folded.judgements.get(&entry.id)?;
            if is_replaced && judgement.disposition == Disposition::ReplacedParcel {
                judgement.disposition = Disposition::Same;
            }
            Checkpoint::of_report(entry, &judgement)
        });
        // The order itself is the first thing that happened.
        let is_first = self.parcel.is_none_or(|it| it.added_at == self.order.state.created_at);
        let placed = is_first.then_some(Checkpoint {
            at: self.order.state.created_at,
            headline: Some(Headline::Received),
            words: None,
            place: None,
        });
        list(reports.chain(placed), self.scans.iter().filter_map(Checkpoint::of_scan))
    }

    fn date(&self, now: Timestamp) -> Option<PageDate> {
        let way = Progress::of(self.status, []).way;
        match (self.status.is_final(), way) {
            (true, _) => self.since.map(PageDate::Ended),
            (false, Way::Back) => None,
            (false, Way::Outbound) => {
                let is_past = |eta: &Timestamp| *eta < now;
                self.eta.map(|eta| match is_past(&eta) {
                    true => PageDate::Overdue(eta),
                    false => PageDate::Expected(eta),
                })
            }
        }
    }

    fn notice(&self) -> Option<Notice> {
        let number = self.attempts.max(1);
        Some(match self.status {
            Status::PaymentRequested => Notice::PaymentDue,
            Status::PickupFailed => Notice::PickupFailed,
            Status::Delayed => Notice::Delayed,
            Status::Exception | Status::Failed => Notice::Problem { reason: self.reason() },
            Status::Undelivered if number < USUAL_ATTEMPTS => {
                Notice::AttemptFailed { number, reason: self.reason() }
            }
            Status::Undelivered => Notice::LastAttemptFailed { number, reason: self.reason() },
            Status::Lost => Notice::Lost,
            Status::Cancelled => Notice::Cancelled,
            Status::ReturnInitiated | Status::ReturnInTransit | Status::ReturnOutForDelivery => {
                Notice::GoingBack
            }
            Status::Returned => Notice::Returned,
            Status::OutForDelivery if self.attempts > 0 => {
                Notice::AnotherAttempt { failed: self.attempts }
            }
            _ if self.entries.is_empty() && self.scans.is_empty() => Notice::NothingYet,
            _ => return None,
        })
    }

    /// The carrier's remark about the latest report of the current status.
    fn reason(&self) -> Option<String> {
        let reports = self.entries.iter().filter_map(|entry| Some((entry, entry.report()?)));
        let of_status = reports
            .filter(|(_, report)| report.status == self.status && report.source != SourceName::API);
        let (_, latest) = of_status.max_by_key(|(entry, _)| entry.occurred_at)?;
        plain(latest.note.as_deref()?)
    }
}

#[cfg(test)]
mod tests;
