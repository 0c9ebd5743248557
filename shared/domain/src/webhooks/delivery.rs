//! Fans events out to endpoints: each delivery is one body for one endpoint.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::core::hash::Fingerprint;
use crate::core::id::{AccountCode, Awb, EndpointName, EventId, OrderId, OrderKey};
use crate::core::timestamp::Timestamp;
use crate::core::trace::TraceParent;
use crate::webhooks::endpoint::{Endpoint, EventType, Format, Settings};
use crate::webhooks::kind::Kind;
use crate::webhooks::notification::{Change, CurrentOrder, Notification, StalledOrder};
use crate::webhooks::payload::{self, Context};

/// The newest message version that this release reads: that of messages to shoppers. Webhooks have
/// [`Kind::version`] 1.
pub const SCHEMA_VERSION: u8 = 2;
/// Maximum number of orders in one `status_update` body.
pub const MAX_ORDERS: usize = 50;

/// A delivery's row is kept for at least this long after its event.
pub const RETENTION: Duration = Duration::from_secs(RETENTION_DAYS * 24 * 60 * 60);
pub const RETENTION_DAYS: u64 = 30;

/// A message of the deliveries queue.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// [`Kind::version`]
    pub v: u8,
    /// `msg_…`: the `webhook-id`. The receiver's idempotency key, the same for all attempts and
    /// runs.
    pub id: String,
    /// From 1; incremented when a dead delivery is redriven.
    pub run: u32,
    pub endpoint: EndpointName,
    #[serde(flatten)]
    pub kind: Kind,
    /// `None` if it is about an endpoint.
    pub account: Option<AccountCode>,
    /// `None` in a delivery with several orders, or about an endpoint.
    pub order_id: Option<OrderId>,
    /// The version of that order.
    pub version: Option<u64>,
    /// When that order was created: once it is erased, another order may have its id, and versions
    /// of its own. Missing in messages of older releases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_created_at: Option<Timestamp>,
    /// The parcel that it is about, unless it is about the whole order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub awb: Option<Awb>,
    /// Tries whether a paused endpoint answers again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub probe: bool,
    /// When Waypost accepted the event. Only in the first message of a delivery.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted_at: Option<Timestamp>,
    /// The trace of the event. The row keeps it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<TraceParent>,
    /// JSON, posted and signed byte for byte. Empty in a message of a delivery that has a row: the
    /// row has the body.
    pub body: String,
}

impl Delivery {
    pub fn to_message(&self) -> String {
        // String keys and no floats: serialization cannot fail.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The message of the next run, for the dead-letter queue: a redrive moves it back to the queue.
    pub fn redriven(self) -> Self {
        Self {
            run: self.run.saturating_add(1),
            probe: false,
            accepted_at: None,
            body: String::new(),
            ..self
        }
    }

    /// `None` for an unreadable message or another version.
    pub fn from_message(body: &str) -> Option<Self> {
        serde_json::from_str(body)
            .ok()
            .filter(|delivery: &Self| delivery.v == delivery.kind.version() && delivery.run > 0)
    }
}

/// Without the body, which has personal data.
impl std::fmt::Debug for Delivery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Delivery")
            .field("id", &self.id)
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}

/// A notification, and the part of the delivery id that is unique within its event.
struct Candidate<'a> {
    notification: Notification<'a>,
    part: String,
}

impl Candidate<'_> {
    fn account(&self) -> &AccountCode {
        &self.notification.order.key.account
    }

    /// Its place in the fan-out: the changes of one order stand together, in their order.
    fn place(&self) -> (&OrderKey, u64, &str) {
        (&self.notification.order.key, self.notification.version, &self.part)
    }

    fn is_for(&self, settings: &Settings) -> bool {
        let is_subscribed = match self.notification.event_type() {
            EventType::StatusChanged => {
                let mut statuses = self.notification.statuses();
                let is_of_parcel = self.notification.parcel.is_some();
                statuses.any(|status| settings.is_subscribed_to(status))
                    || is_of_parcel && settings.asks_for(EventType::ShipmentStatusChanged)
            }
            event => settings.asks_for(event),
        };
        is_subscribed && settings.accounts.include(self.account())
    }
}

