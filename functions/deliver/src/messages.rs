//! Messages to shoppers, sent by the WhatsApp Cloud API.
//!
//! At most once: the API has no idempotency key. Only an answer that says that nothing was sent is
//! followed by another attempt. A message whose attempt has no result is `unknown`; a status of the
//! provider may settle it.

use std::time::Duration;

use aws::clock::now;
use aws::entropy::jitter;
use aws::error::IoError;
use aws::lambda::sqs_batch::{DeadLetterReason, RecordOutcome};
use aws::settings::Settings;
use aws::sqs::{Outgoing, Queue};
use aws::tables::deliveries::{Attempt, ClaimOutcome, DeliveryOutcome, Lease, Unfinished};
use aws::tables::messages::Messages;
use aws::tables::send_limits::SendLimits;
use domain::core::timestamp::Timestamp;
use domain::messaging::channel::ChannelError;
use domain::messaging::cloud_api::recipient_of;
use domain::messaging::send::{SendId, SendOutcome, SendResult, Unsent, number_of_endpoint};
use domain::webhooks::delivery::Delivery;
use domain::webhooks::health::EndpointState;
use domain::webhooks::lease::{NextAttempt, lasts_for_attempt};
use domain::webhooks::retry::{AttemptOutcome, DeadReason};

use crate::attempt::failed;
use crate::numbers::{Number, NumberResolver, Resolution};
use crate::request::{Reaction, RequestResult, post};
use crate::rules::{RuleChecks, Verdict};
use crate::{Deliver, RECORDING, SOON};

/// The Cloud API answers within a second as a rule. A message without an answer is never sent again.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Spreads the messages beyond the limit of a number, so that they do not all return at once: each
/// refused one is a write to the number's partition.
const SPREAD: Duration = Duration::from_secs(20);

/// What sending messages needs beside the deliveries.
pub struct MessageSender {
    /// The events queue, whose function keeps the messages' statuses.
    results: Queue,
    limits: SendLimits,
    numbers: NumberResolver,
    rules: RuleChecks,
}

impl MessageSender {
    pub fn new(results: Queue, limits: SendLimits, messages: Messages, settings: Settings) -> Self {
        let numbers = NumberResolver::new(settings.clone());
        Self { results, limits, numbers, rules: RuleChecks::new(messages, settings) }
    }
}

impl Deliver {
    pub(crate) async fn handle_message(
        &self,
        delivery: Delivery,
        deadline: Timestamp,
    ) -> Result<RecordOutcome, IoError> {
        let endpoint = delivery.endpoint.clone();
        let number = number_of_endpoint(&endpoint);
        let (Some(sender), Some(number)) = (&self.sender, number) else {
            return Ok(RecordOutcome::DeadLetter(DeadLetterReason::UnreadableMessage));
        };
        if now().after(TIMEOUT).after(RECORDING) > deadline {
            return Ok(RecordOutcome::RetryAfter(Duration::ZERO));
        }
        let resolution = sender.numbers.resolve(number, delivery.account.as_ref(), now()).await?;
        let state = self.health.of(&endpoint, now()).await.state;
        let is_paused = matches!(state, EndpointState::Paused | EndpointState::Disabled);
        // A probe is an attempt like any other: it sends its message.
        let parks = is_paused && !delivery.probe;
        let delivery = Delivery { probe: is_paused && delivery.probe, ..delivery };
        if let (Resolution::Ready(api), false) = (&resolution, parks) {
            let limit = api.messages_per_second;
            if let Err(wait) = sender.limits.take_number(number, limit, now()).await? {
                return Ok(RecordOutcome::RetryAfter(wait + jitter(SPREAD)));
            }
        }
        let lease = match self.deliveries.claim(&delivery, &self.owner(), TIMEOUT, now()).await? {
            ClaimOutcome::Leased(lease) => lease,
            ClaimOutcome::Wait(wait) => return Ok(RecordOutcome::RetryAfter(wait)),
            ClaimOutcome::Unfinished(it) => return self.end_unknown(sender, &delivery, &it).await,
            ClaimOutcome::Obsolete => return Ok(RecordOutcome::Ack),
        };
        let unsent = self.until_post(sender, &delivery, &lease, resolution, parks, number).await;
        let api = match self.or_put_back(&lease, unsent).await? {
            Step::Post(api) => api,
            Step::Done(outcome) => return Ok(outcome),
        };
        let result = post(&self.http, &api, &lease, TIMEOUT).await;
        let may_be_sent = matches!(
            result.reaction,
            Reaction::End(DeliveryOutcome::Delivered | DeliveryOutcome::Unknown, _)
        );
        let concluded = self.conclude_request(sender, delivery, &lease, result).await;
        if may_be_sent { concluded } else { self.or_put_back(&lease, concluded).await }
    }

