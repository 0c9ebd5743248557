//! Waypost's rules without IO: tracking, orders, webhooks, messaging and polling as pure functions.
//!
//! Bytes and time come in as arguments; values go out. The crate knows neither AWS nor the network.

pub mod auth;
pub mod core;
pub mod live;
pub mod messaging;
pub mod metrics;
pub mod orders;
pub mod page;
pub mod pagination;
pub mod polling;
pub mod redrive;
pub mod tracking;
pub mod webhooks;

#[cfg(test)]
mod stored_json;
#[cfg(test)]
mod testing;
