//! Live updates: what a socket sees, the ticket that opens it, the frames on it, and the same by way of
//! Pusher.

mod client_frame;
mod message;
mod missed;
pub mod pusher;
mod scope;
mod server_frame;
mod ticket;
mod ticket_request;

pub use client_frame::{ClientFrame, MAX_SINCE};
pub use message::{LiveMessage, LiveUpdate};
pub use missed::missed;
pub use scope::Scope;
pub use server_frame::{MessageNews, OrderNews, ServerFrame};
pub use ticket::{Grant, Holder, TICKET_LIFE, Ticket};
pub use ticket_request::TicketRequest;

use std::time::Duration;

/// API Gateway closes a socket after two hours. Rows of a socket outlive it.
pub const SOCKET_LIFE: Duration = Duration::from_secs(130 * 60);
