//! The inbound log: one row an event, 90 days. The row's id is the event's idempotency key.
//!
//! | partition | sort key | what |
//! |---|---|---|
//! | event id | `event` | the header, with the compressed body if it is small enough |
//! | | `body:{fingerprint}:{n}` | a part of a large body, written before the header |
//!
//! The index `pending` holds only events that have to be sent: while one is, it has `pending` (a shard) and
//! `pending_since`. The index `by_day` holds all, `notable` those that somebody may want to look at.

mod log;
mod pending;
mod row;

use std::collections::BTreeSet;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::put_item::builders::PutItemFluentBuilder;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{
    AttributeValue, Put, ReturnValue, ReturnValuesOnConditionCheckFailure,
};
use domain::core::id::{AccountCode, EventId, ReportId};
use domain::core::timestamp::Timestamp;
use domain::tracking::report::SourceName;
use serde::{Deserialize, Serialize};

use crate::error::IoError;
use crate::tables::attr::{
    Item, bytes, compress, decompress, read_bytes, read_number, read_text, text, texts, ttl,
};
use crate::tables::transaction::Write;

pub use log::{InvalidFilter, LogFilter, LogPage, LogRow, Place};
use pending::shard;
pub use pending::{Cursor, Pending, PendingPage};
use row::{Body, all_reconciled, fingerprint, header, read_event, read_state};

const DAYS: u64 = 90;
/// A row may have 400 KB; what is larger compressed is cut into parts.
const PART_BYTES: usize = 300_000;

/// How far an event has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventState {
    /// Inserted, not yet worked on.
    Received,
    /// All it says is applied and announced.
    Processed,
    /// At least one of its reports waits for its order.
    Unmatched,
    /// It says nothing about an order.
    Ignored,
    /// It contradicts itself or what came before, and is not worked on unless somebody says so.
    Quarantined,
    /// It could not be read, or not be told.
    Failed,
}

impl EventState {
    /// Every one.
    pub const ALL: [Self; 6] = [
        Self::Received,
        Self::Processed,
        Self::Unmatched,
        Self::Ignored,
        Self::Quarantined,
        Self::Failed,
    ];

    /// As it stands in rows and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Processed => "processed",
            Self::Unmatched => "unmatched",
            Self::Ignored => "ignored",
            Self::Quarantined => "quarantined",
            Self::Failed => "failed",
        }
    }

    /// Whether nothing is left to do for the event itself.
    pub fn is_settled(self) -> bool {
        matches!(self, Self::Processed | Self::Unmatched | Self::Ignored | Self::Quarantined)
    }

    /// Whether somebody may want to look at the event.
    pub fn is_notable(self) -> bool {
        matches!(self, Self::Unmatched | Self::Quarantined | Self::Failed)
    }
}

/// How far an event has come, and why no further.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// How far.
    pub state: EventState,
    /// Why, if there is more to say; never content.
    pub reason: Option<String>,
    /// The reports that wait for their orders.
    pub waiting: BTreeSet<ReportId>,
}

impl From<EventState> for Progress {
    fn from(state: EventState) -> Self {
        Self { state, reason: None, waiting: BTreeSet::new() }
    }
}

impl Progress {
    /// In a state for a reason.
    pub fn because(state: EventState, reason: impl Into<String>) -> Self {
        Self { reason: Some(reason.into()), ..state.into() }
    }

    /// Some of its reports wait for their orders.
    pub fn unmatched(waiting: BTreeSet<ReportId>) -> Self {
        Self { waiting, ..EventState::Unmatched.into() }
    }
}

/// One event as received.
#[derive(Clone)]
pub struct InboundEvent {
    /// Its idempotency key: a hash of what tells it from others.
    pub id: EventId,
    /// Who sent it.
    pub source: SourceName,
    /// Whose it is. Absent where its updates say so, each for itself.
    pub account: Option<AccountCode>,
    /// When.
    pub received_at: Timestamp,
    /// How far it has come.
    pub state: EventState,
    /// Why it is in that state, if there is more to say.
    pub reason: Option<String>,
    /// The body, to the byte.
    pub body: Vec<u8>,
}

/// Bodies hold names and phones.
impl std::fmt::Debug for InboundEvent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InboundEvent")
            .field("id", &self.id)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// A message of the events queue.
