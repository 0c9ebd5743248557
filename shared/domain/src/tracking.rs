//! The status engine: the facts of an order become its timeline, and the timeline its status.

mod aggregate;
pub mod entry;
pub mod fold;
mod journey;
mod parcels;
pub mod report;
pub mod state;
pub mod status;
#[cfg(test)]
pub(crate) mod story;
pub mod timeline;