    /// Everything that may keep a message from being sent.
    async fn until_post(
        &self,
        sender: &MessageSender,
        delivery: &Delivery,
        lease: &Lease,
        resolution: Resolution,
        parks: bool,
        number: &str,
    ) -> Result<Step, IoError> {
        let delivery = delivery.clone();
        let done = match resolution {
            _ if lease.body.is_empty() => {
                self.give_up_unsent(delivery, lease, DeadReason::Erased).await
            }
            Resolution::Ready(_) if parks => self.park(delivery, lease).await,
            Resolution::Ready(api) => match self.verdict(sender, &delivery, lease, number).await? {
                Verdict::Send if lasts_for_attempt(lease.until, TIMEOUT, now()) => {
                    return Ok(Step::Post(api));
                }
                Verdict::Send => self.put_back(&delivery, lease, SOON).await,
                Verdict::Wait(wait) => self.put_back(&delivery, lease, wait).await,
                Verdict::End(unsent) => self.end_unsent(sender, delivery, lease, unsent).await,
            },
            Resolution::Removed => {
                self.give_up_unsent(delivery, lease, DeadReason::EndpointRemoved).await
            }
            Resolution::Unusable => self.wait_for_settings(delivery, lease).await,
        };
        done.map(Step::Done)
    }

    /// What the rules and the limit of its shopper say about a message.
    async fn verdict(
        &self,
        sender: &MessageSender,
        delivery: &Delivery,
        lease: &Lease,
        number: &str,
    ) -> Result<Verdict, IoError> {
        let verdict = sender.rules.check(delivery, lease).await?;
        let (Verdict::Send, Some(to)) = (verdict, recipient_of(&lease.body)) else {
            return Ok(verdict);
        };
        let taken = sender.limits.take_pair(number, &to, now()).await?;
        Ok(taken.map_or_else(Verdict::Wait, |()| Verdict::Send))
    }

    /// Releases the lease after an error about a message that was not sent: a lease that just ends
    /// stands for an attempt without a result.
    async fn or_put_back<T>(
        &self,
        lease: &Lease,
        result: Result<T, IoError>,
    ) -> Result<T, IoError> {
        if result.is_err() {
            let next = NextAttempt::after(SOON, now());
            if let Err(error) = self.deliveries.put_back(lease, next, now()).await {
                tracing::error!(%error, "message.not_put_back");
            }
        }
        result
    }

    async fn conclude_request(
        &self,
        sender: &MessageSender,
        delivery: Delivery,
        lease: &Lease,
        RequestResult { attempt, reaction }: RequestResult,
    ) -> Result<RecordOutcome, IoError> {
        let is_sent = matches!(reaction, Reaction::End(DeliveryOutcome::Delivered, _));
        self.health
            .note(&delivery.endpoint, sign_of(&attempt, &reaction), delivery.probe, now())
            .await;
        self.count_request(&delivery, lease, &attempt, is_sent);
        let delivery = Delivery { probe: false, ..delivery };
        let outcome = match reaction {
            Reaction::End(outcome, result) => {
                self.tell(sender, &delivery, result, attempt.at).await?;
                outcome
            }
            Reaction::Retry(wait) => wait.outcome(lease.attempt, &delivery.id, now()),
            Reaction::Refused => DeliveryOutcome::Dead(DeadReason::UrlRefused),
            Reaction::PauseNumber => {
                tracing::error!(
                    delivery_id = delivery.id,
                    endpoint = %delivery.endpoint,
                    status = attempt.status,
                    answer = attempt.excerpt,
                    "number.refused"
                );
                self.health.pause_number(&delivery.endpoint, now()).await?;
                return self.park(delivery, lease).await;
            }
        };
        self.conclude(delivery, lease, &attempt, outcome).await
    }

