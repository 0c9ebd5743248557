//! The parcels of an order: given by the shop, or learnt from reports.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::core::id::{Awb, OrderId, ReportId};
use crate::core::timestamp::Timestamp;
use crate::tracking::entry::{
    Direction, Fact, ParcelChange, ParcelFact, ReportFacts, TimelineEntry,
};
use crate::tracking::report::Ref;
use crate::tracking::state::Start;

/// A recycled AWB has older reports, which are about the parcel of another order.
const RECYCLED_AFTER: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// A report with its entry.
pub(super) type Reported<'a> = (&'a TimelineEntry, &'a ReportFacts);

#[derive(Debug)]
pub(super) struct Parcel<'a> {
    /// As the shop spells it, else as the first report does.
    pub(super) awb: Awb,
    pub(super) direction: Direction,
    pub(super) added_at: Timestamp,
    /// True if only reports name it.
    pub(super) learnt: bool,
    /// The number of the naming by `awb` or `returnAwb` that named it first; `None` for a further
    /// parcel.
    pub(super) first_named: Option<usize>,
    /// The number of the naming that named it last.
    last_named: Option<usize>,
    /// When the shop last named or added it.
    pub(super) given_at: Option<Timestamp>,
    pub(super) carrier_name: Option<String>,
    /// Its own reports.
    pub(super) own: Vec<Reported<'a>>,
    /// For a return parcel: the AWBs of reports that announced it, canonical.
    pub(super) announced_by: BTreeSet<Awb>,
    /// Another order has the AWB by now.
    pub(super) released: bool,
    recycled: bool,
    at_creation: bool,
}

/// The facts of an order, sorted out by parcel.
#[derive(Debug)]
pub(super) struct Parcels<'a> {
    /// In the order in which they were added.
    pub(super) parcels: Vec<Parcel<'a>>,
    /// Reports that name no parcel.
    pub(super) order_reports: Vec<Reported<'a>>,
    /// Of those that `awb` named, the last that did not leave the order; canonical.
    pub(super) current: Option<Awb>,
    pub(super) current_return: Option<Awb>,
    pub(super) withdrawn: BTreeSet<&'a ReportId>,
}

impl<'a> Parcels<'a> {
    pub(super) fn of(start: &Start, created_at: Timestamp, entries: &'a [TimelineEntry]) -> Self {
        let mut builder = Builder::new(created_at);
        builder.name(Direction::Forward, start.awb.as_ref(), created_at, &start.recycled);
        builder.name(Direction::Return, start.return_awb.as_ref(), created_at, &start.recycled);
        builder.parcels.values_mut().for_each(|parcel| parcel.at_creation = true);
        let mut facts: Vec<_> = entries.iter().filter_map(parcel_fact).collect();
        facts.sort_by_key(|(entry, fact)| (fact.place(), &entry.id));
        facts.iter().for_each(|(entry, fact)| builder.apply(fact, entry.occurred_at));
        let withdrawn: BTreeSet<&ReportId> = entries.iter().filter_map(withdrawn).collect();
        let reports = entries.iter().filter(|entry| !withdrawn.contains(&entry.id));
        let mut reports: Vec<Reported<'a>> =
            reports.filter_map(|entry| Some((entry, entry.report()?))).collect();
        reports.sort_by_key(|(entry, report)| (entry.occurred_at, report.status, &entry.id));
        reports.into_iter().for_each(|reported| builder.report(reported));
        builder.finish(withdrawn)
    }
}

fn parcel_fact(entry: &TimelineEntry) -> Option<(&TimelineEntry, &ParcelFact)> {
    match &entry.fact {
        Fact::Parcel(fact) => Some((entry, fact)),
        Fact::Report(_) | Fact::Withdrawal { .. } | Fact::Answer(_) => None,
    }
}

fn withdrawn(entry: &TimelineEntry) -> Option<&ReportId> {
    match &entry.fact {
        Fact::Withdrawal { report_id } => Some(report_id),
        Fact::Report(_) | Fact::Parcel(_) | Fact::Answer(_) => None,
    }
}

