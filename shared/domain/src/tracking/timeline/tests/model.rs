//! The rules once more, as plainly as possible, for the property of arrival: it fails when a rule
//! of the fold changes.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::model_journey::{End, Trip, travel};
use crate::core::id::{Awb, OrderId, ReportId};
use crate::core::timestamp::Timestamp;
use crate::testing::minute;
use crate::tracking::entry::{Direction, Fact, ParcelChange, ReportFacts, TimelineEntry};
use crate::tracking::fold::Folded;
use crate::tracking::report::Ref;
use crate::tracking::state::Start;
use crate::tracking::status::Status;
use crate::tracking::story::created_at;

pub(super) type Told<'a> = (&'a TimelineEntry, &'a ReportFacts);

/// What the property compares: of the order and of its parcels.
type OrderOutcome = (Status, u32, Option<String>, Option<Timestamp>);
type ParcelOutcome = (String, Direction, Status, u32, bool, bool);

pub(super) fn outcome(folded: &Folded) -> (OrderOutcome, Vec<ParcelOutcome>) {
    let tracking = &folded.tracking;
    let parcels = folded.parcels.iter().map(|it| {
        let awb = it.awb.to_string();
        (awb, it.direction, it.status, it.attempts, it.learnt, it.replaced)
    });
    let order = (tracking.status, tracking.attempts, tracking.location.clone(), tracking.eta);
    (order, parcels.collect())
}

/// What the shop said of a parcel.
struct Naming<'a> {
    awb: &'a Awb,
    /// `None` for a further parcel.
    by: Option<Direction>,
    at: Timestamp,
    recycled: bool,
    at_creation: bool,
}

struct Facts<'a> {
    namings: Vec<Naming<'a>>,
    moved: BTreeSet<Awb>,
    reports: Vec<Told<'a>>,
}

struct Parcel<'a> {
    awb: Awb,
    direction: Direction,
    place: (Timestamp, bool, Option<Timestamp>, Awb),
    /// When the shop last named or added it.
    given_at: Option<Timestamp>,
    learnt: bool,
    /// Its place among those that the shop named other than as a further parcel.
    named: Option<usize>,
    own: Vec<Told<'a>>,
    announced_by: BTreeSet<Awb>,
    trip: Trip<'a>,
    replaced_by: Vec<usize>,
}

impl Parcel<'_> {
    fn was_moved(&self) -> bool {
        self.own.iter().any(|(_, report)| report.status.shows_pickup())
    }

    fn is_forward(&self) -> bool {
        self.direction == Direction::Forward
    }

    fn has_failed(&self) -> bool {
        matches!(self.trip.status, Status::Cancelled | Status::Lost)
    }

    fn waits(&self) -> bool {
        self.trip.picked_up_at.is_none()
            && !self.trip.status.shows_pickup()
            && self.trip.ended.is_none()
    }
}

