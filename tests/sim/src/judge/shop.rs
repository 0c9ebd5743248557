//! What shops said about their orders: nothing of it is lost, and the last word counts.

use std::collections::BTreeSet;

use domain::core::id::{Awb, ReportId};
use domain::orders::order::Profile;
use domain::tracking::entry::{Direction, ParcelChange, ParcelFact, TimelineEntry};
use domain::tracking::report::{Ref, SourceName};

use super::names::Names;
use super::orders::{Orders, StoredOrder};
use crate::ledger::{Field, Promise, Saying, What};
use crate::world::State;

const FIELDS: [Field; 5] =
    [Field::Awb, Field::ReturnAwb, Field::Shiprocket, Field::Esahayak, Field::Phone];

pub(super) fn judge(state: &State, orders: &Orders, names: &Names) -> Vec<String> {
    let sayings = &state.ledger.sayings;
    let mut findings: Vec<String> = Vec::new();
    for order in orders.values() {
        let own: Vec<&Saying> = sayings.iter().filter(|it| it.order == order.key).collect();
        findings.extend(FIELDS.into_iter().filter_map(|field| last_word(order, field, &own)));
        findings.extend(own.iter().filter_map(|saying| given(order, saying)));
        findings.extend(named_last(order));
    }
    findings.extend(sayings.iter().filter_map(|saying| status(saying, orders, names)));
    findings.extend(sayings.iter().filter_map(|saying| withdrawal(saying, orders, names)));
    findings.extend(orders.values().flat_map(|order| unexpected(order, sayings)));
    findings
}

/// The value of a field is one that no later request replaced.
fn last_word(order: &StoredOrder, field: Field, sayings: &[&Saying]) -> Option<String> {
    let said = sayings.iter().filter(|it| it.promise != Promise::None);
    let said: Vec<(&Saying, &Option<String>)> = said
        .filter_map(|saying| match &saying.what {
            What::Field(it, value) if *it == field => Some((*saying, value)),
            _ => None,
        })
        .collect();
    let is_later =
        |one: &Saying, other: &Saying| one.promise == Promise::Accepted && one.from > other.until;
    let mut last = said.iter().filter(|(it, _)| !said.iter().any(|(one, _)| is_later(one, it)));
    let value = value(&order.profile, field);
    let was_set = said.iter().any(|(it, _)| it.promise == Promise::Accepted);
    let is_right = last.any(|(_, said)| **said == value) || !was_set && value.is_none();
    (!is_right).then(|| format!("{field:?} of {} is {value:?}", order.name()))
}

fn value(profile: &Profile, field: Field) -> Option<String> {
    let id = |source: &str| profile.refs.get(source).map(|id| id.0.as_str().to_owned());
    match field {
        Field::Awb => profile.awb.as_ref().map(ToString::to_string),
        Field::ReturnAwb => profile.return_awb.as_ref().map(ToString::to_string),
        Field::Shiprocket => id("shiprocket"),
        Field::Esahayak => id("esahayak"),
        Field::Phone => profile.customer.phone.clone(),
    }
}

/// Each parcel that the shop gave the order is in its timeline.
fn given(order: &StoredOrder, saying: &Saying) -> Option<String> {
    if saying.promise != Promise::Accepted {
        return None;
    }
    let (direction, awb) = match &saying.what {
        What::Field(Field::Awb, Some(awb)) => (Some(Direction::Forward), Awb::parse(awb).ok()?),
        What::Field(Field::ReturnAwb, Some(awb)) => {
            (Some(Direction::Return), Awb::parse(awb).ok()?)
        }
        What::Added(awb) => (None, awb.clone()),
        _ => return None,
    };
    let start = &order.state.start;
    let created = [(Direction::Forward, &start.awb), (Direction::Return, &start.return_awb)];
    let created =
        created.into_iter().filter_map(|(direction, awb)| Some((direction, awb.as_ref()?)));
    let mut all = created.chain(order.parcel_facts().filter_map(given_by));
    let is_there = all.any(|(it, known)| {
        known.is_same_parcel(&awb) && direction.is_none_or(|direction| direction == it)
    });
    (!is_there).then(|| format!("{} has lost the parcel {awb}", order.name()))
}

fn given_by(fact: &ParcelFact) -> Option<(Direction, &Awb)> {
    match &fact.change {
        ParcelChange::Named { direction, awb } => Some((*direction, awb.as_ref()?)),
        ParcelChange::Added { awb, .. } => Some((Direction::Forward, awb)),
        ParcelChange::Moved { .. } | ParcelChange::Released { .. } => None,
    }
}