struct Builder<'a> {
    created_at: Timestamp,
    /// By canonical AWB.
    parcels: BTreeMap<Awb, Parcel<'a>>,
    order_reports: Vec<Reported<'a>>,
    /// How often `awb` or `returnAwb` named a parcel.
    namings: usize,
    /// Names that other orders have taken over.
    moved: BTreeSet<Awb>,
    moved_ids: BTreeSet<OrderId>,
}

impl<'a> Builder<'a> {
    fn new(created_at: Timestamp) -> Self {
        Self {
            created_at,
            parcels: BTreeMap::new(),
            order_reports: Vec::new(),
            namings: 0,
            moved: BTreeSet::new(),
            moved_ids: BTreeSet::new(),
        }
    }

    fn apply(&mut self, fact: &ParcelFact, at: Timestamp) {
        let recycled = |awb: &Awb| if fact.recycled { vec![awb.clone()] } else { Vec::new() };
        match &fact.change {
            ParcelChange::Named { direction, awb: Some(awb) } => {
                self.name(*direction, Some(awb), at, &recycled(awb));
            }
            // The parcel stays until another one is named.
            ParcelChange::Named { awb: None, .. } => {}
            ParcelChange::Added { awb, carrier_name, .. } => {
                let parcel = self.give(Direction::Forward, awb, at, fact.recycled);
                parcel.first_named = None;
                if carrier_name.is_some() {
                    parcel.carrier_name.clone_from(carrier_name);
                }
            }
            ParcelChange::Moved { name: Ref::Awb(awb), .. } => {
                let awb = awb.canonical();
                self.parcels.remove(&awb);
                self.moved.insert(awb);
            }
            ParcelChange::Moved { name: Ref::Order(id), .. } => {
                self.moved_ids.insert(id.clone());
            }
            ParcelChange::Released { awb, .. } => {
                if let Some(parcel) = self.parcels.get_mut(&awb.canonical()) {
                    parcel.released = true;
                }
            }
            ParcelChange::Moved { name: Ref::Provider { .. }, .. } => {}
        }
    }

    fn name(&mut self, direction: Direction, awb: Option<&Awb>, at: Timestamp, recycled: &[Awb]) {
        let Some(awb) = awb else { return };
        self.namings += 1;
        let place = Some(self.namings);
        let parcel = self.give(direction, awb, at, recycled.contains(awb));
        parcel.first_named = parcel.first_named.or(place);
        parcel.last_named = place;
    }