impl<'a> Facts<'a> {
    fn of(start: &'a Start, entries: &'a [TimelineEntry]) -> Self {
        let given = [(&start.awb, Direction::Forward), (&start.return_awb, Direction::Return)];
        let given = given.into_iter().filter_map(|(awb, direction)| {
            let awb = awb.as_ref()?;
            let recycled = start.recycled.contains(awb);
            Some(Naming { awb, by: Some(direction), at: created_at(), recycled, at_creation: true })
        });
        let mut facts =
            Self { namings: given.collect(), moved: BTreeSet::new(), reports: Vec::new() };
        let moved_ids = facts.listen(entries);
        let is_withdrawn = |id: &ReportId| {
            entries
                .iter()
                .any(|it| matches!(&it.fact, Fact::Withdrawal { report_id } if report_id == id))
        };
        let reports = entries.iter().filter(|entry| !is_withdrawn(&entry.id));
        let reports = reports.filter_map(|entry| Some((entry, entry.report()?)));
        let stays = |(_, report): &Told<'_>| {
            let has_id = report.spelled_id.as_ref().is_some_and(|id| moved_ids.contains(id));
            !has_id || report.awb.is_some()
        };
        facts.reports = reports.filter(stays).collect();
        facts.reports.sort_by_key(|(entry, report)| (entry.occurred_at, report.status, &entry.id));
        facts
    }

    /// To the shop.
    fn listen(&mut self, entries: &'a [TimelineEntry]) -> BTreeSet<&'a OrderId> {
        let mut said: Vec<_> = entries
            .iter()
            .filter_map(|entry| match &entry.fact {
                Fact::Parcel(fact) => Some((fact.rev, fact, entry.occurred_at)),
                _ => None,
            })
            .collect();
        said.sort_by_key(|(rev, ..)| *rev);
        let mut moved_ids = BTreeSet::new();
        for (_, fact, at) in said {
            let (awb, by) = match &fact.change {
                ParcelChange::Named { direction, awb: Some(awb) } => (awb, Some(*direction)),
                ParcelChange::Added { awb, .. } => (awb, None),
                ParcelChange::Moved { name: Ref::Awb(awb), .. } => {
                    self.namings.retain(|it| !it.awb.is_same_parcel(awb));
                    self.moved.insert(awb.canonical());
                    continue;
                }
                ParcelChange::Moved { name: Ref::Order(id), .. } => {
                    moved_ids.insert(id);
                    continue;
                }
                _ => continue,
            };
            self.moved.remove(&awb.canonical());
            let recycled = fact.recycled;
            self.namings.push(Naming { awb, by, at, recycled, at_creation: false });
        }
        moved_ids
    }

    fn is_recycled(&self, awb: &Awb) -> bool {
        self.namings.iter().any(|it| it.recycled && it.awb.is_same_parcel(awb))
    }

    /// The report is about a parcel of this order.
    fn has(&self, (entry, report): &Told<'_>) -> bool {
        let Some(awb) = &report.awb else { return false };
        let is_old = entry.occurred_at < minute(-30 * 24 * 60);
        !(self.moved.contains(&awb.canonical()) || is_old && self.is_recycled(awb))
    }

    fn own(&self, name: &Awb) -> Vec<Told<'a>> {
        let is_own = |told: &&Told<'a>| {
            self.has(told) && told.1.awb.as_ref().is_some_and(|awb| awb.is_same_parcel(name))
        };
        self.reports.iter().filter(is_own).copied().collect()
    }

    /// The reports that name it as their return parcel.
    fn announcing(&self, name: &Awb) -> Vec<Told<'a>> {
        let names = |awb: &Option<Awb>| awb.as_ref().is_some_and(|awb| awb.is_same_parcel(name));
        let announces = |told: &&Told<'a>| {
            let is_of_this_order = told.1.awb.is_none() || self.has(told);
            is_of_this_order && names(&told.1.return_awb) && !names(&told.1.awb)
        };
        let reports = self.reports.iter().filter(|_| !self.moved.contains(name));
        reports.filter(announces).copied().collect()
    }

    fn parcel(&self, name: &Awb) -> Option<Parcel<'a>> {
        let is_it = |awb: &Awb| awb.is_same_parcel(name);
        let namings: Vec<(usize, &Naming<'a>)> =
            self.namings.iter().enumerate().filter(|(_, it)| is_it(it.awb)).collect();
        let (own, announcing) = (self.own(name), self.announcing(name));
        let mentions = own.iter().chain(&announcing);
        let seen = mentions.map(|(entry, _)| entry.occurred_at.max(created_at())).min();
        let said = namings.first().map(|(_, it)| it.at);
        let last = namings.last();
        let on_return_leg = |(_, report): &Told<'_>| report.is_on_return_leg();
        let first = own.iter().find(|(_, report)| report.has_status()).or(own.first());
        let learnt_direction = if announcing.is_empty() && !first.is_some_and(on_return_leg) {
            Direction::Forward
        } else {
            Direction::Return
        };
        let mentions = own.iter().chain(&announcing);
        let spelled = mentions.min_by_key(|(entry, it)| (entry.occurred_at, it.status, &entry.id));
        let spelled = spelled.and_then(|(_, report)| {
            let mut of_report = [&report.awb, &report.return_awb].into_iter().flatten();
            of_report.find(|awb| is_it(awb))
        });
        let awb = last.map(|(_, it)| it.awb).or(spelled)?.clone();
        let by = announcing.iter().filter_map(|(_, report)| report.awb.as_ref());
        let at_creation = namings.first().is_some_and(|(_, it)| it.at_creation);
        Some(Parcel {
            direction: last.map_or(learnt_direction, |(_, it)| it.by.unwrap_or(Direction::Forward)),
            place: (
                said.into_iter().chain(seen).min()?,
                !at_creation,
                own.first().filter(|_| namings.is_empty()).map(|(entry, _)| entry.occurred_at),
                awb.clone(),
            ),
            awb,
            given_at: last.map(|(_, it)| it.at),
            learnt: namings.is_empty(),
            named: self.first_naming(name),
            own,
            announced_by: by.map(Awb::canonical).collect(),
            trip: Trip::default(),
            replaced_by: Vec::new(),
        })
    }

    /// Since it was added as a further parcel, if it was.
    fn first_naming(&self, name: &Awb) -> Option<usize> {
        let all = self.namings.iter().enumerate();
        let all: Vec<_> = all.filter(|(_, it)| it.awb.is_same_parcel(name)).collect();
        let added = all.iter().rposition(|(_, it)| it.by.is_none()).map_or(0, |at| at + 1);
        all.get(added).map(|(place, _)| *place)
    }

    fn parcels(&self) -> Vec<Parcel<'a>> {
        let reports = self.reports.iter();
        let reported = reports.flat_map(|(_, it)| it.awb.iter().chain(&it.return_awb));
        let said = self.namings.iter().map(|it| it.awb);
        let names: BTreeSet<Awb> = said.chain(reported).map(Awb::canonical).collect();
        let mut parcels: Vec<Parcel<'a>> =
            names.iter().filter_map(|name| self.parcel(name)).collect();
        parcels.sort_by(|one, other| one.place.cmp(&other.place));
        parcels
    }

    fn last_naming(&self, name: &Awb) -> Option<usize> {
        let is_it = |it: &Naming<'_>| it.by.is_some() && it.awb.is_same_parcel(name);
        self.namings.iter().rposition(is_it)
    }
}

