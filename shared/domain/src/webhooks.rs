//! Outgoing webhooks: endpoints, payloads, deliveries, leases, retries, signatures.

pub mod answer_event;
pub mod delivery;
pub mod endpoint;
pub mod endpoint_event;
pub mod erased;
pub mod headers;
pub mod health;
pub mod kind;
pub mod latest;
pub mod lease;
pub mod notification;
pub mod payload;
pub mod replay;
pub mod retry;
pub mod rotation;
pub mod signing;
