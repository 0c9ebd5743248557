//! Lambda event loops and request handling: SQS batches, the HTTP API, authentication.

pub mod auth;
pub mod cross_origin;
pub mod gzip;
pub mod http_api;
mod isolated_batch;
pub mod memory_budget;
pub mod sqs_batch;

use std::pin::Pin;

/// An invocation of a function. Boxed, so that the function is compiled with its own crate, and not
/// again with every program that invokes it.
pub type Invocation<'a, T> = Pin<Box<dyn Future<Output = Result<T, lambda_runtime::Error>> + 'a>>;

/// An invocation by API Gateway. The runtime requires `Send`.
pub type HttpInvocation<'a> = Pin<Box<dyn Future<Output = HttpResult> + Send + 'a>>;

type HttpResult = Result<lambda_http::Response<lambda_http::Body>, lambda_http::Error>;