pub(super) fn model(
    start: &Start,
    entries: &[TimelineEntry],
) -> (OrderOutcome, Vec<ParcelOutcome>) {
    let facts = Facts::of(start, entries);
    let order_reports: Vec<Told<'_>> =
        facts.reports.iter().filter(|(_, report)| report.awb.is_none()).copied().collect();
    let mut parcels = facts.parcels();
    for index in 0..parcels.len() {
        let starts_with_order = starts_with_order(&mut parcels, index);
        let it = &parcels[index];
        let sees = |(entry, report): &&Told<'_>| match it.direction {
            Direction::Return => report.is_on_return_leg(),
            Direction::Forward => starts_with_order || entry.occurred_at > it.place.0,
        };
        let first = match it.direction {
            Direction::Return => Status::Pending,
            Direction::Forward if starts_with_order => start.status,
            Direction::Forward => Status::Processing,
        };
        let reports = it.own.iter().chain(order_reports.iter().filter(sees)).copied();
        parcels[index].trip = travel(first, it.direction, reports.collect());
    }
    replace(&facts, &mut parcels);
    let alone = travel(start.status, Direction::Forward, order_reports);
    let parcel = |it: &Parcel<'_>| {
        let replaced = is_replaced(it, &parcels);
        let awb = it.awb.to_string();
        (awb, it.direction, it.trip.status, it.trip.attempts(), it.learnt, replaced)
    };
    (order(&parcels, &alone), parcels.iter().map(parcel).collect())
}

/// Also finds the parcels that a learnt one replaces, which it must know for that.
fn starts_with_order(parcels: &mut [Parcel<'_>], index: usize) -> bool {
    let (earlier, rest) = parcels.split_at_mut(index);
    let it = &rest[0];
    let mut follows_unmoved = false;
    for other in
        earlier.iter_mut().filter(|other| it.learnt && it.is_forward() && other.is_forward())
    {
        let is_named_since = other.given_at.is_some_and(|at| at > it.place.0);
        if (!other.was_moved() || other.has_failed()) && !is_named_since {
            follows_unmoved |= !other.was_moved();
            other.replaced_by.push(index);
        }
    }
    let is_first = it.is_forward() && !earlier.iter().any(Parcel::is_forward);
    let it = &parcels[index];
    let named_before = parcels.iter().filter(|other| {
        it.direction == other.direction && other.named.is_some() && other.named < it.named
    });
    is_first || follows_unmoved || named_before.into_iter().any(|other| !other.was_moved())
}

/// The parcel that was named last takes the place of those named before.
fn replace(facts: &Facts<'_>, parcels: &mut [Parcel<'_>]) {
    for direction in [Direction::Forward, Direction::Return] {
        let named = parcels.iter().enumerate().filter(|(_, it)| it.direction == direction);
        let named = named.filter_map(|(index, it)| Some((facts.last_naming(&it.awb)?, index)));
        let Some((_, index)) = named.max() else { continue };
        for (other, it) in parcels.iter_mut().enumerate() {
            if other != index && it.named.is_some() && it.direction == direction {
                it.replaced_by.push(index);
            }
        }
    }
}

