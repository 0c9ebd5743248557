//! The HTTP headers of a delivery attempt.

use aws::tables::deliveries::Lease;
use domain::core::timestamp::Timestamp;
use domain::webhooks::delivery::Delivery;
use domain::webhooks::endpoint::{EventType, Format};
use domain::webhooks::headers::{Message, Sender};
use egress::{HeaderMap, header_map};

use crate::endpoint::ResolvedEndpoint;

pub(crate) fn build(
    delivery: &Delivery,
    endpoint: &ResolvedEndpoint,
    lease: &Lease,
    (format, event): (Format, EventType),
    now: Timestamp,
) -> HeaderMap {
    let attempt = format!("{}/{}/{}", delivery.id, delivery.run, lease.attempt);
    let message = Message {
        id: &delivery.id,
        format,
        event: event.as_str(),
        order_id: delivery.order_id.as_ref(),
        trace: Some(lease.trace.child(attempt)),
        body: &lease.body,
    };
    let sender = Sender {
        headers: &endpoint.settings.headers,
        keys: &endpoint.keys,
        legacy_secret: endpoint.legacy_secret.as_deref(),
    };
    let headers = sender.headers(&message, now);
    header_map(headers.iter().map(|header| (header.name, &*header.value, header.is_secret)))
}
