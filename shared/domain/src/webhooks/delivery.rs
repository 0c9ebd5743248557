//! What customers' servers are notification: one payload for one endpoint.

use serde::{Deserialize, Serialize};

use crate::core::hash::Fingerprint;
use crate::core::id::{AccountCode, EndpointName, EventId, OrderId, OrderKey};
use crate::core::timestamp::Timestamp;
use crate::webhooks::endpoint::{Endpoint, EventType, Format, Settings};
use crate::webhooks::notification::{Change, CurrentOrder, Notification, StalledOrder};
use crate::webhooks::payload;

/// The form of [`Delivery`] that this program writes.
pub const SCHEMA_VERSION: u8 = 1;
/// The most orders in one `status_update`.
pub const MAX_ORDERS: usize = 50;

/// A message of the deliveries queue. Its body is what is posted, to the byte.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// [`SCHEMA_VERSION`].
    pub v: u8,
    /// `msg_…`: the receiver's idempotency key, the same over all attempts.
    pub id: String,
    /// Which time it is sent for: moves when a dead delivery is sent again.
    pub run: u32,
    /// Whom it is for.
    pub endpoint: EndpointName,
    /// The form it was written in.
    pub format: Format,
    /// What it tells. Messages without it are from before there was more than one thing to tell.
    #[serde(default)]
    pub event: EventType,
    /// Whose orders it tells of.
    pub account: AccountCode,
    /// The order, where it tells of one alone.
    pub order_id: Option<OrderId>,
    /// That order's version.
    pub version: Option<u64>,
    /// The JSON text to post.
    pub body: String,
}

impl Delivery {
    /// The message's body.
    pub fn to_message(&self) -> String {
        // String keys and no floats: writing cannot fail.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads a message; `None` if this program does not understand it.
    pub fn from_message(body: &str) -> Option<Self> {
        serde_json::from_str(body)
            .ok()
            .filter(|delivery: &Self| delivery.v == SCHEMA_VERSION && delivery.run > 0)
    }
}

/// Bodies hold names and phones.
impl std::fmt::Debug for Delivery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Delivery")
            .field("id", &self.id)
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}

/// A notification with its part of the delivery id, which tells it from the rest of its event.
struct Candidate<'a> {
    notification: Notification<'a>,
    part: String,
}

impl Candidate<'_> {
    fn account(&self) -> &AccountCode {
        &self.notification.order.key.account
    }

    fn is_for(&self, settings: &Settings) -> bool {
        let wanted = match self.notification.event_type() {
            EventType::StatusChanged => settings.wants(self.notification.status),
            EventType::Stalled => settings.wants_stalled(),
        };
        wanted && settings.accounts.include(self.account())
    }
}

/// The deliveries of an event's status changes. Repeating an event gives the same deliveries with
/// the same ids.
pub fn fan_out<'a>(
    event: &EventId,
    changes: &[Change<'_>],
    endpoints: impl IntoIterator<Item = &'a Endpoint>,
    now: Timestamp,
) -> Vec<Delivery> {
    let candidates = changes.iter().map(|change| Candidate {
        notification: Notification::changed(change),
        part: change.report_id.to_string(),
    });
    to_endpoints(event, candidates.collect(), endpoints, Candidate::is_for, now)
}

/// As [`fan_out`], for stalled orders: only to endpoints that subscribe to `order.stalled`.
pub fn fan_out_stalled<'a>(
    event: &EventId,
    stalled: &[StalledOrder<'_>],
    endpoints: impl IntoIterator<Item = &'a Endpoint>,
    now: Timestamp,
) -> Vec<Delivery> {
    let candidates = stalled.iter().map(|stalled| Candidate {
        notification: Notification::stalled(stalled),
        part: part(&stalled.order.key),
    });
    to_endpoints(event, candidates.collect(), endpoints, Candidate::is_for, now)
}

