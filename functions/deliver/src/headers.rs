//! The HTTP headers of a delivery attempt, with the Standard Webhooks signature.

use aws::tables::deliveries::Lease;
use domain::core::timestamp::Timestamp;
use domain::webhooks::delivery::Delivery;
use domain::webhooks::endpoint::Format;
use egress::{HeaderMap, HeaderName, HeaderValue};

use crate::endpoint::ResolvedEndpoint;

const LEGACY_SECRET: &str = "x-vendor-server-secret";
/// A custom header may carry a token. Values of at least this many bytes are treated as secrets.
const MIN_SECRET_LENGTH: usize = 8;
const USER_AGENT: &str = concat!("Waypost/", env!("CARGO_PKG_VERSION"));

/// The signature covers the delivery id, the attempt's time in seconds, and the body.
pub(crate) fn build(
    delivery: &Delivery,
    endpoint: &ResolvedEndpoint,
    lease: &Lease,
    now: Timestamp,
) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in &endpoint.settings.headers {
        insert(&mut headers, name, value, value.len() >= MIN_SECRET_LENGTH);
    }
    let mut set =
        |name: &str, value: &str| insert(&mut headers, name, value, name == LEGACY_SECRET);
    set("content-type", "application/json");
    set("user-agent", USER_AGENT);
    set("webhook-id", &delivery.id);
    set("webhook-timestamp", &now.seconds().to_string());
    set("webhook-signature", &endpoint.keys.sign(&delivery.id, now, &lease.body));
    let attempt = format!("{}/{}/{}", delivery.id, delivery.run, lease.attempt);
    set("traceparent", &lease.trace.child(attempt).to_string());
    if lease.format == Format::OrderStatusChanged {
        set("user-agent", "VendorServer-Webhook/1.0");
        set("x-webhook-event", lease.event.as_str());
        set("x-webhook-timestamp", &now.to_string());
        if let Some(order) = &delivery.order_id {
            set("x-webhook-order-id", order.as_str());
        }
    }
    if let Some(secret) = &endpoint.legacy_secret {
        set(LEGACY_SECRET, secret);
    }
    headers
}

/// Omits a header with a value that HTTP does not allow, such as some order ids; the body has the
/// order id too. Sensitive values are masked in the stored excerpt if the response echoes them.
fn insert(headers: &mut HeaderMap, name: &str, value: &str, sensitive: bool) {
    let (Ok(name), Ok(mut value)) =
        (HeaderName::try_from(name), HeaderValue::from_bytes(value.as_bytes()))
    else {
        return;
    };
    value.set_sensitive(sensitive);
    headers.insert(name, value);
}
