//! The shells around Lambda functions: SQS batches, HTTP requests, callers.

pub mod auth;
pub mod http_api;
pub mod sqs_batch;
