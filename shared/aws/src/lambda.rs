//! Lambda event loops and request handling: SQS batches, the HTTP API, authentication.

pub mod auth;
pub mod http_api;
mod isolated_batch;
pub mod memory_budget;
pub mod sqs_batch;
