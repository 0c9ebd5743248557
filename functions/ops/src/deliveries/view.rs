//! JSON views of deliveries.

use aws::tables::deliveries::{DeliveryRow, LoggedAttempt};
use domain::core::id::{AccountCode, EndpointName, OrderId};
use domain::core::timestamp::Timestamp;
use domain::webhooks::endpoint::EventType;
use domain::webhooks::kind::Kind;
use serde::Serialize;

#[derive(Debug, Serialize)]
pub(super) struct DeliveryView<'a> {
    id: &'a str,
    endpoint: &'a EndpointName,
    /// Null if it is about an endpoint.
    account_code: Option<&'a AccountCode>,
    /// Null if it is about several orders.
    order_id: Option<&'a OrderId>,
    version: Option<u64>,
    /// Null, as `format`, if it was erased before its first attempt.
    kind: Option<&'static str>,
    format: Option<&'static str>,
    state: &'static str,
    reason: Option<&'a str>,
    run: u32,
    /// Of this run.
    attempts: u32,
    last_attempt: Option<&'a LoggedAttempt>,
    created_at: Timestamp,
    updated_at: Timestamp,
    next_attempt_at: Option<Timestamp>,
    replayed_at: Option<Timestamp>,
}

impl<'a> DeliveryView<'a> {
    pub(super) fn of(row: &'a DeliveryRow) -> Self {
        Self {
            id: &row.id,
            endpoint: &row.endpoint,
            account_code: row.account.as_ref(),
            order_id: row.order_id.as_ref(),
            version: row.version,
            kind: row.kind.and_then(Kind::event).map(EventType::as_str),
            format: row.kind.map(Kind::format),
            state: row.state.as_str(),
            reason: row.reason.as_deref(),
            run: row.run,
            attempts: row.attempts,
            last_attempt: row.log.last(),
            created_at: row.created_at,
            updated_at: row.updated_at,
            next_attempt_at: row.next_attempt_at,
            replayed_at: row.replayed_at,
        }
    }
}

/// Has no `Debug`: bodies contain personal data.
#[derive(Serialize)]
pub(super) struct DeliveryDetail<'a> {
    #[serde(flatten)]
    summary: DeliveryView<'a>,
    attempt_log: &'a [LoggedAttempt],
    /// The posted bytes. Null once they were erased.
    body: Option<String>,
}

impl<'a> DeliveryDetail<'a> {
    pub(super) fn new(row: &'a DeliveryRow, body: Option<String>) -> Self {
        Self { summary: DeliveryView::of(row), attempt_log: &row.log, body }
    }
}
