//! Attempts, as the row and the log have them.

use std::time::Duration;

use aws::clock::now;
use aws::tables::deliveries::{Attempt, DeliveryOutcome, Lease};
use domain::core::timestamp::Timestamp;
use domain::webhooks::delivery::Delivery;

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
