//! As much as WhatsApp sends at once.

use futures::join;
use inbound::Inbound;
use lambda_http::{Body, Request, RequestExt};

use super::*;

/// A request with a thousand statuses, and the messages they are about.
fn thousand() -> (Value, Vec<String>) {
    let ids: Vec<String> = (0..1000).map(|_| wamid()).collect();
    let news: Vec<Value> = ids.iter().map(|id| status(id, "delivered", 1)).collect();
    (statuses(OURS.1, &news), ids)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_statuses_twice_at_once_are_a_thousand_effects() {
    let (body, ids) = thousand();
    let (one, other) = join!(webhook(&body), webhook(&body));
    assert_eq!(one.json["event_id"], other.json["event_id"]);
    assert_eq!(settled(&one).await.state, EventState::Processed);
    // The same thousand in another request, some of them further on, are as many effects as are new.
    let mut again = body.clone();
    for news in again["entry"][0]["changes"][0]["value"]["statuses"]
        .as_array_mut()
        .unwrap()
        .iter_mut()
        .take(10)
    {
        news["status"] = json!("read");
    }
    assert_eq!(applied(&again).await, (EventState::Processed, None));
    let rows = load_trackings(OURS.0, &ids).await;
    let written: u64 = rows.iter().map(TrackingRow::rev).sum();
    assert_eq!(
        (rows.len(), written),
        (1000, 1010),
        "each written once, and once more where it was read"
    );
    let read = rows
        .iter()
        .filter(|row| row.tracked.tracking.status() == Some(ProviderStatus::Read))
        .count();
    let delivered = rows
        .iter()
        .filter(|row| row.tracked.tracking.status() == Some(ProviderStatus::Delivered))
        .count();
    assert_eq!((read, delivered), (10, 990));
}

#[tokio::test]
async fn a_request_is_one_row_and_one_message_however_much_it_says() {
    let (body, _) = thousand();
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
