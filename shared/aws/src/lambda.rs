//! Lambda event loops and request handling: SQS batches, the HTTP API, authentication.

pub mod auth;
pub mod http_api;
pub mod sqs_batch;
