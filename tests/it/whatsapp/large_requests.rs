//! Requests of the size of WhatsApp's largest.

use futures::join;
use inbound::Inbound;
use lambda_http::{Body, Request, RequestExt};

use super::*;

/// A body with a thousand statuses, and their message ids.
fn thousand_statuses() -> (Value, Vec<String>) {
    let ids: Vec<String> = (0..1000).map(|_| wamid()).collect();
    let updates: Vec<Value> = ids.iter().map(|id| status(id, "delivered", 1)).collect();
    (statuses(OURS.1, &updates), ids)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn applies_a_thousand_statuses_once_after_concurrent_copies() {
    let (body, ids) = thousand_statuses();
    let (one, other) = join!(send(&body), send(&body));
    assert_eq!(one.json["event_id"], other.json["event_id"]);
    assert_eq!(settled_event(&one).await.state, EventState::Processed);
    // Another request repeats them, ten with a newer status.
    let mut second = body.clone();
    let updates = second["entry"][0]["changes"][0]["value"]["statuses"].as_array_mut().unwrap();
    for update in updates.iter_mut().take(10) {
        update["status"] = json!("read");
    }
    assert_eq!(process(&second).await, (EventState::Processed, None));
    let rows = load_trackings(OURS.0, &ids).await;
    let writes: u64 = rows.iter().map(TrackingRow::rev).sum();
    assert_eq!(
        (rows.len(), writes),
        (1000, 1010),
        "one write each, and one more for each read message"
    );
    let count =
        |status| rows.iter().filter(|row| row.tracked.tracking.status() == Some(status)).count();
    assert_eq!((count(ProviderStatus::Read), count(ProviderStatus::Delivered)), (10, 990));
}

#[tokio::test]
async fn stores_one_row_and_queues_one_message_for_a_large_request() {
    let (body, _) = thousand_statuses();
    let body = body.to_string().into_bytes();
    let calls = Calls::default();
    let inbound = Inbound::new(
        stack().events(&calls),
        stack().queue("events", &calls),
        stack().settings(&Calls::default()),
    );
    let request: Request = lambda_http::http::Request::post("/webhooks/whatsapp")
        .header("x-hub-signature-256", signature(&body))
        .body(Body::from(body))
        .unwrap();
    let answer = inbound.handle(request.with_raw_http_path("/webhooks/whatsapp")).await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(calls.names(), ["dynamodb:PutItem", "sqs:SendMessage"]);
}
