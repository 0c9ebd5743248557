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
            r#"{"start":{"status":"pending","awb":"A1","return_awb":"R1","recycled":["A1"]},"#,
            r#""tracking":{"status":"out_for_delivery","since":"2026-01-20T10:01:00.000Z","#,
            r#""label":"OFD","location":"Pune","eta":"2026-01-20T10:09:00.000Z","attempts":2,"#,
            r#""assigned_at":"2026-01-20T10:02:00.000Z","accepted_at":"2026-01-20T10:03:00.000Z","#,
            r#""completed_at":"2026-01-20T10:04:00.000Z","#,
            r#""cancellation":{"at":"2026-01-20T10:05:00.000Z","reason":"why","by":"api"}},"#,
            r#""parcels":[{"awb":"A1","direction":"return","added_at":"2026-01-20T10:00:00.000Z","#,
            r#""learnt":true,"replaced":true,"carrier_name":"Ekart","status":"out_for_delivery","#,
            r#""since":"2026-01-20T10:01:00.000Z","label":"OFD","attempts":2,"#,
            r#""eta":"2026-01-20T10:09:00.000Z","checkpoints":"hash"}],"#,
            r#""previous_status":"pending","version":1,"rev":1,"profile_rev":1,"entries":0,"#,
            r#""latest_message_status":"read","latest_message_at":"2026-01-20T10:06:00.000Z","#,
            r#""latest_message_id":"m1","created_at":"2026-01-20T10:00:00.000Z","#,
            r#""updated_at":"2026-01-20T10:00:00.000Z"}"#,
        ],
    );
}

/// Absent fields are not stored: a row of up to 1 KB costs one write unit.
#[test]
fn smallest_state_row() {
    let start = Start { awb: Some(awb("A1")), ..Start::of(Status::Pending) };
    assert_json(
        &State::at_creation(start, minute(0)),
        &[
            r#"{"start":{"status":"pending","awb":"A1"},"#,
            r#""tracking":{"status":"pending","label":"Pending"},"#,
            r#""parcels":[{"awb":"A1","direction":"forward","#,
            r#""added_at":"2026-01-20T10:00:00.000Z","status":"pending","label":"Pending"}],"#,
            r#""version":1,"rev":1,"profile_rev":1,"entries":0,"#,
            r#""created_at":"2026-01-20T10:00:00.000Z","updated_at":"2026-01-20T10:00:00.000Z"}"#,
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
        received_at: minute(2),
        recorded_at: minute(3),
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
            r#""recorded_at":"2026-01-20T10:03:00.000Z","late":true,"transition":{"version":2,"#,
            r#""status":"lost","previous_status":"pending","label":"LOST","#,
            r#""previous_label":"Pending","attempts":2,"previous_attempts":1,"#,
            r#""occurred_at":"2026-01-20T10:01:00.000Z","parcels":[{"awb":"A1","status":"lost","#,
            r#""previous_status":"pending","label":"LOST","previous_label":"Pending","#,
            r#""attempts":2,"occurred_at":"2026-01-20T10:01:00.000Z"}]}}"#,
        ],
    );
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
    ];
    let facts = changes.into_iter().flat_map(|(change, text)| {
        [(false, ""), (true, r#","recycled":true"#)].map(|(recycled, flag)| {
            let fact = Fact::Parcel(ParcelFact { rev: 7, change: change.clone(), recycled });
            (fact, format!(r#"{{"parcel":{{"rev":7,"change":{{{text}}}{flag}}}}}"#))
        })
    });
    let withdrawal = Fact::Withdrawal { report_id: report_id("r2") };
    let withdrawal = (withdrawal, r#"{"withdrawal":{"report_id":"r2"}}"#.to_owned());
    let report = ReportFacts::of(&report("r1", Status::Lost, None), &order_id());
    let smallest = r#"{"report":{"source":"shiprocket","status":"lost","leg":"outbound"}}"#;
    let report = (Fact::Report(report), smallest.to_owned());
    for (fact, expected) in facts.chain([withdrawal, report]) {
        assert_json(
            &entry("e", minute(1), fact),
            &[
                r#"{"id":"e","occurred_at":"2026-01-20T10:01:00.000Z","fact":"#,
                &expected,
                r#","event_id":"event-e","received_at":"2026-01-20T10:01:00.000Z","#,
                r#""recorded_at":"2026-01-20T10:01:00.000Z"}"#,
            ],
        );
    }
}