    async fn end_unsent(
        &self,
        sender: &MessageSender,
        delivery: Delivery,
        lease: &Lease,
        unsent: Unsent,
    ) -> Result<RecordOutcome, IoError> {
        self.replace_probe(&delivery).await?;
        let reason = unsent.reason();
        let attempt = Attempt { excerpt: reason.clone(), ..failed(now(), "not_sent") };
        let error = ChannelError { code: None, title: reason, details: None };
        self.tell(sender, &delivery, SendOutcome::Failed { error }, attempt.at).await?;
        self.conclude(delivery, lease, &attempt, DeliveryOutcome::Failed(unsent)).await
    }

    /// Releases a lease without an attempt.
    async fn put_back(
        &self,
        delivery: &Delivery,
        lease: &Lease,
        wait: Duration,
    ) -> Result<RecordOutcome, IoError> {
        self.replace_probe(delivery).await?;
        let next = NextAttempt::after(wait, now());
        let is_back = self.deliveries.put_back(lease, next, now()).await?;
        Ok(if is_back { crate::waiting(next) } else { RecordOutcome::RetryAfter(SOON) })
    }

    /// Ends a message whose attempt has no result: its worker was killed.
    async fn end_unknown(
        &self,
        sender: &MessageSender,
        delivery: &Delivery,
        unfinished: &Unfinished,
    ) -> Result<RecordOutcome, IoError> {
        tracing::warn!(delivery_id = delivery.id, endpoint = %delivery.endpoint, "message.unknown");
        self.tell(sender, delivery, SendOutcome::Unknown, now()).await?;
        let has_ended = self.deliveries.end_unknown(unfinished, now()).await?;
        Ok(if has_ended { RecordOutcome::Ack } else { RecordOutcome::RetryAfter(SOON) })
    }

    /// Tells that a message was given up unsent.
    pub(crate) async fn tell_given_up(
        &self,
        delivery: &Delivery,
        reason: DeadReason,
        at: Timestamp,
    ) -> Result<(), IoError> {
        let Some(sender) = &self.sender else { return Ok(()) };
        let title = Some(reason.as_str().to_owned());
        let error = ChannelError { code: None, title, details: None };
        self.tell(sender, delivery, SendOutcome::Failed { error }, at).await
    }

    /// Before the row says so: a crash in between repeats the result, never loses it.
    async fn tell(
        &self,
        sender: &MessageSender,
        delivery: &Delivery,
        outcome: SendOutcome,
        at: Timestamp,
    ) -> Result<(), IoError> {
        let (Some(account), Some(send)) = (&delivery.account, SendId::parse(&delivery.id)) else {
            return Ok(());
        };
        let account = account.clone();
        let group = account.as_str().to_owned();
        let result = SendResult { v: SendResult::VERSION, account, send, at, outcome };
        sender.results.send(Outgoing { body: result.to_message(), group }).await
    }
}

/// What comes of a claimed message.
enum Step {
    Post(Number),
    Done(RecordOutcome),
}

/// What an attempt says about the Cloud API: an answer of its own, whichever, that it works.
fn sign_of(attempt: &Attempt, reaction: &Reaction) -> AttemptOutcome {
    match (attempt.status, reaction) {
        (None, Reaction::Refused) => AttemptOutcome::Refused,
        (None, Reaction::End(..)) => AttemptOutcome::TimedOut,
        (None, _) | (_, Reaction::End(DeliveryOutcome::Unknown, _)) => AttemptOutcome::NoAnswer,
        (Some(_), _) => AttemptOutcome::Answered { status: 200, directive: None },
    }
}