/// The deliveries of an event's changes. A redelivered event gives the same deliveries with the
/// same ids (idempotency).
pub fn fan_out<'a>(
    event: &EventId,
    changes: &[Change<'_>],
    endpoints: impl IntoIterator<Item = &'a Endpoint>,
    context: impl Into<Context<'a>>,
) -> Vec<Delivery> {
    let candidates = |format| changes.iter().flat_map(|it| of_change(it, format)).collect();
    to_endpoints(event, candidates, endpoints, Candidate::is_for, context.into())
}

/// The notifications of one change in a format.
fn of_change<'a>(change: &Change<'a>, format: Format) -> Vec<Candidate<'a>> {
    // An event that is processed again may find its report in another order than before.
    let (order, report) = (&change.order.key.order, &change.entry.id);
    let of_order = |notification| Candidate { notification, part: format!("{order}/{report}") };
    let of_parcel = |notification: Notification<'a>| {
        let awb = notification.awb.map(Awb::as_str).unwrap_or_default();
        Candidate { notification, part: format!("{order}/{report}/{awb}") }
    };
    match format {
        Format::StatusUpdate => {
            let mut rows = change.rows();
            // A batch is identified by its reports, a change of several parcels also by these.
            let of_row = if rows.len() > 1 { &of_parcel as &dyn Fn(_) -> _ } else { &of_order };
            rows.drain(..).map(of_row).collect()
        }
        Format::OrderStatusChanged => change.of_order().map(of_order).into_iter().collect(),
        Format::Standard => {
            let order = change.of_order().map(of_order);
            order.into_iter().chain(change.of_parcels().map(of_parcel)).collect()
        }
    }
}

/// Like [`fan_out`], for stalled orders, to endpoints that subscribe to `order.stalled`.
pub fn fan_out_stalled<'a>(
    event: &EventId,
    stalled: &[StalledOrder<'_>],
    endpoints: impl IntoIterator<Item = &'a Endpoint>,
    context: impl Into<Context<'a>>,
) -> Vec<Delivery> {
    let candidates = |_| {
        let all = stalled.iter().map(|stalled| Candidate {
            notification: Notification::stalled(stalled),
            part: part(&stalled.order.key),
        });
        all.collect()
    };
    to_endpoints(event, candidates, endpoints, Candidate::is_for, context.into())
}

/// The current status of orders, to every enabled endpoint of the format `status_update` with
/// access to their accounts. The subscriptions of the endpoints do not matter.
pub fn fan_out_current<'a>(
    event: &EventId,
    orders: &[CurrentOrder<'_>],
    endpoints: impl IntoIterator<Item = &'a Endpoint>,
    context: impl Into<Context<'a>>,
) -> Vec<Delivery> {
    let candidates = |_| {
        let rows = orders.iter().flat_map(Notification::current_rows);
        let all =
            rows.map(|notification| Candidate { part: row_part(&notification), notification });
        all.collect()
    };
    let is_for = |candidate: &Candidate<'_>, settings: &Settings| {
        let subscribed = settings.enabled && settings.format == Format::StatusUpdate;
        subscribed && settings.accounts.include(candidate.account())
    };
    to_endpoints(event, candidates, endpoints, is_for, context.into())
}

fn row_part(notification: &Notification<'_>) -> String {
    let awb = notification.awb.map(Awb::as_str).unwrap_or_default();
    format!("{}/{awb}", part(&notification.order.key))
}

/// Ids contain no `/`, so equal order ids of two accounts differ.
fn part(key: &OrderKey) -> String {
    format!("{}/{}", key.account, key.order)
}

