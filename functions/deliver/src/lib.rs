//! Posts deliveries: claims one, signs it, sends it, writes down what came of it.
//!
//! Between claim and outcome nobody else sends it. Killed in between, it is sent again with the same id once the
//! claim has run out: receivers see a delivery at least once and tell repeats by `webhook-id`.

mod headers;
mod receiver;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aws::clock::now;
use aws::error::IoError;
use aws::lambda::sqs_batch::Ending;
use aws::settings::Settings;
use aws::sqs::Queue;
use aws::tables::deliveries::{Attempt, Claimed, Deliveries, Lease, Outcome};
use domain::core::timestamp::Timestamp;
use domain::webhooks::delivery::Delivery;
use domain::webhooks::endpoint::MAX_TIMEOUT;
use domain::webhooks::retry::{Attempted, Reaction, parse_retry_after};
use egress::policy::Refused;
use egress::{Http, PostError};

use receiver::{Absent, Receiver, Receivers};

/// What claiming an attempt before it and recording it after may take.
const RECORDING: Duration = Duration::from_secs(10);

/// A delivery is given up at this age. Its message lives for 14 days.
const MAX_AGE: Duration = Duration::from_secs(9 * 24 * 60 * 60);

/// The function.
pub struct Deliver {
    deliveries: Deliveries,
    dead_letters: Queue,
    receivers: Receivers,
    http: Http,
    worker: String,
    claims: AtomicU64,
}

/// One attempt: what the row says of it, and what follows.
struct Made {
    attempt: Attempt,
    reaction: Reaction,
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
        let sandbox = std::env::var("AWS_LAMBDA_LOG_STREAM_NAME").unwrap_or_default();
        let worker = format!("{sandbox}/{}/{}", std::process::id(), now().millis());
        Self {
            deliveries,
            dead_letters,
            receivers: Receivers::new(settings),
            http,
            worker,
            claims: AtomicU64::new(0),
        }
    }

    /// Works on one delivery, unless that could take longer than `deadline`.
    ///
    /// # Errors
    /// Something is not available; the message has to come back.
    pub async fn handle(&self, message: &str, deadline: Timestamp) -> Result<Ending, IoError> {
        let Some(delivery) = Delivery::from_message(message) else {
            return Ok(Ending::SetAside("unreadable_message"));
        };
        let receiver = self.receivers.get(&delivery.endpoint, now()).await?;
        let timeout =
            receiver.as_ref().as_ref().map_or(MAX_TIMEOUT, |receiver| receiver.settings.timeout);
        if now().after(timeout).after(RECORDING) > deadline {
            return Ok(Ending::Later(Duration::ZERO));
        }
        let owner = format!("{}/{}", self.worker, self.claims.fetch_add(1, Ordering::Relaxed));
        let lease = match self.deliveries.claim(&delivery, &owner, timeout, now()).await? {
            Claimed::Leased(lease) => lease,
            Claimed::Wait(wait) => return Ok(Ending::Later(wait)),
            Claimed::Ended => return Ok(Ending::Done),
        };
        let made = match receiver.as_ref() {
            Ok(receiver) => self.post(&delivery, receiver, &lease).await,
            Err(absent) => unsent(*absent),
        };
        let wait = match receiver.as_ref() {
            Ok(receiver) => {
                receiver.settings.schedule.wait_after(lease.attempt, &delivery.id, made.retry_after)
            }
            Err(_) => None,
        };
        // However long receivers ask to wait: what is still tried must not end with its message, unseen.
        let wait = wait.filter(|wait| now().after(*wait).since(lease.began_at) <= MAX_AGE);
        self.conclude(delivery, &lease, &made, wait).await
    }

    async fn post(&self, delivery: &Delivery, receiver: &Receiver, lease: &Lease) -> Made {
        let at = now();
        let target = match &receiver.target {
            Ok(target) => target,
            Err(refusal) => return refused(at, *refusal),
        };
        let headers = headers::of(delivery, receiver, lease, at);
        match self.http.post(target, headers, lease.body.clone(), receiver.settings.timeout).await {
            Ok(reply) => Made {
                reaction: Attempted::Answered(reply.status).reaction(),
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
            Err(error) => Made {
                reaction: Attempted::NoAnswer.reaction(),
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
        made: &Made,
        wait: Option<Duration>,
    ) -> Result<Ending, IoError> {
        let outcome = match (made.reaction, wait) {
            (Reaction::Done, _) => Outcome::Delivered,
            (Reaction::Retry, Some(wait)) => Outcome::Retry(now().after(wait)),
            (Reaction::Retry, None) => Outcome::Dead("exhausted"),
            (Reaction::GiveUp(reason), _) => Outcome::Dead(reason),
        };
        log(&delivery, lease, made, outcome);
        if let Outcome::Dead(reason) = outcome {
            // First the copy, then the row: killed in between, it dies once more rather than never.
            let again = Delivery { run: delivery.run.saturating_add(1), ..delivery };
            let group = again.endpoint.as_str();
            self.dead_letters.set_aside(Some(group), again.to_message(), reason).await?;
        }
        let written = self.deliveries.record(lease, &made.attempt, outcome, now()).await?;
        Ok(match (outcome, wait) {
            (Outcome::Retry(_), Some(wait)) if written => Ending::Later(wait),
            _ if written => Ending::Done,
            // The lease ran out and went to another worker: look what became of it.
            _ => Ending::Later(Duration::from_secs(1)),
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

fn refused(at: Timestamp, refusal: Refused) -> Made {
    Made {
        attempt: failed(at, refusal.code()),
        reaction: Attempted::Refused.reaction(),
        retry_after: None,
    }
}

fn unsent(absent: Absent) -> Made {
    let reason = absent.reason();
    Made { attempt: failed(now(), reason), reaction: Reaction::GiveUp(reason), retry_after: None }
}

fn log(delivery: &Delivery, lease: &Lease, made: &Made, outcome: Outcome) {
    let (result, reason) = match outcome {
        Outcome::Delivered => ("delivered", None),
        Outcome::Retry(_) => ("retry", None),
        Outcome::Dead(reason) => ("dead", Some(reason)),
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
