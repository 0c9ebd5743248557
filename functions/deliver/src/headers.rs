//! What goes before the body.

use aws::http::{HeaderMap, HeaderName, HeaderValue};
use domain::delivery::Delivery;
use domain::endpoint::Format;
use domain::timestamp::Timestamp;

use crate::receiver::Receiver;

const USER_AGENT: &str = concat!("Waypost/", env!("CARGO_PKG_VERSION"));

/// The headers of an attempt at `now`. The signature covers the id, the second of the attempt, and the body.
pub(crate) fn of(delivery: &Delivery, receiver: &Receiver, body: &[u8], now: Timestamp) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let mut set = |name: &str, value: &str| insert(&mut headers, name, value);
    for (name, value) in &receiver.settings.headers {
        set(name, value);
    }
    set("content-type", "application/json");
    set("user-agent", USER_AGENT);
    set("webhook-id", &delivery.id);
    set("webhook-timestamp", &now.seconds().to_string());
    set("webhook-signature", &receiver.keys.sign(&delivery.id, now, body));
    if delivery.format == Format::OrderStatusChanged {
        set("user-agent", "VendorServer-Webhook/1.0");
        set("x-webhook-event", "order.status_changed");
        set("x-webhook-timestamp", &now.to_string());
        if let Some(order) = &delivery.order_id {
            set("x-webhook-order-id", order.as_str());
        }
    }
    if let Some(secret) = &receiver.legacy_secret {
        set("x-vendor-server-secret", secret);
    }
    headers
}

/// Order ids may hold what a header cannot: then the header is left out, the body has the id.
fn insert(headers: &mut HeaderMap, name: &str, value: &str) {
    let (Ok(name), Ok(mut value)) = (HeaderName::try_from(name), HeaderValue::from_bytes(value.as_bytes())) else {
        return;
    };
    value.set_sensitive(matches!(name.as_str(), "x-vendor-server-secret" | "authorization"));
    headers.insert(name, value);
}
