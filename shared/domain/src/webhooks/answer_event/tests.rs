#![expect(clippy::unwrap_used)]

use std::time::Duration;

use super::*;
use crate::core::id::EndpointName;
use crate::messaging::answer::Answered;
use crate::testing::{MINIMAL, entry, event_id, minute, order, readable, tracking_links};
use crate::tracking::entry::Fact;
use crate::webhooks::endpoint::Settings;

fn answer(from: &str) -> TimelineEntry {
    let Fact::Answer(answer) = crate::testing::answer("Bring it tomorrow") else { unreachable!() };
    let template = Some("shipped_v2".to_owned().try_into().unwrap());
    let answered = Answered { template, ..answer.answered.clone() };
    let answer = Answer { from: Some(from.to_owned()), answered, ..*answer };
    entry("f1", minute(5), Fact::Answer(Box::new(answer)))
}

fn customer(phone: &str) -> Order {
    let body = MINIMAL.trim_end().trim_end_matches('}');
    order("STORE001", &format!(r#"{body},"customer":{{"phone":"{phone}"}}}}"#))
}

fn endpoint(name: &str, settings: &str) -> Endpoint {
    let name = EndpointName::parse(name).unwrap();
    Endpoint { name, settings: Settings::parse(settings).unwrap() }
}

fn asking(name: &str) -> Endpoint {
    endpoint(name, r#"{"accounts":["*"],"events":["message.received"]}"#)
}

fn deliveries(order: &Order, entry: &TimelineEntry, endpoints: &[Endpoint]) -> Vec<Delivery> {
    let event = event_id("event-f1");
    let answered = AnsweredOrder::by_event(&event, order, entry, entry.recorded_at);
    fan_out(&event, answered.as_slice(), endpoints, None)
}

#[test]
fn the_body_has_the_answer_and_what_it_answers() {
    let told = deliveries(&customer("98765 43210"), &answer("919876543210"), &[asking("crm")]);
    let body = &told[0].body;
    insta::assert_snapshot!(format!("{body}\n\n{}", readable(body)));
    assert!(!format!("{:?}", told[0]).contains("tomorrow"));
}

#[test]
fn has_the_link_of_the_orders_page() {
    let (links, order, entry) = (tracking_links(), customer("98765 43210"), answer("IN.1349"));
    let event = event_id("event-f1");
    let answered = AnsweredOrder::by_event(&event, &order, &entry, entry.recorded_at);
    let told = fan_out(&event, answered.as_slice(), &[asking("crm")], Some(&links));
    let body: serde_json::Value = serde_json::from_str(&told[0].body).unwrap();
    assert_eq!(body["data"]["tracking_url"], links.of(&order));
}

#[test]
fn names_the_sender_as_the_order_does_if_it_is_the_same() {
    let without = order("STORE001", MINIMAL);
    for (order, from, expected) in [
        (&customer("+91 98765-43210"), "919876543210", "+91 98765-43210"),
        (&customer("+91 98765-43210"), "919876543211", "919876543211"),
        (&customer("+91 98765-43210"), "IN.1349", "IN.1349"),
        (&customer("to be told"), "IN.1349", "IN.1349"),
        (&without, "919876543210", "919876543210"),
    ] {
        let told = deliveries(order, &answer(from), &[asking("crm")]);
        let body: serde_json::Value = serde_json::from_str(&told[0].body).unwrap();
        assert_eq!(body["data"]["message"]["from"], expected);
    }
}

#[test]
fn tells_endpoints_of_the_account_that_ask() {
    let endpoints = [
        asking("all"),
        endpoint("own", r#"{"accounts":["STORE001"],"events":["delivered","message.received"]}"#),
        endpoint("other", r#"{"accounts":["STORE002"],"events":["message.received"]}"#),
        endpoint("default", r#"{"accounts":["*"]}"#),
        endpoint("changes", r#"{"accounts":["*"],"events":["order.status_changed"]}"#),
    ];
    let (order, entry) = (order("STORE001", MINIMAL), answer("1650"));
    let told = deliveries(&order, &entry, &endpoints);
    assert_eq!(told.iter().map(|it| it.endpoint.as_str()).collect::<Vec<_>>(), ["all", "own"]);
    assert!(
        told.iter()
            .all(|it| it.version.is_none() && it.kind.event() == Some(EventType::MessageReceived))
    );
    assert_eq!(deliveries(&order, &entry, &endpoints), told, "the same at a redelivery");
    let second = TimelineEntry { id: crate::testing::report_id("f2"), ..entry };
    let ids = [&told, &deliveries(&order, &second, &endpoints)].map(|it| it[0].id.clone());
    assert_ne!(ids[0], ids[1]);
}

#[test]
fn tells_only_what_this_event_added_lately_of_an_order_with_its_shopper() {
    let (order, entry) = (order("STORE001", MINIMAL), answer("1650"));
    let is_told = |event: &str, order: &Order, now| {
        AnsweredOrder::by_event(&event_id(event), order, &entry, now).is_some()
    };
    let last = entry.recorded_at.after(RETENTION - Duration::from_millis(1));
    assert!(is_told("event-f1", &order, last));
    assert!(!is_told("event-f1", &order, entry.recorded_at.after(RETENTION)));
    assert!(!is_told("event-f2", &order, last));
    assert!(!is_told("event-f1", &order.without_customer(last), last));
}
