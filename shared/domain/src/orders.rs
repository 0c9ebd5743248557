//! Orders and the HTTP API around them: requests, views, stored order, internal API events.

pub mod api_event;
pub mod order;
pub mod request;
pub mod trigger;
pub mod view;
