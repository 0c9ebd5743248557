//! Outgoing HTTP to third-party servers, with an SSRF guard. Every request to a server of a
//! customer or carrier goes through this crate, the only one with an HTTP client.

mod client;
mod error;
mod excerpt;
mod headers;
mod interim;
pub mod policy;
mod resolve;
mod roots;
#[cfg(feature = "simulation")]
pub mod simulation;
mod transport;

pub use client::{
    GetError, GetResponse, HeaderMap, HeaderName, HeaderValue, Http, LOOPBACK, OnceResponse,
    PostResponse,
};
pub use error::SendError;
pub use headers::header_map;
pub use transport::Clock;
