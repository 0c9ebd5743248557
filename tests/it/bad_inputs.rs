//! Bad inputs through the front door: what is answered, what is kept of them, and that nothing else comes of them.
//!
//! Each source has a table of what may be odd in any request (`common`) and of what may be odd in its own.

mod case;
mod common;
pub mod esahayak;
pub mod post;
mod repeats;
pub mod shiprocket;
pub mod shipway;
pub mod surface;
pub mod whatsapp;
