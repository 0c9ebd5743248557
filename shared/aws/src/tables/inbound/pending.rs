//! Pending events: stored, but not yet sent to their queue; and those that were sent by `sweep` or
//! for a retry, until they are processed. Only they are in the index `pending`.

use aws_sdk_dynamodb::types::{KeysAndAttributes, ReturnValue};
use domain::core::id::{AccountCode, EventId};
use domain::core::timestamp::Timestamp;
use domain::tracking::report::SourceName;

use super::erase::{ERASABLE_AT, is_erasable, without_body};
use super::{EventMessage, EventState, InboundLog, header_key};
use crate::error::IoError;
use crate::sqs::Outgoing;
use crate::tables::attr::{Item, read_as, read_text, text};
use crate::tables::batch_get::batch_get;
use crate::tables::expression::{Condition, Placeholders, attr};
use crate::tables::read::{first_page, get, query};
use crate::tables::update::Changes;

/// Events of a shard read at once.
const PENDING_PAGE: i32 = 250;

/// How far a pending event is. Every stage ends when the event is processed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    ToSend,
    /// Sent. Its message may be lost.
    Sent,
    /// Sent once more.
    Resent,
}

impl Stage {
    pub const ALL: [Self; 3] = [Self::ToSend, Self::Sent, Self::Resent];

