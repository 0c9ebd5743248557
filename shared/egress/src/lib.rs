//! Outgoing HTTP to third-party servers, guarded against SSRF. No request leaves Waypost for a
//! customer's or a carrier's server except through this crate, the only one with an HTTP client.

mod client;
mod error;
mod excerpt;
pub mod policy;
mod resolve;

pub use client::{Answer, GetError, HeaderMap, HeaderName, HeaderValue, Http, LOOPBACK, Reply};
pub use error::PostError;
