//! The protocol of Pusher Channels, which Soketi and other servers speak too: channels, signed
//! events, and the signature that admits a client to a private channel.

mod admission;
mod channel;
mod event;
mod setting;
mod signature;

pub use admission::Admission;
pub use event::{PusherEvent, batches, events_of};
pub use setting::{InvalidPusherSetting, PusherSetting};
