//! Sends deliveries: takes a lease, signs and posts the delivery, records the attempt.
//!
//! Delivery is at least once: the lease keeps other workers from sending at the same time, and
//! after a crash the delivery is sent again with the same id once the lease expires. Endpoints
//! dedup by `webhook-id`.

mod attempt;
mod endpoint;
mod function;
mod headers;
mod health;
mod in_flight;
mod insist;
mod messages;
mod numbers;
mod put_off;
mod request;
mod rules;
mod slow_lane;
mod tally;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aws::clock::now;
use aws::entropy;
use aws::error::IoError;
use aws::lambda::sqs_batch::RecordOutcome;
use aws::settings::Settings;
use aws::sqs::Queue;
use aws::tables::counters::Counters;
use aws::tables::deliveries::{Attempt, ClaimOutcome, Deliveries, DeliveryOutcome, Lease};
use domain::core::timestamp::Timestamp;
use domain::webhooks::delivery::{Delivery, SCHEMA_VERSION};
use domain::webhooks::health::{EndpointState, Health, Sign};
use domain::webhooks::kind::Kind;
use domain::webhooks::latest::can_be_superseded;
use domain::webhooks::lease::{NextAttempt, lasts_for_attempt};
use domain::webhooks::retry::{AttemptOutcome, DeadReason, NextStep};
use egress::Http;

pub use function::Function;
pub use health::{HEALTH_TTL, HealthMonitor};

use attempt::{AttemptResult, failed, log_attempt, log_probe, millis, post};
use endpoint::{EndpointResolver, Resolution, ResolvedEndpoint};
use in_flight::InFlight;
use insist::insist;
pub use messages::MessageSender;
use slow_lane::main_lane_limit;
use tally::Tally;

/// Time reserved for the claim before an attempt and the record after it.
const RECORDING: Duration = Duration::from_secs(10);

/// A delivery is dead-lettered at this age, whatever `Retry-After` asks for: its row is kept for 30
/// days, and its dead letter for 14. A schedule takes at most 7 days and a fifth for jitter, and 3
/// days parked do not count.
const MAX_AGE: Duration = Duration::from_secs(12 * 24 * 60 * 60);

/// The wait after another worker took the lease, or while the endpoint has enough requests.
const SOON: Duration = Duration::from_secs(1);

pub struct Deliver {
    deliveries: Deliveries,
    dead_letters: Queue,
    /// The queue of the slow lane; `None` in the slow lane, and without one.
    slow_lane: Option<Queue>,
    endpoints: EndpointResolver,
    health: HealthMonitor,
    in_flight: InFlight,
    tally: Tally,
    /// `None` in the slow lane, which sends no messages.
    sender: Option<MessageSender>,
    http: Http,
    worker: String,
    claims: AtomicU64,
}

impl Deliver {
    pub fn new(
        deliveries: Deliveries,
        health: HealthMonitor,
        dead_letters: Queue,
        slow_lane: Option<Queue>,
        sender: Option<MessageSender>,
        settings: Settings,
        http: Http,
    ) -> Self {
        Self {
            deliveries,
            dead_letters,
            slow_lane,
            endpoints: EndpointResolver::new(settings),
            health,
            in_flight: InFlight::default(),
            tally: Tally::default(),
            sender,
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
            return Ok(RecordOutcome::unreadable(message, SCHEMA_VERSION));
        };
        match delivery.kind {
            Kind::Webhook { .. } => self.handle_webhook(message, delivery, deadline).await,
            Kind::WhatsApp => self.handle_message(delivery, deadline).await,
        }
    }

