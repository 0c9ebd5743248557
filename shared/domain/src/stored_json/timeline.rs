//! The rows of an order: its state, and its timeline entries.

use super::*;
use crate::testing::entry;
use crate::tracking::entry::{Fact, ParcelTransition, ReportFacts, TimelineEntry, Transition};
use crate::tracking::state::{Cancellation, ParcelState, Start, State, TrackingState};
use crate::tracking::status::Leg;

fn full_facts() -> ReportFacts {
    ReportFacts {
        source: SourceName::new("shiprocket"),
        awb: Some(awb("A1")),
        return_awb: Some(awb("R1")),
        provider_id: Some(ProviderId::parse("77").unwrap()),
        spelled_id: Some(OrderId::parse("#ORD-1").unwrap()),
        status: Status::Lost,
        leg: Leg::Outbound,
        source_status: text("LOST"),
        location: text("Pune"),
        note: text("note"),
        eta: Some(minute(9)),
        attempts: Some(2),
        carrier_name: text("Ekart"),
    }
}

fn full_parcel() -> ParcelState {
    ParcelState {
        awb: awb("A1"),
        direction: Direction::Return,
        added_at: minute(0),
        released: true,
        learnt: true,
        replaced: true,
        carrier_name: text("Ekart"),
        status: Status::OutForDelivery,
        since: Some(minute(1)),
        label: "OFD".to_owned(),
        attempts: 2,
        eta: Some(minute(9)),
        checkpoints: text("hash"),
    }
}

fn full_state() -> State {
    State {
        start: Start {
            awb: Some(awb("A1")),
            return_awb: Some(awb("R1")),
            recycled: vec![awb("A1")],
            ..Start::of(Status::Pending)
        },
        tracking: TrackingState {
            status: Status::OutForDelivery,
            since: Some(minute(1)),
            label: "OFD".to_owned(),
            location: text("Pune"),
            eta: Some(minute(9)),
            attempts: 2,
            assigned_at: Some(minute(2)),
            accepted_at: Some(minute(3)),
            completed_at: Some(minute(4)),
            cancellation: Some(Cancellation {
                at: minute(5),
                reason: text("why"),
                by: SourceName::API,
            }),
        },
        parcels: vec![full_parcel()],
        previous_status: Some(Status::Pending),
        latest_message_status: text("read"),
        latest_message_at: Some(minute(6)),
        latest_message_id: text("m1"),
        ..State::at_creation(Start::of(Status::Pending), minute(0))
    }
}

#[test]
fn state_row() {
    assert_json(
        &full_state(),
        &[
            r#"{"created_at":"2026-01-20T10:00:00.000Z","entries":0,"entry_rev":0,"#,
            r#""latest_message_at":"2026-01-20T10:06:00.000Z","latest_message_id":"m1","#,
            r#""latest_message_status":"read","#,
            r#""parcels":[{"awb":"A1","carrier_name":"Ekart","checkpoints":"hash","#,
            r#""direction":"return","learnt":true,"released":true,"replaced":true}],"#,
            r#""previous_status":"pending","profile_rev":1,"rev":1,"#,
            r#""start":{"awb":"A1","recycled":["A1"],"return_awb":"R1","status":"pending"},"#,
            r#""tracking":{"accepted_at":"2026-01-20T10:03:00.000Z","#,
            r#""assigned_at":"2026-01-20T10:02:00.000Z","attempts":2,"#,
            r#""cancellation":{"at":"2026-01-20T10:05:00.000Z","by":"api","reason":"why"},"#,
            r#""completed_at":"2026-01-20T10:04:00.000Z","eta":"2026-01-20T10:09:00.000Z","#,
            r#""label":"OFD","location":"Pune","since":"2026-01-20T10:01:00.000Z","#,
            r#""status":"out_for_delivery"},"#,
            r#""updated_at":"2026-01-20T10:00:00.000Z","version":1}"#,
        ],
    );
}

