//! The header `traceparent`, from the request to the deliveries that it causes.

use domain::core::trace::TraceParent;
use serde_json::{Value, json};

use crate::support::http::{client, send, with_json};
use crate::support::{
    OURS, Parcel, Received, TestEndpoint, eventually, settings_to_expire, stack, unique,
};

const TRACE_ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

fn trace_of(request: &Received) -> TraceParent {
    let header = &request.headers["traceparent"];
    assert!(header.starts_with("00-"), "{header}");
    TraceParent::parse(header).unwrap()
}

async fn send_webhook(body: &Value, traceparent: &str) {
    let request = client().post(stack().url("/webhooks/carrier"));
    let request = request.header("x-api-key", stack().shiprocket_token());
    let request = request.header("traceparent", traceparent);
    assert_eq!(send(with_json(request, Some(body))).await.status, 200);
}

/// An endpoint for all orders of the account; tests look for their own.
async fn endpoint(account: &str, responses: Value) -> TestEndpoint {
    let settings = json!({"format": "standard", "accounts": [account], "backoff": [1]});
    let endpoint = TestEndpoint::new(settings, responses).await;
    settings_to_expire().await;
    endpoint
}

/// The requests about an order, once there are `count`.
async fn received(endpoint: &TestEndpoint, parcel: &Parcel, count: usize) -> Vec<Received> {
    let path = format!("/{}", endpoint.name());
    eventually(&format!("{count} requests about {}", parcel.order_id), async || {
        let all = stack().received(&parcel.order_id).await;
        let own: Vec<_> = all.into_iter().filter(|request| request.path == path).collect();
        Some(own).filter(|own| own.len() >= count)
    })
    .await
}

#[tokio::test]
async fn a_delivery_continues_the_trace_of_the_webhook() {
    let endpoint = endpoint(OURS, json!([])).await;
    let parcel = Parcel::new();
    stack().create_order(&parcel.order()).await;
    let sent = format!("00-{TRACE_ID}-00f067aa0ba902b7-01");
    send_webhook(&parcel.in_transit(), &sent).await;
    let requests = received(&endpoint, &parcel, 1).await;
    assert_eq!(trace_of(&requests[0]).trace_id(), TRACE_ID);
    let header = &requests[0].headers["traceparent"];
    assert!(header.ends_with("-01"), "sampled, as the sender said: {header}");
    assert_ne!(*header, sent, "a request of its own");
}

/// In an account of its own: the delivery of another test would get the refusal.
#[tokio::test]
async fn the_attempts_of_a_delivery_continue_the_trace_of_the_apis_caller() {
    let (parcel, account) = (Parcel::new(), unique("ACC-"));
    stack().create_order_in(&account, &parcel.order()).await;
    let endpoint = endpoint(&account, json!([{"status": 500}])).await;
    let sent = format!("00-{TRACE_ID}-00f067aa0ba902b7-01");
    let path = format!("/api/external/orders/{}/status", parcel.order_id);
    let report = stack().signed("admin", "POST", &path).header("traceparent", &sent);
    let body = json!({"status": "delivered", "accountCode": account});
    assert_eq!(send(with_json(report, Some(&body))).await.status, 202);
    let attempts = received(&endpoint, &parcel, 2).await;
    let [first, second] = [&attempts[0], &attempts[1]].map(trace_of);
    assert_eq!((first.trace_id(), second.trace_id()), (TRACE_ID.into(), TRACE_ID.into()));
    assert_ne!(first, second);
}

#[tokio::test]
async fn an_invalid_trace_is_replaced() {
    let endpoint = endpoint(OURS, json!([])).await;
    for traceparent in [
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "canary-trace",
    ] {
        let parcel = Parcel::new();
        stack().create_order(&parcel.order()).await;
        send_webhook(&parcel.in_transit(), traceparent).await;
        let requests = received(&endpoint, &parcel, 1).await;
        assert_ne!(trace_of(&requests[0]).trace_id(), TRACE_ID, "{traceparent}");
    }
}
