//! AWS IO: DynamoDB tables, SQS queues, SSM settings, and the Lambda event loops of the functions.

pub mod client;
pub mod clock;
pub mod endpoint_parameters;
pub mod endpoints;
pub mod entropy;
pub mod env;
pub mod error;
pub mod lambda;
pub mod message_rules;
pub mod pusher;
pub mod settings;
pub mod sockets;
pub mod sqs;
pub mod tables;
pub mod telemetry;
pub mod tracking_links;
