//! Values that every other module uses: ids, hashes, JSON, timestamps.

pub mod hash;
pub mod id;
pub mod json;
pub mod timestamp;
