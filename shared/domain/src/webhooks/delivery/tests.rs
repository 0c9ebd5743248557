#![allow(clippy::unwrap_used)]

mod batches;
mod bodies;
mod current;
mod parcels;
mod stalled;

use crate::core::id::{EndpointName, EventId};
use crate::orders::order::Order;
use crate::testing::{MINIMAL, event_id, minute, order, origin, report, report_id};
use crate::tracking::entry::{TimelineEntry, Transition};
use crate::tracking::report::{Report, SourceName};
use crate::tracking::status::Status;
use crate::tracking::timeline::{Arrival, NewFact, arrive};
use crate::webhooks::delivery::{Delivery, RETENTION_DAYS, fan_out};
use crate::webhooks::endpoint::{Endpoint, EventType, Settings};
use crate::webhooks::notification::Change;

/// The owned values of a [`Change`].
#[derive(Clone)]
struct Changed {
    order: Order,
    entry: TimelineEntry,
}

impl Changed {
    /// The change by the last of these facts.
    fn by(mut order: Order, facts: Vec<NewFact>) -> Self {
        let mut entries: Vec<TimelineEntry> = Vec::new();
        for fact in facts {
            let origin = origin(fact.id.as_str(), minute(29));
            let arrival = arrive(&order.state, &entries, fact, &origin, minute(30));
            let Arrival::Commit(commit) = arrival else { unreachable!("{arrival:?}") };
            order.state = commit.state;
            entries.push(commit.entry);
        }
        Self { order, entry: entries.pop().unwrap() }
    }

    /// The change by the last of these reports.
    fn by_reports(order: Order, reports: &[Report]) -> Self {
        let facts = reports.iter().map(|report| fact(&order, report)).collect();
        Self::by(order, facts)
    }

    /// The order's first change.
    fn first(account: &str, body: &str, id: &str, status: Status) -> Self {
        Self::by_reports(order(account, body), &[report(id, status, Some(minute(1)))])
    }

    fn transition(&self) -> &Transition {
        self.entry.transition.as_ref().unwrap()
    }

    fn change(&self) -> Change<'_> {
        Change { order: &self.order, entry: &self.entry, transition: self.transition() }
    }
}

fn fact(order: &Order, report: &Report) -> NewFact {
    NewFact::of_report(report, &order.key.order, &origin("any", minute(29)))
}

fn delivered(account: &str, report: &str) -> Changed {
    Changed::first(account, MINIMAL, report, Status::Delivered)
}

fn endpoint(name: &str, settings: &str) -> Endpoint {
    Endpoint {
        name: EndpointName::parse(name).unwrap(),
        settings: Settings::parse(settings).unwrap(),
    }
}

fn fan_out_changes(event: &EventId, changes: &[Changed], endpoints: &[Endpoint]) -> Vec<Delivery> {
    let changes: Vec<Change<'_>> = changes.iter().map(Changed::change).collect();
    fan_out(event, &changes, endpoints, minute(31))
}

fn ids(deliveries: &[Delivery]) -> Vec<&str> {
    deliveries.iter().map(|delivery| delivery.id.as_str()).collect()
}

const FORMATS: [&str; 3] = ["status_update", "order.status_changed", "standard"];

