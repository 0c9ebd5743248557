//! The seam at which a simulation replaces the network. No deploy build has it.

use std::fmt::Debug;

use futures::future::BoxFuture;

pub use hyper::body::{Body as BodyStream, Bytes, Frame};
pub use reqwest::{Body, Request, Response};

use crate::SendError;

/// Answers in place of DNS, connections and servers. [`crate::Http`] still checks the target, drops
/// reserved headers, limits time and size, and reads the body.
pub trait Network: Debug + Send + Sync {
    fn send(&self, request: Request) -> BoxFuture<'static, Result<Response, SendError>>;
}