/// What a parcel has in common with its order is not stored; what only the order has is `null`.
#[test]
fn state_row_of_a_parcel_that_differs_from_its_order() {
    let parcel = ParcelState {
        added_at: minute(7),
        since: None,
        attempts: 0,
        eta: Some(minute(8)),
        status: Status::Pending,
        ..full_parcel()
    };
    let text = serde_json::to_value(State { parcels: vec![parcel.clone()], ..full_state() });
    let text = text.unwrap();
    let stored = serde_json::json!([{
        "awb": "A1", "direction": "return", "added_at": "2026-01-20T10:07:00.000Z",
        "learnt": true, "released": true, "replaced": true, "carrier_name": "Ekart", "status": "pending",
        "since": null, "attempts": null, "eta": "2026-01-20T10:08:00.000Z",
        "checkpoints": "hash",
    }]);
    assert_eq!(text["parcels"], stored);
    assert_eq!(serde_json::from_value::<State>(text).unwrap().parcels, [parcel]);
}

/// Absent fields are not stored: a row of up to 1 KB costs one write unit.
#[test]
fn smallest_state_row() {
    let start = Start { awb: Some(awb("A1")), ..Start::of(Status::Pending) };
    assert_json(
        &State::at_creation(start, minute(0)),
        &[
            r#"{"created_at":"2026-01-20T10:00:00.000Z","entries":0,"entry_rev":0,"#,
            r#""parcels":[{"awb":"A1"}],"#,
            r#""profile_rev":1,"rev":1,"start":{"awb":"A1","status":"pending"},"#,
            r#""tracking":{"label":"Pending","status":"pending"},"#,
            r#""updated_at":"2026-01-20T10:00:00.000Z","version":1}"#,
        ],
    );
}

fn full_transition() -> Transition {
    Transition {
        version: 2,
        status: Status::Lost,
        previous_status: Status::Pending,
        label: "LOST".to_owned(),
        previous_label: "Pending".to_owned(),
        attempts: 2,
        previous_attempts: 1,
        occurred_at: minute(1),
        parcels: vec![ParcelTransition {
            awb: awb("A1"),
            status: Status::Lost,
            previous_status: Status::Pending,
            label: "LOST".to_owned(),
            previous_label: "Pending".to_owned(),
            attempts: 2,
            occurred_at: minute(1),
        }],
    }
}

#[test]
fn timeline_entry_row() {
    let entry = TimelineEntry {
        id: report_id("r1"),
        occurred_at: minute(1),
        fact: Fact::Report(full_facts()),
        event_id: event_id("e1"),
        logged_as: None,
        received_at: minute(2),
        recorded_at: minute(3),
        rev: 4,
        late: true,
        transition: Some(full_transition()),
    };
    assert_json(
        &entry,
        &[
            r#"{"id":"r1","occurred_at":"2026-01-20T10:01:00.000Z","#,
            r#""fact":{"report":{"source":"shiprocket","awb":"A1","return_awb":"R1","#,
            r#""provider_id":"77","spelled_id":"#,
            "\"#ORD-1\"",
            r#","status":"lost","#,
            r#""leg":"outbound","source_status":"LOST","location":"Pune","note":"note","#,
            r#""eta":"2026-01-20T10:09:00.000Z","attempts":2,"carrier_name":"Ekart"}},"#,
            r#""event_id":"e1","received_at":"2026-01-20T10:02:00.000Z","#,
            r#""recorded_at":"2026-01-20T10:03:00.000Z","rev":4,"late":true,"transition":{"attempts":2,"#,
            r#""label":"LOST","occurred_at":"2026-01-20T10:01:00.000Z","parcels":[{"awb":"A1"}],"#,
            r#""previous_attempts":1,"previous_label":"Pending","previous_status":"pending","#,
            r#""status":"lost","version":2}}"#,
        ],
    );
}

