//! The log as people read it, newest first, and its events worked on again.

mod filter;
mod walk;

use std::collections::HashMap;

use aws_sdk_dynamodb::types::KeysAndAttributes;
use domain::core::id::{AccountCode, EventId};
use domain::core::timestamp::Timestamp;
use domain::pagination::MAX_LIMIT;
use domain::tracking::report::SourceName;

use super::row::read_state;
use super::{EventState, InboundLog, condition_held, shard};
use crate::error::IoError;
use crate::tables::attr::{Item, read_text, text};
use crate::tables::batch_get::batch_get;

pub use filter::{InvalidFilter, LogFilter};
pub use walk::Place;
use walk::{Partition, Walk};

/// So many rows are looked at for one page, however few of them are asked for.
const MAX_LOOKED_AT: usize = 5 * MAX_LIMIT;

/// The attributes of a [`LogRow`]; some of their names mean something to DynamoDB.
const COLUMNS: [(&str, &str); 7] = [
    ("#id", "pk"),
    ("#source", "source"),
    ("#account", "account"),
    ("#received_at", "received_at"),
    ("#state", "state"),
    ("#reason", "reason"),
    ("#settled_at", "settled_at"),
];

/// An event in the log, without its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogRow {
    /// The event.
    pub id: EventId,
    /// Who sent it.
    pub source: SourceName,
    /// Whose it is. Absent where its updates say so, each for itself.
    pub account: Option<AccountCode>,
    /// When.
    pub received_at: Timestamp,
    /// How far it has come.
    pub state: EventState,
    /// Why it is in that state, if there is more to say; never content.
    pub reason: Option<String>,
    /// Since when it is, if it was worked on.
    pub settled_at: Option<Timestamp>,
}

/// Some of the log.
#[derive(Debug, PartialEq, Eq)]
pub struct LogPage {
    /// Newest first.
    pub rows: Vec<LogRow>,
    /// After which place the next page begins, if there may be one.
    pub next: Option<Place>,
}

impl InboundLog {
    /// The newest events, or those after a place, that the filter admits: at most `limit`, of the last 90 days. Fewer,
    /// or none, although there is a next page: then as many were looked at as are for one page.
    ///
    /// # Errors
    /// An index or the table cannot be read.
    pub async fn list(
        &self,
        filter: &LogFilter,
        limit: usize,
        after: Option<Place>,
        now: Timestamp,
    ) -> Result<LogPage, IoError> {
        let step = if filter.is_narrow() { MAX_LIMIT } else { limit };
        let mut walk = Walk::new(filter.status, after, now);
        let mut found = Vec::new();
        for _ in 0..MAX_LOOKED_AT.div_ceil(step) {
            let places = self.places(&mut walk, step).await?;
            let mut rows = self.rows(&places).await?;
            for place in &places {
                found.extend(rows.remove(&place.id).filter(|row| filter.admits(row)));
                if found.len() == limit {
                    return Ok(LogPage { rows: found, next: Some(place.clone()) });
                }
            }
            if places.len() < step {
                return Ok(LogPage { rows: found, next: None });
            }
        }
        Ok(LogPage { rows: found, next: walk.after })
    }

    /// One event of the log.
    ///
    /// # Errors
    /// The table cannot be read.
    pub async fn row(&self, id: &EventId) -> Result<Option<LogRow>, IoError> {
        let request = self
            .client
            .get_item()
            .table_name(&self.table)
            .consistent_read(true)
            .set_key(Some(key(id)));
        let (columns, names) = columns();
        let request =
            request.projection_expression(columns).set_expression_attribute_names(Some(names));
        let answer =
            request.send().await.map_err(|error| IoError::of("dynamodb:GetItem", &error))?;
        answer.item.as_ref().map(read_row).transpose()
    }

