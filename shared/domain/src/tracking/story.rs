//! Facts of an order in words, for tables of test cases. The words are separated by spaces, the
//! facts by commas; the facts have the ids `r1`, `r2`, … in the order in which they are written.
//!
//! - `A in_transit 2h`: a carrier reports on the parcel `A`, two hours after the order was created.
//!   The parcel `-` names none. More words: `api`, `esahayak` (the source), `ret` (return leg),
//!   `>R` (announces the return parcel `R`), `n2` (two attempts), `@Pune` (the place), `eta9h`,
//!   `'WORDS`, `#7001` (the order id as the source spells it).
//! - `awb B 2h`, `awb - 2h`, `return R 2h`: a patch. `add B 2h`: a further parcel. With `recycled`.
//! - `moved A 2h`, `moved #7001 2h`: another order has the name now.
//! - `withdraw r2 3h`: a report is taken back.
#![expect(clippy::unwrap_used, clippy::panic)]

use crate::core::id::Awb;
use crate::core::timestamp::Timestamp;
use crate::testing::{awb, entry, facts, minute, order_id, report, report_id};
use crate::tracking::entry::{
    Direction, Fact, ParcelChange, ParcelFact, ReportFacts, TimelineEntry,
};
use crate::tracking::fold::{Disposition, Folded, fold};
use crate::tracking::report::{Ref, Report, SourceName};
use crate::tracking::state::{ParcelState, Start};
use crate::tracking::status::{Leg, Status};

/// The order was created at this time.
pub(crate) fn created_at() -> Timestamp {
    minute(0)
}

/// An order with some facts.
#[derive(Debug, Clone)]
pub(crate) struct Story {
    pub(crate) start: Start,
    pub(crate) entries: Vec<TimelineEntry>,
}

impl Story {
    /// `start` is a status, the AWB and the return AWB: `pending A / R`. `!` after an AWB: another
    /// order had it before.
    pub(crate) fn read(start: &str, facts: &str) -> Self {
        let facts = facts.split(',').map(str::trim).filter(|fact| !fact.is_empty());
        let entries = (1_u64..).zip(facts).map(|(number, fact)| read_fact(number, fact));
        Self { start: read_start(start), entries: entries.collect() }
    }

    pub(crate) fn fold(&self) -> Folded {
        fold(&self.start, created_at(), &self.entries)
    }
}

fn read_start(text: &str) -> Start {
    let (text, return_awb) = text.split_once(" / ").map_or((text, None), |(a, b)| (a, Some(b)));
    let (status, given) = text.split_once(' ').map_or((text, None), |(a, b)| (a, Some(b)));
    let given = given.filter(|text| *text != "-");
    let read = |text: Option<&str>| text.map(|text| awb(text.trim_end_matches('!')));
    let is_recycled = |text: &Option<&str>| text.is_some_and(|text| text.ends_with('!'));
    let recycled = [given, return_awb].into_iter().filter(is_recycled).filter_map(read);
    Start {
        status: Status::parse(status).unwrap(),
        awb: read(given),
        return_awb: read(return_awb),
        recycled: recycled.collect(),
    }
}

/// `90m`, `2h`, `-31d` after the order was created.
pub(crate) fn time(text: &str) -> Timestamp {
    let (digits, unit) = text.split_at(text.len() - 1);
    let minutes = match unit {
        "m" => 1,
        "h" => 60,
        "d" => 24 * 60,
        _ => panic!("{text} is no time"),
    };
    minute(digits.parse::<i64>().unwrap() * minutes)
}

