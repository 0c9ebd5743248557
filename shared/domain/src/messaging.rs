//! Messages to and from shoppers, and the status a messaging provider reports for them.

pub mod channel;
pub mod conversation;
pub mod linked;
pub mod message;
pub mod message_status;
