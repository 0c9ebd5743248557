//! Waypost's rules, free of IO: what an order's status is, what a delivery says, when it is tried again.
//!
//! Bytes come in as arguments and go out as values; so does time. Nothing here knows of AWS or of a network.

pub mod access;
pub mod api_event;
pub mod channel;
pub mod claim;
pub mod delivery;
pub mod egress;
pub mod endpoint;
pub mod fold;
pub mod hash;
pub mod id;
pub mod json;
pub mod message;
pub mod order;
pub mod page;
pub mod payload;
pub mod poll;
pub mod report;
pub mod request;
pub mod retry;
pub mod signing;
pub mod status;
pub mod talk;
pub mod timeline;
pub mod timestamp;
pub mod track;
pub mod trigger;
pub mod view;

#[cfg(test)]
mod testing;
