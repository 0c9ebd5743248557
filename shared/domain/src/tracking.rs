//! The status engine: provider reports become a timeline, and the timeline a status.

pub mod fold;
pub mod report;
pub mod status;
pub mod timeline;
