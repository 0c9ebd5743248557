//! Posts deliveries: claims one, signs it, sends it, writes down what came of it.
//!
//! Between claim and outcome nobody else sends it. Killed in between, it is sent again with the same id once the
//! claim has run out: endpoints see a delivery at least once and tell repeats by `webhook-id`.

mod endpoint;
mod headers;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aws::clock::now;
use aws::entropy;
use aws::error::IoError;
use aws::lambda::sqs_batch::{DeadLetterReason, RecordOutcome};
use aws::settings::Settings;
use aws::sqs::Queue;
use aws::tables::deliveries::{Attempt, ClaimOutcome, Deliveries, Lease, Outcome};
use domain::core::timestamp::Timestamp;
use domain::webhooks::delivery::Delivery;
use domain::webhooks::endpoint::MAX_TIMEOUT;
use domain::webhooks::retry::{AttemptOutcome, DeadReason, NextStep, parse_retry_after};
use egress::policy::Refused;
use egress::{Http, PostError};

use endpoint::{EndpointResolver, ResolvedEndpoint, Unavailable};

/// What claiming an attempt before it and recording it after may take.
const RECORDING: Duration = Duration::from_secs(10);

/// A delivery is given up at this age. Its message lives for 14 days.
const MAX_AGE: Duration = Duration::from_secs(9 * 24 * 60 * 60);

/// The function.
pub struct Deliver {
    deliveries: Deliveries,
    dead_letters: Queue,
    endpoints: EndpointResolver,
    http: Http,
    worker: String,
    claims: AtomicU64,
}

/// One attempt: what the row says of it, and what follows.
struct AttemptResult {
    attempt: Attempt,
    next_step: NextStep,
    retry_after: Option<Duration>,
}

impl Deliver {
    /// With its table, the queue for what dies, its settings and the way out.
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

    /// Works on one delivery, unless that could take longer than `deadline`.
    ///
    /// # Errors
    /// Something is not available; the message has to come back.
    pub async fn handle(
        &self,
        message: &str,
        deadline: Timestamp,
    ) -> Result<RecordOutcome, IoError> {
        let Some(delivery) = Delivery::from_message(message) else {
            return Ok(RecordOutcome::DeadLetter(DeadLetterReason::UnreadableMessage));
        };
        let endpoint = self.endpoints.get(&delivery.endpoint, now()).await?;
        let timeout =
            endpoint.as_ref().as_ref().map_or(MAX_TIMEOUT, |endpoint| endpoint.settings.timeout);
        if now().after(timeout).after(RECORDING) > deadline {
            return Ok(RecordOutcome::RetryAfter(Duration::ZERO));
        }
        let owner = format!("{}/{}", self.worker, self.claims.fetch_add(1, Ordering::Relaxed));
        let lease = match self.deliveries.claim(&delivery, &owner, timeout, now()).await? {
            ClaimOutcome::Leased(lease) => lease,
            ClaimOutcome::Wait(wait) => return Ok(RecordOutcome::RetryAfter(wait)),
            ClaimOutcome::Ended => return Ok(RecordOutcome::Ack),
        };
        let result = match endpoint.as_ref() {
            Ok(endpoint) => self.post(&delivery, endpoint, &lease).await,
            Err(unavailable) => unsent(*unavailable),
        };
        let wait = match endpoint.as_ref() {
            Ok(endpoint) => endpoint.settings.schedule.wait_after(
                lease.attempt,
                &delivery.id,
                result.retry_after,
            ),
            Err(_) => None,
        };
        // However long endpoints ask to wait: what is still tried must not end with its message, unseen.
        let wait = wait.filter(|wait| now().after(*wait).since(lease.began_at) <= MAX_AGE);
        self.conclude(delivery, &lease, &result, wait).await
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
        let headers = headers::of(delivery, endpoint, lease, at);
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
            Err(PostError::Refused(refusal)) => refused(at, refusal),
            Err(error) => AttemptResult {
                next_step: AttemptOutcome::NoAnswer.next_step(),
                retry_after: None,
                attempt: failed(at, error.code()),
            },
        }
    }

    /// Writes the outcome, and lets the message go or come back.
    async fn conclude(
        &self,
        delivery: Delivery,
        lease: &Lease,
        result: &AttemptResult,
        wait: Option<Duration>,
    ) -> Result<RecordOutcome, IoError> {
        let outcome = match (result.next_step, wait) {
            (NextStep::Done, _) => Outcome::Delivered,
            (NextStep::Retry, Some(wait)) => Outcome::Retry(now().after(wait)),
            (NextStep::Retry, None) => Outcome::Dead(DeadReason::Exhausted),
            (NextStep::GiveUp(reason), _) => Outcome::Dead(reason),
        };
        log(&delivery, lease, result, outcome);
        if let Outcome::Dead(reason) = outcome {
            // First the copy, then the row: killed in between, it dies once more rather than never.
            let again = Delivery { run: delivery.run.saturating_add(1), ..delivery };
            let group = again.endpoint.as_str();
            self.dead_letters
                .send_dead_letter(Some(group), again.to_message(), reason.as_str())
                .await?;
        }
        let written = self.deliveries.record(lease, &result.attempt, outcome, now()).await?;
        Ok(match (outcome, wait) {
            (Outcome::Retry(_), Some(wait)) if written => RecordOutcome::RetryAfter(wait),
            _ if written => RecordOutcome::Ack,
            // The lease ran out and went to another worker: look what became of it.
            _ => RecordOutcome::RetryAfter(Duration::from_secs(1)),
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

fn unsent(unavailable: Unavailable) -> AttemptResult {
    let reason = unavailable.reason();
    AttemptResult {
        attempt: failed(now(), reason.as_str()),
        next_step: NextStep::GiveUp(reason),
        retry_after: None,
    }
}

fn log(delivery: &Delivery, lease: &Lease, made: &AttemptResult, outcome: Outcome) {
    let (result, reason) = match outcome {
        Outcome::Delivered => ("delivered", None),
        Outcome::Retry(_) => ("retry", None),
        Outcome::Dead(reason) => ("dead", Some(reason.as_str())),
    };
    tracing::info!(
        delivery_id = delivery.id,
        endpoint = %delivery.endpoint,
        run = delivery.run,
        attempt = lease.attempt,
        status = made.attempt.status,
        error = made.attempt.error,
        latency_ms = made.attempt.latency_ms,
        result,
        reason,
        "delivery.attempted"
    );
}
