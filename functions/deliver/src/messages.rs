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
use aws::sqs::Queue;
use aws::tables::deliveries::{Attempt, ClaimOutcome, DeliveryOutcome, Lease, Unfinished};
use aws::tables::inbound::in_group_of;
use aws::tables::messages::Messages;
use aws::tables::orders::Orders;
use aws::tables::send_limits::SendLimits;
use domain::core::timestamp::Timestamp;
use domain::messaging::channel::ChannelError;
use domain::messaging::cloud_api::recipient_of;
use domain::messaging::send::{SendId, SendOutcome, SendResult, Unsent, number_of_endpoint};
use domain::webhooks::delivery::Delivery;
use domain::webhooks::health::EndpointState;
use domain::webhooks::lease::{LEASE_MARGIN, NextAttempt, lasts_for_attempt};
use domain::webhooks::retry::{AttemptOutcome, DeadReason};

use crate::attempt::failed;
use crate::insist::insist;
use crate::numbers::{Number, NumberResolver, Resolution};
use crate::request::{Reaction, RequestResult, post};
use crate::rules::{RuleChecks, Verdict};
use crate::{Deliver, RECORDING, SOON};

/// The Cloud API answers within a second as a rule. A message without an answer is never sent again.
const TIMEOUT: Duration = Duration::from_secs(30);
/// How long a claim is tried. An answer to a claim that is lost is as bad as a worker that is killed.
const CLAIMING: Duration = Duration::from_secs(10);
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
    pub fn new(
        results: Queue,
        limits: SendLimits,
        messages: Messages,
        orders: Orders,
        settings: Settings,
    ) -> Self {
        let numbers = NumberResolver::new(settings.clone());
        Self { results, limits, numbers, rules: RuleChecks::new(messages, orders, settings) }
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
        let longest = CLAIMING + TIMEOUT + LEASE_MARGIN + RECORDING;
        if now().after(longest) > deadline {
            return Ok(RecordOutcome::RetryAfter(Duration::ZERO));
        }
        let resolution = sender.numbers.resolve(number, &delivery, now()).await?;
        let health = self.health.of(&endpoint, now()).await;
        let is_paused = matches!(health.state, EndpointState::Paused | EndpointState::Disabled);
        // A probe is an attempt like any other: it sends its message. It may have been queued before
        // a pause without probes.
        let probes = is_paused && delivery.probe && health.probe_at.is_some();
        let parks = is_paused && !probes;
        let delivery = Delivery { probe: probes, ..delivery };
        if let (Resolution::Ready(api), false) = (&resolution, parks) {
            let limit = api.messages_per_second;
            if let Err(wait) = sender.limits.take_number(number, limit, now()).await? {
                return Ok(RecordOutcome::RetryAfter(wait + jitter(SPREAD)));
            }
        }
        let owner = self.owner();
        let claim = async || self.deliveries.claim(&delivery, &owner, TIMEOUT, now()).await;
        let lease = match insist(now().after(CLAIMING), claim).await? {
            ClaimOutcome::Leased(lease) => lease,
            ClaimOutcome::Wait(wait) => return Ok(RecordOutcome::RetryAfter(wait)),
            ClaimOutcome::Unfinished(it) => return self.end_unknown(sender, &delivery, &it).await,
            ClaimOutcome::Obsolete => return Ok(RecordOutcome::Ack),
        };
        if lease.body.is_empty() {
            return self.give_up_unsent(delivery, &lease, DeadReason::Erased).await;
        }
        match resolution {
            Resolution::Ready(_) if parks => self.park(delivery, &lease, None).await,
            Resolution::Ready(api) => self.send(sender, delivery, &api, number, &lease).await,
            Resolution::Removed => {
                self.give_up_unsent(delivery, &lease, DeadReason::EndpointRemoved).await
            }
            Resolution::Unusable => self.wait_for_settings(delivery, &lease).await,
        }
    }

    async fn send(
        &self,
        sender: &MessageSender,
        delivery: Delivery,
        api: &Number,
        number: &str,
        lease: &Lease,
    ) -> Result<RecordOutcome, IoError> {
        match self.verdict(sender, &delivery, lease, number).await {
            Ok(Verdict::Send) if lasts_for_attempt(lease.until, TIMEOUT, now()) => {
                let result = post(&self.http, api, lease, TIMEOUT).await;
                if matches!(result.reaction, Reaction::PauseNumber(..))
                    && sender.numbers.has_others(number, &delivery, api, now()).await?
                {
                    // The settings were read before an operator replaced the access token.
                    return self.put_back(&delivery, lease, SOON).await;
                }
                self.conclude_request(sender, delivery, lease, result).await
            }
            Ok(Verdict::Send) => self.put_back(&delivery, lease, SOON).await,
            Ok(Verdict::Wait(wait)) => self.put_back(&delivery, lease, wait).await,
            Ok(Verdict::End(unsent)) => self.end_unsent(sender, delivery, lease, unsent).await,
            Err(error) => {
                self.put_back(&delivery, lease, SOON).await?;
                Err(error)
            }
        }
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

    /// Records what came of a request.
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
                let tell = async || self.tell(sender, &delivery, &result, attempt.at).await;
                insist(lease.until, tell).await?;
                outcome
            }
            Reaction::Retry(wait) => wait.outcome(lease.attempt, &delivery.id, now()),
            Reaction::Refused => DeliveryOutcome::Dead(DeadReason::UrlRefused),
            Reaction::PauseNumber(refusal, code) => {
                tracing::error!(
                    delivery_id = delivery.id,
                    endpoint = %delivery.endpoint,
                    status = attempt.status,
                    code,
                    "number.refused"
                );
                let (endpoint, code) = (&delivery.endpoint, code.as_deref());
                let pause = async || self.health.pause_number(endpoint, refusal, code, now()).await;
                insist(lease.until, pause).await?;
                return self.park(delivery, lease, Some(attempt)).await;
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
        let reason = unsent.reason();
        let attempt = Attempt { excerpt: reason.clone(), ..failed(now(), "not_sent") };
        let error = ChannelError { code: None, title: reason, details: None };
        let result = SendOutcome::Failed { error };
        let tell = async || self.tell(sender, &delivery, &result, attempt.at).await;
        insist(lease.until, tell).await?;
        let probe = delivery.clone();
        let outcome = DeliveryOutcome::Failed(unsent);
        let concluded = self.conclude(delivery, lease, &attempt, outcome).await?;
        self.replace_probe(&probe).await?;
        Ok(concluded)
    }

    /// Releases a lease without an attempt.
    async fn put_back(
        &self,
        delivery: &Delivery,
        lease: &Lease,
        wait: Duration,
    ) -> Result<RecordOutcome, IoError> {
        let next = NextAttempt::after(wait, now());
        let put_back = async || self.deliveries.put_back(lease, next, now()).await;
        let is_back = insist(lease.until, put_back).await?;
        self.replace_probe(delivery).await?;
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
        self.tell(sender, delivery, &SendOutcome::Unknown, now()).await?;
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
        self.tell(sender, delivery, &SendOutcome::Failed { error }, at).await
    }

    /// Before the row says so: a crash in between repeats the result, never loses it.
    async fn tell(
        &self,
        sender: &MessageSender,
        delivery: &Delivery,
        outcome: &SendOutcome,
        at: Timestamp,
    ) -> Result<(), IoError> {
        let (Some(account), Some(send)) = (&delivery.account, SendId::parse(&delivery.id)) else {
            return Ok(());
        };
        let (account, outcome) = (account.clone(), outcome.clone());
        let result = SendResult { v: SendResult::VERSION, account, send, at, outcome };
        sender.results.send(in_group_of(&result.account, result.to_message())).await
    }
}

/// What an attempt says about the Cloud API. An answer of its own says that it works, whichever it
/// is: a refusal is about the message, and one of the credentials pauses the number by itself. An
/// answer that leaves the message unknown is that of a proxy. A request that ends without an answer
/// timed out; one that may be repeated was never sent.
fn sign_of(attempt: &Attempt, reaction: &Reaction) -> AttemptOutcome {
    match (attempt.status, reaction) {
        (None, Reaction::Refused) => AttemptOutcome::Refused,
        (None, Reaction::End(..)) => AttemptOutcome::TimedOut,
        (None, _) | (_, Reaction::End(DeliveryOutcome::Unknown, _)) => AttemptOutcome::NoAnswer,
        (Some(_), _) => AttemptOutcome::Answered { status: 200, directive: None },
    }
}
