//! A delivery's row as operators see it.

use domain::core::id::{AccountCode, Awb, EndpointName, OrderId};
use domain::core::timestamp::Timestamp;
use domain::webhooks::delivery::Delivery;
use domain::webhooks::endpoint::EventType;
use domain::webhooks::kind::Kind;
use domain::webhooks::lease::DeliveryState;
use serde::{Deserialize, Serialize};

use super::body::unpack;
use super::{Deliveries, delivery_key};
use crate::error::IoError;
use crate::tables::attr::{Item, read_as, read_bytes, read_number, read_optional, read_text};
use crate::tables::read::get;

const CALL: &str = "dynamodb:GetItem";

/// The attributes of a [`DeliveryRow`].
pub(super) const COLUMNS: [&str; 18] = [
    "pk",
    "run",
    "endpoint",
    "format",
    "event",
    "account",
    "order_id",
    "version",
    "order_created_at",
    "awb",
    "state",
    "reason",
    "attempts",
    "attempt_log",
    "created_at",
    "updated_at",
    "next_attempt_at",
    "replayed_at",
];

#[derive(Debug, Clone)]
pub struct DeliveryRow {
    pub id: String,
    pub run: u32,
    pub endpoint: EndpointName,
    /// `None` if it was erased before its first attempt: only its message had it.
    pub kind: Option<Kind>,
    /// `None` if it is about an endpoint.
    pub account: Option<AccountCode>,
    /// `None` if it is about several orders, or an endpoint.
    pub order_id: Option<OrderId>,
    pub version: Option<u64>,
    pub order_created_at: Option<Timestamp>,
    pub awb: Option<Awb>,
    pub state: DeliveryState,
    /// Why it is dead, or waits for its endpoint's settings.
    pub reason: Option<String>,
    /// Of this run, with the one that is being made.
    pub attempts: u32,
    /// The oldest first, with those of earlier runs.
    pub log: Vec<LoggedAttempt>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub next_attempt_at: Option<Timestamp>,
    /// When an operator last had it sent again.
    pub replayed_at: Option<Timestamp>,
}

/// One POST, or the reason why there was none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoggedAttempt {
    #[serde(default = "first_run")]
    pub run: u32,
    pub at: Timestamp,
    /// The status code of the response, if there was one.
    pub status: Option<u16>,
    /// Why there was no response.
    pub error: Option<String>,
    pub latency_ms: u64,
    /// The start of the response body.
    pub excerpt: Option<String>,
}

fn first_run() -> u32 {
    1
}

impl DeliveryRow {
    /// The message of its next run, without the body. `None` if it was erased before its first
    /// attempt.
    pub fn next_run(&self) -> Option<Delivery> {
        let kind = self.kind?;
        Some(Delivery {
            v: kind.version(),
            id: self.id.clone(),
            run: self.run.saturating_add(1),
            endpoint: self.endpoint.clone(),
            kind,
            account: self.account.clone(),
            order_id: self.order_id.clone(),
            version: self.version,
            order_created_at: self.order_created_at,
            awb: self.awb.clone(),
            probe: false,
            accepted_at: None,
            traceparent: None,
            body: String::new(),
        })
    }
}

impl Deliveries {
    /// A delivery and its body, read consistently. There is no body once it was erased.
    pub async fn find(&self, id: &str) -> Result<Option<(DeliveryRow, Option<Vec<u8>>)>, IoError> {
        let Some(row) = get(&self.client, &self.table, delivery_key(id), &[]).await? else {
            return Ok(None);
        };
        Ok(Some((read_row(&row)?, read_body(&row)?)))
    }
}

pub(super) fn read_row(row: &Item) -> Result<DeliveryRow, IoError> {
    let time = |name| read_time(row, name).ok_or_else(|| IoError::unreadable(CALL, name));
    Ok(DeliveryRow {
        id: read_text(row, "pk")?.to_owned(),
        run: read_number(row, "run").ok_or_else(|| IoError::unreadable(CALL, "run"))?,
        endpoint: read_as(row, "endpoint", EndpointName::parse)?,
        kind: read_kind(row)?,
        account: read_optional(row, "account", AccountCode::parse)?,
        order_id: read_optional(row, "order_id", OrderId::parse)?,
        version: read_number(row, "version"),
        order_created_at: read_time(row, "order_created_at"),
        awb: read_optional(row, "awb", Awb::parse)?,
        state: DeliveryState::parse(read_text(row, "state")?)
            .ok_or_else(|| IoError::unreadable(CALL, "state"))?,
        reason: read_text(row, "reason").ok().map(str::to_owned),
        attempts: read_number(row, "attempts").unwrap_or_default(),
        log: read_log(row)?,
        created_at: time("created_at")?,
        updated_at: time("updated_at")?,
        next_attempt_at: read_time(row, "next_attempt_at"),
        replayed_at: read_time(row, "replayed_at"),
    })
}

/// `None` for a row without a format.
pub(super) fn read_kind(row: &Item) -> Result<Option<Kind>, IoError> {
    let event = read_optional(row, "event", |text| EventType::parse(text).ok_or(()))?;
    read_optional(row, "format", |text| Kind::parse(text, event).ok_or(()))
}

pub(super) fn read_body(row: &Item) -> Result<Option<Vec<u8>>, IoError> {
    read_bytes(row, "body").map(unpack).transpose()
}

pub(super) fn read_time(row: &Item, name: &str) -> Option<Timestamp> {
    read_number(row, name).and_then(|millis| Timestamp::from_millis(millis).ok())
}

fn read_log(row: &Item) -> Result<Vec<LoggedAttempt>, IoError> {
    let log = row.get("attempt_log").and_then(|log| log.as_l().ok());
    let unreadable = || IoError::unreadable(CALL, "attempt_log");
    let read = |text: &String| serde_json::from_str(text).map_err(|_| unreadable());
    let texts = log.into_iter().flatten().map(|attempt| attempt.as_s().map_err(|_| unreadable()));
    texts.map(|text| text.and_then(read)).collect()
}
