//! Fan-out: queues one delivery per subscribed endpoint for every status change, and every answer
//! of a shopper, of an event.

use std::collections::BTreeSet;

use aws::endpoints::InvalidEndpoint;
use aws::error::IoError;
use aws::tables::inbound::InboundEvent;
use aws::tables::orders::TracedDelivery;
use domain::core::id::{AccountCode, EventId};
use domain::core::timestamp::Timestamp;
use domain::core::trace::TraceParent;
use domain::tracking::timeline::Origin;
use domain::webhooks::answer_event::{self, AnsweredOrder};
use domain::webhooks::delivery;
use domain::webhooks::notification::Change;
use domain::webhooks::payload::Context;

use crate::Process;
use crate::apply::AppliedFact;
use crate::live::News;

/// An endpoint that may subscribe to an event but cannot be notified: its settings are invalid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Undeliverable {
    pub(crate) parameter: String,
}

impl Undeliverable {
    /// Finds the first invalid endpoint that may be meant for one of the accounts.
    pub(crate) fn find<'a>(
        invalid: &[InvalidEndpoint],
        accounts: impl Iterator<Item = &'a AccountCode> + Clone,
    ) -> Option<Self> {
        let endpoint = invalid
            .iter()
            .find(|endpoint| accounts.clone().any(|account| endpoint.accounts.include(account)))?;
        Some(Self { parameter: endpoint.parameter.clone() })
    }
}

/// The result of a fan-out.
#[derive(Default)]
pub(crate) struct FannedOut {
    pub(crate) undeliverable: Option<Undeliverable>,
    /// To be noted with the event.
    pub(crate) noted: BTreeSet<TracedDelivery>,
}

impl From<Undeliverable> for IoError {
    fn from(Undeliverable { parameter }: Undeliverable) -> Self {
        Self::UnusableSetting { parameter }
    }
}

/// The cause of a fan-out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cause<'a> {
    pub(crate) event: &'a EventId,
    /// When the event was accepted, if its deliveries follow at once.
    pub(crate) accepted_at: Option<Timestamp>,
    pub(crate) trace: TraceParent,
}

impl<'a> From<&'a EventId> for Cause<'a> {
    fn from(event: &'a EventId) -> Self {
        Self { event, accepted_at: None, trace: TraceParent::of(event) }
    }
}

impl<'a> From<&'a Origin> for Cause<'a> {
    fn from(Origin { event_id, received_at, .. }: &'a Origin) -> Self {
        Self { accepted_at: Some(*received_at), ..Self::from(event_id) }
    }
}

impl<'a> From<&'a InboundEvent> for Cause<'a> {
    fn from(event: &'a InboundEvent) -> Self {
        Self { event: &event.id, accepted_at: Some(event.received_at), trace: event.trace() }
    }
}

impl Process {
    /// Queues the deliveries of one event. A redelivered event queues the same delivery ids again,
    /// by which endpoints dedup. An endpoint with invalid settings holds up no other: it is
    /// returned, and the caller decides how the event is retried.
    pub(crate) async fn fan_out(
        &self,
        cause: impl Into<Cause<'_>>,
        applied: &[AppliedFact],
        now: Timestamp,
    ) -> Result<Option<Undeliverable>, IoError> {
        self.fan_out_noting(cause, applied, now, 0).await.map(|told| told.undeliverable)
    }

    /// As [`Self::fan_out`]; up to so many deliveries about one order are returned to be noted with
    /// the event. Others are noted with their orders, by a write of their own.
    pub(crate) async fn fan_out_noting(
        &self,
        cause: impl Into<Cause<'_>>,
        applied: &[AppliedFact],
        now: Timestamp,
        max_noted: usize,
    ) -> Result<FannedOut, IoError> {
        let changes: Vec<Change<'_>> = applied.iter().filter_map(|fact| fact.change(now)).collect();
        let answers: Vec<AnsweredOrder<'_>> =
            applied.iter().filter_map(|fact| fact.answer(now)).collect();
        if changes.is_empty() && answers.is_empty() {
            return Ok(FannedOut::default());
        }
        let endpoints = self.endpoints.all(now).await?;
        let Cause { event, accepted_at, trace } = cause.into();
        let links = self.links.get(now).await?;
        let links = links.as_ref().as_ref();
        let context = Context { now, links };
        let mut deliveries = delivery::fan_out(event, &changes, endpoints.usable(), context);
        deliveries.extend(answer_event::fan_out(event, &answers, endpoints.usable(), links));
        for delivery in &mut deliveries {
            delivery.accepted_at = accepted_at;
            delivery.traceparent = Some(trace);
        }
        let changed = changes.iter().map(|change| &change.order.key);
        let orders: BTreeSet<_> = changed.chain(answers.iter().map(|it| &it.order.key)).collect();
        let mut noted = BTreeSet::new();
        if orders.len() == 1 && deliveries.len() <= max_noted {
            noted.extend(deliveries.iter().map(TracedDelivery::from));
        } else {
            self.orders.trace_all(event, orders.iter().copied(), &deliveries, now).await?;
        }
        self.deliveries.send_deliveries(event, &deliveries).await?;
        self.queue_rule_checks(&changes, trace).await?;
        self.tell_sockets(&changes.iter().map(News::of_change).collect::<Vec<_>>()).await;
        let accounts = orders.iter().map(|key| &key.account);
        let undeliverable = Undeliverable::find(&endpoints.invalid, accounts);
        Ok(FannedOut { undeliverable, noted })
    }
}
