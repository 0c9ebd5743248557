//! Traces: where an event has left data of an order outside its rows, so that erasing finds it.
//!
//! | partition | sort key | attributes |
//! |---|---|---|
//! | `order:…` | `trace:{event id}` | `deliveries`, `at`, `ttl` 90 days |
//!
//! They stand behind the rows that a timeline consists of, and are read only to erase, and to list an
//! order's events and deliveries.

use std::collections::BTreeSet;

use domain::core::id::{EndpointName, EventId, OrderKey};
use domain::core::timestamp::Timestamp;
use domain::webhooks::delivery::{Delivery, RETENTION};

use super::erase::is_deleting;
use super::{Orders, TRIES, being_written, facts, partition, read_state, sort_key};
use crate::error::IoError;
use crate::tables::attr::{Item, read_as, read_texts, text, texts, ttl};
use crate::tables::concurrency::run_all;
use crate::tables::contention::{Try, retry};
use crate::tables::expression::attr;
use crate::tables::inbound::RETENTION_DAYS;
use crate::tables::keys::{key, order_pk};
use crate::tables::read::{all_rows, query};
use crate::tables::update::Changes;
use crate::tables::write::Write;

const PREFIX: &str = "trace:";
/// Of a delivery with several rows, which may be of several orders.
const SHARED: &str = "shared";

/// A delivery about an order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TracedDelivery {
    pub id: String,
    pub endpoint: EndpointName,
    /// It may have other orders too.
    pub is_shared: bool,
    /// It was queued so long ago that its row was created, and may have expired since.
    pub is_old: bool,
}

/// A delivery that a trace names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Traced {
    pub event: EventId,
    /// Of the event's last run.
    pub at: Timestamp,
    pub delivery: TracedDelivery,
}

/// The rows of other tables that an order leads to.
#[derive(Debug, Default)]
pub struct Links {
    /// Events of the inbound log.
    pub events: BTreeSet<EventId>,
    pub deliveries: BTreeSet<TracedDelivery>,
}

impl From<&Delivery> for TracedDelivery {
    fn from(delivery: &Delivery) -> Self {
        Self {
            id: delivery.id.clone(),
            endpoint: delivery.endpoint.clone(),
            is_shared: delivery.order_id.is_none(),
            is_old: false,
        }
    }
}

/// No id contains a `/`.
impl std::fmt::Display for TracedDelivery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shared = if self.is_shared { SHARED } else { "" };
        write!(f, "{}/{}/{shared}", self.id, self.endpoint)
    }
}

impl TracedDelivery {
    /// `at` is when it was queued.
    pub(crate) fn parse(text: &str, at: Timestamp, now: Timestamp) -> Option<Self> {
        let mut parts = text.split('/');
        let (id, endpoint, shared) = (parts.next()?, parts.next()?, parts.next()?);
        let endpoint = EndpointName::parse(endpoint).ok()?;
        let is_old = now.since(at) >= RETENTION;
        Some(Self { id: id.to_owned(), endpoint, is_shared: shared == SHARED, is_old })
    }
}

impl Orders {
    /// Notes the deliveries that an event causes about an order, before they are queued; without
    /// deliveries only the event, if no entry of the timeline names it.
    pub async fn trace(
        &self,
        order: &OrderKey,
        event: &EventId,
        deliveries: impl IntoIterator<Item = TracedDelivery>,
        now: Timestamp,
    ) -> Result<(), IoError> {
        self.trace_write(order, event, deliveries, now).send(&self.client).await.map(drop)
    }

    pub(crate) fn trace_write(
        &self,
        order: &OrderKey,
        event: &EventId,
        deliveries: impl IntoIterator<Item = TracedDelivery>,
        now: Timestamp,
    ) -> Write {
        let ids: Vec<String> = deliveries.into_iter().map(|it| it.to_string()).collect();
        let changes =
            Changes::new().set("at", text(now.to_string())).set("ttl", ttl(now, RETENTION_DAYS));
        let changes = match ids.is_empty() {
            true => changes,
            false => changes.add("deliveries", texts(ids.iter().map(String::as_str))),
        };
        let row = key(order_pk(order), format!("{PREFIX}{event}"));
        Write::update(&self.table, row, changes)
    }

