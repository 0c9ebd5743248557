//! The log as operators read it, newest first.

mod filter;
#[cfg(test)]
mod tests;
mod walk;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws_sdk_dynamodb::types::KeysAndAttributes;
use domain::core::id::{AccountCode, EventId};
use domain::core::timestamp::Timestamp;
use domain::pagination::MAX_LIMIT;
use domain::tracking::report::SourceName;

use super::erase::ERASED_AT;
use super::row::read_state;
use super::{EventState, InboundLog, header_key, shard};
use crate::error::IoError;
use crate::tables::attr::{Item, read_as, read_optional, read_text, text};
use crate::tables::batch_get::{MAX_KEYS, batch_get};
use crate::tables::buckets::{MAX_PARTITIONS, partitions_with_rows};
use crate::tables::expression::{Placeholders, attr};
use crate::tables::read::{first_page, get, limit, query};
use crate::tables::update::Changes;

pub use filter::{InvalidFilter, LogFilter};
pub use walk::LogPosition;
use walk::{BY_DAY, DAY, Partitions, Walk};

/// Maximum number of rows that are read for one page, however few of them match the filter.
const MAX_SCANNED: usize = 5 * MAX_LIMIT;

/// The attributes of a [`LogRow`].
const COLUMNS: [&str; 8] =
    ["pk", "source", "account", "received_at", "state", "reason", "settled_at", ERASED_AT];

/// An event in the log, without its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogRow {
    pub id: EventId,
    pub source: SourceName,
    /// Absent if the account of each update follows from the update itself.
    pub account: Option<AccountCode>,
    pub received_at: Timestamp,
    pub state: EventState,
    /// Never contains content of the event.
    pub reason: Option<String>,
    /// When it was processed.
    pub settled_at: Option<Timestamp>,
    /// When its body was erased.
    pub erased_at: Option<Timestamp>,
}

#[derive(Debug, PartialEq, Eq)]
pub struct LogPage {
    /// Newest first.
    pub rows: Vec<LogRow>,
    /// The cursor of the next page, if there may be one.
    pub next: Option<LogPosition>,
}

impl InboundLog {
    /// A page of the events that match the filter, newest first. It may have fewer rows than
    /// `limit`, or none, although there is a next page: the numbers of rows and partitions read for
    /// one page are limited.
    pub async fn list(
        &self,
        filter: &LogFilter,
        limit: usize,
        after: Option<LogPosition>,
        now: Timestamp,
    ) -> Result<LogPage, IoError> {
        let step = if filter.is_narrow() { MAX_LIMIT } else { limit };
        let mut walk = Walk::new(filter, after, now);
        let (mut matches, mut scanned) = (Vec::new(), 0);
        while scanned < MAX_SCANNED && walk.opened < MAX_PARTITIONS && !walk.is_at_end() {
            let positions = self.positions(&mut walk, step).await?;
            scanned += positions.len();
            let mut rows = self.rows(positions.iter().map(|position| &position.id)).await?;
            for position in &positions {
                matches.extend(rows.remove(&position.id).filter(|row| filter.matches(row)));
                if matches.len() == limit {
                    return Ok(LogPage { rows: matches, next: Some(position.clone()) });
                }
            }
            if scanned < MAX_SCANNED && walk.is_worth_a_look() {
                let (client, table) = (&self.client, &self.table);
                walk.look(partitions_with_rows(client, table, BY_DAY, DAY).await?.as_ref());
            }
        }
        Ok(LogPage { rows: matches, next: walk.place() })
    }

    /// As [`InboundLog::list`], of these events alone.
    pub async fn list_of(
        &self,
        events: &BTreeSet<EventId>,
        filter: &LogFilter,
        limit: usize,
        after: Option<&LogPosition>,
    ) -> Result<LogPage, IoError> {
        let mut found = BTreeMap::new();
        for ids in events.iter().collect::<Vec<_>>().chunks(MAX_KEYS) {
            let rows = self.rows(ids.iter().copied()).await?.into_values();
            let rows = rows.filter(|row| filter.matches(row));
            found.extend(rows.map(|row| (LogPosition::of(&row), row)));
        }
        let is_left = |place: &LogPosition| after.is_none_or(|after| place < after);
        let mut rest = found.into_iter().rev().filter(|(place, _)| is_left(place));
        let page: Vec<_> = rest.by_ref().take(limit).collect();
        let last = page.last().map(|(place, _)| place.clone());
        let next = rest.next().and(last);
        Ok(LogPage { rows: page.into_iter().map(|(_, row)| row).collect(), next })
    }

