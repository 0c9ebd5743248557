//! What WhatsApp reported, and what partners recorded about messages.

use domain::core::id::OrderKey;
use serde_json::Value;

/// What happened to messages.
#[derive(Default)]
pub(crate) struct MessagesLedger {
    pub(crate) webhooks: Vec<Updates>,
    pub(crate) records: Vec<Record>,
    /// Answered 409: their messages are said to be about another order.
    pub(crate) refused: Vec<Record>,
}

/// An accepted webhook of WhatsApp.
#[derive(Debug, Clone)]
pub(crate) struct Updates {
    pub(crate) event_id: String,
    pub(crate) body: String,
}

/// A `POST /api/orders/message-tracking`.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) order: OrderKey,
    pub(crate) body: Value,
    pub(crate) idempotency_key: Option<String>,
}
