//! The DynamoDB tables.

mod attr;
mod batch_get;
pub mod contention;
pub mod deliveries;
pub mod inbound;
mod keys;
pub mod messages;
pub mod orders;
pub mod runs;
mod transaction;
