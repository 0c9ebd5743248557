//! The DynamoDB tables.

mod batch_get;
pub mod contention;
pub mod deliveries;
pub mod inbound;
mod item;
pub mod messages;
pub mod orders;
pub mod runs;
mod transaction;