#[derive(Debug, Serialize, Deserialize)]
pub struct EventMessage {
    v: u8,
    /// The event to work on.
    pub event_id: EventId,
}

impl EventMessage {
    const VERSION: u8 = 1;

    /// The message's body.
    pub fn write(id: &EventId) -> String {
        serde_json::json!({"v": Self::VERSION, "event_id": id}).to_string()
    }

    /// Reads a message's body; `None` if this program does not understand it.
    pub fn read(body: &str) -> Option<Self> {
        serde_json::from_str(body).ok().filter(|message: &Self| message.v == Self::VERSION)
    }
}

/// Whether an event was new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inserted {
    /// It was.
    New,
    /// The same event had come before and has come this far.
    Duplicate(EventState),
    /// An event of this id had come before, with another body.
    Conflict,
}

/// The inbound table.
#[derive(Debug, Clone)]
pub struct InboundLog {
    client: Client,
    table: String,
}

impl InboundLog {
    /// The table of this name.
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// Keeps an event unless it is there.
    ///
    /// # Errors
    /// The table cannot be written.
    pub async fn insert(&self, event: &InboundEvent) -> Result<Inserted, IoError> {
        let item = header(event, self.insert_body(event).await?);
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(pk)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let Err(error) = put.send().await else { return Ok(Inserted::New) };
        match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(failed)) => {
                let before =
                    failed.item().ok_or_else(|| IoError::unreadable("dynamodb", "event"))?;
                let same = read_text(before, "fingerprint")? == fingerprint(&event.body);
                if same {
                    read_state(before).map(Inserted::Duplicate)
                } else {
                    Ok(Inserted::Conflict)
                }
            }
            _ => Err(IoError::of("dynamodb:PutItem", &error)),
        }
    }

    /// The write that keeps a small event together with other rows. It is pending until it is sent.
    pub(crate) fn put_in_transaction(&self, event: &InboundEvent) -> Write {
        let mut item = header(event, Body::Whole(compress(&event.body)));
        item.insert("pending".to_owned(), text(shard(&event.id)));
        item.insert("pending_since".to_owned(), text(event.received_at.to_string()));
        Write::Put(Put::builder().table_name(&self.table).set_item(Some(item)))
    }

    /// Reads an event.
    ///
    /// # Errors
    /// The table cannot be read.
    pub async fn load(&self, id: &EventId) -> Result<Option<InboundEvent>, IoError> {
        let request = self.client.get_item().table_name(&self.table).consistent_read(true);
        let answer = request.key("pk", text(id.as_str())).key("sk", text("event")).send().await;
        let item = answer.map_err(|error| IoError::of("dynamodb:GetItem", &error))?.item;
        let Some(item) = item else { return Ok(None) };
        let packed = match read_number(&item, "parts") {
            Some(parts) => self.load_parts(id, read_text(&item, "fingerprint")?, parts).await?,
            None => read_bytes(&item, "body").unwrap_or_default().to_vec(),
        };
        read_event(id, &item, decompress(&packed)?).map(Some)
    }

    /// Notes how far an event has come. It is no longer pending. What is processed stays so.
    ///
    /// # Errors
    /// The table cannot be written.
    pub async fn mark(
        &self,
        id: &EventId,
        progress: &Progress,
        now: Timestamp,
    ) -> Result<(), IoError> {
        let marked = changed(self.marking(id, progress, now)).await?;
        // A report may have been adopted since it was found to be waiting.
        if progress.state == EventState::Unmatched && marked.is_some_and(|row| all_reconciled(&row))
        {
            changed(self.marking(id, &EventState::Processed.into(), now)).await?;
        }
        Ok(())
    }

    /// Notes that one of an event's waiting reports found its order. With the last one the event is processed.
    ///
    /// # Errors
    /// The table cannot be written.
    pub async fn mark_reconciled(
        &self,
        id: &EventId,
        report: &ReportId,
        now: Timestamp,
    ) -> Result<(), IoError> {
        let update = self
            .update(id, "ADD adopted :report")
            .condition_expression("attribute_exists(pk)")
            .expression_attribute_values(":report", texts([report.as_str()]))
            .return_values(ReturnValue::AllNew);
        let Some(row) = changed(update).await? else { return Ok(()) };
        if read_state(&row)? == EventState::Unmatched && all_reconciled(&row) {
            changed(self.marking(id, &EventState::Processed.into(), now)).await?;
        }
        Ok(())
    }

    fn marking(
        &self,
        id: &EventId,
        progress: &Progress,
        now: Timestamp,
    ) -> UpdateItemFluentBuilder {
        let state = progress.state;
        let mut set = "SET #state = :state, settled_at = :now, reason = :reason".to_owned();
        set += if progress.waiting.is_empty() { "" } else { ", waiting = :waiting" };
        set += if state.is_notable() { ", notable = :state" } else { "" };
        set += " REMOVE pending, pending_since";
        set += if state.is_notable() { "" } else { ", notable" };
        let reason = progress.reason.clone().map_or(AttributeValue::Null(true), text);
        let update = self
            .update(id, &set)
            .condition_expression("attribute_exists(pk) AND #state <> :processed")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":processed", text(EventState::Processed.as_str()))
            .expression_attribute_values(":state", text(state.as_str()))
            .expression_attribute_values(":reason", reason)
            .expression_attribute_values(":now", text(now.to_string()));
        if progress.waiting.is_empty() {
            return update;
        }
        let waiting = texts(progress.waiting.iter().map(ReportId::as_str));
        update.expression_attribute_values(":waiting", waiting).return_values(ReturnValue::AllNew)
    }

    fn update(&self, id: &EventId, expression: &str) -> UpdateItemFluentBuilder {
        let update =
            self.client.update_item().table_name(&self.table).update_expression(expression);
        update.key("pk", text(id.as_str())).key("sk", text("event"))
    }

    /// Writes the parts of a large body and tells what the header has to carry.
    async fn insert_body(&self, event: &InboundEvent) -> Result<Body, IoError> {
        let packed = compress(&event.body);
        if packed.len() <= PART_BYTES {
            return Ok(Body::Whole(packed));
        }
        let parts: Vec<&[u8]> = packed.chunks(PART_BYTES).collect();
        let fingerprint = fingerprint(&event.body);
        for (index, part) in parts.iter().enumerate() {
            let put =
                self.client.put_item().table_name(&self.table).item("pk", text(event.id.as_str()));
            let put = put
                .item("sk", text(part_key(&fingerprint, index)))
                .item("body", bytes(part.to_vec()));
            put_once(put.item("ttl", ttl(event.received_at, DAYS))).await?;
        }
        Ok(Body::Parts(parts.len()))
    }

    async fn load_parts(
        &self,
        id: &EventId,
        fingerprint: &str,
        parts: usize,
    ) -> Result<Vec<u8>, IoError> {
        let mut packed = Vec::new();
        for index in 0..parts {
            let request = self.client.get_item().table_name(&self.table).consistent_read(true);
            let request =
                request.key("pk", text(id.as_str())).key("sk", text(part_key(fingerprint, index)));
            let answer =
                request.send().await.map_err(|error| IoError::of("dynamodb:GetItem", &error))?;
            let part = answer.item.ok_or_else(|| IoError::unreadable("dynamodb", "body"))?;
            packed.extend_from_slice(read_bytes(&part, "body").unwrap_or_default());
        }
        Ok(packed)
    }
}

