//! The only IO of Waypost: tables, queues, settings, guarded HTTP, and the shells around the functions.

pub mod batch;
pub mod callers;
pub mod clock;
pub mod contention;
pub mod deliveries;
pub mod endpoints;
pub mod environment;
pub mod error;
pub mod events;
pub mod http;
mod item;
mod lookup;
pub mod messages;
pub mod orders;
pub mod queue;
pub mod runs;
pub mod settings;
pub mod telemetry;
mod transaction;
pub mod web;
