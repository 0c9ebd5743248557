//! Bad inputs through the front door: what is answered, what is kept of them, and that nothing else comes of them.
//!
//! Each source has a table of what may be odd in any request (`common`) and of what may be odd in its own.

mod case;
mod common;
mod esahayak;
mod post;
mod repeats;
mod shiprocket;
mod shipway;
mod surface;
mod whatsapp;
