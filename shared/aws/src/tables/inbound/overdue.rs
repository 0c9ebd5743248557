//! Overdue events: received an hour ago and still not processed, because their message was lost.
//!
//! The check reads each event once, oldest first, by the index of all events, day by day. The events
//! that it finds become pending, and stay in the index `pending` until they are processed or given up. Its
//! progress is a row of its own, with partition key `sweep` and sort key `overdue`.

use aws_sdk_dynamodb::types::KeysAndAttributes;
use domain::core::id::EventId;
use domain::core::timestamp::Timestamp;

use super::row::{buckets, day, read_state};
use super::{EventState, InboundLog, header_key};
use crate::error::IoError;
use crate::tables::attr::{Item, read_as, read_text, text};
use crate::tables::batch_get::batch_get;
use crate::tables::buckets::Merge;
use crate::tables::expression::{Placeholders, attr};
use crate::tables::keys::key;
use crate::tables::read::{first_page, get, limit, query};
use crate::tables::update::Changes;
use crate::tables::write::Write;

/// Limited by `BatchGetItem`.
const PAGE_SIZE: usize = 100;
const DAY_MILLIS: i64 = 24 * 60 * 60 * 1000;
/// The first check of a log begins so many days back: older events need an operator anyway.
const FIRST_DAYS: i64 = 7;

/// The place that the check has reached: the key `at` of an event, or the start of a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OverdueCursor(String);

#[derive(Debug)]
pub struct OverduePage {
    /// The events that are still to be processed.
    pub events: Vec<EventId>,
    /// The place after this page; `None` if nothing follows it yet.
    pub next: Option<OverdueCursor>,
    /// False if the page ends at the last event so far.
    pub has_more: bool,
}

impl OverdueCursor {
    /// Where the first check begins.
    fn first(now: Timestamp) -> Self {
        Self::start_of_day(now.millis() - FIRST_DAYS * DAY_MILLIS)
    }

    fn start_of_day(millis: i64) -> Self {
        let start = Timestamp::from_millis((millis.div_euclid(DAY_MILLIS) * DAY_MILLIS).max(0));
        Self(start.map(|start| start.to_string()).unwrap_or_default())
    }

    fn day(&self) -> &str {
        self.0.get(..10).unwrap_or_default()
    }

    /// The start of the next day, unless that is in the future.
    fn next_day(&self, until: Timestamp) -> Option<Self> {
        let start = Timestamp::parse(&format!("{}T00:00:00Z", self.day())).ok()?;
        let next = Self::start_of_day(start.millis() + DAY_MILLIS);
        (next.day() <= day(until).as_str()).then_some(next)
    }
}

impl InboundLog {
    /// Where the next check begins.
    pub async fn overdue_cursor(&self, now: Timestamp) -> Result<OverdueCursor, IoError> {
        let row = get(&self.client, &self.table, cursor_key(), &["at"]).await?.unwrap_or_default();
        Ok(read_text(&row, "at")
            .map_or_else(|_| OverdueCursor::first(now), |at| OverdueCursor(at.to_owned())))
    }

    pub async fn save_overdue_cursor(&self, cursor: &OverdueCursor) -> Result<(), IoError> {
        let changes = Changes::new().set("at", text(&cursor.0));
        let write = Write::update(&self.table, cursor_key(), changes);
        write.send(&self.client).await.map(drop)
    }

    /// The next events received before `until`.
    pub async fn overdue(
        &self,
        cursor: &OverdueCursor,
        until: Timestamp,
    ) -> Result<OverduePage, IoError> {
        let to = until.to_string();
        if cursor.0 >= to {
            return Ok(OverduePage { events: Vec::new(), next: None, has_more: false });
        }
        let mut merge = Merge::ascending(buckets(cursor.day(), None), Some(&cursor.0));
        let read =
            |bucket, after: Option<String>, count| self.places(bucket, after, to.clone(), count);
        let places = merge.take(PAGE_SIZE, read).await?;
        let events = self.received(&places).await?;
        let is_full = places.len() == PAGE_SIZE;
        let last = places.into_iter().next_back().map(OverdueCursor);
        let next_day = if is_full { None } else { cursor.next_day(until) };
        let has_more = is_full || next_day.is_some();
        Ok(OverduePage { events, next: next_day.or(last), has_more })
    }

    /// The keys `at` of the next events in a bucket.
    async fn places(
        &self,
        bucket: String,
        after: Option<String>,
        to: String,
        count: usize,
    ) -> Result<Vec<String>, IoError> {
        // Both bounds are included: a space sorts after the place itself, and before every id.
        let range = attr("at").between(text(format!("{} ", after.unwrap_or_default())), text(to));
        let events = attr("day").equals(text(bucket)).and(range);
        let query = query(&self.client, &self.table, events).index_name("by_day");
        let page = first_page(query.limit(limit(count))).await?;
        page.rows.iter().map(|row| read_text(row, "at").map(str::to_owned)).collect()
    }

    /// The events at these places that are in the state `received`. An unreadable row must not stop
    /// the check.
    async fn received(&self, places: &[String]) -> Result<Vec<EventId>, IoError> {
        let id = |place: &String| EventId::parse(place.split_once('/')?.1).ok();
        let ids: Vec<EventId> = places.iter().filter_map(id).collect();
        if ids.is_empty() {
            return Ok(ids);
        }
        let mut placeholders = Placeholders::default();
        let keys = KeysAndAttributes::builder()
            .set_keys(Some(ids.iter().map(header_key).collect()))
            .projection_expression(placeholders.projection(&["pk", "state"]))
            .set_expression_attribute_names(placeholders.into_maps().0);
        let rows = batch_get(&self.client, &self.table, keys).await?;
        let is_received = |row: &&Item| matches!(read_state(row), Ok(EventState::Received));
        let received = rows.iter().filter(is_received);
        received.map(|row| read_as(row, "pk", EventId::parse)).collect()
    }
}

fn cursor_key() -> Item {
    key("sweep", "overdue")
}

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn starts_a_few_days_back() {
        let cursor = OverdueCursor::first(at("2026-03-01T05:00:00Z"));
        assert_eq!(cursor.0, "2026-02-22T00:00:00.000Z");
        assert_eq!(OverdueCursor::first(Timestamp::EPOCH).0, "1970-01-01T00:00:00.000Z");
    }

    #[test]
    fn goes_on_with_the_next_day_once_it_has_begun() {
        let cursor = OverdueCursor("2026-02-28T23:00:00.000Z/e".to_owned());
        let next = |until: &str| cursor.next_day(at(until)).map(|next| next.0);
        assert_eq!(next("2026-02-28T23:59:59Z"), None);
        assert_eq!(next("2026-03-01T00:00:00Z").as_deref(), Some("2026-03-01T00:00:00.000Z"));
        assert_eq!(next("2026-03-09T00:00:00Z").as_deref(), Some("2026-03-01T00:00:00.000Z"));
    }
}
