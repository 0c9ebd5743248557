//! Attempts: the request, and the row and the log of it.

use std::time::Duration;

use aws::clock::now;
use aws::tables::deliveries::{Attempt, DeliveryOutcome, Lease};
use domain::core::timestamp::Timestamp;
use domain::webhooks::delivery::Delivery;
use domain::webhooks::endpoint::{EventType, Format};
use domain::webhooks::retry::{AttemptOutcome, DeliveryDirective, parse_retry_after};
use egress::policy::Refused;
use egress::{Http, SendError};

use crate::endpoint::ResolvedEndpoint;
use crate::headers;

pub(crate) struct AttemptResult {
    pub(crate) attempt: Attempt,
    pub(crate) outcome: AttemptOutcome,
    pub(crate) retry_after: Option<Duration>,
}

/// Signs and posts a delivery.
pub(crate) async fn post(
    http: &Http,
    delivery: &Delivery,
    endpoint: &ResolvedEndpoint,
    lease: &Lease,
    kind: (Format, EventType),
    timeout: Duration,
) -> AttemptResult {
    let at = now();
    let target = match &endpoint.target {
        Ok(target) => target,
        Err(refusal) => return refused(at, *refusal),
    };
    let headers = headers::build(delivery, endpoint, lease, kind, at);
    match http.post(target, headers, lease.body.clone(), timeout).await {
        Ok(reply) => AttemptResult {
            outcome: AttemptOutcome::Answered {
                status: reply.status,
                directive: reply.delivery_directive.as_deref().and_then(DeliveryDirective::parse),
            },
            retry_after: reply
                .retry_after
                .as_deref()
                .and_then(|value| parse_retry_after(value, now())),
            attempt: Attempt {
                at,
                status: Some(reply.status),
                error: None,
                latency_ms: millis(reply.latency),
                excerpt: Some(reply.excerpt),
            },
        },
        Err(SendError::Refused(refusal)) => refused(at, refusal),
        Err(error) => AttemptResult {
            outcome: match error {
                SendError::Timeout => AttemptOutcome::TimedOut,
                _ => AttemptOutcome::NoAnswer,
            },
            retry_after: None,
            attempt: failed(at, error.code()),
        },
    }
}

fn refused(at: Timestamp, refusal: Refused) -> AttemptResult {
    AttemptResult {
        attempt: failed(at, refusal.code()),
        outcome: AttemptOutcome::Refused,
        retry_after: None,
    }
}

pub(crate) fn failed(at: Timestamp, error: &'static str) -> Attempt {
    Attempt {
        at,
        status: None,
        error: Some(error),
        latency_ms: millis(now().since(at)),
        excerpt: None,
    }
}

pub(crate) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

pub(crate) fn log_probe(delivery: &Delivery, attempt: &Attempt) {
    tracing::info!(
        delivery_id = delivery.id,
        endpoint = %delivery.endpoint,
        status = attempt.status,
        error = attempt.error,
        latency_ms = attempt.latency_ms,
        "endpoint.probe_failed"
    );
}

pub(crate) fn log_attempt(
    delivery: &Delivery,
    lease: &Lease,
    attempt: &Attempt,
    outcome: DeliveryOutcome,
) {
    let (result, reason) = match outcome {
        DeliveryOutcome::Delivered => ("delivered", None),
        DeliveryOutcome::Retry(_) => ("retry", None),
        DeliveryOutcome::Dead(reason) => ("dead", Some(reason.as_str())),
        DeliveryOutcome::Failed(_) => ("failed", None),
        DeliveryOutcome::Unknown => ("unknown", None),
    };
    tracing::info!(
        delivery_id = delivery.id,
        endpoint = %delivery.endpoint,
        trace_id = lease.trace.trace_id(),
        run = delivery.run,
        attempt = lease.attempt,
        status = attempt.status,
        error = attempt.error,
        latency_ms = attempt.latency_ms,
        result,
        reason,
        "delivery.attempted"
    );
}
