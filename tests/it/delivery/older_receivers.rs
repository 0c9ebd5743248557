//! Receivers of the older format know no signature: they check a shared secret and the age.

use std::time::Duration;

use aws::clock;
use domain::core::timestamp::Timestamp;
use domain::webhooks::delivery::Delivery;
use domain::webhooks::endpoint::{EventType, Format};
use domain::webhooks::kind::Kind;
use serde_json::json;

use super::{enqueue, row_in};
use crate::support::{Received, TestEndpoint};

const SECRET: &str = "canary-secret-of-an-older-receiver";

fn is_accepted(request: &Received) -> bool {
    let sent_at = Timestamp::parse(&request.headers["x-webhook-timestamp"]).unwrap();
    request.headers["x-vendor-server-secret"] == SECRET
        && clock::now().since(sent_at) <= Duration::from_secs(300)
}

#[tokio::test]
async fn older_receivers_accept_every_attempt() {
    let settings = json!({"format": "order.status_changed", "backoff": [1, 1]});
    let responses = json!([{"status": 500}, {"status": 503}, {"status": 200}]);
    let endpoint = TestEndpoint::new(settings, responses).await;
    endpoint.set("legacy_secret", SECRET).await;
    let (format, event) = (Format::OrderStatusChanged, EventType::default());
    let kind = Kind::Webhook { format, event };
    let delivery = Delivery { kind, ..endpoint.delivery() };
    enqueue(&delivery).await;
    row_in(&delivery.id, "delivered").await;
    let received = endpoint.received_so_far().await;
    let times: Vec<_> = received.iter().map(|it| &*it.headers["x-webhook-timestamp"]).collect();
    assert!(received.iter().all(is_accepted), "{times:?}");
    assert!(times.is_sorted() && times[0] < times[1] && times[1] < times[2], "{times:?}");
}
