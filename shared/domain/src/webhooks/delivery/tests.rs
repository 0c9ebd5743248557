#![allow(clippy::unwrap_used)]

mod batches;
mod bodies;
mod current;
mod stalled;

use crate::core::id::{EndpointName, EventId, ReportId};
use crate::orders::order::Order;
use crate::testing::{MINIMAL, event_id, facts, minute, order, report_id};
use crate::tracking::fold::{ReportFacts, StatusClaim, TrackingState};
use crate::tracking::report::SourceName;
use crate::tracking::status::Status;
use crate::tracking::timeline::{TimelineEntry, Transition};
use crate::webhooks::delivery::{Delivery, RETENTION_DAYS, fan_out};
use crate::webhooks::endpoint::{Endpoint, EventType, Settings};
use crate::webhooks::notification::Change;

/// The owned values of a [`Change`].
#[derive(Clone)]
struct Changed {
    order: Order,
    report_id: ReportId,
    transition: Transition,
}

impl Changed {
    /// The change by the last of these entries.
    fn by(mut order: Order, entries: &[ReportFacts]) -> Self {
        let (last, before) = entries.split_last().unwrap();
        let (old, _) = TrackingState::fold(order.state.start, before);
        let (new, _) = TrackingState::fold(order.state.start, entries);
        let transition = Transition {
            version: 1 + u64::try_from(entries.len()).unwrap(),
            status: new.status,
            previous_status: old.status,
            label: new.label.clone(),
            previous_label: old.label,
            occurred_at: new.since.unwrap(),
        };
        order.state.tracking = new;
        order.state.updated_at = minute(30);
        Self { order, report_id: last.sort_key.report_id.clone(), transition }
    }

    /// The order's first change.
    fn first(account: &str, body: &str, report: &str, status: Status) -> Self {
        Self::by(order(account, body), &[facts(report, minute(1), StatusClaim::Status(status))])
    }

    fn change(&self) -> Change<'_> {
        Change { order: &self.order, report_id: &self.report_id, transition: &self.transition }
    }
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
        ["msg_dbhjqaelv6a47n76ozdx43i3fwryyryv", "msg_z3ytcame7xmlrzl3ils5dhvqyj6o3ean"]
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
    let [event, other] = [event_id("e"), event_id("other")];
    let entry = TimelineEntry {
        facts: facts("a", minute(1), StatusClaim::Status(Status::Delivered)),
        event_id: event.clone(),
        received_at: minute(0),
        recorded_at: Some(minute(10)),
        late: false,
        transition: Some(changed.transition.clone()),
    };
    let without_time = TimelineEntry { recorded_at: None, ..entry.clone() };
    let without_change = TimelineEntry { transition: None, ..entry.clone() };
    let month = i64::try_from(RETENTION_DAYS * 24 * 60).unwrap();
    for (entry, event, now, expected) in [
        (&entry, &event, 10, true),
        (&entry, &event, month + 9, true),
        (&entry, &event, month + 10, false),
        (&entry, &other, 10, false),
        (&without_time, &event, month - 1, true),
        (&without_time, &event, month, false),
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
                (delivery.account.as_str(), body["data"]["status"].as_str().unwrap().to_owned())
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
        assert_eq!((delivery.endpoint.as_str(), delivery.format.as_str()), (format, format));
        assert_eq!((delivery.v, delivery.run, delivery.version), (1, 1, Some(2)));
        assert_eq!(delivery.event, EventType::StatusChanged);
        assert_eq!(delivery.order_id, Some(order("STORE001", MINIMAL).key.order));
        assert_eq!(delivery.account.as_str(), "STORE001");
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

/// An entry with a source status.
fn report_facts(id: &str, minutes: i64, status: Status, label: &str) -> ReportFacts {
    ReportFacts {
        source: SourceName::new("esahayak"),
        source_status: Some(label.to_owned()),
        ..facts(id, minute(minutes), StatusClaim::Status(status))
    }
}

#[test]
fn ids_do_not_depend_on_other_reports_of_the_event() {
    let settings = r#"{"accounts":["*"]}"#;
    let changes: Vec<_> = (0..3).map(|n| delivered("STORE001", &format!("r{n}"))).collect();
    let together = fan_out_changes(&event_id("e"), &changes, &[endpoint("shop", settings)]);
    for (n, changed) in changes.into_iter().enumerate() {
        assert_eq!(changed.report_id, report_id(&format!("r{n}")));
        let alone = fan_out_changes(&event_id("e"), &[changed], &[endpoint("shop", settings)]);
        assert_eq!(ids(&alone), [together[n].id.as_str()]);
    }
}
