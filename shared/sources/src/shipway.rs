//! Shipway's push.
//!
//! What it sends has three shapes: a few words about an order, as its panel's "Send Sample Webhook" does; all it knows
//! about an order; and a `status_feed` of several, as in the guide to its older API. All but the last come from bodies
//! that implementers published.

mod auth;
mod item;
mod moment;
pub mod pull;
mod report_identity;
mod scans;
mod settings;
mod status;

use std::collections::BTreeSet;

use domain::core::request_body::{InvalidBody, read_object};
use domain::tracking::report::{Report, SourceName};

use crate::text::Fields;
use crate::{
    Authenticator, DedupKey, InvalidSetting, Items, Reading, Received, Request, Setup, Source,
    Unreadable,
};
use item::Item;

pub use settings::{CallsPerSecond, Credentials, Settings};

/// Shipway, where it calls us.
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

    fn dedup_key(&self, request: &Request<'_>) -> DedupKey {
        let timeless = |body: Body| !body.items.iter().flatten().any(|item| item.time().is_some());
        if Body::read(request.body).is_ok_and(timeless) {
            DedupKey::BodyAndMinute
        } else {
            DedupKey::Body
        }
    }

    fn read(&self, received: &Received<'_>) -> Result<Reading, Unreadable> {
        let body = Body::read(received.body)?;
        if body.items.is_empty() {
            return Ok(Reading::Ignored("empty_feed"));
        }
        let reports = reports(&body, received, &self.name());
        match (reports.items.is_empty(), reports.skipped) {
            (false, _) => Ok(Reading::Reports(reports)),
            (true, 0) => Ok(Reading::Ignored("test_ping")),
            (true, _) if body.is_feed => Ok(Reading::Ignored("no_order_named")),
            (true, _) => Err(Unreadable::Missing("awbno or order_id")),
        }
    }
}

/// What a body holds: the items of a feed, or one item that is the body itself.
struct Body {
    is_feed: bool,
    /// Nothing stands for one that is no object.
    items: Vec<Option<Item>>,
}

/// The most items of a feed. Each is a few calls of the database, and all have to be done in one go.
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
}

/// The claims of a body, each once, without samples.
fn reports(body: &Body, received: &Received<'_>, source: &SourceName) -> Items<Report> {
    let mut reports = Items::from(Vec::new());
    let mut known = BTreeSet::new();
    let is_sample = |item: &Option<Item>| item.as_ref().is_some_and(Item::is_sample);
    for item in body.items.iter().filter(|item| !is_sample(item)) {
        match item.as_ref().and_then(|item| item.report(received, source.clone())) {
            None => reports.skipped += 1,
            Some(report) if known.insert(report.id.clone()) => reports.items.push(report),
            Some(_) => {}
        }
    }
    reports
}

#[cfg(test)]
mod tests;
