//! The tracking page of an order: its links and their tokens.

mod links;
mod setting;
mod token;

pub use links::TrackingLinks;
pub use setting::InvalidPageSetting;
pub use token::{InvalidKeys, TokenError, TokenKeys};
