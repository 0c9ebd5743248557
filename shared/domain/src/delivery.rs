//! What customers' servers are told: one payload for one endpoint.

use serde::{Deserialize, Serialize};

use crate::endpoint::{Endpoint, Format};
use crate::hash::Fingerprint;
use crate::id::{AccountCode, EndpointName, EventId, OrderId, ReportId};
use crate::order::Order;
use crate::payload;
use crate::timeline::Transition;
use crate::timestamp::Timestamp;

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
        let text = serde_json::to_string(self).unwrap_or_default();
        // SQS takes the characters of XML 1.0 only. These two can stand nowhere but in JSON strings.
        text.replace('\u{fffe}', "\\ufffe").replace('\u{ffff}', "\\uffff")
    }

    /// Reads a message; `None` if this program does not understand it.
    pub fn from_message(body: &str) -> Option<Self> {
        serde_json::from_str(body).ok().filter(|delivery: &Self| delivery.v == SCHEMA_VERSION && delivery.run > 0)
    }
}

/// Bodies hold names and phones.
impl std::fmt::Debug for Delivery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Delivery").field("id", &self.id).field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

/// A change that has to be told.
#[derive(Debug, Clone, Copy)]
pub struct Change<'a> {
    /// The order.
    pub order: &'a Order,
    /// The report that caused it.
    pub report_id: &'a ReportId,
    /// What changed.
    pub transition: &'a Transition,
}

/// Everything to be told because of one event. The same event always gives the same deliveries with the same ids.
pub fn announce<'a>(
    event: &EventId,
    changes: &[Change<'_>],
    endpoints: impl IntoIterator<Item = &'a Endpoint>,
    now: Timestamp,
) -> Vec<Delivery> {
    let mut sorted: Vec<&Change<'_>> = changes.iter().collect();
    sorted.sort_by_key(|change| (&change.order.key.account, change.report_id));
    endpoints
        .into_iter()
        .flat_map(|endpoint| {
            let wanted = sorted.iter().copied().filter(|change| {
                let settings = &endpoint.settings;
                settings.accounts.include(&change.order.key.account) && settings.wants(change.transition.status)
            });
            tell(event, endpoint, &wanted.collect::<Vec<_>>(), now)
        })
        .collect()
}

fn tell(event: &EventId, endpoint: &Endpoint, changes: &[&Change<'_>], now: Timestamp) -> Vec<Delivery> {
    match endpoint.settings.format {
        Format::StatusUpdate => changes
            .chunk_by(|a, b| a.order.key.account == b.order.key.account)
            .flat_map(|of_account| of_account.chunks(MAX_ORDERS))
            .enumerate()
            .filter_map(|(number, chunk)| tell_batch(event, endpoint, number, chunk, now))
            .collect(),
        Format::OrderStatusChanged | Format::Standard => {
            changes.iter().map(|change| tell_one(event, endpoint, change)).collect()
        }
    }
}

fn tell_batch(
    event: &EventId,
    endpoint: &Endpoint,
    number: usize,
    changes: &[&Change<'_>],
    now: Timestamp,
) -> Option<Delivery> {
    let (first, rest) = changes.split_first()?;
    let order = rest.is_empty().then(|| first.order.key.order.clone());
    Some(Delivery {
        id: delivery_id(event, endpoint, &number.to_string()),
        order_id: order,
        version: rest.is_empty().then_some(first.transition.version),
        body: payload::status_update(changes, now),
        ..blank(endpoint, first)
    })
}

fn tell_one(event: &EventId, endpoint: &Endpoint, change: &Change<'_>) -> Delivery {
    Delivery {
        id: delivery_id(event, endpoint, change.report_id.as_str()),
        order_id: Some(change.order.key.order.clone()),
        version: Some(change.transition.version),
        body: match endpoint.settings.format {
            Format::Standard => payload::standard(change),
            Format::OrderStatusChanged | Format::StatusUpdate => payload::order_status_changed(change),
        },
        ..blank(endpoint, change)
    }
}

fn blank(endpoint: &Endpoint, change: &Change<'_>) -> Delivery {
    Delivery {
        v: SCHEMA_VERSION,
        id: String::new(),
        run: 1,
        endpoint: endpoint.name.clone(),
        format: endpoint.settings.format,
        account: change.order.key.account.clone(),
        order_id: None,
        version: None,
        body: String::new(),
    }
}

fn delivery_id(event: &EventId, endpoint: &Endpoint, part: &str) -> String {
    format!("msg_{}", Fingerprint::of("delivery").with(event).with(&endpoint.name).with(part).finish())
}

#[cfg(test)]
mod tests;
