//! Orders: the stored order, the requests and views of the HTTP API, and the events it writes.

pub mod api_event;
pub mod erasure;
pub mod order;
pub mod phone;
pub mod request;
pub mod trigger;
pub mod view;