/// An event that was interrupted may find its report in another order, which a parcel has moved to.
#[test]
fn the_same_report_in_two_orders_is_told_twice() {
    let endpoints = FORMATS
        .map(|format| endpoint(format, &format!(r#"{{"format":"{format}","accounts":["*"]}}"#)));
    let told = |body: &str| {
        let change = Changed::first("STORE001", body, "a", Status::Delivered);
        fan_out_changes(&event_id("e"), &[change], &endpoints)
    };
    let (one, other) = (told(r#"{"orderId":"ORD-1"}"#), told(r#"{"orderId":"ORD-2"}"#));
    assert_eq!(one.len(), 3);
    assert!(ids(&one).iter().all(|id| !ids(&other).contains(id)));
}

#[test]
fn the_same_facts_give_the_same_ids() {
    let event = event_id("e");
    let endpoints = FORMATS
        .map(|format| endpoint(format, &format!(r#"{{"format":"{format}","accounts":["*"]}}"#)));
    let changes = || [delivered("STORE001", "a"), delivered("STORE001", "b")];
    let first = fan_out_changes(&event, &changes(), &endpoints);
    assert_eq!(first.len(), 5);
    let mut other_order = changes();
    other_order.reverse();
    assert_eq!(fan_out_changes(&event, &other_order, &endpoints), first);
    for id in ids(&first) {
        let hash = id.strip_prefix("msg_").unwrap();
        assert!(
            hash.len() == 32 && hash.bytes().all(|c| matches!(c, b'a'..=b'z' | b'2'..=b'7')),
            "{id}"
        );
    }
    // Receivers have stored these ids: they must not change.
    assert_eq!(
        ids(&first)[..2],
        ["msg_bku4grcurtos3mb55ildnmydsvyxlles", "msg_3sln522lhmzuyxh3juhz3emhjbtqmrzp"]
    );
}

#[test]
fn other_facts_give_other_ids() {
    for format in FORMATS {
        let settings = format!(r#"{{"format":"{format}","accounts":["*"]}}"#);
        let id = |event: &str, name: &str, report: &str| {
            let deliveries = fan_out_changes(
                &event_id(event),
                &[delivered("STORE001", report)],
                &[endpoint(name, &settings)],
            );
            let [delivery] = deliveries.as_slice() else { return String::new() };
            delivery.id.clone()
        };
        let first = id("event", "name", "report");
        assert!(first.starts_with("msg_"));
        assert_ne!(first, id("event2", "name", "report"), "{format}: event");
        assert_ne!(first, id("event", "name2", "report"), "{format}: endpoint");
        assert_ne!(first, id("eventn", "ame", "report"), "{format}: parts do not run together");
        assert_ne!(first, id("event", "name", "report2"), "{format}: report");
    }
}

#[test]
fn a_retry_after_the_rows_expired_notifies_of_no_change() {
    let changed = delivered("STORE001", "a");
    let [event, other] = [event_id("event-a"), event_id("other")];
    let entry = TimelineEntry { recorded_at: minute(10), ..changed.entry.clone() };
    let without_change = TimelineEntry { transition: None, ..entry.clone() };
    let month = i64::try_from(RETENTION_DAYS * 24 * 60).unwrap();
    for (entry, event, now, expected) in [
        (&entry, &event, 10, true),
        (&entry, &event, month + 9, true),
        (&entry, &event, month + 10, false),
        (&entry, &other, 10, false),
        (&without_change, &event, 10, false),
    ] {
        let change = Change::by_event(event, &changed.order, entry, minute(now));
        assert_eq!(change.is_some(), expected, "{event} after {now} minutes: {entry:?}");
    }
}

#[test]
fn fans_out_by_account_and_subscription() {
    let changes = [
        Changed::first("STORE001", MINIMAL, "a", Status::Delivered),
        Changed::first("STORE001", MINIMAL, "b", Status::InTransit),
        Changed::first("STORE002", MINIMAL, "c", Status::Delivered),
    ];
    for (settings, expected) in [
        (r#"{}"#, &[][..]),
        (r#"{"accounts":[]}"#, &[]),
        (r#"{"accounts":null}"#, &[]),
        (r#"{"accounts":["STORE003"]}"#, &[]),
        (r#"{"accounts":["store001"]}"#, &[]),
        (r#"{"accounts":["STORE"]}"#, &[]),
        (r#"{"accounts":["STORE001"]}"#, &[("STORE001", "delivered"), ("STORE001", "in_transit")]),
        (r#"{"accounts":["STORE002"]}"#, &[("STORE002", "delivered")]),
        (
            r#"{"accounts":["STORE002"],"events":["order.status_changed"]}"#,
            &[("STORE002", "delivered")],
        ),
        (r#"{"accounts":["*"],"events":["in_transit"]}"#, &[("STORE001", "in_transit")]),
        (
            r#"{"accounts":["*"],"events":["delivered","lost"]}"#,
            &[("STORE001", "delivered"), ("STORE002", "delivered")],
        ),
        (r#"{"accounts":["*"],"events":["lost"]}"#, &[]),
        (r#"{"accounts":["*"],"events":[]}"#, &[]),
        // A disabled endpoint too: `deliver` ends the delivery visibly.
        (
            r#"{"accounts":["*"],"enabled":false}"#,
            &[("STORE001", "delivered"), ("STORE001", "in_transit"), ("STORE002", "delivered")],
        ),
        (
            r#"{"accounts":["*"]}"#,
            &[("STORE001", "delivered"), ("STORE001", "in_transit"), ("STORE002", "delivered")],
        ),
    ] {
        let deliveries = fan_out_changes(&event_id("e"), &changes, &[endpoint("shop", settings)]);
        let fanned_out: Vec<_> = deliveries
            .iter()
            .map(|delivery| {
                let body: serde_json::Value = serde_json::from_str(&delivery.body).unwrap();
                (
                    delivery.account.as_ref().unwrap().as_str(),
                    body["data"]["status"].as_str().unwrap().to_owned(),
                )
            })
            .collect();
        let expected: Vec<_> =
            expected.iter().map(|(account, status)| (*account, (*status).to_owned())).collect();
        assert_eq!(fanned_out, expected, "{settings}");
    }
}

#[test]
fn writes_the_format_of_each_endpoint() {
    let endpoints = FORMATS
        .map(|format| endpoint(format, &format!(r#"{{"format":"{format}","accounts":["*"]}}"#)));
    let deliveries = fan_out_changes(&event_id("e"), &[delivered("STORE001", "a")], &endpoints);
    for (delivery, format) in deliveries.iter().zip(FORMATS) {
        assert_eq!((delivery.endpoint.as_str(), delivery.kind.format()), (format, format));
        assert_eq!((delivery.v, delivery.run, delivery.version), (1, 1, Some(2)));
        assert_eq!(delivery.kind.event(), Some(EventType::StatusChanged));
        let order = order("STORE001", MINIMAL);
        assert_eq!(delivery.order_created_at, Some(order.state.created_at));
        assert_eq!(delivery.order_id, Some(order.key.order));
        assert_eq!(delivery.account.as_ref().unwrap().as_str(), "STORE001");
    }
    assert_eq!(deliveries.len(), 3);
}

#[test]
fn no_change_or_no_endpoint_gives_no_delivery() {
    let endpoints = FORMATS
        .map(|format| endpoint(format, &format!(r#"{{"format":"{format}","accounts":["*"]}}"#)));
    assert_eq!(fan_out_changes(&event_id("e"), &[], &endpoints), []);
    assert_eq!(fan_out_changes(&event_id("e"), &[delivered("STORE001", "a")], &[]), []);
}

#[test]
fn messages_round_trip_and_invalid_ones_are_rejected() {
    let settings = r#"{"accounts":["*"]}"#;
    let deliveries = fan_out_changes(
        &event_id("e"),
        &[delivered("STORE001", "a")],
        &[endpoint("shop", settings)],
    );
    let message = deliveries[0].to_message();
    assert_eq!(Delivery::from_message(&message).as_ref(), Some(&deliveries[0]));
    let without_event = message.replace(r#""event":"order.status_changed","#, "");
    assert_ne!(without_event, message);
    assert_eq!(Delivery::from_message(&without_event).as_ref(), Some(&deliveries[0]));
    let redriven = message.replace(r#""run":1"#, r#""run":7"#).replacen('{', r#"{"later":[],"#, 1);
    assert_eq!(
        Delivery::from_message(&redriven),
        Some(Delivery { run: 7, ..deliveries[0].clone() })
    );
    for junk in [
        "",
        "null",
        "[]",
        "{}",
        r#"{"v":1}"#,
        &message[1..],
        &format!("{message}x"),
        &message.replace(r#""v":1"#, r#""v":2"#),
        &message.replace(r#""v":1"#, r#""v":0"#),
        &message.replace(r#""run":1"#, r#""run":0"#),
        &message.replace(r#""run":1"#, r#""run":-1"#),
        &message.replace(r#""run":1"#, r#""run":4294967296"#),
        &message.replace(r#""format":"standard""#, r#""format":"whatsapp""#),
        &message.replace(r#""event":"order.status_changed""#, r#""event":"order.lost""#),
        &message.replace(r#""endpoint":"shop""#, r#""endpoint":"a/b""#),
    ] {
        assert_ne!(junk, message);
        assert_eq!(Delivery::from_message(junk), None, "{junk}");
    }
}

#[test]
fn debug_output_of_a_delivery_has_no_body() {
    let settings = r#"{"accounts":["*"]}"#;
    let body = r#"{"orderId":"canary-order","customer":{"phone":"canary-phone"}}"#;
    let changed = Changed::first("STORE001", body, "a", Status::Delivered);
    let deliveries = fan_out_changes(&event_id("e"), &[changed], &[endpoint("shop", settings)]);
    let logged = format!("{:?}", deliveries[0]);
    assert!(logged.contains(&deliveries[0].id) && !logged.contains("canary"), "{logged}");
}

/// A report with a source status.
fn worded(id: &str, minutes: i64, status: Status, label: &str) -> Report {
    Report {
        source: SourceName::new("esahayak"),
        source_status: Some(label.to_owned()),
        ..report(id, status, Some(minute(minutes)))
    }
}

#[test]
fn ids_do_not_depend_on_other_reports_of_the_event() {
    let settings = r#"{"accounts":["*"]}"#;
    let changes: Vec<_> = (0..3).map(|n| delivered("STORE001", &format!("r{n}"))).collect();
    let together = fan_out_changes(&event_id("e"), &changes, &[endpoint("shop", settings)]);
    for (n, changed) in changes.into_iter().enumerate() {
        assert_eq!(changed.entry.id, report_id(&format!("r{n}")));
        let alone = fan_out_changes(&event_id("e"), &[changed], &[endpoint("shop", settings)]);
        assert_eq!(ids(&alone), [together[n].id.as_str()]);
    }
}
