//! Answers of shoppers to messages about orders: facts of these orders that endpoints are told of.

use std::collections::BTreeMap;

use aws::clock::now;
use aws::error::IoError;
use aws::tables::concurrency::run_all;
use domain::core::id::{AccountCode, OrderKey};
use domain::core::timestamp::Timestamp;
use domain::messaging::answer::{Answer, MAX_ANSWERS};
use domain::messaging::channel::{InboundMessage, ProviderMessageId};
use domain::messaging::linked::TrackedMessage;
use domain::messaging::message_status::ProviderMessageKey;
use domain::tracking::entry::{Fact, TimelineEntry};
use domain::tracking::timeline::{NewFact, Origin, plausible_time};

use super::READ_BATCH;
use crate::apply::{AppliedFact, ApplyOutcome, Placed, Via};
use crate::fan_out::FannedOut;
use crate::{MAX_NOTED, Process, Run};

/// A message that answers another one, which may be of an order.
pub(super) struct Reply<'a> {
    account: AccountCode,
    number: Option<&'a str>,
    message: &'a InboundMessage,
    to: &'a ProviderMessageId,
}

impl<'a> Reply<'a> {
    /// `None` for a message that answers none.
    pub(super) fn of(
        account: &AccountCode,
        number: Option<&'a str>,
        message: &'a InboundMessage,
    ) -> Option<Self> {
        message.answers().map(|to| Self { account: account.clone(), number, message, to })
    }

    fn answered(&self) -> ProviderMessageKey {
        ProviderMessageKey { account: self.account.clone(), message: self.to.clone() }
    }

    fn at(&self, origin: &Origin) -> Timestamp {
        plausible_time(self.message.at, origin.received_at)
    }

    /// The order and the fact. `None` if the answered message is of no order.
    fn to_fact(&self, tracked: &TrackedMessage, origin: &Origin) -> Option<(OrderKey, NewFact)> {
        let record = tracked.record.as_ref()?;
        let answer = Answer::new(self.message, record, tracked);
        let fact = NewFact {
            id: Answer::id(&self.account, self.number, &self.message.message),
            occurred_at: self.at(origin),
            fact: Fact::Answer(Box::new(answer)),
        };
        Some((record.order()?, fact))
    }
}

/// What became of the answers in an event.
#[derive(Default)]
pub(super) struct Answers {
    /// Those in the timelines of their orders.
    pub(super) count: usize,
    pub(super) told: FannedOut,
    /// One of the orders has lost its shopper.
    pub(super) is_erasable: bool,
}

/// What became of the answers to one order.
#[derive(Default)]
struct OfOrder {
    facts: Vec<AppliedFact>,
    failed: Option<IoError>,
}

/// True if the order has as many answers as it holds, and not this one.
pub(crate) fn is_one_too_many(fact: &NewFact, entries: &[TimelineEntry]) -> bool {
    let is_new = || entries.iter().all(|entry| entry.id != fact.id);
    let answers = entries.iter().filter(|entry| entry.answer().is_some());
    matches!(fact.fact, Fact::Answer(_)) && answers.count() >= MAX_ANSWERS && is_new()
}

impl Process {
    /// Adds answers to the timelines of their orders, and tells endpoints. `None` if the time did not
    /// suffice.
    pub(super) async fn record_answers(
        &self,
        replies: &[Reply<'_>],
        run: &Run<'_>,
    ) -> Result<Option<Answers>, IoError> {
        let max_noted = if replies.len() <= READ_BATCH { MAX_NOTED } else { 0 };
        let mut answers = Answers::default();
        for batch in replies.chunks(READ_BATCH) {
            if !run.has_time() {
                return Ok(None);
            }
            let OfOrder { facts, failed } = self.record_answer_batch(batch, run).await?;
            answers.count += facts.len();
            answers.is_erasable |= facts.iter().any(|fact| fact.order.is_erased());
            let told = self.fan_out_noting(run.event, &facts, now(), max_noted).await?;
            answers.told.noted.extend(told.noted);
            answers.told.undeliverable = answers.told.undeliverable.or(told.undeliverable);
            // The other answers do not wait for one that failed.
            failed.map_or(Ok(()), Err)?;
        }
        Ok(Some(answers))
    }

    async fn record_answer_batch(
        &self,
        replies: &[Reply<'_>],
        run: &Run<'_>,
    ) -> Result<OfOrder, IoError> {
        let keys: Vec<ProviderMessageKey> = replies.iter().map(Reply::answered).collect();
        let origin = run.origin();
        let mut all = OfOrder::default();
        let mut by_order: BTreeMap<OrderKey, Vec<NewFact>> = BTreeMap::new();
        let rows = self.messages.load_trackings(&keys).await?;
        let noted = replies.iter().zip(rows).map(async |(reply, row)| {
            let noted = async {
                let at = reply.at(&origin);
                self.messages.note_reply(row?, &origin.event_id, at, now()).await
            };
            Ok::<_, IoError>(noted.await.map(|row| reply.to_fact(&row.tracked, &origin)))
        });
        for noted in run_all(noted).await? {
            match noted {
                Ok(fact) => {
                    if let Some((order, fact)) = fact {
                        by_order.entry(order).or_default().push(fact);
                    }
                }
                Err(error) => all.failed = all.failed.or(Some(error)),
            }
        }
        let orders = by_order.into_iter();
        let added = orders.map(async |(key, facts)| self.add_answers(&key, facts, &origin).await);
        for OfOrder { facts, failed } in run_all(added).await? {
            all.facts.extend(facts);
            all.failed = all.failed.or(failed);
        }
        Ok(all)
    }

    /// One after another: each write of an order needs the one before.
    async fn add_answers(
        &self,
        key: &OrderKey,
        facts: Vec<NewFact>,
        origin: &Origin,
    ) -> Result<OfOrder, IoError> {
        let mut all = OfOrder::default();
        for fact in facts {
            match self.add_answer(key, fact, origin).await {
                Ok(applied) => all.facts.extend(applied),
                Err(error) => all.failed = all.failed.or(Some(error)),
            }
        }
        Ok(all)
    }

    async fn add_answer(
        &self,
        key: &OrderKey,
        fact: NewFact,
        origin: &Origin,
    ) -> Result<Option<AppliedFact>, IoError> {
        let placed = self.commit_fact(key, fact, origin, &[]).await?;
        self.trace_without_entry(key, &placed, origin, Via::Push).await?;
        Ok(match placed {
            Placed::Here(ApplyOutcome::Applied(applied)) => Some(*applied),
            _ => None,
        })
    }
}
