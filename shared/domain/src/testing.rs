//! Builders for the tests of this crate.
#![expect(clippy::unwrap_used)]

use crate::core::id::{AccountCode, Awb, EventId, OrderId, OrderKey, ReportId};
use crate::core::timestamp::Timestamp;
use crate::messaging::answer::{Answer, AnswerKind, Answered};
use crate::messaging::channel::ProviderMessageId;
use crate::orders::order::Order;
use crate::orders::request::NewOrder;
use crate::page::TrackingLinks;
use crate::tracking::entry::{Fact, ReportFacts, TimelineEntry};
use crate::tracking::report::{Report, SourceName};
use crate::tracking::status::{Leg, Status};
use crate::tracking::timeline::{Arrival, Commit, NewFact, Origin, arrive};

/// Minutes after 2026-01-20T10:00:00Z.
pub(crate) fn minute(minutes: i64) -> Timestamp {
    second(minutes * 60)
}

/// Seconds after 2026-01-20T10:00:00Z.
pub(crate) fn second(seconds: i64) -> Timestamp {
    Timestamp::from_millis(1_768_903_200_000 + seconds * 1000).unwrap()
}

pub(crate) fn report_id(id: &str) -> ReportId {
    ReportId::parse(id).unwrap()
}

pub(crate) fn event_id(id: &str) -> EventId {
    EventId::parse(id).unwrap()
}

pub(crate) fn awb(number: &str) -> Awb {
    Awb::parse(number).unwrap()
}

pub(crate) fn order_id(id: &str) -> OrderId {
    OrderId::parse(id).unwrap()
}

/// The entry of a fact, in the event `event-{id}`.
pub(crate) fn entry(id: &str, occurred_at: Timestamp, fact: Fact) -> TimelineEntry {
    let Origin { event_id, logged_as, received_at } = origin(id, occurred_at);
    TimelineEntry {
        id: report_id(id),
        occurred_at,
        fact,
        event_id,
        logged_as,
        received_at,
        rev: 0,
        recorded_at: received_at,
        late: false,
        transition: None,
    }
}

/// The facts of a report about `ORD-1`.
pub(crate) fn facts(report: &Report) -> ReportFacts {
    ReportFacts::of(report, &order_id("ORD-1"))
}

/// Commits a fact to an order with these entries, one minute after it was received. `None` for a
/// duplicate.
pub(crate) fn apply(
    order: &mut Order,
    entries: &mut Vec<TimelineEntry>,
    new: NewFact,
    origin: &Origin,
) -> Option<Commit> {
    let now = origin.received_at.after(std::time::Duration::from_secs(60));
    let Arrival::Commit(commit) = arrive(&order.state, entries, new, origin, now) else {
        return None;
    };
    order.state = commit.state.clone();
    entries
        .retain(|entry| entry.id != commit.entry.id && Some(&entry.id) != commit.dropped.as_ref());
    entries.push(commit.entry.clone());
    Some(*commit)
}

/// Applies a report in the event `event-{id}`, received one minute after it happened.
pub(crate) fn apply_report(
    order: &mut Order,
    entries: &mut Vec<TimelineEntry>,
    report: &Report,
) -> Option<Commit> {
    let happened = report.occurred_at.unwrap_or(minute(0));
    let received_at = happened.after(std::time::Duration::from_secs(60));
    let origin = origin(report.id.as_str(), received_at);
    let new = NewFact::of_report(report, &order.key.order, &origin);
    apply(order, entries, new, &origin)
}

/// A report without optional fields.
pub(crate) fn report(id: &str, status: Status, at: Option<Timestamp>) -> Report {
    Report {
        id: report_id(id),
        source: SourceName::new("shiprocket"),
        awb: None,
        return_awb: None,
        provider_id: None,
        order_id: None,
        leg: Leg::Outbound,
        status,
        source_status: None,
        occurred_at: at,
        location: None,
        note: None,
        eta: None,
        attempts: None,
        carrier_name: None,
        scans: Vec::new(),
    }
}

