//! Pending events: stored, but not yet sent to their queue. Only they are in the index `pending`.

use domain::core::id::EventId;
use domain::core::timestamp::Timestamp;

use super::{EventState, InboundLog};
use crate::error::IoError;
use crate::tables::attr::{Item, read_as, text};
use crate::tables::expression::attr;
use crate::tables::read::{first_page, query};
use crate::tables::update::Changes;

/// Events of a shard read at once.
const PENDING_PAGE: i32 = 250;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    pub id: EventId,
    pub since: Timestamp,
}

/// A page of a shard's pending events.
#[derive(Debug)]
pub struct PendingPage {
    /// Oldest first. Unreadable rows are errors of their own.
    pub events: Vec<Result<Pending, IoError>>,
    pub next: Option<Cursor>,
}

#[derive(Debug, Clone)]
pub struct Cursor(Item);

impl InboundLog {
    /// The shards of the index `pending`.
    pub const PENDING_SHARDS: [&str; 4] = ["0", "1", "2", "3"];

    /// Marks an event that could not be sent to its queue, so that it is sent later. Only events
    /// that still need processing: received ones, and failed ones, which may be readable by now.
    pub async fn mark_pending(&self, id: &EventId, now: Timestamp) -> Result<(), IoError> {
        let changes = Changes::new()
            .set("pending", text(shard(id)))
            .set_if_absent("pending_since", text(now.to_string()));
        let unsettled =
            [EventState::Received, EventState::Failed].map(|state| text(state.as_str()));
        let update = self.update(id, changes).only_if(attr("state").one_of(unsettled));
        update.send(&self.client).await.map(drop)
    }

    /// A shard's pending events, oldest first, read eventually consistently.
    pub async fn pending(&self, shard: &str, from: Option<Cursor>) -> Result<PendingPage, IoError> {
        let query = query(&self.client, &self.table, attr("pending").equals(text(shard)))
            .index_name("pending")
            .set_exclusive_start_key(from.map(|cursor| cursor.0))
            .limit(PENDING_PAGE);
        let page = first_page(query).await?;
        let events = page.rows.iter().map(read_pending).collect();
        Ok(PendingPage { events, next: page.next.map(Cursor) })
    }

    /// Records that a pending event was sent, unless it became pending again since.
    pub async fn clear_pending(&self, pending: &Pending) -> Result<(), IoError> {
        let changes = Changes::new().remove("pending").remove("pending_since");
        let same = attr("pending_since").equals(text(pending.since.to_string()));
        self.update(&pending.id, changes).only_if(same).send(&self.client).await.map(drop)
    }

    /// Fails an event that was pending too long. An event that was processed in the meantime keeps
    /// its state and is only no longer pending: then the result is `false`.
    pub async fn give_up(
        &self,
        pending: &Pending,
        reason: &str,
        now: Timestamp,
    ) -> Result<bool, IoError> {
        let failed = text(EventState::Failed.as_str());
        let changes = Changes::new()
            .set("state", failed.clone())
            .set("notable", failed)
            .set("settled_at", text(now.to_string()))
            .set("reason", text(reason))
            .remove("pending")
            .remove("pending_since");
        let unprocessed = attr("state")
            .equals(text(EventState::Received.as_str()))
            .and(attr("pending_since").equals(text(pending.since.to_string())));
        let update = self.update(&pending.id, changes).only_if(unprocessed);
        let has_failed = update.send(&self.client).await?.is_applied();
        if !has_failed {
            self.clear_pending(pending).await?;
        }
        Ok(has_failed)
    }
}

fn read_pending(row: &Item) -> Result<Pending, IoError> {
    Ok(Pending {
        id: read_as(row, "pk", EventId::parse)?,
        since: read_as(row, "pending_since", Timestamp::parse)?,
    })
}

/// Spreads the index over partitions.
pub(super) fn shard(id: &EventId) -> &'static str {
    let first = id.as_str().bytes().next().unwrap_or_default();
    InboundLog::PENDING_SHARDS[usize::from(first) % InboundLog::PENDING_SHARDS.len()]
}
