//! Messages to and from shoppers, and the statuses that a messaging provider reports.

pub mod answer;
pub mod channel;
pub mod cloud_api;
pub mod conversation;
pub mod conversation_view;
pub mod figures;
pub mod linked;
pub mod message;
pub mod message_details;
pub mod message_status;
pub mod new_send;
pub mod opt_out;
pub mod pricing;
pub mod provider_state;
pub mod recipient;
pub mod rules;
pub mod send;
