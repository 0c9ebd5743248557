//! Malformed and unauthorized webhooks: the response, the stored event and the effect on orders.
//!
//! Every source runs the shared table of `mutations` and tables of its own.

mod duplicates;
pub mod esahayak;
mod mutations;
pub mod request;
pub mod shiprocket;
pub mod shipway;
pub mod source_fixture;
mod test_case;
mod test_order;
pub mod whatsapp;
