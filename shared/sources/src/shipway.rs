//! Shipway's webhook.
//!
//! It sends three shapes of bodies: a few fields about an order (the panel's "Send Sample
//! Webhook"), everything it knows about an order, and a `status_feed` of several orders (from the
//! guide to its older API). The first two come from bodies that implementers published.

mod auth;
mod dates;
mod item;
mod report_identity;
mod scans;
mod settings;
mod status;
pub mod tracking_api;

use std::collections::BTreeSet;

use domain::core::request_body::{InvalidBody, read_object};
use domain::core::timestamp::Timestamp;
use domain::tracking::report::{Report, SourceName};

use crate::text::Fields;
use crate::{
    Authenticator, DedupKey, IgnoreReason, InvalidSetting, Items, Parsed, Reading, Request, Setup,
    Source, Unreadable,
};
use item::Item;

pub use settings::{CallsPerSecond, Credentials, Settings};

pub struct Shipway;

impl Source for Shipway {
    fn name(&self) -> SourceName {
        SourceName::new("shipway")
    }

    fn path(&self) -> &'static str {
        "shipway"
    }

    fn configure(&self, setup: &Setup<'_>) -> Result<Box<dyn Authenticator>, InvalidSetting> {
        auth::configure(setup)
    }

    fn parse(&self, request: &Request<'_>, at: Timestamp) -> Result<Parsed, Unreadable> {
        let body = Body::read(request.body)?;
        let reading = reading(&body, request, at, &self.name())?;
        Ok(Parsed { dedup_key: body.dedup_key(), ..reading.into() })
    }

    /// The hash opens every path of the account until the license key changes.
    fn credentials(&self) -> &'static [&'static str] {
        &["hash"]
    }

    fn is_neutral_status(&self, words: &str) -> bool {
        status::is_neutral(words)
    }
}

fn reading(
    body: &Body,
    request: &Request<'_>,
    at: Timestamp,
    source: &SourceName,
) -> Result<Reading, Unreadable> {
    if body.items.is_empty() {
        return Ok(Reading::Ignored(IgnoreReason::EmptyFeed));
    }
    let reports = reports(body, request, at, source);
    match (reports.items.is_empty(), reports.skipped) {
        (false, _) => Ok(Reading::Reports(reports)),
        (true, 0) => Ok(Reading::Ignored(IgnoreReason::TestPing)),
        (true, _) if body.is_feed => Ok(Reading::Ignored(IgnoreReason::NoOrderNamed)),
        (true, _) => Err(Unreadable::Missing("awbno or order_id")),
    }
}

/// The items of a feed, or the body itself as the only item.
struct Body {
    is_feed: bool,
    /// `None` for an item that is not an object.
    items: Vec<Option<Item>>,
}

/// Maximum number of items of a feed. Each costs a few database calls, all within one invocation.
const MAX_ITEMS: usize = 500;

impl Body {
    fn read(body: &[u8]) -> Result<Self, Unreadable> {
        let body: Fields = read_object(body)?;
        let is_item = body.has("order_id") || body.has("awbno");
        match body.members("status_feed") {
            Some(feed) if feed.len() > MAX_ITEMS => {
                Err(InvalidBody::field("status_feed", format_args!("more than {MAX_ITEMS} items"))
                    .into())
            }
            Some(feed) if !feed.is_empty() || !is_item => Ok(Self {
                is_feed: true,
                items: feed.into_iter().map(|item| item.map(Item::from)).collect(),
            }),
            _ if is_item => Ok(Self { is_feed: false, items: vec![Some(body.into())] }),
            _ => Err(Unreadable::Missing("status_feed, order_id or awbno")),
        }
    }

    fn dedup_key(&self) -> DedupKey {
        if self.items.iter().flatten().any(|item| item.raw_time().is_some()) {
            DedupKey::Body
        } else {
            DedupKey::BodyAndMinute
        }
    }
}

/// The distinct reports of a body, without samples.
fn reports(
    body: &Body,
    request: &Request<'_>,
    at: Timestamp,
    source: &SourceName,
) -> Items<Report> {
    let mut reports = Items::from(Vec::new());
    let mut known = BTreeSet::new();
    let is_sample = |item: &Option<Item>| item.as_ref().is_some_and(Item::is_sample);
    for item in body.items.iter().filter(|item| !is_sample(item)) {
        match item.as_ref().and_then(|item| item.report(request, at, source.clone())) {
            None => reports.skipped += 1,
            Some(report) if known.insert(report.id.clone()) => reports.items.push(report),
            Some(_) => {}
        }
    }
    reports
}

#[cfg(test)]
mod tests;