/// The order stays on its way while one of its parcels is lost.
#[test]
fn transition_of_a_parcel_that_differs_from_its_order() {
    let parcel = ParcelTransition { attempts: 0, ..full_transition().parcels.remove(0) };
    let transition = Transition {
        status: Status::InTransit,
        label: "IN TRANSIT".to_owned(),
        parcels: vec![parcel],
        ..full_transition()
    };
    let text = serde_json::to_value(&transition).unwrap();
    let stored = serde_json::json!([
        {"awb": "A1", "status": "lost", "label": "LOST", "attempts": null},
    ]);
    assert_eq!(text["parcels"], stored);
    assert_eq!(serde_json::from_value::<Transition>(text).unwrap(), transition);
}

fn provider_ref() -> Ref {
    Ref::Provider { source: SourceName::new("shipway"), id: ProviderId::parse("77").unwrap() }
}

#[test]
fn timeline_entry_row_of_each_fact() {
    let number = Some(awb("A1"));
    let changes = [
        (
            ParcelChange::Named { direction: Direction::Forward, awb: number },
            r#""named":{"direction":"forward","awb":"A1"}"#,
        ),
        (
            ParcelChange::Named { direction: Direction::Return, awb: None },
            r#""named":{"direction":"return","awb":null}"#,
        ),
        (
            ParcelChange::Added {
                awb: awb("A1"),
                carrier_id: serde_json::from_str("1.10").unwrap(),
                carrier_name: text("Ekart"),
            },
            r#""added":{"awb":"A1","carrier_id":1.10,"carrier_name":"Ekart"}"#,
        ),
        (
            ParcelChange::Moved { name: Ref::Awb(awb("A1")), to: order_id() },
            r#""moved":{"name":{"awb":"A1"},"to":"ORD-1"}"#,
        ),
        (
            ParcelChange::Moved { name: provider_ref(), to: order_id() },
            r#""moved":{"name":{"provider":{"source":"shipway","id":"77"}},"to":"ORD-1"}"#,
        ),
        (
            ParcelChange::Moved { name: Ref::Order(order_id()), to: order_id() },
            r#""moved":{"name":{"order":"ORD-1"},"to":"ORD-1"}"#,
        ),
        (
            ParcelChange::Released { awb: awb("A1"), to: order_id() },
            r#""released":{"awb":"A1","to":"ORD-1"}"#,
        ),
    ];
    let facts = changes.into_iter().flat_map(|(change, text)| {
        [(false, ""), (true, r#","recycled":true"#)].map(|(recycled, flag)| {
            let fact = Fact::Parcel(ParcelFact { rev: 7, change: change.clone(), recycled });
            (fact, format!(r#"{{"parcel":{{"rev":7,"change":{{{text}}}{flag}}}}}"#))
        })
    });
    let withdrawal = Fact::Withdrawal { report_id: report_id("r2") };
    let withdrawal = (withdrawal, r#"{"withdrawal":{"report_id":"r2"}}"#.to_owned());
    let answer = (
        crate::testing::answer("Yes"),
        concat!(
            r#"{"answer":{"source":"whatsapp","kind":"button","message":"wamid.B","#,
            r#""in_reply_to":"wamid.A","from":"919876543210","text":"Yes","payload":"yes","#,
            r#""answered":{"id":"m1","message_status":"read"}}}"#
        )
        .to_owned(),
    );
    let report = ReportFacts::of(&report("r1", Status::Lost, None), &order_id());
    let smallest = r#"{"report":{"source":"shiprocket","status":"lost","leg":"outbound"}}"#;
    let report = (Fact::Report(report), smallest.to_owned());
    for (fact, expected) in facts.chain([withdrawal, answer, report]) {
        assert_json(
            &entry("e", minute(1), fact),
            &[
                r#"{"id":"e","occurred_at":"2026-01-20T10:01:00.000Z","fact":"#,
                &expected,
                r#","event_id":"event-e","received_at":"2026-01-20T10:01:00.000Z","#,
                r#""recorded_at":"2026-01-20T10:01:00.000Z","rev":0}"#,
            ],
        );
    }
}
