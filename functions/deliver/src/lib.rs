//! Sends deliveries: takes a lease, signs and posts the delivery, records the attempt.
//!
//! Delivery is at least once: the lease keeps other workers from sending at the same time, and
//! after a crash the delivery is sent again with the same id once the lease expires. Endpoints
//! dedup by `webhook-id`.

mod endpoint;
mod function;
mod headers;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aws::clock::now;
use aws::entropy;
use aws::error::IoError;
use aws::lambda::sqs_batch::{DeadLetterReason, RecordOutcome};
use aws::settings::Settings;
use aws::sqs::Queue;
use aws::tables::deliveries::{Attempt, ClaimOutcome, Deliveries, DeliveryOutcome, Lease};
use domain::core::timestamp::Timestamp;
use domain::webhooks::delivery::Delivery;
use domain::webhooks::lease::lasts_for_attempt;
use domain::webhooks::retry::{
    AttemptOutcome, DeadReason, NextStep, parse_retry_after, wait_for_settings,
};
use egress::policy::Refused;
use egress::{Http, SendError};

pub use function::Function;

use endpoint::{EndpointResolver, Resolution, ResolvedEndpoint};

/// Time reserved for the claim before an attempt and the record after it.
const RECORDING: Duration = Duration::from_secs(10);

/// A delivery is dead-lettered at this age. SQS deletes its message after 14 days.
const MAX_AGE: Duration = Duration::from_secs(9 * 24 * 60 * 60);

/// The wait after another worker took the lease.
const SOON: Duration = Duration::from_secs(1);

pub struct Deliver {
    deliveries: Deliveries,
    dead_letters: Queue,
    endpoints: EndpointResolver,
    http: Http,
    worker: String,
    claims: AtomicU64,
}

struct AttemptResult {
    attempt: Attempt,
    next_step: NextStep,
    retry_after: Option<Duration>,
}

impl Deliver {
    pub fn new(
        deliveries: Deliveries,
        dead_letters: Queue,
        settings: Settings,
        http: Http,
    ) -> Self {
        Self {
            deliveries,
            dead_letters,
            endpoints: EndpointResolver::new(settings),
            http,
            worker: entropy::worker_id(),
            claims: AtomicU64::new(0),
        }
    }

    /// Attempts one delivery, unless the attempt could end after `deadline`.
    pub async fn handle(
        &self,
        message: &str,
        deadline: Timestamp,
    ) -> Result<RecordOutcome, IoError> {
        let Some(delivery) = Delivery::from_message(message) else {
            return Ok(RecordOutcome::DeadLetter(DeadLetterReason::UnreadableMessage));
        };
        let endpoint = self.endpoints.resolve(&delivery.endpoint, now()).await?;
        let timeout = endpoint.timeout();
        if now().after(timeout).after(RECORDING) > deadline {
            return Ok(RecordOutcome::RetryAfter(Duration::ZERO));
        }
        let owner = format!("{}/{}", self.worker, self.claims.fetch_add(1, Ordering::Relaxed));
        let lease = match self.deliveries.claim(&delivery, &owner, timeout, now()).await? {
            ClaimOutcome::Leased(lease) => lease,
            ClaimOutcome::Wait(wait) => return Ok(RecordOutcome::RetryAfter(wait)),
            ClaimOutcome::Ended => return Ok(RecordOutcome::Ack),
        };
        if !lasts_for_attempt(lease.until, timeout, now()) {
            return Ok(RecordOutcome::RetryAfter(lease.until.since(now())));
        }
        let (result, wait) = match &*endpoint {
            Resolution::Ready(endpoint) => self.attempt(&delivery, endpoint, &lease).await,
            Resolution::Unavailable(unavailable) => (unsent(unavailable.reason()), None),
            Resolution::Unusable => return self.wait_for_settings(delivery, &lease).await,
        };
        self.conclude(delivery, &lease, &result, wait).await
    }

    /// Waits for an operator to correct the endpoint's settings, and gives up after two days.
    async fn wait_for_settings(
        &self,
        delivery: Delivery,
        lease: &Lease,
    ) -> Result<RecordOutcome, IoError> {
        let now = now();
        let waited = lease.unusable_since.map_or(Duration::ZERO, |since| now.since(since));
        let Some(wait) = wait_for_settings(waited) else {
            let result = unsent(DeadReason::UnusableSettings);
            return self.conclude(delivery, lease, &result, None).await;
        };
        tracing::warn!(
            delivery_id = delivery.id,
            endpoint = %delivery.endpoint,
            "delivery.unusable_settings"
        );
        let postponed = self.deliveries.postpone(lease, now.after(wait), now).await?;
        Ok(RecordOutcome::RetryAfter(if postponed { wait } else { SOON }))
    }