fn is_replaced(it: &Parcel<'_>, all: &[Parcel<'_>]) -> bool {
    let is_delivered = it.trip.ended == Some(End::Delivered);
    !is_delivered && it.replaced_by.iter().any(|by| !all[*by].has_failed())
}

fn order(all: &[Parcel<'_>], alone: &Trip<'_>) -> OrderOutcome {
    let forward = counting(all);
    let returns: Vec<&Parcel<'_>> = all
        .iter()
        .filter(|it| !it.is_forward() && !is_replaced(it, all) && it.trip.is_returning())
        .filter(|it| it.own.iter().any(|(_, report)| report.has_status()))
        .collect();
    let one_was_picked_up = forward.iter().any(|it| it.trip.picked_up_at.is_some());
    let mut parts: Vec<(Status, &Trip<'_>)> = Vec::new();
    for it in &forward {
        let back = returns.iter().filter(|back| stands_in(back, it, &forward));
        parts.push(match back.min_by_key(|back| back.trip.status) {
            Some(back) => (back.trip.status, &back.trip),
            None if one_was_picked_up && it.waits() => (Status::PickedUp, &it.trip),
            None => (it.trip.status, &it.trip),
        });
    }
    if forward.is_empty() {
        parts.extend(returns.iter().map(|back| (back.trip.status, &back.trip)));
    }
    let least = parts.iter().min_by_key(|(status, trip)| (*status, Reverse(trip.since)));
    let (status, trip) = least.copied().unwrap_or((alone.status, alone));
    let without_parcel = forward.is_empty().then_some(alone);
    let trips = all.iter().map(|it| &it.trip).chain(without_parcel);
    let attempts = trips.map(Trip::attempts).max().unwrap_or_default();
    (status, attempts, trip.location.map(str::to_owned), trip.eta)
}

/// The forward parcels that count.
fn counting<'p, 'a>(all: &'p [Parcel<'a>]) -> Vec<&'p Parcel<'a>> {
    let mut counting: Vec<&Parcel<'a>> = Vec::new();
    for it in all.iter().filter(|it| it.is_forward() && !is_replaced(it, all)) {
        let first = it.own.first().map(|(entry, _)| entry.occurred_at);
        let is_before =
            |other: &&Parcel<'_>| other.trip.delivered_at.is_some_and(|at| Some(at) < first);
        let is_exchange = it.learnt && !counting.is_empty() && counting.iter().all(is_before);
        if !is_exchange {
            counting.push(it);
        }
    }
    if counting.iter().any(|it| !it.has_failed()) {
        counting.retain(|it| !it.has_failed());
    }
    if counting.iter().any(|it| it.trip.picked_up_at.is_some()) {
        counting.retain(|it| !it.learnt || !it.waits());
    }
    counting
}

fn stands_in(back: &Parcel<'_>, it: &Parcel<'_>, forward: &[&Parcel<'_>]) -> bool {
    let names = |it: &Parcel<'_>| back.announced_by.contains(&it.awb.canonical());
    let first = back.own.iter().find(|(_, report)| report.has_status());
    let began = first.map(|(entry, _)| entry.occurred_at);
    let had_arrived = |it: &Parcel<'_>| {
        let mut times = [it.trip.delivered_at, it.trip.return_since].into_iter().flatten();
        times.any(|at| Some(at) <= began)
    };
    if forward.iter().any(|it| names(it)) {
        return names(it);
    }
    had_arrived(it) || !forward.iter().any(|it| had_arrived(it))
}
