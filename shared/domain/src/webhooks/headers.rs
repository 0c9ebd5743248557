//! The headers of a POST to an endpoint, with the Standard Webhooks signature.

use std::collections::BTreeMap;

use crate::core::id::OrderId;
use crate::core::timestamp::Timestamp;
use crate::core::trace::TraceParent;
use crate::webhooks::endpoint::Format;
use crate::webhooks::signing::SigningKeys;

const LEGACY_SECRET: &str = "x-vendor-server-secret";
/// A custom header may carry a token. Values of at least this many bytes are treated as secrets.
const MIN_SECRET_LENGTH: usize = 8;
const USER_AGENT: &str = concat!("Waypost/", env!("CARGO_PKG_VERSION"));

/// A POST.
#[derive(Clone, Copy)]
pub struct Message<'a> {
    /// `webhook-id`
    pub id: &'a str,
    pub format: Format,
    /// `x-webhook-event`
    pub event: &'a str,
    pub order_id: Option<&'a OrderId>,
    pub trace: Option<TraceParent>,
    pub body: &'a [u8],
}

/// The headers of the endpoint's settings and secrets.
#[derive(Clone, Copy)]
pub struct Sender<'a> {
    pub headers: &'a BTreeMap<String, String>,
    pub keys: &'a SigningKeys,
    pub legacy_secret: Option<&'a str>,
}

pub struct Header<'a> {
    pub name: &'a str,
    pub value: String,
    pub is_secret: bool,
}

impl Sender<'_> {
    /// The headers of an attempt at `at`. One replaces an earlier one of the same name. The
    /// signature covers the message's id, the time in seconds, and the body.
    pub fn headers(&self, message: &Message<'_>, at: Timestamp) -> Vec<Header<'_>> {
        let custom = self.headers.iter().map(|(name, value)| Header {
            name,
            value: value.clone(),
            is_secret: value.len() >= MIN_SECRET_LENGTH,
        });
        let mut headers: Vec<Header<'_>> = custom.collect();
        let mut set = |name, value: &str| {
            let is_secret = name == LEGACY_SECRET;
            headers.push(Header { name, value: value.to_owned(), is_secret });
        };
        set("content-type", "application/json");
        set("user-agent", USER_AGENT);
        set("webhook-id", message.id);
        set("webhook-timestamp", &at.seconds().to_string());
        set("webhook-signature", &self.keys.sign(message.id, at, message.body));
        if let Some(trace) = message.trace {
            set("traceparent", &trace.to_string());
        }
        if message.format == Format::OrderStatusChanged {
            set("user-agent", "VendorServer-Webhook/1.0");
            set("x-webhook-event", message.event);
            set("x-webhook-timestamp", &at.to_string());
            if let Some(order) = message.order_id {
                set("x-webhook-order-id", order.as_str());
            }
        }
        if let Some(secret) = self.legacy_secret {
            set(LEGACY_SECRET, secret);
        }
        headers
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::testing::minute;
    use crate::webhooks::endpoint::Settings;

    /// As receivers of the older format check a request: by the shared secret, and by its age.
    fn is_accepted(headers: &[Header<'_>], secret: &str, arrival: Timestamp) -> bool {
        let value = |name| headers.iter().find(|header| header.name == name).map(|it| &*it.value);
        let sent_at = value("x-webhook-timestamp").and_then(|at| Timestamp::parse(at).ok());
        value("x-vendor-server-secret") == Some(secret)
            && sent_at.is_some_and(|at| arrival.since(at) <= Duration::from_secs(300))
    }

    /// Over 39.7 hours, as an endpoint of the older format may ask for.
    #[test]
    fn older_receivers_accept_every_attempt() {
        let settings = r#"{"format":"order.status_changed",
            "backoff":[5,30,120,600,1800,3600,7200,14400,28800,86400]}"#;
        let settings = Settings::parse(settings).unwrap();
        let keys = SigningKeys::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let sender = Sender { headers: &settings.headers, keys: &keys, legacy_secret: Some("old") };
        let event_at = minute(0);
        let message = Message {
            id: "msg_1",
            format: settings.format,
            event: "order.status_changed",
            order_id: None,
            trace: None,
            body: b"{}",
        };
        let mut at = event_at;
        for attempt in 1.. {
            let headers = sender.headers(&message, at);
            let arrival = at.after(settings.timeout);
            assert!(is_accepted(&headers, "old", arrival), "attempt {attempt}");
            assert!(!is_accepted(&headers, "new", arrival), "attempt {attempt}");
            let Some(wait) = settings.schedule.wait_after(attempt, message.id, None) else { break };
            at = at.after(wait);
        }
        assert!(at.since(event_at) > Duration::from_secs(39 * 3600), "{at}");
    }
}
