//! The inbound log: one row an event, retained 90 days. The event's id is its dedup key.
//!
//! | partition | sort key | row |
//! |---|---|---|
//! | event id | `event` | the header, with the compressed body if that is small enough |
//! | | `body:{fingerprint}:{n}` | a part of a large body, written before the header |
//! | `denied` | `{hour}/{source}/{hook}` | a count of denied webhooks |
//! | `sweep` | `overdue` | the place that the check for lost messages has reached |
//!
//! The index `by_day` has all events, `notable` those that need attention. The index `pending` has
//! only events that must be sent to their queue, or were sent late and are not yet processed: those
//! with `pending` (stage and shard) and `pending_since`.

mod body;
mod denials;
mod erase;
mod event;
mod log;
mod message;
mod noted;
mod overdue;
mod pending;
mod progress;
mod row;
mod stored;

use aws_sdk_dynamodb::Client;
use domain::core::id::EventId;

pub use denials::{Denial, DeniedHour, DeniedPath};
pub use erase::ErasedEvent;
pub use event::{EventState, InboundEvent, Inserted, Progress};
pub use log::{InvalidFilter, LogFilter, LogPage, LogPosition, LogRow};
pub use message::{EventMessage, group, in_group_of};
pub use overdue::{OverdueCursor, OverduePage};
pub use pending::{Cursor, Pending, PendingPage, Stage};
pub use stored::{Checkpoint, StoredEvent};

use crate::error::IoError;
use crate::tables::attr::{Item, read_text, text};
use crate::tables::deflate::{compress, decompress};
use crate::tables::keys::key;
use crate::tables::read::get;
use crate::tables::update::Changes;
use crate::tables::write::{Write, WriteOutcome};
use body::Body;
use pending::shard;
use row::{fingerprint, header, read_event, read_state};

/// Retention of inbound events and their bodies.
pub(super) const RETENTION_DAYS: u64 = 90;

#[derive(Debug, Clone)]
pub struct InboundLog {
    client: Client,
    table: String,
}

impl InboundLog {
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// Stores an event, unless there is one of the same id.
    pub async fn insert(&self, event: &InboundEvent) -> Result<Inserted, IoError> {
        let row = header(event, self.insert_body(event).await?);
        let insert = Write::insert(&self.table, row).returning_existing();
        match insert.send(&self.client).await? {
            WriteOutcome::Applied(_) => Ok(Inserted::New),
            WriteOutcome::ConditionFailed(existing)
                if read_text(&existing, "fingerprint")? == fingerprint(&event.body) =>
            {
                read_state(&existing).map(Inserted::Duplicate)
            }
            WriteOutcome::ConditionFailed(_) => Ok(Inserted::Conflict),
        }
    }

    /// The write that stores a small event together with other rows. It is pending until it is
    /// sent.
    pub(crate) fn put_in_transaction(&self, event: &InboundEvent) -> Write {
        let mut row = header(event, Body::Whole(compress(&event.body)));
        row.insert("pending".to_owned(), text(shard(&event.id)));
        row.insert("pending_since".to_owned(), text(event.received_at.to_string()));
        Write::put(&self.table, row)
    }

    pub async fn load(&self, id: &EventId) -> Result<Option<InboundEvent>, IoError> {
        match self.open(id).await? {
            Some(stored) => self.load_stored(id, &stored).await.map(Some),
            None => Ok(None),
        }
    }

    /// The header of an event, whose body may be large.
    pub async fn open(&self, id: &EventId) -> Result<Option<StoredEvent>, IoError> {
        let row = get(&self.client, &self.table, header_key(id), &[]).await?;
        Ok(row.map(StoredEvent))
    }

    pub async fn load_stored(
        &self,
        id: &EventId,
        StoredEvent(row): &StoredEvent,
    ) -> Result<InboundEvent, IoError> {
        let body = decompress(&self.load_body(id, row).await?)?;
        read_event(id, row, body)
    }

    fn update(&self, id: &EventId, changes: Changes) -> Write {
        Write::update(&self.table, header_key(id), changes)
    }
}

fn header_key(id: &EventId) -> Item {
    key(id.as_str(), "event")
}