    /// As [`Orders::trace`], for the deliveries of several orders.
    pub async fn trace_all<'a>(
        &self,
        event: &EventId,
        orders: impl Iterator<Item = &'a OrderKey>,
        deliveries: &[Delivery],
        now: Timestamp,
    ) -> Result<(), IoError> {
        let orders: BTreeSet<OrderKey> = orders.cloned().collect();
        let traces = orders.into_iter().map(|order| {
            let about = deliveries.iter().filter(|it| may_be_about(it, &order));
            let about: Vec<TracedDelivery> = about.map(Into::into).collect();
            (order, about)
        });
        let traces = traces.filter(|(_, about)| !about.is_empty());
        let traces = traces.map(async |(order, about)| self.trace(&order, event, about, now).await);
        run_all(traces).await.map(drop)
    }

    /// The deliveries that the order's traces name, read eventually consistently.
    pub async fn traced(&self, order: &OrderKey, now: Timestamp) -> Result<Vec<Traced>, IoError> {
        let traces = partition(order_pk(order)).and(attr("sk").begins_with(text(PREFIX)));
        let mut traced = Vec::new();
        for row in all_rows(query(&self.client, &self.table, traces)).await? {
            let event = sort_key(&row).strip_prefix(PREFIX).and_then(|id| EventId::parse(id).ok());
            let Some(event) = event else { continue };
            let at = read_as(&row, "at", Timestamp::parse)?;
            let found = deliveries_of(&row, now)?;
            traced.extend(found.map(|delivery| Traced { event: event.clone(), at, delivery }));
        }
        Ok(traced)
    }

    /// By the order's timeline and its traces, whatever state the order is in.
    pub async fn links(&self, order: &OrderKey, now: Timestamp) -> Result<Links, IoError> {
        let rows =
            partition(order_pk(order)).and(attr("sk").between(text("entry:"), text("trace;")));
        let links = retry(TRIES, || async {
            let rows = all_rows(self.query(rows.clone())).await?;
            links_of(&rows, now)
        });
        links.await?.ok_or_else(being_written)
    }
}

/// Contended while facts move from the state row to another one.
fn links_of(rows: &[Item], now: Timestamp) -> Result<Try<Links>, IoError> {
    let entries = facts::read(rows)?;
    let state_row = rows.iter().find(|row| sort_key(row) == "state");
    if let Some(row) = state_row.filter(|row| !is_deleting(row))
        && !facts::is_whole(&read_state(row)?, &entries)
    {
        return Ok(Try::Contended);
    }
    let events = entries.iter().map(|entry| entry.log_id().clone());
    let mut links = Links { events: events.collect(), ..Links::default() };
    for row in rows {
        if let Some(event) = sort_key(row).strip_prefix(PREFIX) {
            links.events.extend(EventId::parse(event).ok());
            links.deliveries.extend(deliveries_of(row, now)?);
        }
    }
    Ok(Try::Done(links))
}

fn may_be_about(delivery: &Delivery, order: &OrderKey) -> bool {
    let is_own = delivery.order_id.as_ref().is_none_or(|id| *id == order.order);
    is_own && delivery.account.as_ref() == Some(&order.account)
}

/// A row lives for 30 days after its last run: a replay prolongs it, so old ones are named too.
fn deliveries_of(
    row: &Item,
    now: Timestamp,
) -> Result<impl Iterator<Item = TracedDelivery> + use<>, IoError> {
    let at = read_as(row, "at", Timestamp::parse)?;
    let texts = read_texts(row, "deliveries").iter();
    let found: Vec<_> = texts.filter_map(|text| TracedDelivery::parse(text, at, now)).collect();
    Ok(found.into_iter())
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::tables::attr::item;

    #[test]
    fn a_traced_delivery_reads_back() {
        let traced = |is_shared| TracedDelivery {
            id: "msg_a".to_owned(),
            endpoint: EndpointName::parse("shop one").unwrap(),
            is_shared,
            is_old: false,
        };
        let all = [traced(false), traced(true)];
        let ids = all.clone().map(|it| it.to_string());
        let at = Timestamp::from_millis(1_000_000).unwrap();
        let row = item([
            ("at", text(at.to_string())),
            ("deliveries", texts(ids.iter().map(String::as_str))),
        ]);
        assert_eq!(deliveries_of(&row, at).unwrap().collect::<Vec<_>>(), all);
        let expired = at.after(Duration::from_secs(30 * 24 * 60 * 60));
        let old = deliveries_of(&row, expired).unwrap();
        assert_eq!(
            old.map(|it| (it.id, it.is_old)).collect::<Vec<_>>(),
            [("msg_a".to_owned(), true), ("msg_a".to_owned(), true)]
        );
    }
}