/// The current status of orders, to every enabled endpoint of the format `status_update` with
/// access to their accounts. The endpoints' `events` do not count.
pub fn fan_out_current<'a>(
    event: &EventId,
    orders: &[CurrentOrder<'_>],
    endpoints: impl IntoIterator<Item = &'a Endpoint>,
    now: Timestamp,
) -> Vec<Delivery> {
    let candidates = orders.iter().map(|current| Candidate {
        notification: Notification::current(current),
        part: part(&current.order.key),
    });
    let is_for = |candidate: &Candidate<'_>, settings: &Settings| {
        let subscribed = settings.enabled && settings.format == Format::StatusUpdate;
        subscribed && settings.accounts.include(candidate.account())
    };
    to_endpoints(event, candidates.collect(), endpoints, is_for, now)
}

/// No id contains `/`, so equal order ids of two accounts stay apart.
fn part(key: &OrderKey) -> String {
    format!("{}/{}", key.account, key.order)
}

fn to_endpoints<'a, 'n>(
    event: &EventId,
    mut candidates: Vec<Candidate<'n>>,
    endpoints: impl IntoIterator<Item = &'a Endpoint>,
    is_for: impl Fn(&Candidate<'n>, &Settings) -> bool,
    now: Timestamp,
) -> Vec<Delivery> {
    candidates.sort_by(|a, b| (a.account(), &a.part).cmp(&(b.account(), &b.part)));
    let deliveries = endpoints.into_iter().flat_map(|endpoint| {
        let is_wanted = |candidate: &&Candidate<'n>| is_for(candidate, &endpoint.settings);
        let wanted: Vec<_> = candidates.iter().filter(is_wanted).collect();
        to_endpoint(event, endpoint, &wanted, now)
    });
    deliveries.collect()
}

fn to_endpoint(
    event: &EventId,
    endpoint: &Endpoint,
    candidates: &[&Candidate<'_>],
    now: Timestamp,
) -> Vec<Delivery> {
    match endpoint.settings.format {
        Format::StatusUpdate => candidates
            .chunk_by(|a, b| a.account() == b.account())
            .flat_map(|of_account| of_account.chunks(MAX_ORDERS))
            .enumerate()
            .filter_map(|(number, chunk)| batch(event, endpoint, number, chunk, now))
            .collect(),
        Format::OrderStatusChanged | Format::Standard => {
            candidates.iter().map(|candidate| single(event, endpoint, candidate)).collect()
        }
    }
}

fn batch(
    event: &EventId,
    endpoint: &Endpoint,
    number: usize,
    candidates: &[&Candidate<'_>],
    now: Timestamp,
) -> Option<Delivery> {
    let (first, rest) = candidates.split_first()?;
    let first = &first.notification;
    let orders: Vec<_> = candidates.iter().map(|candidate| candidate.notification).collect();
    Some(Delivery {
        id: delivery_id(event, endpoint, &number.to_string()),
        order_id: rest.is_empty().then(|| first.order.key.order.clone()),
        version: rest.is_empty().then_some(first.version),
        body: payload::status_update(first.event_type(), &orders, now),
        ..blank(endpoint, first)
    })
}

fn single(event: &EventId, endpoint: &Endpoint, candidate: &Candidate<'_>) -> Delivery {
    let notification = &candidate.notification;
    Delivery {
        id: delivery_id(event, endpoint, &candidate.part),
        order_id: Some(notification.order.key.order.clone()),
        version: Some(notification.version),
        body: match endpoint.settings.format {
            Format::Standard => payload::standard(notification),
            Format::OrderStatusChanged | Format::StatusUpdate => {
                payload::order_status_changed(notification)
            }
        },
        ..blank(endpoint, notification)
    }
}

fn blank(endpoint: &Endpoint, notification: &Notification<'_>) -> Delivery {
    Delivery {
        v: SCHEMA_VERSION,
        id: String::new(),
        run: 1,
        endpoint: endpoint.name.clone(),
        format: endpoint.settings.format,
        event: notification.event_type(),
        account: notification.order.key.account.clone(),
        order_id: None,
        version: None,
        body: String::new(),
    }
}

fn delivery_id(event: &EventId, endpoint: &Endpoint, part: &str) -> String {
    let id = Fingerprint::of("delivery").with(event).with(&endpoint.name).with(part).finish();
    format!("msg_{id}")
}

#[cfg(test)]
mod tests;
