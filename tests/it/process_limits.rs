//! `process` within its memory and its time, whatever the events are like.

use std::time::Duration;

use aws::lambda::sqs_batch::RecordOutcome;
use aws::tables::inbound::{Checkpoint, EventMessage, EventState};
use aws::tables::orders::UnmatchedReport;
use domain::core::hash::Fingerprint;
use domain::core::id::{AccountCode, EventId, OrderId, ReportId};
use domain::orders::api_event::{ApiEvent, Reconciliation, StatusReport};
use domain::tracking::report::Ref;
use domain::tracking::status::Status;
use futures::future::join_all;
use serde_json::{Value, json};

use crate::support::{
    Calls, OURS, Parcel, inbound_event, insert_event, seconds_from_now, stack, unique,
};

const OUT_OF_TIME: RecordOutcome = RecordOutcome::RetryAfter(Duration::ZERO);

/// One report for each parcel.
fn feed(parcels: &[Parcel]) -> Value {
    let scan =
        json!({"time": "2026-11-20 15:00:00", "location": "Exampletown", "status": "Scanned"});
    let items = parcels.iter().map(|parcel| {
        json!({"order_id": parcel.order_id, "awbno": parcel.awb, "current_status": "INT",
               "scans": [scan]})
    });
    json!({"hash": "x", "status_feed": items.collect::<Vec<_>>()})
}

async fn insert(source: &'static str, body: &Value) -> EventId {
    insert_event(&inbound_event(source, Some(OURS), body.to_string())).await
}

async fn state(id: &EventId) -> EventState {
    stack().events(&Calls::default()).load(id).await.unwrap().unwrap().state
}

async fn entries(parcel: &Parcel) -> usize {
    let order = stack().order(&parcel.order_id).await;
    order["timeline"].as_array().unwrap().len()
}

/// Handles an event again and again, each time with a little more time, until it is done. Returns
/// how often it ran out of time.
async fn handle_in_short_runs(id: &EventId) -> usize {
    let process = stack().process(&Calls::default());
    for run in 0..10_000_u64 {
        let deadline = aws::clock::now().after(Duration::from_millis(run));
        match process.handle(&EventMessage::write(id), deadline).await.unwrap() {
            RecordOutcome::Ack => return usize::try_from(run).unwrap(),
            outcome => assert_eq!(outcome, OUT_OF_TIME),
        }
    }
    panic!("{id} is never done");
}

#[tokio::test]
async fn works_on_large_bodies_within_the_memory_budget() {
    const SIZE: usize = 3_000_000;
    let large = json!({
        "object": "whatsapp_business_account", "entry": [{"changes": []}],
        "padding": "x".repeat(SIZE),
    });
    let ids = join_all((0..10).map(|_| insert("whatsapp", &large))).await;
    let process = stack().process(&Calls::default());
    let messages: Vec<String> = ids.iter().map(EventMessage::write).collect();
    let deadline = seconds_from_now(600);
    let outcomes = join_all(messages.iter().map(|it| process.handle(it, deadline))).await;
    assert!(outcomes.iter().all(|outcome| *outcome == Ok(RecordOutcome::Ack)), "{outcomes:?}");
    let peak = usize::try_from(process.memory().peak()).unwrap();
    assert!((2 * SIZE..3 * SIZE).contains(&peak), "two bodies at once, not ten: {peak}");
    assert_eq!(state(&ids[9]).await, EventState::Ignored);
}

#[tokio::test]
async fn returns_an_event_unstarted_after_the_deadline() {
    let calls = Calls::default();
    let id = insert("shipway", &feed(&[Parcel::new()])).await;
    let message = EventMessage::write(&id);
    let outcome = stack().process(&calls).handle(&message, aws::clock::now()).await;
    assert_eq!((outcome, calls.names()), (Ok(OUT_OF_TIME), vec!["dynamodb:GetItem".to_owned()]));
    assert_eq!(state(&id).await, EventState::Received);
}

#[tokio::test]
async fn goes_on_with_the_report_before_which_a_run_stopped() {
    let parcels = [Parcel::new(), Parcel::new(), Parcel::new()];
    join_all(parcels.iter().map(async |parcel| stack().create_order(&parcel.order()).await)).await;
    let id = insert("shipway", &feed(&parcels)).await;
    let events = stack().events(&Calls::default());
    let unmatched = [ReportId::parse("waits").unwrap()].into();
    events.save_checkpoint(&id, &Checkpoint { done: 2, unmatched }, 3).await.unwrap();
    let message = EventMessage::write(&id);
    let process = stack().process(&Calls::default());
    let outcome = process.handle(&message, seconds_from_now(60)).await.unwrap();
    assert_eq!(outcome, RecordOutcome::Ack);
    assert_eq!([entries(&parcels[1]).await, entries(&parcels[2]).await], [0, 1]);
    assert_eq!(state(&id).await, EventState::Unmatched, "one of the first two waits");
    // A retry of the event begins with its first report.
    assert!(events.reopen(&id, EventState::Unmatched, seconds_from_now(600)).await.unwrap());
    assert_eq!(process.handle(&message, seconds_from_now(60)).await.unwrap(), RecordOutcome::Ack);
    assert_eq!([entries(&parcels[0]).await, entries(&parcels[2]).await], [1, 1]);
}

