//! The DynamoDB tables.

mod attr;
pub mod audit;
mod batch_get;
pub mod concurrency;
pub mod contention;
pub mod deliveries;
pub mod endpoint_health;
mod expression;
pub mod inbound;
pub mod jobs;
mod keys;
pub mod messages;
pub mod orders;
mod read;
pub mod runs;
mod transaction;
mod update;
mod write;