/// Two bodies may claim one id: the parts of each keep their own.
fn part_key(fingerprint: &str, index: usize) -> String {
    format!("body:{fingerprint}:{index}")
}

/// A part that is there already was cut from the same body.
async fn put_once(put: PutItemFluentBuilder) -> Result<(), IoError> {
    let Err(error) = put.condition_expression("attribute_not_exists(pk)").send().await else {
        return Ok(());
    };
    match error.as_service_error() {
        Some(PutItemError::ConditionalCheckFailedException(_)) => Ok(()),
        _ => Err(IoError::of("dynamodb:PutItem", &error)),
    }
}

async fn unless_condition_fails(update: UpdateItemFluentBuilder) -> Result<(), IoError> {
    changed(update).await.map(drop)
}

async fn condition_held(update: UpdateItemFluentBuilder) -> Result<bool, IoError> {
    Ok(changed(update).await?.is_some())
}

/// The attributes that the update asked for, unless its condition failed.
async fn changed(update: UpdateItemFluentBuilder) -> Result<Option<Item>, IoError> {
    match update.send().await {
        Ok(answer) => Ok(Some(answer.attributes.unwrap_or_default())),
        Err(error) => match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(None),
            _ => Err(IoError::of("dynamodb:UpdateItem", &error)),
        },
    }
}