    /// Posts the delivery, and returns the wait before the next attempt, if the schedule has one.
    async fn attempt(
        &self,
        delivery: &Delivery,
        endpoint: &ResolvedEndpoint,
        lease: &Lease,
    ) -> (AttemptResult, Option<Duration>) {
        let result = self.post(delivery, endpoint, lease).await;
        let schedule = &endpoint.settings.schedule;
        let wait = schedule.wait_after(lease.attempt, &delivery.id, result.retry_after);
        // Whatever Retry-After asks for, a delivery must be dead-lettered before SQS deletes its
        // message.
        let wait = wait.filter(|wait| now().after(*wait).since(lease.began_at) <= MAX_AGE);
        (result, wait)
    }

    async fn post(
        &self,
        delivery: &Delivery,
        endpoint: &ResolvedEndpoint,
        lease: &Lease,
    ) -> AttemptResult {
        let at = now();
        let target = match &endpoint.target {
            Ok(target) => target,
            Err(refusal) => return refused(at, *refusal),
        };
        let headers = headers::build(delivery, endpoint, lease, at);
        match self.http.post(target, headers, lease.body.clone(), endpoint.settings.timeout).await {
            Ok(reply) => AttemptResult {
                next_step: AttemptOutcome::Answered(reply.status).next_step(),
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
                next_step: AttemptOutcome::NoAnswer.next_step(),
                retry_after: None,
                attempt: failed(at, error.code()),
            },
        }
    }

    /// Records the outcome, and acknowledges, retries or dead-letters the message.
    async fn conclude(
        &self,
        delivery: Delivery,
        lease: &Lease,
        result: &AttemptResult,
        wait: Option<Duration>,
    ) -> Result<RecordOutcome, IoError> {
        let outcome = match (result.next_step, wait) {
            (NextStep::Done, _) => DeliveryOutcome::Delivered,
            (NextStep::Retry, Some(wait)) => DeliveryOutcome::Retry(now().after(wait)),
            (NextStep::Retry, None) => DeliveryOutcome::Dead(DeadReason::Exhausted),
            (NextStep::GiveUp(reason), _) => DeliveryOutcome::Dead(reason),
        };
        log_attempt(&delivery, lease, result, outcome);
        if let DeliveryOutcome::Dead(reason) = outcome {
            // Send to the DLQ before the row says so: a crash in between repeats the dead letter,
            // never loses it. A redrive moves it back, and the next run restarts the row.
            let again = Delivery { run: delivery.run.saturating_add(1), ..delivery };
            let group = again.endpoint.as_str();
            self.dead_letters
                .send_dead_letter(Some(group), again.to_message(), reason.as_str())
                .await?;
        }
        let written = self.deliveries.record(lease, &result.attempt, outcome, now()).await?;
        Ok(match (outcome, wait) {
            (DeliveryOutcome::Retry(_), Some(wait)) if written => RecordOutcome::RetryAfter(wait),
            _ if written => RecordOutcome::Ack,
            // The lease expired and another worker holds it: check its outcome soon.
            _ => RecordOutcome::RetryAfter(SOON),
        })
    }
}

fn failed(at: Timestamp, error: &'static str) -> Attempt {
    Attempt {
        at,
        status: None,
        error: Some(error),
        latency_ms: millis(now().since(at)),
        excerpt: None,
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn refused(at: Timestamp, refusal: Refused) -> AttemptResult {
    AttemptResult {
        attempt: failed(at, refusal.code()),
        next_step: AttemptOutcome::Refused.next_step(),
        retry_after: None,
    }
}

fn unsent(reason: DeadReason) -> AttemptResult {
    AttemptResult {
        attempt: failed(now(), reason.as_str()),
        next_step: NextStep::GiveUp(reason),
        retry_after: None,
    }
}

fn log_attempt(
    delivery: &Delivery,
    lease: &Lease,
    AttemptResult { attempt, .. }: &AttemptResult,
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
