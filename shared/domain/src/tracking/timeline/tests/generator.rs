//! Orders with up to three forward and two return parcels, given at creation, patched, added or
//! learnt, the facts of all sources about them, and answers of the shopper.

use proptest::prelude::*;

use super::store::Incoming;
use crate::core::id::Awb;
use crate::testing::{answer, awb, entry, facts as facts_of, minute, order_id, report, report_id};
use crate::tracking::entry::{Direction, Fact, ParcelChange, ParcelFact, TimelineEntry};
use crate::tracking::report::{Ref, Report, SourceName};
use crate::tracking::state::Start;
use crate::tracking::status::{Leg, Status};

const SOURCES: [&str; 6] = ["shiprocket", "shiprocket", "shipway", "shipway", "esahayak", "api"];
/// Forward parcels, and how often they are reported on.
const FORWARD: [&str; 3] = ["A", "0012", "C"];
const RETURN: [&str; 2] = ["R", "S"];
/// Of reports; `12` is `0012`.
const REPORTED: [Option<&str>; 12] = [
    None,
    None,
    Some("A"),
    Some("A"),
    Some("A"),
    Some("0012"),
    Some("12"),
    Some("12"),
    Some("C"),
    Some("R"),
    Some("R"),
    Some("S"),
];
/// Days of carriers; most are on the way.
const HOURS: std::ops::Range<i64> = 0..24;

/// The facts of an order, and how they arrive.
#[derive(Debug, Clone)]
pub(super) struct Facts {
    pub(super) start: Start,
    pub(super) entries: Vec<TimelineEntry>,
    /// The places of each fact among all arrivals: once, or twice in the same or another event.
    arrivals: Vec<(u16, Option<(u16, bool)>)>,
}

impl Facts {
    pub(super) fn any(&self, is: impl Fn(&Fact) -> bool) -> bool {
        self.entries.iter().any(|entry| is(&entry.fact))
    }

    /// A report is withdrawn after it has arrived; every other order is possible.
    pub(super) fn arriving(&self) -> Vec<Incoming> {
        let mut all: Vec<(u16, Incoming)> = Vec::new();
        for (entry, (first, second)) in self.entries.iter().zip(&self.arrivals) {
            let first = match &entry.fact {
                Fact::Withdrawal { report_id } => {
                    let mut facts = self.entries.iter().zip(&self.arrivals);
                    let withdrawn = facts.find(|(it, _)| it.id == *report_id);
                    withdrawn.map_or(*first, |(_, (report, _))| *first.max(report))
                }
                _ => *first,
            };
            let incoming = Incoming::again(entry);
            if let Some((place, is_other_event)) = second {
                let mut again = incoming.clone();
                if *is_other_event {
                    again.event.push_str("-other");
                }
                all.push((first.saturating_add(*place), again));
            }
            all.push((first, incoming));
        }
        // Stable: of the same place, a withdrawal comes after the reports, and a repeated fact
        // after other ones.
        all.reverse();
        all.sort_by_key(|(place, incoming)| {
            (*place, matches!(incoming.new.fact, Fact::Withdrawal { .. }))
        });
        all.into_iter().map(|(_, incoming)| incoming).collect()
    }
}

fn pick<'a>(index: prop::sample::Index, from: &[&'a str]) -> &'a str {
    from[index.index(from.len())]
}

/// The raw values of a fact: what it is, its time, and whatever it needs.
type Raw = (u8, i64, Status, [prop::sample::Index; 2], [bool; 4], u8);

fn raw() -> impl Strategy<Value = Raw> {
    let status = prop::sample::select(Status::ALL);
    let indexes = any::<[prop::sample::Index; 2]>();
    (0..35_u8, HOURS, status, indexes, any::<[bool; 4]>(), any::<u8>())
}

fn arrival() -> impl Strategy<Value = (u16, Option<(u16, bool)>)> {
    (any::<u16>(), prop::option::weighted(0.3, any::<(u16, bool)>()))
}

fn start() -> impl Strategy<Value = Start> {
    let status = prop_oneof![
        3 => Just(Status::Pending),
        1 => prop::sample::select(&Status::ALL[1..]),
    ];
    let given = (prop::option::weighted(0.7, Just("A")), prop::option::weighted(0.3, Just("R")));
    (status, given, prop::bool::weighted(0.1)).prop_map(|(status, (forward, back), recycled)| {
        let start = Start { awb: forward.map(awb), return_awb: back.map(awb), ..Start::of(status) };
        let recycled = start.awb.iter().filter(|_| recycled).cloned().collect();
        Start { recycled, ..start }
    })
}