    async fn handle_webhook(
        &self,
        message: &str,
        delivery: Delivery,
        deadline: Timestamp,
    ) -> Result<RecordOutcome, IoError> {
        let endpoint = self.endpoints.resolve(&delivery.endpoint, now()).await?;
        let timeout = endpoint.timeout();
        if now().after(timeout).after(RECORDING) > deadline {
            return Ok(RecordOutcome::RetryAfter(Duration::ZERO));
        }
        let Health { state, is_slow, .. } = self.health.of(&delivery.endpoint, now()).await;
        if let Some(slow_lane) = self.slow_lane.as_ref().filter(|_| is_slow) {
            return slow_lane::send(slow_lane, &delivery.endpoint, message.to_owned()).await;
        }
        let _permit = match &*endpoint {
            Resolution::Ready(endpoint) => {
                let max = endpoint.settings.max_in_flight;
                let Some(permit) = self.in_flight.acquire(&delivery.endpoint, max).await else {
                    return Ok(RecordOutcome::RetryAfter(SOON));
                };
                Some(permit)
            }
            Resolution::Unavailable(_) | Resolution::Unusable => None,
        };
        let lease = match self.deliveries.claim(&delivery, &self.owner(), timeout, now()).await? {
            ClaimOutcome::Leased(lease) => lease,
            ClaimOutcome::Wait(wait) => return Ok(RecordOutcome::RetryAfter(wait)),
            // Only a message of ours is `Unfinished`.
            ClaimOutcome::Obsolete | ClaimOutcome::Unfinished(_) => return Ok(RecordOutcome::Ack),
        };
        if !lasts_for_attempt(lease.until, timeout, now()) {
            return Ok(RecordOutcome::RetryAfter(lease.until.since(now()).max(SOON)));
        }
        if lease.body.is_empty() {
            return self.give_up_unsent(delivery, &lease, DeadReason::Erased).await;
        }
        match &*endpoint {
            Resolution::Ready(endpoint)
                if endpoint.settings.latest_only && self.is_superseded(&delivery, &lease).await =>
            {
                self.supersede(delivery, &lease).await
            }
            Resolution::Ready(endpoint) => match state {
                EndpointState::Active | EndpointState::Recovering => {
                    // A probe that comes late is an attempt like any other.
                    let delivery = Delivery { probe: false, ..delivery };
                    self.attempt(delivery, endpoint, &lease).await
                }
                EndpointState::Paused => self.park_or_probe(delivery, endpoint, &lease).await,
                EndpointState::Disabled => {
                    self.give_up_unsent(delivery, &lease, DeadReason::EndpointDisabled).await
                }
            },
            Resolution::Unavailable(unavailable) => {
                if delivery.probe {
                    // Nothing to probe any more: all that is parked follows.
                    self.health.recover(&delivery.endpoint, now()).await?;
                }
                self.give_up_unsent(delivery, &lease, unavailable.reason()).await
            }
            Resolution::Unusable => self.wait_for_settings(delivery, &lease).await,
        }
    }

    /// Unique to one claim.
    fn owner(&self) -> String {
        format!("{}/{}", self.worker, self.claims.fetch_add(1, Ordering::Relaxed))
    }

    /// True if a newer delivery was claimed, and supersedes this one. Records the delivery as the
    /// newest otherwise, before the attempt: later retries of older ones find it.
    async fn is_superseded(&self, delivery: &Delivery, lease: &Lease) -> bool {
        let is_latest =
            self.deliveries.note_latest(delivery, now()).await.unwrap_or_else(|error| {
                // The attempt is claimed: a failure here must not use it up.
                tracing::warn!(delivery_id = delivery.id, %error, "delivery.latest_unknown");
                true
            });
        !is_latest && can_be_superseded(delivery.run, lease.attempt, lease.parked_since.is_some())
    }

    async fn supersede(&self, delivery: Delivery, lease: &Lease) -> Result<RecordOutcome, IoError> {
        tracing::info!(
            delivery_id = delivery.id,
            endpoint = %delivery.endpoint,
            "delivery.superseded"
        );
        self.replace_probe(&delivery).await?;
        let is_superseded = self.deliveries.supersede(lease, now()).await?;
        Ok(if is_superseded { RecordOutcome::Ack } else { RecordOutcome::RetryAfter(SOON) })
    }

    /// Asks for another probe, if this one makes no request.
    async fn replace_probe(&self, delivery: &Delivery) -> Result<(), IoError> {
        if delivery.probe {
            self.health.probe_again(&delivery.endpoint, now()).await?;
        }
        Ok(())
    }

    /// Reports the counts since the last report.
    pub async fn report(&self, counters: &Counters, now: Timestamp) {
        self.tally.report(counters, now).await;
    }

    async fn give_up_unsent(
        &self,
        delivery: Delivery,
        lease: &Lease,
        reason: DeadReason,
    ) -> Result<RecordOutcome, IoError> {
        let attempt = failed(now(), reason.as_str());
        self.conclude(delivery, lease, &attempt, DeliveryOutcome::Dead(reason)).await
    }