    /// The partition of the index.
    fn partition(self, shard: &str) -> String {
        match self {
            Self::ToSend => shard.to_owned(),
            Self::Sent => format!("sent{shard}"),
            Self::Resent => format!("resent{shard}"),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    pub id: EventId,
    /// When it was to be sent; of a sent event when that happened first.
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

    /// A shard's pending events of a stage, oldest first, read eventually consistently.
    pub async fn pending(
        &self,
        stage: Stage,
        shard: &str,
        from: Option<Cursor>,
    ) -> Result<PendingPage, IoError> {
        let events = attr("pending").equals(text(stage.partition(shard)));
        let query = query(&self.client, &self.table, events)
            .index_name("pending")
            .set_exclusive_start_key(from.map(|cursor| cursor.0))
            .limit(PENDING_PAGE);
        let page = first_page(query).await?;
        let events = page.rows.iter().map(read_pending).collect();
        Ok(PendingPage { events, next: page.next.map(Cursor) })
    }

    /// The messages of these events, at most 100, in their order. The index has no account, so their
    /// rows are read. An event whose row has expired or is unreadable must not stop the others.
    pub async fn messages(&self, events: &[&Pending]) -> Result<Vec<Outgoing>, IoError> {
        let mut placeholders = Placeholders::default();
        let keys = events.iter().map(|pending| header_key(&pending.id)).collect();
        let keys = KeysAndAttributes::builder()
            .set_keys(Some(keys))
            .projection_expression(placeholders.projection(&["pk", "account", "source"]))
            .set_expression_attribute_names(placeholders.into_maps().0);
        let rows = batch_get(&self.client, &self.table, keys).await?;
        let row_of = |id: &EventId| rows.iter().find(|row| read_text(row, "pk") == Ok(id.as_str()));
        let message = |pending: &&Pending| {
            let row = row_of(&pending.id);
            let account = row.and_then(|row| read_as(row, "account", AccountCode::parse).ok());
            let source = row.and_then(|row| read_text(row, "source").ok());
            let source = source.map_or(SourceName::API, SourceName::from);
            EventMessage::outgoing(&pending.id, account.as_ref(), &source)
        };
        Ok(events.iter().map(message).collect())
    }

    /// Records that a pending event of this stage was sent, unless it was processed or became
    /// pending again since.
    pub async fn mark_sent(
        &self,
        pending: &Pending,
        stage: Stage,
        now: Timestamp,
    ) -> Result<(), IoError> {
        let (next, since) = match stage {
            Stage::ToSend => (Stage::Sent, now),
            Stage::Sent | Stage::Resent => (Stage::Resent, pending.since),
        };
        let changes = Changes::new()
            .set("pending", text(next.partition(shard(&pending.id))))
            .set("pending_since", text(since.to_string()));
        let update = self.update(&pending.id, changes).only_if(same(pending));
        update.send(&self.client).await.map(drop)
    }

    async fn clear_pending(&self, pending: &Pending) -> Result<(), IoError> {
        let changes = Changes::new().remove("pending").remove("pending_since");
        let update = self.update(&pending.id, changes).only_if(same(pending));
        update.send(&self.client).await.map(drop)
    }

    /// Fails an event that was pending too long. An event that was processed in the meantime keeps
    /// its state and is only no longer pending: then the result is `false`.
    pub async fn give_up(
        &self,
        pending: &Pending,
        reason: &str,
        now: Timestamp,
    ) -> Result<bool, IoError> {
        let row = get(&self.client, &self.table, header_key(&pending.id), &[ERASABLE_AT]).await?;
        // In one write: nothing leads to the event afterwards.
        let changes = match row.is_some_and(|row| is_erasable(&row)) {
            true => without_body(Changes::new(), now),
            false => Changes::new(),
        };
        let failed = text(EventState::Failed.as_str());
        let changes = changes
            .set("state", failed.clone())
            .set("notable", failed)
            .set("settled_at", text(now.to_string()))
            .set("reason", text(reason))
            .remove("pending")
            .remove("pending_since");
        let unprocessed =
            attr("state").equals(text(EventState::Received.as_str())).and(same(pending));
        let update = self.update(&pending.id, changes).only_if(unprocessed);
        let update = update.returning(ReturnValue::AllNew);
        let failed = update.send(&self.client).await?.applied();
        match &failed {
            Some(row) => self.erase_if_noted(&pending.id, row, now).await?,
            None => self.clear_pending(pending).await?,
        }
        Ok(failed.is_some())
    }
}

fn same(pending: &Pending) -> Condition {
    attr("pending_since").equals(text(pending.since.to_string()))
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

#[cfg(test)]
#[expect(clippy::unwrap_used)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::client::fake::{FakeAws, clients};

    /// A sent event is due from the time it was sent, a resent one still from the first time.
    #[tokio::test]
    async fn a_sent_event_goes_to_the_next_stage() {
        let at = |hour: u32| Timestamp::parse(&format!("2026-01-20T{hour:02}:00:00Z")).unwrap();
        let pending = Pending { id: EventId::parse("e").unwrap(), since: at(1) };
        for (stage, partition, since) in [
            (Stage::ToSend, "sent1", at(3)),
            (Stage::Sent, "resent1", at(1)),
            (Stage::Resent, "resent1", at(1)),
        ] {
            let fake = FakeAws::sequence(&[(200, "{}")]);
            let log = InboundLog::new(clients(fake.edge()).dynamodb(), "inbound".to_owned());
            log.mark_sent(&pending, stage, at(3)).await.unwrap();
            let requests = fake.requests();
            let body = String::from_utf8_lossy(requests[0].body().bytes().unwrap()).into_owned();
            assert!(body.contains(&format!("\"{partition}\"")), "{body}");
            assert!(body.contains(&since.to_string()), "{body}");
        }
    }

    #[tokio::test]
    async fn a_late_message_has_the_group_of_its_account_whatever_the_other_rows_are() {
        let fake = FakeAws::new(|body| {
            let request: Value = serde_json::from_slice(body).unwrap();
            assert_eq!(request["RequestItems"]["log"]["Keys"].as_array().unwrap().len(), 4);
            let text = |text: &str| json!({ "S": text });
            let rows = json!([
                { "pk": text("c"), "source": text("whatsapp") },
                { "pk": text("a"), "source": text("shiprocket"), "account": text("STORE001") },
                { "pk": text("d"), "source": text("shipway"), "account": text("a/b") },
            ]);
            (200, json!({ "Responses": { "log": rows } }).to_string())
        });
        let log = InboundLog::new(clients(fake.edge()).dynamodb(), "log".to_owned());
        let pending = ["a", "b", "c", "d"]
            .map(|id| Pending { id: EventId::parse(id).unwrap(), since: Timestamp::EPOCH });
        let messages = log.messages(&pending.iter().collect::<Vec<_>>()).await.unwrap();
        let read = |message: &Outgoing| EventMessage::read(&message.body).unwrap().event_id;
        let ids: Vec<EventId> = messages.iter().map(read).collect();
        assert_eq!(ids, pending.map(|pending| pending.id));
        let groups: Vec<&str> = messages.iter().map(|message| message.group.as_str()).collect();
        assert_eq!(groups, ["STORE001", "api", "whatsapp", "shipway"]);
    }
}