#[tokio::test]
async fn applies_at_most_two_hundred_reports_in_a_run() {
    let order_id = unique("nobody-");
    let items = (0..201).map(|minute| {
        let time = format!("2026-11-20 {:02}:{:02}:00", minute / 60, minute % 60);
        json!({"order_id": order_id, "current_status": "INT", "scans": [{"time": time}]})
    });
    let body = json!({"hash": "x", "status_feed": items.collect::<Vec<_>>()});
    let id = insert("shipway", &body).await;
    let process = stack().process(&Calls::default());
    let handle = async || {
        let deadline = seconds_from_now(600);
        process.handle(&EventMessage::write(&id), deadline).await.unwrap()
    };
    assert_eq!((handle().await, state(&id).await), (OUT_OF_TIME, EventState::Received));
    assert_eq!((handle().await, state(&id).await), (RecordOutcome::Ack, EventState::Unmatched));
    let account = AccountCode::parse(OURS).unwrap();
    let reference = Ref::Order(OrderId::parse(&order_id).unwrap());
    let orders = stack().orders(&Calls::default());
    let (parked, has_more) = orders.unmatched_reports(&account, &reference).await.unwrap();
    assert_eq!((parked.len(), has_more), (200, true));
}

#[tokio::test]
async fn applies_every_report_once_however_often_a_run_stops() {
    let parcels: Vec<Parcel> = (0..12).map(|_| Parcel::new()).collect();
    join_all(parcels.iter().map(async |parcel| stack().create_order(&parcel.order()).await)).await;
    let id = insert("shipway", &feed(&parcels)).await;
    assert!(handle_in_short_runs(&id).await > 0);
    assert_eq!(state(&id).await, EventState::Processed);
    for parcel in &parcels {
        assert_eq!(entries(parcel).await, 1);
        assert_eq!(stack().received_at_least(&parcel.order_id, 3).await.len(), 3);
    }
}

#[tokio::test]
async fn records_every_status_once_however_often_a_run_stops() {
    let ids: Vec<String> = (0..250).map(|_| unique("wamid.limits")).collect();
    let status = |id: &String| json!({"id": id, "status": "read", "timestamp": "1750030000"});
    let statuses: Vec<Value> = ids.iter().map(status).collect();
    let value = json!({"statuses": statuses, "metadata": {"phone_number_id": "106540352242922"}});
    let changes = json!([{"field": "messages", "value": value}]);
    let body = json!({"object": "whatsapp_business_account", "entry": [{"changes": changes}]});
    let id = insert("whatsapp", &body).await;
    assert!(handle_in_short_runs(&id).await > 0);
    assert_eq!(state(&id).await, EventState::Processed);
    let rows = crate::whatsapp::load_trackings(OURS, &ids).await;
    assert!(rows.iter().all(|row| row.rev() == 1));
}

/// Reports that waited for their order are applied one by one, each for good.
#[tokio::test]
async fn applies_every_waiting_report_once_however_often_a_run_stops() {
    let parcel = Parcel::new();
    stack().create_order(&parcel.order()).await;
    let order_id = OrderId::parse(&parcel.order_id).unwrap();
    let orders = stack().orders(&Calls::default());
    let account = AccountCode::parse(OURS).unwrap();
    for minutes in 0..8 {
        let report_id = Fingerprint::of("test report").with(unique("")).into();
        let status = StatusReport {
            order_id: order_id.clone(),
            status: Status::InTransit,
            occurred_at: Some(seconds_from_now(-60 * minutes)),
            note: None,
            awb: None,
        };
        let unmatched = UnmatchedReport {
            report: status.to_report(report_id),
            event_id: Fingerprint::of("test event").with(unique("")).into(),
            received_at: aws::clock::now(),
        };
        orders.park(&account, &unmatched).await.unwrap();
    }
    let reconciliation = Reconciliation::of(order_id);
    let body = ApiEvent::Reconciliation(reconciliation).to_body();
    let id = insert_event(&inbound_event("api", Some(OURS), body)).await;
    assert!(handle_in_short_runs(&id).await > 0);
    assert_eq!(state(&id).await, EventState::Processed);
    assert_eq!(entries(&parcel).await, 8);
}
