//! InboundLog that were kept and have to be sent: the index `pending` holds them, and no others.

use domain::core::id::EventId;
use domain::core::timestamp::Timestamp;

use super::{EventState, InboundLog, condition_held, unless_condition_fails};
use crate::error::IoError;
use crate::tables::attr::{Item, read_text, text};

/// So many pending events of a shard are read at once.
const PENDING_PAGE: i32 = 250;

/// An event that was kept and has to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// The event.
    pub id: EventId,
    /// Since when.
    pub since: Timestamp,
}

/// Some of a shard's pending events.
#[derive(Debug)]
pub struct PendingPage {
    /// Oldest first. A row that cannot be read hides no other.
    pub events: Vec<Result<Pending, IoError>>,
    /// Where the next page begins, if there is one.
    pub next: Option<Cursor>,
}

/// Where a page of pending events begins.
#[derive(Debug, Clone)]
pub struct Cursor(Item);

impl InboundLog {
    /// The shards of the index of pending events.
    pub const PENDING_SHARDS: [&str; 4] = ["0", "1", "2", "3"];

    /// Notes that an event could not be sent to its queue and has to be sent later, unless that is no longer needed.
    /// One that failed may be readable by now.
    ///
    /// # Errors
    /// The table cannot be written.
    pub async fn mark_pending(&self, id: &EventId, now: Timestamp) -> Result<(), IoError> {
        let update = self
            .update(id, "SET pending = :shard, pending_since = if_not_exists(pending_since, :now)")
            .condition_expression("#state IN (:received, :failed)")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":received", text(EventState::Received.as_str()))
            .expression_attribute_values(":failed", text(EventState::Failed.as_str()))
            .expression_attribute_values(":shard", text(shard(id)))
            .expression_attribute_values(":now", text(now.to_string()));
        unless_condition_fails(update).await
    }

    /// The oldest pending events of a shard, or those that follow an earlier page, as the index saw them a moment ago.
    ///
    /// # Errors
    /// The index cannot be read.
    pub async fn pending(&self, shard: &str, from: Option<Cursor>) -> Result<PendingPage, IoError> {
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .index_name("pending")
            .key_condition_expression("pending = :shard")
            .expression_attribute_values(":shard", text(shard))
            .set_exclusive_start_key(from.map(|cursor| cursor.0))
            .limit(PENDING_PAGE);
        let answer = query.send().await.map_err(|error| IoError::of("dynamodb:Query", &error))?;
        let events = answer.items().iter().map(read_pending).collect();
        Ok(PendingPage { events, next: answer.last_evaluated_key.map(Cursor) })
    }

    /// Notes that a pending event was sent, unless it was found pending again since.
    ///
    /// # Errors
    /// The table cannot be written.
    pub async fn clear_pending(&self, pending: &Pending) -> Result<(), IoError> {
        let update = self
            .update(&pending.id, "REMOVE pending, pending_since")
            .condition_expression("pending_since = :since")
            .expression_attribute_values(":since", text(pending.since.to_string()));
        unless_condition_fails(update).await
    }

    /// Ends an event that was pending too long. What somebody has worked on meanwhile keeps its state, and is only no
    /// longer pending. Tells whether it ended.
    ///
    /// # Errors
    /// The table cannot be written.
    pub async fn give_up(
        &self,
        pending: &Pending,
        reason: &str,
        now: Timestamp,
    ) -> Result<bool, IoError> {
        let set = "SET #state = :failed, notable = :failed, settled_at = :now, reason = :reason REMOVE pending, pending_since";
        let update = self
            .update(&pending.id, set)
            .condition_expression("#state = :received AND pending_since = :since")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":received", text(EventState::Received.as_str()))
            .expression_attribute_values(":failed", text(EventState::Failed.as_str()))
            .expression_attribute_values(":since", text(pending.since.to_string()))
            .expression_attribute_values(":reason", text(reason))
            .expression_attribute_values(":now", text(now.to_string()));
        let ended = condition_held(update).await?;
        if !ended {
            self.clear_pending(pending).await?;
        }
        Ok(ended)
    }
}

fn read_pending(item: &Item) -> Result<Pending, IoError> {
    let id = EventId::parse(read_text(item, "pk")?)
        .map_err(|_| IoError::unreadable("dynamodb", "pk"))?;
    let since = Timestamp::parse(read_text(item, "pending_since")?);
    Ok(Pending { id, since: since.map_err(|_| IoError::unreadable("dynamodb", "pending_since"))? })
}

/// Spreads the index over partitions.
pub(super) fn shard(id: &EventId) -> &'static str {
    let first = id.as_str().bytes().next().unwrap_or_default();
    InboundLog::PENDING_SHARDS[usize::from(first) % InboundLog::PENDING_SHARDS.len()]
}