    /// One event of the log.
    pub async fn row(&self, id: &EventId) -> Result<Option<LogRow>, IoError> {
        let row = get(&self.client, &self.table, header_key(id), &COLUMNS).await?;
        row.as_ref().map(read_row).transpose()
    }

    /// Resets an event to `received`, and to pending until it is sent, for another run of the
    /// processing. `false` if it is no longer in the state `seen`, or is being written.
    pub async fn reopen(
        &self,
        id: &EventId,
        seen: EventState,
        now: Timestamp,
    ) -> Result<bool, IoError> {
        let changes = reopening(id, now);
        let unchanged = attr("state").equals(text(seen.as_str())).and(attr(ERASED_AT).absent());
        self.update(id, changes).only_if(unchanged).send_if_unchanged(&self.client).await
    }

    /// The next positions of the walk; fewer than `count` at the end of a day.
    async fn positions(&self, walk: &mut Walk, count: usize) -> Result<Vec<LogPosition>, IoError> {
        let Some((partitions, merge)) = walk.open() else { return Ok(Vec::new()) };
        let Partitions { index, attribute, .. } = *partitions;
        let read = |value, after, max| self.positions_in(index, attribute, value, after, max);
        let positions = merge.take(count, read).await?;
        walk.advance(&positions, positions.len() < count);
        Ok(positions)
    }

    async fn positions_in(
        &self,
        index: &'static str,
        attribute: &'static str,
        value: String,
        after: Option<LogPosition>,
        count: usize,
    ) -> Result<Vec<LogPosition>, IoError> {
        let mut events = attr(attribute).equals(text(value));
        if let Some(after) = after {
            events = events.and(attr("at").below(text(after.to_string())));
        }
        let query = query(&self.client, &self.table, events)
            .index_name(index)
            .scan_index_forward(false)
            .limit(limit(count));
        let parse = |text: &str| LogPosition::parse(text).ok_or(());
        first_page(query).await?.rows.iter().map(|row| read_as(row, "at", parse)).collect()
    }

    /// The rows of up to a hundred events. Expired rows are left out.
    async fn rows(
        &self,
        events: impl Iterator<Item = &EventId>,
    ) -> Result<HashMap<EventId, LogRow>, IoError> {
        let keys: Vec<_> = events.map(header_key).collect();
        if keys.is_empty() {
            return Ok(HashMap::new());
        }
        let mut placeholders = Placeholders::default();
        let keys = KeysAndAttributes::builder()
            .set_keys(Some(keys))
            .projection_expression(placeholders.projection(&COLUMNS))
            .set_expression_attribute_names(placeholders.into_maps().0);
        let rows = batch_get(&self.client, &self.table, keys).await?;
        rows.iter().map(|row| read_row(row).map(|row| (row.id.clone(), row))).collect()
    }
}

pub(super) fn reopening(id: &EventId, now: Timestamp) -> Changes {
    Changes::new()
        .set("state", text(EventState::Received.as_str()))
        .set("pending", text(shard(id)))
        .set("pending_since", text(now.to_string()))
        .remove("settled_at")
        .remove("reason")
        .remove("notable")
}

fn read_row(row: &Item) -> Result<LogRow, IoError> {
    Ok(LogRow {
        id: read_as(row, "pk", EventId::parse)?,
        source: SourceName::from(read_text(row, "source")?),
        account: read_optional(row, "account", AccountCode::parse)?,
        received_at: read_as(row, "received_at", Timestamp::parse)?,
        state: read_state(row)?,
        reason: read_text(row, "reason").ok().map(str::to_owned),
        settled_at: read_optional(row, "settled_at", Timestamp::parse)?,
        erased_at: read_optional(row, ERASED_AT, Timestamp::parse)?,
    })
}
