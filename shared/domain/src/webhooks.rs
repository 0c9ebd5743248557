//! Outgoing webhooks: endpoints, payloads, deliveries, leases, retries, signatures.

pub mod delivery;
pub mod endpoint;
pub mod erased;
pub mod health;
pub mod lease;
pub mod notification;
pub mod payload;
pub mod retry;
pub mod signing;