pub(super) fn facts() -> impl Strategy<Value = Facts> {
    (start(), prop::collection::vec((raw(), arrival()), 1..12)).prop_map(|(start, all)| {
        let (raw, arrivals): (Vec<Raw>, Vec<_>) = all.into_iter().unzip();
        // The requests of the shop have the times and revs of their order.
        let is_request = |raw: &Raw| (22..32).contains(&raw.0);
        let mut hours: Vec<i64> = raw.iter().filter(|it| is_request(it)).map(|it| it.1).collect();
        hours.sort_unstable_by(|one, other| other.cmp(one));
        let count = raw.len();
        let entries = raw.into_iter().enumerate().map(|(number, mut raw)| {
            if is_request(&raw) {
                raw.1 = hours.pop().unwrap_or(raw.1);
            }
            to_entry(number, count, raw)
        });
        Facts { start, entries: entries.collect(), arrivals }
    })
}

fn to_entry(number: usize, count: usize, raw: Raw) -> TimelineEntry {
    let (kind, hours, _, [first, second], flags, _) = raw;
    let rev = 2 + u64::try_from(number).unwrap();
    let parcel = |change| Fact::Parcel(ParcelFact { rev, change, recycled: flags[0] && flags[1] });
    let forward = awb(pick(first, &FORWARD));
    let change = match kind {
        0..22 => return entry(&id(number), at(&raw), Fact::Report(to_report(number, raw))),
        22..25 => {
            let awb = (!flags[2] || !flags[3]).then_some(forward);
            ParcelChange::Named { direction: Direction::Forward, awb }
        }
        25 => {
            let awb = (!flags[2] || !flags[3]).then(|| awb(pick(first, &RETURN)));
            ParcelChange::Named { direction: Direction::Return, awb }
        }
        26..28 => ParcelChange::Added { awb: forward, carrier_id: None, carrier_name: None },
        28 => {
            let name = Ref::awb(&second.get(&REPORTED).map_or(forward, awb));
            ParcelChange::Moved { name, to: order_id("ORD-2") }
        }
        29 => ParcelChange::Moved { name: Ref::Order(order_id("7001")), to: order_id("7001") },
        32.. => return entry(&id(number), minute(hours * 60), answer(&id(number))),
        _ => {
            let report_id = report_id(&id(first.index(count)));
            return entry(&id(number), minute(hours * 60), Fact::Withdrawal { report_id });
        }
    };
    entry(&id(number), minute(hours * 60), parcel(change))
}

fn id(number: usize) -> String {
    format!("f{number:02}")
}

/// Some reports are about the parcel that had a recycled AWB before.
fn at(raw: &Raw) -> crate::core::timestamp::Timestamp {
    let (_, hours, .., extra) = raw;
    let days = if *extra == 0 { -31 } else { 0 };
    minute((days * 24 + hours) * 60)
}

fn to_report(number: usize, raw: Raw) -> crate::tracking::entry::ReportFacts {
    let (kind, hours, status, [first, second], flags, extra) = raw;
    let awb_of = |text: &str| -> Awb { awb(text) };
    // Attempts are rare among all statuses.
    let status = match kind {
        0..3 => Status::Undelivered,
        3 => Status::OutForDelivery,
        4 => Status::InTransit,
        _ => status,
    };
    let is_return = flags[0] && flags[1] || status.leg() == Some(Leg::Return);
    facts_of(&Report {
        source: SourceName::from(pick(second, &SOURCES)),
        awb: first.get(&REPORTED).map(awb_of),
        return_awb: (extra % 16 == 1).then(|| awb_of(pick(second, &RETURN))),
        order_id: (extra % 16 == 2).then(|| order_id("7001")),
        leg: if is_return { Leg::Return } else { Leg::Outbound },
        source_status: flags[2].then(|| format!("{status} by {number}")),
        location: flags[3].then(|| format!("place {number}")),
        eta: flags[1].then(|| minute(hours * 60 + 600)),
        attempts: (extra % 16 == 3).then_some(u32::from(extra / 64)),
        ..report(&id(number), status, None)
    })
}