/// The profile names the parcels that the timeline names last.
fn named_last(order: &StoredOrder) -> Vec<String> {
    let (start, profile) = (&order.state.start, &order.profile);
    let legs = [
        (Direction::Forward, &start.awb, &profile.awb),
        (Direction::Return, &start.return_awb, &profile.return_awb),
    ];
    let wrong = legs.into_iter().filter(|(direction, created, now)| {
        let named = order.parcel_facts().filter_map(|fact| match &fact.change {
            ParcelChange::Named { direction: it, awb } if it == direction => Some((fact.rev, awb)),
            _ => None,
        });
        let last = named.max_by_key(|(rev, _)| *rev).map_or(*created, |(_, awb)| awb);
        match (last, now) {
            (Some(last), Some(now)) => !last.is_same_parcel(now),
            (last, now) => last.is_some() != now.is_some(),
        }
    });
    wrong.map(|(leg, ..)| format!("{} names another {leg:?} parcel last", order.name())).collect()
}

fn note(entry: &TimelineEntry) -> Option<&str> {
    entry.report()?.note.as_deref()
}

/// A status is in the order that it was reported for, or where its parcel has gone since.
fn status(saying: &Saying, orders: &Orders, names: &Names) -> Option<String> {
    let What::Status { note, awb, at_most } = &saying.what else { return None };
    let account = &saying.order.account;
    let own = orders.values().filter(|order| order.key.account == *account);
    let standing = own.flat_map(|order| order.standing().map(move |entry| (order, entry)));
    let standing: Vec<&StoredOrder> = standing
        .filter(|(_, entry)| self::note(entry) == Some(note))
        .map(|(order, _)| order)
        .collect();
    let what = format!("the status {note} of {}", super::orders::name(&saying.order));
    let owner = awb.as_ref().and_then(|awb| names.owner(account, &Ref::awb(awb)));
    let is_here =
        |order: &&StoredOrder| order.key == saying.order || owner == Some(&order.key.order);
    match (saying.promise, standing.len()) {
        (Promise::Accepted, 0) => Some(format!("{what} is lost")),
        (Promise::None, 1..) => Some(format!("{what} was refused, and is there")),
        (_, count) if count > *at_most as usize => Some(format!("{what} is there {count} times")),
        _ => {
            let elsewhere = standing.iter().find(|order| !is_here(order))?;
            Some(format!("{what} is in {}", elsewhere.name()))
        }
    }
}

/// A report that was taken back does not count, unless it came again when another order had named its
/// parcel: it was taken back in an order that had none of its names any more.
fn withdrawal(saying: &Saying, orders: &Orders, names: &Names) -> Option<String> {
    let What::Withdrawn(report) = &saying.what else { return None };
    if saying.promise != Promise::Accepted {
        return None;
    }
    let account = &saying.order.account;
    let own = || orders.values().filter(|order| order.key.account == *account);
    let counts = |order: &&StoredOrder| {
        order.standing().any(|entry| entry.id == *report) && !order.withdrawn().contains(report)
    };
    let order = own().find(counts)?;
    let is_withdrawn = own().any(|order| order.withdrawn().contains(report));
    let entry = order.entries.iter().find(|entry| entry.id == *report);
    let owner = entry.and_then(|it| it.awb()).and_then(|awb| names.owner(account, &Ref::awb(awb)));
    let is_of_other = order.key != saying.order && owner == Some(&order.key.order);
    (!(is_withdrawn && is_of_other))
        .then(|| format!("report {report} was taken back, but counts in {}", order.name()))
}

/// Statuses that nobody reported, and withdrawals that nobody asked for.
fn unexpected(order: &StoredOrder, sayings: &[Saying]) -> Vec<String> {
    let own: Vec<&Saying> =
        sayings.iter().filter(|it| it.order.account == order.key.account).collect();
    let notes: BTreeSet<&str> = own
        .iter()
        .filter_map(|saying| match &saying.what {
            What::Status { note, .. } => Some(note.as_str()),
            _ => None,
        })
        .collect();
    let is_own = |entry: &&TimelineEntry| {
        entry.report().is_some_and(|report| report.source == SourceName::API)
    };
    let statuses = order.entries.iter().filter(is_own);
    let unknown = statuses.filter(|it| note(it).is_none_or(|note| !notes.contains(note)));
    let asked = |report: &ReportId| {
        own.iter().any(|it| matches!(&it.what, What::Withdrawn(asked) if asked == report))
    };
    let withdrawn = order.withdrawn().into_iter().filter(|report| !asked(report));
    let reports = unknown.map(|entry| &entry.id).chain(withdrawn);
    reports.map(|id| format!("{} has an unexpected fact: {id}", order.name())).collect()
}
