//! The DynamoDB tables.

mod attr;
pub mod audit;
pub mod auth_failures;
mod batch_get;
pub mod buckets;
pub mod concurrency;
pub mod connections;
pub mod contention;
pub mod counters;
mod deflate;
pub mod deliveries;
pub mod endpoint_health;
mod expression;
pub mod inbound;
pub mod jobs;
mod keys;
pub mod messages;
pub mod orders;
pub mod packed;
mod read;
pub mod runs;
pub mod send_limits;
pub mod tickets;
mod transaction;
mod update;
mod write;