    /// Posts the delivery, and plans the next attempt if one is needed.
    async fn attempt(
        &self,
        delivery: Delivery,
        endpoint: &ResolvedEndpoint,
        lease: &Lease,
    ) -> Result<RecordOutcome, IoError> {
        let settings = &endpoint.settings;
        let slow_lane = self.slow_lane.as_ref().filter(|_| !delivery.probe);
        let limit = slow_lane.map_or(settings.timeout, |_| main_lane_limit(settings.timeout));
        let kind = lease.kind.webhook();
        let kind = kind.ok_or_else(|| IoError::unreadable("dynamodb:UpdateItem", "format"))?;
        let AttemptResult { attempt, outcome, retry_after } =
            post(&self.http, &delivery, endpoint, lease, kind, limit).await;
        if let Some(slow_lane) = slow_lane
            && outcome == AttemptOutcome::TimedOut
            && limit < settings.timeout
        {
            // The first request of the slow lane counts as the delivery's first one.
            self.tally.request(&delivery.endpoint, false, lease.attempt > 1, attempt.latency_ms);
            return self.hand_over(&delivery, lease, slow_lane).await;
        }
        self.health.note(&delivery.endpoint, outcome, delivery.probe, now()).await;
        if matches!(outcome, AttemptOutcome::Answered { .. } | AttemptOutcome::TimedOut) {
            let latency = Duration::from_millis(attempt.latency_ms);
            self.health.note_latency(&delivery.endpoint, latency, now()).await;
        }
        let next_step = outcome.next_step(settings.retry_4xx);
        if outcome != AttemptOutcome::Refused {
            self.count_request(&delivery, lease, &attempt, next_step == NextStep::Done);
        }
        let is_down = matches!(Sign::of(outcome), Some(Sign::Failure | Sign::Timeout));
        if delivery.probe && is_down && next_step == NextStep::Retry {
            // A probe is no attempt of the delivery.
            log_probe(&delivery, &attempt);
            return self.park(delivery, lease, None).await;
        }
        let outcome = match next_step {
            NextStep::Done => DeliveryOutcome::Delivered,
            NextStep::GiveUp(reason) => DeliveryOutcome::Dead(reason),
            NextStep::Retry => {
                let wait = settings.schedule.wait_after(lease.attempt, &delivery.id, retry_after);
                wait.map(|wait| NextAttempt::after(wait, now()))
                    .filter(|next| next.at.since(lease.began_at) <= MAX_AGE)
                    .map_or(DeliveryOutcome::Dead(DeadReason::Exhausted), DeliveryOutcome::Retry)
            }
        };
        self.conclude(delivery, lease, &attempt, outcome).await
    }

    /// Not for a URL that is refused: nothing was sent.
    fn count_request(
        &self,
        delivery: &Delivery,
        lease: &Lease,
        attempt: &Attempt,
        is_success: bool,
    ) {
        let (endpoint, is_retry) = (&delivery.endpoint, lease.attempt > 1);
        self.tally.request(endpoint, is_success, is_retry, attempt.latency_ms);
        if let (false, 1, Some(accepted)) = (is_retry, delivery.run, delivery.accepted_at) {
            self.tally.first_request(endpoint, millis(attempt.at.since(accepted)));
        }
    }

    /// Records the outcome, and acknowledges, retries or dead-letters the message.
    async fn conclude(
        &self,
        delivery: Delivery,
        lease: &Lease,
        attempt: &Attempt,
        outcome: DeliveryOutcome,
    ) -> Result<RecordOutcome, IoError> {
        log_attempt(&delivery, lease, attempt, outcome);
        let endpoint = delivery.endpoint.clone();
        if let (Kind::WhatsApp, DeliveryOutcome::Dead(reason)) = (delivery.kind, outcome) {
            let tell = async || self.tell_given_up(&delivery, reason, attempt.at).await;
            insist(tries_until(lease), tell).await?;
        }
        if let DeliveryOutcome::Dead(reason) = outcome
            && reason != DeadReason::Erased
        {
            // Send to the DLQ before the row says so: a crash in between repeats the dead letter,
            // never loses it. A redrive moves it back, and the next run restarts the row.
            let again = delivery.redriven();
            let group = again.endpoint.as_str();
            let send = async || {
                let message = again.to_message();
                self.dead_letters.send_dead_letter(Some(group), message, reason.as_str()).await
            };
            insist(tries_until(lease), send).await?;
        }
        let record = async || self.deliveries.record(lease, attempt, outcome, now()).await;
        let written = insist(tries_until(lease), record).await?;
        if written && matches!(outcome, DeliveryOutcome::Dead(_)) {
            self.tally.dead(&endpoint);
        }
        Ok(match outcome {
            // The lease expired and another worker holds it: check its outcome soon.
            _ if !written => RecordOutcome::RetryAfter(SOON),
            DeliveryOutcome::Retry(next) => waiting(next),
            DeliveryOutcome::Delivered
            | DeliveryOutcome::Dead(_)
            | DeliveryOutcome::Failed(_)
            | DeliveryOutcome::Unknown => RecordOutcome::Ack,
        })
    }
}

/// A webhook whose attempt is not recorded is sent again. A message is not: its worker insists on the
/// record for as long as it has the lease.
fn tries_until(lease: &Lease) -> Timestamp {
    match lease.kind {
        Kind::Webhook { .. } => Timestamp::EPOCH,
        Kind::WhatsApp => lease.until,
    }
}

/// A long wait takes place in the row: `sweep` sends the next message.
fn waiting(next: NextAttempt) -> RecordOutcome {
    if next.waits_in_flight() { RecordOutcome::RetryAfter(next.wait) } else { RecordOutcome::Ack }
}
