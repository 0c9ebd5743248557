//! What customers' servers are told: one payload for one endpoint.

use serde::{Deserialize, Serialize};

use crate::core::hash::Fingerprint;
use crate::core::id::{AccountCode, EndpointName, EventId, OrderId, OrderKey, ReportId};
use crate::core::timestamp::Timestamp;
use crate::orders::order::Order;
use crate::tracking::timeline::Transition;
use crate::webhooks::endpoint::{Endpoint, Event, Format, Settings};
use crate::webhooks::payload::{self, Told};

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
    pub event: Event,
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

/// An order that has stood still for so long that it has to be told.
#[derive(Debug, Clone, Copy)]
pub struct StalledOrder<'a> {
    /// The order.
    pub order: &'a Order,
    /// When it last moved.
    pub since: Timestamp,
}

/// An order that somebody asks to be told of, as it stands.
#[derive(Debug, Clone, Copy)]
pub struct CurrentOrder<'a> {
    /// The order.
    pub order: &'a Order,
    /// Its last change of status, if there ever was one.
    pub last: Option<&'a Transition>,
}

/// What is told of one order, and what tells it from the rest of its event.
struct News<'a> {
    told: Told<'a>,
    part: String,
}

impl News<'_> {
    fn account(&self) -> &AccountCode {
        &self.told.order.key.account
    }

    fn is_for(&self, settings: &Settings) -> bool {
        let wanted = match self.told.event() {
            Event::StatusChanged => settings.wants(self.told.status),
            Event::Stalled => settings.wants_stalled(),
        };
        wanted && settings.accounts.include(self.account())
    }
}

/// Everything to be told because of one event. The same event always gives the same deliveries with the same ids.
pub fn announce<'a>(
    event: &EventId,
    changes: &[Change<'_>],
    endpoints: impl IntoIterator<Item = &'a Endpoint>,
    now: Timestamp,
) -> Vec<Delivery> {
    let news = changes
        .iter()
        .map(|change| News { told: Told::changed(change), part: change.report_id.to_string() });
    tell_all(event, news.collect(), endpoints, News::is_for, now)
}

/// As [`announce`], for orders that stand still. Only endpoints that name this event are told.
pub fn announce_stalled<'a>(
    event: &EventId,
    stalled: &[StalledOrder<'_>],
    endpoints: impl IntoIterator<Item = &'a Endpoint>,
    now: Timestamp,
) -> Vec<Delivery> {
    let news = stalled
        .iter()
        .map(|stalled| News { told: Told::stalled(stalled), part: part(&stalled.order.key) });
    tell_all(event, news.collect(), endpoints, News::is_for, now)
}

/// How orders stand now, for all endpoints of the format `status_update` that are switched on and may see their
/// accounts, whichever changes they want to be told.
pub fn announce_current<'a>(
    event: &EventId,
    orders: &[CurrentOrder<'_>],
    endpoints: impl IntoIterator<Item = &'a Endpoint>,
    now: Timestamp,
) -> Vec<Delivery> {
    let news = orders
        .iter()
        .map(|current| News { told: Told::current(current), part: part(&current.order.key) });
    let told = |news: &News<'_>, settings: &Settings| {
        let meant = settings.enabled && settings.format == Format::StatusUpdate;
        meant && settings.accounts.include(news.account())
    };
    tell_all(event, news.collect(), endpoints, told, now)
}

/// No id has a `/`: two accounts' orders of one name stay apart.
fn part(key: &OrderKey) -> String {
    format!("{}/{}", key.account, key.order)
}

fn tell_all<'a, 'n>(
    event: &EventId,
    mut news: Vec<News<'n>>,
    endpoints: impl IntoIterator<Item = &'a Endpoint>,
    is_for: impl Fn(&News<'n>, &Settings) -> bool,
    now: Timestamp,
) -> Vec<Delivery> {
    news.sort_by(|a, b| (a.account(), &a.part).cmp(&(b.account(), &b.part)));
    let told = endpoints.into_iter().flat_map(|endpoint| {
        let wanted: Vec<_> = news.iter().filter(|news| is_for(news, &endpoint.settings)).collect();
        tell(event, endpoint, &wanted, now)
    });
    told.collect()
}

fn tell(event: &EventId, endpoint: &Endpoint, news: &[&News<'_>], now: Timestamp) -> Vec<Delivery> {
    match endpoint.settings.format {
        Format::StatusUpdate => news
            .chunk_by(|a, b| a.account() == b.account())
            .flat_map(|of_account| of_account.chunks(MAX_ORDERS))
            .enumerate()
            .filter_map(|(number, chunk)| tell_batch(event, endpoint, number, chunk, now))
            .collect(),
        Format::OrderStatusChanged | Format::Standard => {
            news.iter().map(|news| tell_one(event, endpoint, news)).collect()
        }
    }
}

fn tell_batch(
    event: &EventId,
    endpoint: &Endpoint,
    number: usize,
    news: &[&News<'_>],
    now: Timestamp,
) -> Option<Delivery> {
    let (first, rest) = news.split_first()?;
    let orders: Vec<_> = news.iter().map(|news| news.told).collect();
    let order = rest.is_empty().then(|| first.told.order.key.order.clone());
    Some(Delivery {
        id: delivery_id(event, endpoint, &number.to_string()),
        order_id: order,
        version: rest.is_empty().then_some(first.told.version),
        body: payload::status_update(first.told.event(), &orders, now),
        ..blank(endpoint, &first.told)
    })
}

fn tell_one(event: &EventId, endpoint: &Endpoint, news: &News<'_>) -> Delivery {
    let told = &news.told;
    Delivery {
        id: delivery_id(event, endpoint, &news.part),
        order_id: Some(told.order.key.order.clone()),
        version: Some(told.version),
        body: match endpoint.settings.format {
            Format::Standard => payload::standard(told),
            Format::OrderStatusChanged | Format::StatusUpdate => {
                payload::order_status_changed(told)
            }
        },
        ..blank(endpoint, told)
    }
}

fn blank(endpoint: &Endpoint, told: &Told<'_>) -> Delivery {
    Delivery {
        v: SCHEMA_VERSION,
        id: String::new(),
        run: 1,
        endpoint: endpoint.name.clone(),
        format: endpoint.settings.format,
        event: told.event(),
        account: told.order.key.account.clone(),
        order_id: None,
        version: None,
        body: String::new(),
    }
}

fn delivery_id(event: &EventId, endpoint: &Endpoint, part: &str) -> String {
    format!(
        "msg_{}",
        Fingerprint::of("delivery").with(event).with(&endpoint.name).with(part).finish()
    )
}

#[cfg(test)]
mod tests;