fn read_fact(number: u64, text: &str) -> TimelineEntry {
    let words: Vec<&str> = text.split(' ').collect();
    let [first, second, at, rest @ ..] = words.as_slice() else { panic!("{text} is no fact") };
    let parcel = |change| {
        let recycled = rest.contains(&"recycled");
        Fact::Parcel(ParcelFact { rev: number + 1, change, recycled })
    };
    let named = |direction| ParcelChange::Named { direction, awb: read_awb(second) };
    let fact = match *first {
        "awb" => parcel(named(Direction::Forward)),
        "return" => parcel(named(Direction::Return)),
        "add" => {
            let (carrier_id, carrier_name) = (None, None);
            parcel(ParcelChange::Added { awb: awb(second), carrier_id, carrier_name })
        }
        "moved" => {
            let name = match second.strip_prefix('#') {
                Some(id) => Ref::Order(order_id(id)),
                None => Ref::awb(&awb(second)),
            };
            parcel(ParcelChange::Moved { name, to: order_id("ORD-2") })
        }
        "withdraw" => Fact::Withdrawal { report_id: report_id(second) },
        _ => Fact::Report(read_report(first, second, rest)),
    };
    entry(&format!("r{number}"), time(at), fact)
}

fn read_awb(text: &str) -> Option<Awb> {
    (text != "-").then(|| awb(text))
}

fn read_report(parcel: &str, status: &str, words: &[&str]) -> ReportFacts {
    let status = Status::parse(status).unwrap_or_else(|| panic!("{status} is no status"));
    let mut report = Report { awb: read_awb(parcel), ..report("-", status, None) };
    report.leg = status.leg().unwrap_or(Leg::Outbound);
    for word in words {
        let rest = &word[1..];
        match *word {
            "api" => report.source = SourceName::API,
            "esahayak" => report.source = SourceName::new("esahayak"),
            "ret" => report.leg = Leg::Return,
            _ if word.starts_with('>') => report.return_awb = Some(awb(rest)),
            _ if word.starts_with('#') => report.order_id = Some(order_id(rest)),
            _ if word.starts_with('@') => report.location = Some(rest.to_owned()),
            _ if word.starts_with('\'') => {
                report.source_status = Some(rest.trim_end_matches('\'').to_owned());
            }
            _ if word.starts_with("eta") => report.eta = Some(time(&word[3..])),
            _ if word.starts_with('n') => report.attempts = Some(rest.parse().unwrap()),
            _ => panic!("{word} means nothing"),
        }
    }
    facts(&report)
}

/// The order's status and its parcels: `in_transit x1: A in_transit x1, B lost (replaced)`. `x1`
/// are attempts, and `R<` is a return parcel.
pub(crate) fn shown(folded: &Folded) -> String {
    let parcels: Vec<String> = folded.parcels.iter().map(shown_parcel).collect();
    let order = with_attempts(folded.tracking.status, folded.tracking.attempts);
    format!("{order}: {}", parcels.join(", ")).trim_end().to_owned()
}

fn shown_parcel(parcel: &ParcelState) -> String {
    let direction = if parcel.direction == Direction::Return { "<" } else { "" };
    let status = with_attempts(parcel.status, parcel.attempts);
    let learnt = if parcel.learnt { " (learnt)" } else { "" };
    let replaced = if parcel.replaced { " (replaced)" } else { "" };
    format!("{}{direction} {status}{learnt}{replaced}", parcel.awb)
}

fn with_attempts(status: Status, attempts: u32) -> String {
    if attempts == 0 { status.to_string() } else { format!("{status} x{attempts}") }
}

/// The reports that did not apply: `r2 same, r3 unknown`.
pub(crate) fn ignored(folded: &Folded) -> String {
    let reasons = folded.judgements.iter().filter_map(|(id, judgement)| {
        judgement.disposition.reason().map(|reason| format!("{id} {reason}"))
    });
    reasons.collect::<Vec<_>>().join(", ")
}

/// The dispositions of reports about one parcel, one an hour.
pub(crate) fn dispositions(start: Status, statuses: &[Status]) -> (Folded, Vec<Disposition>) {
    let facts: Vec<String> =
        (1..).zip(statuses).map(|(hour, status)| format!("A {status} {hour}h")).collect();
    let story = Story::read(&format!("{start} A"), &facts.join(","));
    let folded = story.fold();
    let of = |entry: &TimelineEntry| folded.judgements[&entry.id].disposition;
    let dispositions = story.entries.iter().map(of).collect();
    (folded, dispositions)
}
