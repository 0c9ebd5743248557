//! What could not be queued is queued later, or ends where somebody sees it.

use std::time::Duration;

use aws::events::{Event, EventState, Events, Kept};
use domain::hash::Fingerprint;
use domain::id::{AccountCode, EventId};
use domain::report::SourceName;
use domain::timestamp::Timestamp;
use lambda_http::{Body, RequestExt};
use serde_json::Value;
use sweep::Sweep;

use crate::main_way::Parcel;
use crate::stack::{Calls, Fault, eventually, stack};

/// An event as `inbound` leaves it behind when its queue is out of reach.
async fn left_behind(parcel: &Parcel, since: Timestamp) -> EventId {
    let body = parcel.report(18, "IN TRANSIT", "09:00:00").to_string().into_bytes();
    let event = Event {
        id: Fingerprint::of("left-behind").with(&body).into(),
        source: SourceName::new("shiprocket"),
        account: AccountCode::parse("STORE001").unwrap(),
        received_at: since,
        state: EventState::Received,
        reason: None,
        body,
    };
    let events = stack().events(&Calls::default());
    assert_eq!(events.keep(&event).await.unwrap(), Kept::New);
    events.mark_pending(&event.id, since).await.unwrap();
    assert!(is_pending(&event.id).await);
    event.id
}

async fn is_pending(id: &EventId) -> bool {
    let events = stack().events(&Calls::default());
    let mut found = false;
    for shard in Events::PENDING_SHARDS {
        found |= events.pending(shard).await.unwrap().iter().any(|pending| pending.id == *id);
    }
    found
}

fn ago(seconds: u64) -> Timestamp {
    let millis = aws::clock::now().millis() - i64::try_from(seconds).unwrap() * 1000;
    Timestamp::from_millis(millis).unwrap()
}

#[tokio::test]
async fn an_event_left_behind_is_applied_once() {
    let parcel = Parcel::new();
    stack().create_order(&parcel.order()).await;
    let id = left_behind(&parcel, ago(20)).await;
    // The deployed schedule fires every minute; whichever sweep comes first sends it.
    let calls = Calls::default();
    Sweep::new(stack().events(&calls), stack().queue("events", &calls)).run(aws::clock::now()).await.unwrap();
    stack().order_with_entries(&parcel.order_id, 1).await;
    assert_eq!(stack().received_at_least(&parcel.order_id, 3).await.len(), 3);
    assert!(!is_pending(&id).await);
}

#[tokio::test]
async fn while_the_queue_is_away_webhooks_are_still_taken() {
    let parcel = Parcel::new();
    stack().create_order(&parcel.order()).await;
    let inbound = stack().inbound(&Calls::failing(Some(Fault::Before(0))));
    let request = lambda_http::http::Request::post("/webhooks/carrier")
        .header("x-api-key", &stack().sources["shiprocket"]["api_key"])
        .body(Body::from(parcel.report(18, "IN TRANSIT", "09:00:00").to_string()))
        .unwrap();
    let answer = inbound.handle(request.with_raw_http_path("/webhooks/carrier")).await.unwrap();
    assert_eq!(answer.status(), 200);
    let answer: Value = serde_json::from_slice(answer.body()).unwrap();
    let id = EventId::parse(answer["event_id"].as_str().unwrap()).unwrap();
    assert!(is_pending(&id).await);

    // A minute later the queue is back.
    let calls = Calls::default();
    let later = aws::clock::now().after(Duration::from_secs(60));
    Sweep::new(stack().events(&calls), stack().queue("events", &calls)).run(later).await.unwrap();
    stack().order_with_entries(&parcel.order_id, 1).await;
    assert_eq!(stack().received_at_least(&parcel.order_id, 3).await.len(), 3);
    assert!(!is_pending(&id).await);
}

#[tokio::test]
async fn while_the_queue_is_away_it_stays_pending() {
    let parcel = Parcel::new();
    let id = left_behind(&parcel, aws::clock::now()).await;
    // Too young for the deployed sweep; for this one it is a minute later, and its queue fails.
    let later = aws::clock::now().after(Duration::from_secs(60));
    let (calls, broken) = (Calls::default(), Calls::failing(Some(Fault::Before(0))));
    let failed = Sweep::new(stack().events(&calls), stack().queue("events", &broken)).run(later).await;
    assert!(failed.is_err());
    assert!(is_pending(&id).await);
}

#[tokio::test]
async fn what_cannot_be_queued_for_a_day_ends_as_failed() {
    let id = left_behind(&Parcel::new(), ago(24 * 60 * 60 + 60)).await;
    let calls = Calls::default();
    Sweep::new(stack().events(&calls), stack().queue("events", &calls)).run(aws::clock::now()).await.unwrap();
    let event = eventually("an end", async || {
        stack().events(&Calls::default()).load(&id).await.unwrap().filter(|event| event.state == EventState::Failed)
    })
    .await;
    assert!(event.reason.unwrap().contains("24 hours"));
    assert!(!is_pending(&id).await);
}
