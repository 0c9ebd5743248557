//! The tracking page of an order: its links and their tokens, the shop's settings, and what it says.

mod carriers;
mod checkpoints;
mod colour;
mod links;
mod local_time;
mod messages;
mod progress;
mod setting;
mod shop;
mod token;
mod view;
mod words;

pub use carriers::courier_url;
pub use checkpoints::Checkpoint;
pub use colour::Colour;
pub use links::TrackingLinks;
pub use local_time::{Day, LocalTime};
pub use messages::{MessageLine, Tick};
pub use progress::{Headline, Progress, Way};
pub use setting::InvalidPageSetting;
pub use shop::{Link, ShopPage};
pub use token::{InvalidKeys, TokenError, TokenKeys};
pub use view::{Notice, PageDate, PageFacts, ParcelCard, TrackingPage};