    /// A parcel that the shop names.
    fn give(
        &mut self,
        direction: Direction,
        awb: &Awb,
        at: Timestamp,
        recycled: bool,
    ) -> &mut Parcel<'a> {
        let name = awb.canonical();
        self.moved.remove(&name);
        let parcel = self.parcels.entry(name).or_insert_with(|| Parcel::new(awb, direction, at));
        parcel.awb = awb.clone();
        parcel.direction = direction;
        parcel.learnt = false;
        parcel.given_at = Some(at);
        parcel.released = false;
        parcel.recycled |= recycled;
        parcel
    }

    fn report(&mut self, reported: Reported<'a>) {
        let (entry, report) = reported;
        if self.went_by_id(report) {
            return;
        }
        match &report.awb {
            None => self.order_reports.push(reported),
            Some(awb) if self.has(awb, entry.occurred_at) => self.own_report(awb, reported),
            Some(_) => return,
        }
        if let Some(announced) = &report.return_awb {
            self.announce(announced, report.awb.as_ref(), entry.occurred_at);
        }
    }

    /// True for a report that names no parcel and the exact id of another order.
    fn went_by_id(&self, report: &ReportFacts) -> bool {
        report.awb.is_none()
            && report.spelled_id.as_ref().is_some_and(|id| self.moved_ids.contains(id))
    }

    /// False for a report about the parcel of another order, which may not announce a return parcel
    /// either.
    fn has(&self, awb: &Awb, at: Timestamp) -> bool {
        let name = awb.canonical();
        let is_recycled = self.parcels.get(&name).is_some_and(|parcel| parcel.recycled);
        let is_too_old = is_recycled && at.after(RECYCLED_AFTER) < self.created_at;
        !is_too_old && !self.moved.contains(&name)
    }

    fn own_report(&mut self, awb: &Awb, reported: Reported<'a>) {
        self.learn(awb, Direction::Forward, reported.0.occurred_at).own.push(reported);
    }

    /// The report of a forward parcel names the parcel of its way back.
    fn announce(&mut self, announced: &Awb, by: Option<&Awb>, at: Timestamp) {
        let is_itself = by.is_some_and(|by| by.is_same_parcel(announced));
        if is_itself || self.moved.contains(&announced.canonical()) {
            return;
        }
        let parcel = self.learn(announced, Direction::Return, at);
        if parcel.learnt {
            parcel.direction = Direction::Return;
        }
        parcel.announced_by.extend(by.map(Awb::canonical));
    }

    fn learn(&mut self, awb: &Awb, direction: Direction, at: Timestamp) -> &mut Parcel<'a> {
        // A parcel cannot be part of the order before there is an order.
        let at = at.max(self.created_at);
        let parcel = self
            .parcels
            .entry(awb.canonical())
            .or_insert_with(|| Parcel { learnt: true, ..Parcel::new(awb, direction, at) });
        parcel.added_at = parcel.added_at.min(at);
        parcel
    }

    fn finish(self, withdrawn: BTreeSet<&'a ReportId>) -> Parcels<'a> {
        let mut parcels: Vec<Parcel<'a>> = self.parcels.into_values().collect();
        parcels.iter_mut().for_each(Parcel::finish);
        parcels.sort_by(|one, other| {
            let place = |parcel: &Parcel<'_>| {
                // Learnt parcels may be older than their order.
                let own = parcel.own.first().filter(|_| parcel.learnt);
                let first = own.map(|(entry, _)| entry.occurred_at);
                (parcel.added_at, !parcel.at_creation, first)
            };
            place(one).cmp(&place(other)).then_with(|| one.awb.cmp(&other.awb))
        });
        let current = |direction: Direction| {
            let named = parcels.iter().filter(|it| it.direction == direction);
            let named = named.filter(|it| it.last_named.is_some());
            named.max_by_key(|it| it.last_named).map(|it| it.awb.canonical())
        };
        Parcels {
            current: current(Direction::Forward),
            current_return: current(Direction::Return),
            parcels,
            order_reports: self.order_reports,
            withdrawn,
        }
    }
}

impl<'a> Parcel<'a> {
    fn new(awb: &Awb, direction: Direction, added_at: Timestamp) -> Self {
        Self {
            awb: awb.clone(),
            direction,
            added_at,
            learnt: false,
            first_named: None,
            last_named: None,
            given_at: None,
            carrier_name: None,
            own: Vec::new(),
            announced_by: BTreeSet::new(),
            released: false,
            recycled: false,
            at_creation: false,
        }
    }

    /// The direction of a learnt parcel that no report announced is that of its first report.
    fn finish(&mut self) {
        let first = self.own.iter().find(|(_, report)| report.has_status());
        let first = first.or(self.own.first());
        if self.learnt
            && self.direction == Direction::Forward
            && first.is_some_and(|(_, report)| report.is_on_return_leg())
        {
            self.direction = Direction::Return;
        }
        if self.carrier_name.is_none() {
            let names = self.own.iter().rev().filter_map(|(_, report)| report.carrier_name.clone());
            self.carrier_name = names.into_iter().next();
        }
    }

    /// True if one of its own reports shows that the carrier has picked it up.
    pub(super) fn was_moved(&self) -> bool {
        self.own.iter().any(|(_, report)| report.status.shows_pickup())
    }
}
