//! What goes before the body.

use aws::tables::deliveries::Lease;
use domain::core::timestamp::Timestamp;
use domain::webhooks::delivery::Delivery;
use domain::webhooks::endpoint::Format;
use egress::{HeaderMap, HeaderName, HeaderValue};

use crate::endpoint::ResolvedEndpoint;

const LEGACY_SECRET: &str = "x-vendor-server-secret";
/// Whatever an endpoint's owner sets may be a token of theirs.
const LONG_ENOUGH_FOR_A_SECRET: usize = 8;
const USER_AGENT: &str = concat!("Waypost/", env!("CARGO_PKG_VERSION"));

/// The headers of an attempt at `now`. The signature covers the id, the second of the attempt, and the body.
pub(crate) fn of(
    delivery: &Delivery,
    endpoint: &ResolvedEndpoint,
    lease: &Lease,
    now: Timestamp,
) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in &endpoint.settings.headers {
        insert(&mut headers, name, value, value.len() >= LONG_ENOUGH_FOR_A_SECRET);
    }
    let mut set =
        |name: &str, value: &str| insert(&mut headers, name, value, name == LEGACY_SECRET);
    set("content-type", "application/json");
    set("user-agent", USER_AGENT);
    set("webhook-id", &delivery.id);
    set("webhook-timestamp", &now.seconds().to_string());
    set("webhook-signature", &endpoint.keys.sign(&delivery.id, now, &lease.body));
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

/// Order ids may hold what a header cannot: then the header is left out, the body has the id.
/// What is sensitive is masked where an endpoint's answer echoes it.
fn insert(headers: &mut HeaderMap, name: &str, value: &str, sensitive: bool) {
    let (Ok(name), Ok(mut value)) =
        (HeaderName::try_from(name), HeaderValue::from_bytes(value.as_bytes()))
    else {
        return;
    };
    value.set_sensitive(sensitive);
    headers.insert(name, value);
}
