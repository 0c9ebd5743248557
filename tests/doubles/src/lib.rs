//! Models of the AWS services that Waypost uses, as far as it uses them. They do no IO and read no
//! clock: the time is an argument, and every random choice comes from the caller.

pub mod dynamodb;
pub mod failure;
pub mod iam;
pub mod names;
pub mod sqs;
pub mod ssm;
pub mod template;
pub mod websockets;