fn to_endpoints<'a, 'n>(
    event: &EventId,
    candidates: impl Fn(Format) -> Vec<Candidate<'n>>,
    endpoints: impl IntoIterator<Item = &'a Endpoint>,
    is_for: impl Fn(&Candidate<'n>, &Settings) -> bool,
    context: Context<'_>,
) -> Vec<Delivery> {
    let deliveries = endpoints.into_iter().flat_map(|endpoint| {
        let mut candidates = candidates(endpoint.settings.format);
        candidates.sort_by(|a, b| a.place().cmp(&b.place()));
        let is_selected = |candidate: &&Candidate<'n>| is_for(candidate, &endpoint.settings);
        let selected: Vec<_> = candidates.iter().filter(is_selected).collect();
        to_endpoint(event, endpoint, &selected, context)
    });
    deliveries.collect()
}

fn to_endpoint(
    event: &EventId,
    endpoint: &Endpoint,
    candidates: &[&Candidate<'_>],
    context: Context<'_>,
) -> Vec<Delivery> {
    match endpoint.settings.format {
        Format::StatusUpdate => candidates
            .chunk_by(|a, b| a.account() == b.account())
            .flat_map(|account| account.chunks(MAX_ORDERS))
            .filter_map(|chunk| batch(event, endpoint, chunk, context))
            .collect(),
        Format::OrderStatusChanged | Format::Standard => {
            candidates.iter().map(|candidate| single(event, endpoint, candidate, context)).collect()
        }
    }
}

fn batch(
    event: &EventId,
    endpoint: &Endpoint,
    candidates: &[&Candidate<'_>],
    context: Context<'_>,
) -> Option<Delivery> {
    let (first, rest) = candidates.split_first()?;
    let first = &first.notification;
    let orders: Vec<_> = candidates.iter().map(|candidate| candidate.notification).collect();
    Some(Delivery {
        id: delivery_id(event, endpoint, candidates),
        order_id: rest.is_empty().then(|| first.order.key.order.clone()),
        version: rest.is_empty().then_some(first.version),
        order_created_at: rest.is_empty().then_some(first.order.state.created_at),
        body: payload::status_update(first.event_type(), &orders, context),
        ..blank(endpoint, first)
    })
}

fn single(
    event: &EventId,
    endpoint: &Endpoint,
    candidate: &Candidate<'_>,
    Context { links, .. }: Context<'_>,
) -> Delivery {
    let notification = &candidate.notification;
    Delivery {
        id: delivery_id(event, endpoint, &[candidate]),
        order_id: Some(notification.order.key.order.clone()),
        version: Some(notification.version),
        order_created_at: Some(notification.order.state.created_at),
        awb: notification.parcel.map(|parcel| parcel.awb.clone()),
        body: match endpoint.settings.format {
            Format::Standard => payload::standard(notification, links),
            Format::OrderStatusChanged | Format::StatusUpdate => {
                payload::order_status_changed(notification, links)
            }
        },
        ..blank(endpoint, notification)
    }
}

fn blank(endpoint: &Endpoint, notification: &Notification<'_>) -> Delivery {
    let (format, event) = (endpoint.settings.format, notification.event_type());
    let kind = Kind::Webhook { format, event };
    Delivery {
        v: kind.version(),
        id: String::new(),
        run: 1,
        endpoint: endpoint.name.clone(),
        kind,
        account: Some(notification.order.key.account.clone()),
        order_id: None,
        version: None,
        order_created_at: None,
        awb: None,
        probe: false,
        accepted_at: None,
        traceparent: None,
        body: String::new(),
    }
}

/// Made of the content: a batch that grows between a crash and the redelivery is another delivery.
/// Under the old id its endpoint would drop it as a repeat, with the change it did not have yet.
fn delivery_id(event: &EventId, endpoint: &Endpoint, candidates: &[&Candidate<'_>]) -> String {
    let mut parts: Vec<&str> = candidates.iter().map(|candidate| &*candidate.part).collect();
    parts.sort_unstable();
    let hash = Fingerprint::of("delivery").with(event).with(&endpoint.name);
    let id = parts.into_iter().fold(hash, |hash, part| hash.with(part)).finish();
    format!("msg_{id}")
}

#[cfg(test)]
mod tests;
