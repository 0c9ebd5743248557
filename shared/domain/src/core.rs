//! Values that every other module uses: ids, hashes, JSON, timestamps.

pub(crate) mod canonical_json;
pub(crate) mod deserialize;
pub mod hash;
pub mod id;
pub mod raw_json;
pub(crate) mod repeated;
pub mod request_body;
pub mod timestamp;
pub mod trace;