    /// Makes an event one that nobody has worked on, and pending until it is sent, if it is still as it was seen.
    /// Tells whether it was.
    ///
    /// # Errors
    /// The table cannot be written.
    pub async fn reopen(
        &self,
        id: &EventId,
        seen: EventState,
        now: Timestamp,
    ) -> Result<bool, IoError> {
        let set = "SET #state = :received, pending = :shard, pending_since = :now REMOVE settled_at, reason, notable";
        let update = self
            .update(id, set)
            .condition_expression("#state = :seen")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":seen", text(seen.as_str()))
            .expression_attribute_values(":received", text(EventState::Received.as_str()))
            .expression_attribute_values(":shard", text(shard(id)))
            .expression_attribute_values(":now", text(now.to_string()));
        condition_held(update).await
    }

    /// The next places on the way, at most so many; fewer only at its end.
    async fn places(&self, walk: &mut Walk, count: usize) -> Result<Vec<Place>, IoError> {
        let mut found = Vec::new();
        while let Some(partition) = walk.partitions.front() {
            let open = count - found.len();
            let some = self.places_in(partition, walk.after.as_ref(), open).await?;
            if some.len() < open {
                walk.partitions.pop_front();
            }
            walk.after = some.last().or(walk.after.as_ref()).cloned();
            found.extend(some);
            if found.len() == count {
                break;
            }
        }
        Ok(found)
    }

    async fn places_in(
        &self,
        partition: &Partition,
        after: Option<&Place>,
        count: usize,
    ) -> Result<Vec<Place>, IoError> {
        let mut query = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(partition.index)
            .scan_index_forward(false)
            .limit(i32::try_from(count).unwrap_or(i32::MAX))
            .key_condition_expression("#partition = :partition")
            .expression_attribute_names("#partition", partition.attribute)
            .expression_attribute_values(":partition", text(partition.value.as_str()));
        if let Some(after) = after {
            query = query
                .key_condition_expression("#partition = :partition AND #at < :after")
                .expression_attribute_names("#at", "at")
                .expression_attribute_values(":after", text(after.to_string()));
        }
        let answer = query.send().await.map_err(|error| IoError::of("dynamodb:Query", &error))?;
        let place = |item| {
            Place::parse(read_text(item, "at")?)
                .ok_or_else(|| IoError::unreadable("dynamodb", "at"))
        };
        answer.items().iter().map(place).collect()
    }

    /// The rows at these places. One that is gone is left out.
    async fn rows(&self, places: &[Place]) -> Result<HashMap<EventId, LogRow>, IoError> {
        if places.is_empty() {
            return Ok(HashMap::new());
        }
        let (columns, names) = columns();
        let keys = places.iter().map(|place| key(&place.id)).collect();
        let asked = KeysAndAttributes::builder().set_keys(Some(keys));
        let asked =
            asked.projection_expression(columns).set_expression_attribute_names(Some(names));
        let rows = batch_get(&self.client, &self.table, asked).await?;
        rows.iter().map(|item| read_row(item).map(|row| (row.id.clone(), row))).collect()
    }
}

fn key(id: &EventId) -> Item {
    Item::from([("pk".to_owned(), text(id.as_str())), ("sk".to_owned(), text("event"))])
}

/// What of a row is read, and the names it is asked for by.
fn columns() -> (String, HashMap<String, String>) {
    let names = COLUMNS.map(|(name, attribute)| (name.to_owned(), attribute.to_owned()));
    (COLUMNS.map(|(name, _)| name).join(", "), HashMap::from(names))
}

fn read_row(item: &Item) -> Result<LogRow, IoError> {
    let unreadable = |what: &'static str| IoError::unreadable("dynamodb", what);
    let account = read_text(item, "account").ok().map(AccountCode::parse).transpose();
    let settled_at = read_text(item, "settled_at").ok().map(Timestamp::parse).transpose();
    Ok(LogRow {
        id: EventId::parse(read_text(item, "pk")?).map_err(|_| unreadable("pk"))?,
        source: SourceName::from(read_text(item, "source")?),
        account: account.map_err(|_| unreadable("account"))?,
        received_at: Timestamp::parse(read_text(item, "received_at")?)
            .map_err(|_| unreadable("received_at"))?,
        state: read_state(item)?,
        reason: read_text(item, "reason").ok().map(str::to_owned),
        settled_at: settled_at.map_err(|_| unreadable("settled_at"))?,
    })
}
