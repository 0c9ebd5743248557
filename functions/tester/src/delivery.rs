//! The test delivery. It has no order, so a receiver can ignore it.

use std::time::Duration;

use aws::endpoint_parameters::EndpointParameters;
use aws::entropy;
use aws::settings::SettingsError;
use domain::core::hash::Fingerprint;
use domain::core::timestamp::Timestamp;
use domain::core::trace::TraceParent;
use domain::webhooks::endpoint::{Format, Settings};
use domain::webhooks::headers::{Message, Sender};
use domain::webhooks::signing::SigningKeys;
use egress::{HeaderMap, header_map};
use serde_json::json;

use crate::verdict::Receiver;

const EVENT: &str = "webhook.test";

/// API Gateway waits 30 s for the function's answer.
const MAX_TIMEOUT: Duration = Duration::from_secs(20);

pub(crate) struct TestDelivery {
    pub(crate) receiver: Receiver,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    pub(crate) timeout: Duration,
}

impl TestDelivery {
    /// In the format `standard`, signed with a key of its own.
    pub(crate) fn to_url(request_id: &str, now: Timestamp) -> Self {
        let key = Fingerprint::of("one-off key").with(request_id).with(entropy::worker_id());
        let keys = SigningKeys::one(key.finish().into());
        let sender = Sender { headers: &[].into(), keys: &keys, legacy_secret: None };
        Self::new(Receiver::Url, Format::Standard, &sender, MAX_TIMEOUT, request_id, now)
    }

    /// As deliveries to the endpoint are sent, within its own timeout if that is below 20 s.
    pub(crate) fn to_endpoint(
        endpoint: &EndpointParameters,
        request_id: &str,
        now: Timestamp,
    ) -> Result<Self, SettingsError> {
        let Settings { format, timeout, headers, .. } = endpoint.settings()?;
        let sender = Sender {
            headers: &headers,
            keys: &endpoint.keys()?,
            legacy_secret: endpoint.legacy_secret.as_deref(),
        };
        let timeout = timeout.min(MAX_TIMEOUT);
        Ok(Self::new(Receiver::Endpoint, format, &sender, timeout, request_id, now))
    }

    fn new(
        receiver: Receiver,
        format: Format,
        sender: &Sender<'_>,
        timeout: Duration,
        request_id: &str,
        now: Timestamp,
    ) -> Self {
        let id = format!("msg_{}", Fingerprint::of("webhook test").with(request_id).finish());
        let body = body(format, now);
        let trace = Some(TraceParent::of(&id));
        let message = Message { id: &id, format, event: EVENT, order_id: None, trace, body: &body };
        let headers = sender.headers(&message, now);
        let fields = headers.iter().map(|it| (it.name, it.value.as_str(), it.is_secret));
        Self { receiver, headers: header_map(fields), body, timeout }
    }
}

fn body(format: Format, now: Timestamp) -> Vec<u8> {
    let body = match format {
        Format::StatusUpdate => json!({"timestamp": now, "event": EVENT, "orders": []}),
        Format::OrderStatusChanged | Format::Standard => {
            json!({"type": EVENT, "timestamp": now, "data": {}})
        }
    };
    body.to_string().into()
}