/// A shopper's answer, in words of its own.
pub(crate) fn answer(words: &str) -> Fact {
    Fact::Answer(Box::new(Answer {
        source: SourceName::new("whatsapp"),
        kind: AnswerKind::Button,
        message: ProviderMessageId::parse("wamid.B"),
        in_reply_to: ProviderMessageId::parse("wamid.A"),
        from: Some("919876543210".to_owned()),
        text: Some(words.to_owned()),
        payload: Some("yes".to_owned()),
        title: None,
        answered: Answered {
            id: "m1".to_owned(),
            template: None,
            message_status: "read".to_owned(),
        },
    }))
}

/// The event `event-{id}`.
pub(crate) fn origin(id: &str, received_at: Timestamp) -> Origin {
    Origin { event_id: event_id(&format!("event-{id}")), logged_as: None, received_at }
}

/// An order request with every field. Its amounts and texts must pass through unchanged.
pub(crate) const FULL: &str = r#"{
    "orderId": "ORD-1001",
    "accountCode": "STORE001",
    "customerId": 778899,
    "awb": 19041424751540,
    "returnAwb": "R19041424751540",
    "carrierId": 1.10,
    "carrierName": "Blue Dart",
    "poll": "shipway",
    "refs": {"shiprocket": 348450001, "esahayak": "order_12345"},
    "customer": {"phone": 919876543210, "firstName": "Zo\u00eb", "lastName": "D'Souza 📦"},
    "items": [{"title": "Shirt", "sku": "S-1", "qty": 2, "price": 1.10}, {"title":"Cap","qty":1,"price":"1e2"}],
    "fare": {"total" : 123456789012345678901234567890.10, "tax": 1e2},
    "paymentMethod": "cod",
    "paymentStatus": "pending",
    "pickup": {"address": "Shop 1, Pune", "coordinates": [73.8567, 18.5204]},
    "drop": {"address": "पुणे", "coordinates": [73.90, 18.50]},
    "customerNotes": "ring <twice>",
    "vendorNotes": ["fragile"],
    "scheduledAt": "2026-01-21T15:30:00+05:30",
    "metadata": {"k": null, "n": -0.0},
    "vendorDetails": {
        "vendorId": 7, "vendorName": "Vee", "mobile": "98765", "businessAddress": {"city": "Pune"},
        "selectedServices": ["stamp"]
    },
    "status": "pending"
}"#;

/// Sources that the refs of test orders may name.
pub(crate) const REF_SOURCES: [SourceName; 2] =
    [SourceName::new("shiprocket"), SourceName::new("esahayak")];

pub(crate) const MINIMAL: &str = r#"{"orderId": "ORD-1"}"#;

/// A new order, created one minute before `minute(0)`.
pub(crate) fn order(account: &str, body: &str) -> Order {
    let request = NewOrder::read(body.as_bytes(), &REF_SOURCES).unwrap();
    let account = AccountCode::parse(account).unwrap();
    let key = OrderKey { account, order: request.order_id.clone() };
    request.to_order(&key, &[], minute(-1))
}

pub(crate) fn tracking_links() -> TrackingLinks {
    let key = "0123456789abcdef0123456789abcdef";
    let setting = format!(r#"{{"keys":["{key}"],"public_url":"https://track.example.com"}}"#);
    TrackingLinks::parse(&setting).unwrap()
}

/// Breaks JSON into lines without changing its values.
pub(crate) fn readable(json: &str) -> String {
    let (mut lines, mut depth, mut in_string, mut escaped) = (String::new(), 0, false, false);
    for c in json.chars() {
        let structural = !in_string;
        match c {
            _ if escaped => escaped = false,
            '\\' if in_string => escaped = true,
            '"' => in_string = !in_string,
            _ => {}
        }
        if structural && matches!(c, '}' | ']') {
            depth -= 1;
            lines.push('\n');
            lines.push_str(&"  ".repeat(depth));
        }
        lines.push(c);
        if structural && matches!(c, '{' | '[' | ',') {
            depth += usize::from(c != ',');
            lines.push('\n');
            lines.push_str(&"  ".repeat(depth));
        }
    }
    lines
}
